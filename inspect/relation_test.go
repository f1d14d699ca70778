package inspect

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// relTuple is a tuple of a page made by relHeapPage.
type relTuple struct {
	xmin, xmax pgdisk.XID
	mask       pgdisk.Infomask
	mask2      pgdisk.Infomask2
	to         uint16 // line pointer in t_ctid, 0 for itself
}

// relHeapPage makes a page of a table with tuples of 24 bytes and a right checksum.
func relHeapPage(blk pgdisk.BlockNumber, lsn pgdisk.LSN, tuples ...relTuple) []byte {
	page := make([]byte, pgdisk.BlockSize)
	le := binary.LittleEndian
	upper := pgdisk.BlockSize
	for i, tuple := range tuples {
		upper -= 24
		to := tuple.to
		if to == 0 {
			to = uint16(i + 1)
		}
		if tuple.xmax == 0 {
			tuple.mask |= pgdisk.HeapXmaxInvalid
		}
		pgdisk.TupleHeader{Xmin: tuple.xmin, Xmax: tuple.xmax, Infomask: tuple.mask, Infomask2: tuple.mask2 | 1, Hoff: 24,
			CTID: pgdisk.TID{Block: blk, Item: to}}.Encode(page[upper:])
		le.PutUint32(page[pgdisk.PageHeaderSize+4*i:], pgdisk.ItemID{Off: uint16(upper), Flags: pgdisk.ItemNormal, Len: 24}.Encode())
	}
	le.PutUint32(page, uint32(lsn>>32))
	le.PutUint32(page[4:], uint32(lsn))
	le.PutUint16(page[12:], uint16(pgdisk.PageHeaderSize+4*len(tuples)))
	le.PutUint16(page[14:], uint16(upper))
	le.PutUint16(page[16:], pgdisk.BlockSize)
	le.PutUint16(page[18:], pgdisk.BlockSize|pgdisk.PageLayoutVersion)
	pgdisk.PutPageChecksum(page, blk)
	return page
}

// relMapPage makes a page of a map.
func relMapPage(blk pgdisk.BlockNumber, content ...byte) []byte {
	page := relHeapPage(blk, 1)
	binary.LittleEndian.PutUint16(page[14:], pgdisk.BlockSize)
	copy(page[pgdisk.PageHeaderSize:], content)
	pgdisk.PutPageChecksum(page, blk)
	return page
}

// relCluster is slruCluster with a relation of two blocks a file and five blocks, of one
// visible row each.
func relCluster() (fstest.MapFS, *pgdisk.Control) {
	fsys, c := slruCluster()
	c.RelSegSize, c.DataChecksumVersion, c.Checkpoint = 2, 1, 0x2000000
	for blk := range pgdisk.BlockNumber(5) {
		name := []string{"base/5/16384", "base/5/16384.1", "base/5/16384.2"}[blk/2]
		if fsys[name] == nil {
			fsys[name] = &fstest.MapFile{}
		}
		fsys[name].Data = append(fsys[name].Data, relHeapPage(blk, 0x1000000+pgdisk.LSN(blk), relTuple{xmin: 701})...)
	}
	return fsys, c
}

func relOf(fsys fs.FS, c *pgdisk.Control) RelationSource {
	return RelationSource{FS: fsys, Dir: "base/5", File: pgdisk.RelFile{Tablespace: pgdisk.DefaultTablespace, Database: 5, Number: 16384, Segment: 1}, Control: c}
}

