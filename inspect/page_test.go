package inspect

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// newPage makes a page with a special part and items.
func newPage(special []byte, flags pgdisk.PageFlags, items ...[]byte) []byte {
	p := make([]byte, pgdisk.BlockSize)
	le := binary.LittleEndian
	end := pgdisk.BlockSize - len(special)
	copy(p[end:], special)
	le.PutUint32(p[4:], 0x258DB28)
	le.PutUint16(p[10:], uint16(flags))
	le.PutUint16(p[12:], uint16(pgdisk.PageHeaderSize+4*len(items)))
	le.PutUint16(p[16:], uint16(end))
	le.PutUint16(p[18:], pgdisk.BlockSize|pgdisk.PageLayoutVersion)
	for i, item := range items {
		end -= (len(item) + 7) &^ 7
		copy(p[end:], item)
		setItem(p, i+1, pgdisk.ItemID{Off: uint16(end), Flags: pgdisk.ItemNormal, Len: uint16(len(item))})
	}
	le.PutUint16(p[14:], uint16(end))
	return p
}

func setItem(p []byte, number int, id pgdisk.ItemID) {
	binary.LittleEndian.PutUint32(p[pgdisk.PageHeaderSize+4*(number-1):], id.Encode())
}

func newTuple(h pgdisk.TupleHeader, size int) []byte {
	b := make([]byte, size)
	h.Encode(b)
	return b
}

// newHeap has a row in two versions, a redirect, a row with nulls and a dead line pointer.
func newHeap(blk pgdisk.BlockNumber) []byte {
	ctid := func(item uint16) pgdisk.TID { return pgdisk.TID{Block: blk, Item: item} }
	null := newTuple(pgdisk.TupleHeader{Xmin: 741, CTID: ctid(5), Infomask: pgdisk.HeapHasNull | pgdisk.HeapXminCommitted | pgdisk.HeapXmaxInvalid, Infomask2: 3, Hoff: 24}, 32)
	null[23] = 0b101
	p := newPage(nil, pgdisk.PageHasFreeLines,
		newTuple(pgdisk.TupleHeader{Xmin: 731, Xmax: 735, CTID: ctid(2), Infomask: pgdisk.HeapXminCommitted, Infomask2: 1 | pgdisk.HeapHotUpdated, Hoff: 24}, 36),
		newTuple(pgdisk.TupleHeader{Xmin: 735, CTID: ctid(2), Infomask: pgdisk.HeapXmaxInvalid | pgdisk.HeapUpdated, Infomask2: 1 | pgdisk.HeapOnlyTuple, Hoff: 24}, 36),
		nil, nil, null)
	setItem(p, 3, pgdisk.ItemID{Off: 5, Flags: pgdisk.ItemRedirect})
	setItem(p, 4, pgdisk.ItemID{Flags: pgdisk.ItemDead})
	pgdisk.PutPageChecksum(p, blk)
	return p
}

// show runs Pages over a file of the given pages.
func show(t *testing.T, b []byte, f PageFile, opt PageOptions) (text string, damaged int) {
	t.Helper()
	var out bytes.Buffer
	f.Name, f.R, f.Size = "16384", bytes.NewReader(b), int64(len(b))
	damaged, err := Pages(context.Background(), f, opt, &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), damaged
}

const heapInFull = `block 3: heap
  checksum     matches: EEEE stored, EEEE computed
  lsn          0/258DB28
  flags        HAS_FREE_LINES
  lower 44, upper 8080, special 8192, free 8036, page size 8192, version 4, prune_xid 0
  5 line pointers
      1  off  8152  len   36  normal   xmin 731  xmax 735  field3 0  ctid (3,2)  natts 1  hoff 24  XMIN_COMMITTED HOT_UPDATED  -> HOT (3,2)
      2  off  8112  len   36  normal   xmin 735  xmax 0  field3 0  ctid (3,2)  natts 1  hoff 24  XMAX_INVALID UPDATED ONLY_TUPLE
      3                        redirect -> 5
      4  off     0  len    0  dead
      5  off  8080  len   32  normal   xmin 741  xmax 0  field3 0  ctid (3,5)  natts 3  hoff 24  nulls 101  HASNULL XMIN_COMMITTED XMAX_INVALID
`