func TestRelationFindings(t *testing.T) {
	put := func(f fstest.MapFS, name string, at int64, b ...byte) {
		f[name].Data = slices.Clone(f[name].Data)
		copy(f[name].Data[at:], b)
	}
	tests := []struct {
		name   string
		change func(f fstest.MapFS, c *pgdisk.Control)
		want   []string // findings
		text   []string // other text
	}{
		{"sound", func(fstest.MapFS, *pgdisk.Control) {}, nil, []string{
			"base/5/16384: heap\n", "main fork: 5 blocks in 3 files", "pages: 5 heap", "checksums on: 5 good, 0 bad",
			"LSN: 0/1000000 (block 0) to 0/1000004 (block 4)", "tuples: 5 visible (120 bytes), 0 deleted, 0 not inserted", "xmin: 701 to 701, 0 frozen"}},
		{"a file missing", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "base/5/16384.1") },
			[]string{"main fork: 16384.1 is missing"}, []string{"tuples: 3 visible"}},
		{"the first file missing", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "base/5/16384") },
			[]string{"main fork: 16384 is missing"}, nil},
		{"two files missing", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "base/5/16384"); delete(f, "base/5/16384.1") },
			[]string{"main fork: 16384 to 16384.1 is missing"}, nil},
		{"a short file in the middle", func(f fstest.MapFS, _ *pgdisk.Control) {
			f["base/5/16384.1"].Data = f["base/5/16384.1"].Data[:8192]
		}, []string{"16384.1 is too short: 1 of 2 blocks"}, []string{"tuples: 4 visible"}},
		{"files of no length behind", func(f fstest.MapFS, _ *pgdisk.Control) {
			f["base/5/16384.3"] = &fstest.MapFile{}
			f["base/5/16384.5"] = &fstest.MapFile{}
		}, nil, nil},
		{"an odd size", func(f fstest.MapFS, _ *pgdisk.Control) {
			f["base/5/16384.2"].Data = append(f["base/5/16384.2"].Data, 1, 2, 3)
		}, []string{"16384.2 has 8195 bytes, which is no whole number of blocks: the last 3 are cut off"}, nil},
		{"too long", func(f fstest.MapFS, _ *pgdisk.Control) {
			f["base/5/16384.2"].Data = make([]byte, 3*8192)
		}, []string{"16384.2 has 24576 bytes, and a file has at most 16384"}, []string{"2 zero"}},
		{"a wrong checksum", func(f fstest.MapFS, _ *pgdisk.Control) { put(f, "base/5/16384.1", 8192+9000-8192, 1) },
			[]string{"main fork, block 3: checksum"}, []string{"4 good, 1 bad", "tuples: 4 visible"}},
		{"a page of zeroes", func(f fstest.MapFS, _ *pgdisk.Control) { put(f, "base/5/16384.1", 0, make([]byte, 8192)...) }, nil, []string{"4 heap, 1 zero", "4 good, 0 bad, 0 without, 1 new"}},
		{"a foreign page", func(f fstest.MapFS, _ *pgdisk.Control) {
			page := relHeapPage(2, 1)
			binary.LittleEndian.PutUint16(page[16:], pgdisk.BlockSize-16)
			binary.LittleEndian.PutUint16(page[14:], pgdisk.BlockSize-16)
			page[pgdisk.BlockSize-4] = 1 // leaf
			pgdisk.PutPageChecksum(page, 2)
			put(f, "base/5/16384.1", 0, page...)
		}, []string{"1 pages are of kind btree among those of heap, the first is block 2"}, nil},
		{"a header that is none", func(f fstest.MapFS, c *pgdisk.Control) {
			c.DataChecksumVersion = 0
			put(f, "base/5/16384", 12, 1, 0)
		}, []string{"block 0: pd_lower at byte 12"}, []string{"checksums off", "tuples: 4 visible"}},
		{"a line pointer that leads out", func(f fstest.MapFS, c *pgdisk.Control) {
			c.DataChecksumVersion = 0
			put(f, "base/5/16384", 24, 0xFF)
		}, []string{"block 0: line pointer 1 at byte 24"}, []string{"tuples: 4 visible"}},
		{"an LSN of the future", func(f fstest.MapFS, c *pgdisk.Control) { c.Checkpoint = 0x1000003 },
			[]string{"block 4 has the LSN 0/1000004, after the last checkpoint at 0/1000003"}, nil},
		{"an LSN after the checkpoint of a crashed server", func(f fstest.MapFS, c *pgdisk.Control) {
			c.Checkpoint, c.State = 0x1000003, pgdisk.InProduction
		}, nil, []string{"note the server was not stopped in order"}},
		{"an LSN after the restart point of a standby", func(f fstest.MapFS, c *pgdisk.Control) {
			c.Checkpoint, c.State = 0x1000003, pgdisk.ShutDownInRecovery
		}, nil, []string{"note the server was not stopped in order"}},
		{"fates", func(f fstest.MapFS, _ *pgdisk.Control) {
			put(f, "base/5/16384", 0, relHeapPage(0, 1, relTuple{xmin: 701}, relTuple{xmin: 702}, relTuple{xmin: 701, xmax: 706}, relTuple{xmin: 701, xmax: 703},
				relTuple{xmin: 704}, relTuple{xmin: 701, xmax: 1, mask: pgdisk.HeapXmaxIsMulti}, relTuple{xmin: 701, mask: pgdisk.HeapXminFrozen})...)
		}, nil, []string{"tuples: 7 visible (168 bytes), 2 deleted, 2 not inserted (96 bytes)", "doubtful: 0 of the visible, 1 of the others; the first is (0,5): transaction 704 is sub-committed",
			"xmin: 701 to 704, 1 frozen", "xmax: 8 none, 0 locked, 3 deleting, 1 multixact; 703 to 706", "multixacts: 1 to 1"}},
		{"ids that cannot be", func(f fstest.MapFS, _ *pgdisk.Control) {
			put(f, "base/5/16384", 0, relHeapPage(0, 1, relTuple{xmin: 699}, relTuple{xmin: 40001, mask: pgdisk.HeapXminCommitted}, relTuple{xmin: 701, xmax: 50000, mask: pgdisk.HeapXmaxLockOnly},
				relTuple{xmin: 701, xmax: 7, mask: pgdisk.HeapXmaxIsMulti | pgdisk.HeapXmaxLockOnly},
				relTuple{xmin: 701, xmax: 600, mask: pgdisk.HeapXmaxLockOnly})...) // an old lock stays until it is frozen
		}, []string{"(0,1): its xmin 699 is older than oldestXID 700", "(0,2): its xmin 40001 was not given out", "(0,3): its xmax 50000 was not given out", "(0,4): its multixact 7 was not given out"}, nil},
		{"HOT chains", func(f fstest.MapFS, _ *pgdisk.Control) {
			put(f, "base/5/16384", 0, relHeapPage(0, 1, relTuple{xmin: 700, xmax: 701, mask2: pgdisk.HeapHotUpdated, to: 2}, relTuple{xmin: 701, mask2: pgdisk.HeapOnlyTuple},
				relTuple{xmin: 701, xmax: 702, mask2: pgdisk.HeapHotUpdated, to: 9}, relTuple{xmin: 702, mask2: pgdisk.HeapOnlyTuple})...)
		}, nil, []string{"HOT: 2 chains (0 redirected), 3 members, longest 2, 1 aborted links, 1 aborted tuples"}},
		{"broken HOT chains", func(f fstest.MapFS, _ *pgdisk.Control) {
			put(f, "base/5/16384", 0, relHeapPage(0, 1, relTuple{xmin: 700, xmax: 701, mask2: pgdisk.HeapHotUpdated, to: 9}, relTuple{xmin: 706, mask2: pgdisk.HeapOnlyTuple},
				relTuple{xmin: 701, xmax: 702, mask2: pgdisk.HeapHotUpdated, to: 3})...)
		}, []string{"the HOT chain of line pointer 1, of 1 members, leads to a line pointer without a tuple (line pointer 9)", "the HOT chain of line pointer 3, of 1 members, runs in a circle (line pointer 3)",
			"(0,2): a heap-only tuple of a committed transaction in no HOT chain"}, nil},
		{"no pg_xact", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "pg_xact/0000") }, nil,
			[]string{"tuples: 5 visible", "doubtful: 5 of the visible, 0 of the others; the first is (0,1): status of transaction 701"}},
		{"maps", func(f fstest.MapFS, _ *pgdisk.Control) {
			f["base/5/16384_vm"] = &fstest.MapFile{Data: relMapPage(0, 0, 0)}
			root, inner := relMapPage(0), relMapPage(1)
			leaf := relMapPage(2)
			leaf[28+4095+1], leaf[28+4095+7] = 10, 20
			pgdisk.PutPageChecksum(leaf, 2)
			f["base/5/16384_fsm"] = &fstest.MapFile{Data: slices.Concat(root, inner[:0], relMapPage(1))}
			f["base/5/16384_fsm.1"] = &fstest.MapFile{Data: leaf}
		}, nil, []string{"fsm fork: 3 blocks in 2 files", "free space map: 3 pages, 1 block with 320 bytes free, 1 beyond the end", "visibility map: 1 page, 0 blocks all-visible, 0 all-frozen\n"}},
		{"a visibility map that lies", func(f fstest.MapFS, _ *pgdisk.Control) {
			f["base/5/16384_vm"] = &fstest.MapFile{Data: relMapPage(0, 1|3<<6, 0xFF)}
		}, []string{"block 0: the visibility map calls it all-visible", "block 3: the visibility map", "block 4: the visibility map", "the visibility map knows 3 blocks beyond the end of the main fork at block 5"}, []string{"visibility map: 1 page, 3 blocks all-visible, 2 all-frozen, 3 beyond the end"}},
		{"a visibility map without sense", func(f fstest.MapFS, _ *pgdisk.Control) {
			f["base/5/16384_vm"] = &fstest.MapFile{Data: relMapPage(0, 2)}
		}, []string{"vm fork, block 0"}, nil},
		{"a lost visibility", func(f fstest.MapFS, _ *pgdisk.Control) {
			page := relHeapPage(0, 1, relTuple{xmin: 702})
			page[10] = byte(pgdisk.PageAllVisible)
			pgdisk.PutPageChecksum(page, 0)
			put(f, "base/5/16384", 0, page...)
		}, []string{"(0,1): not visible, on a page that is marked all-visible"}, []string{"all-visible pages: 1"}},
		{"unlogged", func(f fstest.MapFS, c *pgdisk.Control) {
			f["base/5/16384_init"] = &fstest.MapFile{}
			c.Checkpoint = 1
		}, nil, []string{"init fork: 0 blocks in 1 file", "note unlogged"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys, c := relCluster()
			tt.change(fsys, c)
			var out, object bytes.Buffer
			n, err := Relation(t.Context(), relOf(fsys, c), false, &out)
			m, err2 := Relation(t.Context(), relOf(fsys, c), true, &object)
			if err := errors.Join(err, err2); err != nil || n != len(tt.want) || m != n || strings.Count(object.String(), "\n") != 1 {
				t.Fatalf("%d findings, want %d: %v\n%s", n, len(tt.want), err, &out)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), "FINDING") || !strings.Contains(out.String(), want) {
					t.Errorf("no finding %q:\n%s", want, &out)
				}
			}
			for _, want := range tt.text {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q:\n%s", want, &out)
				}
			}
		})
	}
}

// A file by itself: hint bits decide, and the pages tell whether checksums are on.
func TestRelationAlone(t *testing.T) {
	data := append(relHeapPage(0, 5, relTuple{xmin: 701, mask: pgdisk.HeapXminCommitted}, relTuple{xmin: 702}), relHeapPage(1, 6, relTuple{xmin: 701, mask: pgdisk.HeapXminInvalid})...)
	src := RelationSource{FS: fstest.MapFS{"16384": &fstest.MapFile{Data: data}}, Dir: ".", File: pgdisk.RelFile{Tablespace: pgdisk.DefaultTablespace, Database: 1, Number: 16384}}
	run := func() (int, string) {
		var out bytes.Buffer
		n, err := Relation(t.Context(), src, false, &out)
		if err != nil {
			t.Fatal(err)
		}
		return n, out.String()
	}
	n, out := run()
	for _, want := range []string{"16384: heap\n", "checksums seem on: 2 good", "tuples: 2 visible (48 bytes), 0 deleted, 1 not inserted", "doubtful: 1 of the visible", "note not in a data directory"} {
		if n != 0 || !strings.Contains(out, want) {
			t.Errorf("%d findings, no %q:\n%s", n, want, out)
		}
	}
	for blk := range 2 {
		copy(data[blk*8192+8:], []byte{0, 0})
	}
	if n, out := run(); n != 0 || !strings.Contains(out, "checksums seem off: 0 good, 0 bad, 2 without") {
		t.Errorf("%d\n%s", n, out)
	}
	src.NoXact = true
	if n, out := run(); n != 0 || strings.Contains(out, "note not in") {
		t.Errorf("%d\n%s", n, out)
	}
	src.FS = fstest.MapFS{"16384.1": &fstest.MapFile{Data: data}}
	if n, out := run(); n != 0 || !strings.Contains(out, "note main fork: 16384 is missing") || !strings.Contains(out, "block 131073") {
		t.Errorf("%d\n%s", n, out)
	}
	src.File.Number = 16385
	if _, err := Relation(t.Context(), src, false, &bytes.Buffer{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such relation: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	src.File.Number = 16384
	if _, err := Relation(ctx, src, false, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Only so many findings are listed; all are counted.
func TestRelationManyFindings(t *testing.T) {
	fsys, c := relCluster()
	c.RelSegSize = pgdisk.RelSegmentBlocks
	fsys["base/5/16384"].Data = bytes.Repeat([]byte{7}, 200*8192)
	delete(fsys, "base/5/16384.1")
	delete(fsys, "base/5/16384.2")
	var out bytes.Buffer
	n, err := Relation(t.Context(), relOf(fsys, c), false, &out)
	if err != nil || n != 201 || strings.Count(out.String(), "FINDING") != slruMaxListed+1 || !strings.Contains(out.String(), "FINDING and 151 more") {
		t.Errorf("%d findings, %v\n%s", n, err, &out)
	}
}

// FuzzRelation: whatever a file holds, no panic, and every page is counted once.
func FuzzRelation(f *testing.F) {
	add := func(page []byte, fork byte, sums bool) { f.Add(page[:64], page[pgdisk.BlockSize-64:], fork, sums) }
	add(relHeapPage(0, 1, relTuple{xmin: 701, xmax: 702, mask2: pgdisk.HeapHotUpdated, to: 2}, relTuple{xmin: 702, mask2: pgdisk.HeapOnlyTuple}), 0, true)
	add(relMapPage(0, 1, 2, 3), 1, true)
	add(relMapPage(0, 0xFF), 2, false)
	f.Fuzz(func(t *testing.T, head, tail []byte, fork byte, sums bool) {
		fsys, c := relCluster()
		if !sums {
			c.DataChecksumVersion = 0
		}
		name := []string{"base/5/16384.2", "base/5/16384_fsm", "base/5/16384_vm"}[fork%3]
		page := make([]byte, pgdisk.BlockSize)
		copy(page, head)
		copy(page[pgdisk.BlockSize-min(len(tail), pgdisk.BlockSize):], tail)
		if sums {
			pgdisk.PutPageChecksum(page, 4*pgdisk.BlockNumber(1-min(fork%3, 1)))
		}
		fsys[name] = &fstest.MapFile{Data: page}
		var out bytes.Buffer
		if _, err := Relation(t.Context(), relOf(fsys, c), true, &out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), `"blocks":5`) {
			t.Fatal(out.String())
		}
	})
}