func TestPageInFull(t *testing.T) {
	page := newHeap(3)
	text, damaged := show(t, page, PageFile{First: 3, Checksums: ChecksumsOn}, PageOptions{Range: true, From: 3, To: 3, Full: true})
	_, sum, _ := strings.Cut(text, "matches: ")
	if text = strings.ReplaceAll(text, sum[:4], "EEEE"); text != heapInFull || damaged != 0 {
		t.Errorf("%d damaged, got:\n%swant:\n%s", damaged, text, heapInFull)
	}
}

func TestPageTable(t *testing.T) {
	bad, torn := newHeap(8), newHeap(9)
	bad[8000] ^= 1
	noise := bytes.Repeat([]byte{0xEE}, pgdisk.BlockSize)
	leaf := newPage([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0}, 0)
	file := slices.Concat(newHeap(6), make([]byte, pgdisk.BlockSize), bad, leaf, noise, torn[:100])
	text, damaged := show(t, file, PageFile{First: 6}, PageOptions{})
	for _, want := range []string{
		"     block  kind                         lsn               checksum items  free  flags\n",
		"         6  heap                         0/258DB28         ok           5  8036  HAS_FREE_LINES\n",
		"         7  zero                         -                 none         -     0\n",
		"         8  heap                         0/258DB28         BAD          5  8036  HAS_FREE_LINES\n            DAMAGED checksum ",
		"         9  btree leaf root              0/258DB28         none         0  8152\n",
		"        10  unknown                      EEEEEEEE/EEEEEEEE BAD          -     0  PAGE_FULL ALL_VISIBLE 0xEEE8\n",
		"DAMAGED page layout version at byte 18: want 4, found 238\n",
		"            DAMAGED the file ends after 100 bytes of the block; the rest is shown as zeroes\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	if damaged != 3 {
		t.Errorf("%d damaged, want 3", damaged)
	}
}

// Whether a difference is damage depends on whether there are checksums.
func TestPageChecksumVerdicts(t *testing.T) {
	page := newHeap(0)
	binary.LittleEndian.PutUint16(page[8:], 0)
	stale := newHeap(1)
	for _, tt := range []struct {
		page    []byte
		state   PageChecksums
		word    string
		damaged int
	}{
		{page, ChecksumsOn, "BAD", 1}, {page, ChecksumsOff, "none", 0}, {page, ChecksumsUnknown, "none", 0},
		{stale, ChecksumsOn, "BAD", 1}, {stale, ChecksumsOff, "BAD", 0}, {stale, ChecksumsUnknown, "BAD", 1},
	} {
		text, damaged := show(t, tt.page, PageFile{Checksums: tt.state}, PageOptions{})
		if damaged != tt.damaged || !strings.Contains(text, tt.word) {
			t.Errorf("state %d: %d damaged, %s", tt.state, damaged, text)
		}
	}
}

func TestPageDamagedTuple(t *testing.T) {
	page := newHeap(0)
	page[8152+22] = 100 // t_hoff
	page[8080+16] = 0   // t_ctid
	text, damaged := show(t, page, PageFile{Checksums: ChecksumsOff}, PageOptions{Range: true, Full: true})
	if damaged != 1 || !strings.Contains(text, "DAMAGED t_hoff at byte 22: want 24") || !strings.Contains(text, "DAMAGED t_ctid") || !strings.Contains(text, "xmin 741") {
		t.Errorf("%d damaged:\n%s", damaged, text)
	}
}

func TestPageHex(t *testing.T) {
	text, _ := show(t, newHeap(0), PageFile{}, PageOptions{Hex: true})
	if !strings.Contains(text, "\n00000030  00 00 00 00") || !strings.Contains(text, "\n*\n") || strings.Count(text, "\n") > 20 || !strings.Contains(text, "\n00001ff0  ") {
		t.Errorf("got:\n%s", text)
	}
}

func TestPageJSON(t *testing.T) {
	file := slices.Concat(newHeap(0), newHeap(1))
	text, _ := show(t, file, PageFile{Checksums: ChecksumsOn}, PageOptions{JSON: true, Full: true, Hex: true})
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	for blk := uint32(0); ; blk++ {
		var r pageReport
		if err := dec.Decode(&r); errors.Is(err, io.EOF) && blk == 2 {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if r.Block != blk || r.Kind != "heap" || r.LSN != "0/258DB28" || r.Checksum.Verdict != "matches" || len(r.Entries) != 5 || len(r.Hex) != 2*pgdisk.BlockSize ||
			r.Entries[4].Heap.NullBitmap != "101" || !strings.HasPrefix(r.Entries[0].Heap.Next, "HOT ") {
			t.Errorf("block %d: %+v", blk, r)
		}
	}
}

func TestPageRange(t *testing.T) {
	file := slices.Concat(newHeap(131072), newHeap(131073), newHeap(131074))
	opt := PageOptions{Range: true, From: 131073, To: 131074}
	if text, damaged := show(t, file, PageFile{First: 131072, Checksums: ChecksumsOn}, opt); strings.Count(text, " ok ") != 2 || damaged != 0 {
		t.Errorf("%d damaged:\n%s", damaged, text)
	}
	for _, tt := range []struct {
		from, to pgdisk.BlockNumber
		size     int
		want     string
	}{
		{0, 0, len(file), "16384.1 has the blocks 131072 to 131074, not 0"},
		{131074, 131075, len(file), "not 131074 to 131075"},
		{131072, 131072, 0, "16384.1 is empty"},
	} {
		f := PageFile{Name: "16384.1", R: bytes.NewReader(file), Size: int64(tt.size), First: 131072}
		_, err := Pages(context.Background(), f, PageOptions{Range: true, From: tt.from, To: tt.to}, io.Discard)
		if bad, ok := errors.AsType[*PageRangeError](err); !ok || !strings.Contains(bad.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// badReader fails to read a block.
type badReader struct {
	bytes.Reader
	block int64
}

func (r *badReader) ReadAt(b []byte, off int64) (int, error) {
	if off <= r.block*pgdisk.BlockSize && off+int64(len(b)) > r.block*pgdisk.BlockSize {
		return 0, errors.New("input/output error")
	}
	return r.Reader.ReadAt(b, off)
}

func TestPageUnread(t *testing.T) {
	file := slices.Concat(newHeap(0), newHeap(1), newHeap(2))
	var out bytes.Buffer
	r := &badReader{*bytes.NewReader(file), 1}
	damaged, err := Pages(context.Background(), PageFile{Name: "f", R: r, Size: int64(len(file))}, PageOptions{Full: true}, &out)
	if err != nil || damaged != 1 || !strings.Contains(out.String(), "block 1: unread\n  DAMAGED cannot be read: input/output error\n") || !strings.Contains(out.String(), "block 2: heap") {
		t.Errorf("%d damaged, %v:\n%s", damaged, err, out.String())
	}
}

func TestPageCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Pages(ctx, PageFile{R: bytes.NewReader(newHeap(0)), Size: pgdisk.BlockSize}, PageOptions{}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	wrote := errors.New("disk full")
	if _, err := Pages(context.Background(), PageFile{R: bytes.NewReader(newHeap(0)), Size: pgdisk.BlockSize}, PageOptions{}, failing{wrote}); !errors.Is(err, wrote) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// FuzzPages: whatever a page is, it is printed, as text and as JSON.
func FuzzPages(f *testing.F) {
	f.Add(newHeap(0)[:64], newHeap(0)[8000:])
	f.Add([]byte{}, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0})
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		page := bytes.Repeat([]byte{0x17, 0, 1, 0x40}, pgdisk.BlockSize/4)
		copy(page, head)
		copy(page[max(0, len(page)-len(tail)):], tail)
		for _, fork := range []pgdisk.Fork{pgdisk.MainFork, pgdisk.FSMFork, pgdisk.VMFork} {
			for _, asJSON := range []bool{false, true} {
				text, _ := show(t, page, PageFile{Fork: fork}, PageOptions{Full: true, JSON: asJSON})
				if text == "" || asJSON && !json.Valid([]byte(text)) || len(text) > 100*pgdisk.BlockSize {
					t.Fatalf("%d bytes: %.200s", len(text), text)
				}
			}
		}
	})
}
