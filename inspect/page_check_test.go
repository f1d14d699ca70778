package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// heapFile is a file of sound pages.
func heapFile(first pgdisk.BlockNumber, n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, newHeap(first+pgdisk.BlockNumber(i))...)
	}
	return b
}

// damage flips a bit of a page's content.
func damage(b []byte, blk int) { b[blk*pgdisk.BlockSize+8100] ^= 4 }

func checkTree() (fstest.MapFS, []byte, []byte) {
	main, second := heapFile(0, 7), heapFile(4, 3) // 4 blocks a file
	tree := fstest.MapFS{
		"global/1260": {Data: heapFile(0, 2)}, "global/pg_control": {Data: []byte("none of ours")}, "global/pg_filenode.map": {Data: []byte("x")},
		"base/5/16384": {Data: main[:4*pgdisk.BlockSize]}, "base/5/16384.1": {Data: second}, "base/5/16384_vm": {Data: make([]byte, 2*pgdisk.BlockSize)},
		"base/5/PG_VERSION": {Data: []byte("15\n")}, "base/5/empty": {}, "base/5/16390": {}, "base/pgsql_tmp/pgsql_tmp1.0": {Data: []byte("noise")},
		"pg_tblspc/16500/PG_15_202209061/5/16600": {Data: heapFile(0, 1)}, "pg_tblspc/16500/PG_14_202107181/5/16600": {Data: []byte("of another server")},
		"base/5/t3_16700": {Data: heapFile(0, 1)},
	}
	return tree, main, second
}

func TestPageCheck(t *testing.T) {
	tree, main, second := checkTree()
	src := PageCheckSource{FS: tree, VersionDir: "PG_15_202209061", Checksums: ChecksumsOn, SegBlocks: 4}
	var out bytes.Buffer
	sum, err := PageCheck(context.Background(), src, false, &out)
	want := PageCheckSummary{Files: 7, Blocks: 13, Bytes: 13 * pgdisk.BlockSize, New: 2, Checksums: "on"}
	if err != nil || sum != want || out.String() != "7 files, 13 blocks, 106496 bytes, 2 new blocks, 0 bad blocks; checksums on\n" {
		t.Errorf("got %+v, %v: %s", sum, err, out.String())
	}
	damage(main, 1)
	damage(second, 2)
	vm := tree["base/5/16384_vm"].Data
	vm[pgdisk.BlockSize+100] = 1 // no longer new
	tree["base/5/16384_vm"].Data = vm[:pgdisk.BlockSize*2-1000]
	tree["base/5/16390"].Data = bytes.Repeat([]byte{0xEE}, pgdisk.BlockSize)
	out.Reset()
	sum, err = PageCheck(context.Background(), src, false, &out)
	lines := strings.Split(out.String(), "\n")
	if err != nil || sum.Bad != 4 || len(lines) != 6 {
		t.Fatalf("got %+v, %v: %s", sum, err, out.String())
	}
	for i, want := range []string{"base/5/16384 block 1 lsn 0/258DB28: checksum ", "base/5/16384.1 block 6 (2 in the file) lsn 0/258DB28: checksum ",
		"base/5/16384_vm block 1: the file ends after 7192 of 8192 bytes", "base/5/16390 block 0 lsn EEEEEEEE/EEEEEEEE: checksum EEEE is stored", "8 files"} {
		if i < 4 && !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d: %s, want %s", i, lines[i], want)
		}
	}
	out.Reset()
	if _, err := PageCheck(context.Background(), src, true, &out); err != nil || !strings.Contains(out.String(), `{"file":"base/5/16384.1","block":6,"block_in_file":2,"kind":"checksum","stored":`) ||
		!strings.HasSuffix(out.String(), `,"bad_blocks":4,"checksums":"on"}}`+"\n") {
		t.Errorf("got %v: %s", err, out.String())
	}
}

// Without checksums the structure of the page judges.
func TestPageCheckStructure(t *testing.T) {
	file := slices.Concat(newHeap(0), newHeap(1), newHeap(2), make([]byte, pgdisk.BlockSize))
	for i := range 3 {
		file[i*pgdisk.BlockSize+8], file[i*pgdisk.BlockSize+9] = 0, 0
	}
	setItem(file[pgdisk.BlockSize:], 1, pgdisk.ItemID{Off: 8, Flags: pgdisk.ItemNormal, Len: 30})
	file[2*pgdisk.BlockSize+14], file[2*pgdisk.BlockSize+15] = 0, 0
	damage(file, 0) // cannot be seen
	src := PageCheckSource{FS: fstest.MapFS{"a": {Data: file}}, Only: &PageCheckFile{Path: "a"}}
	for _, state := range []PageChecksums{ChecksumsOff, ChecksumsUnknown} {
		src.Checksums = state
		var out bytes.Buffer
		sum, err := PageCheck(context.Background(), src, false, &out)
		if err != nil || sum.Bad != 2 || sum.New != 1 || !strings.Contains(out.String(), "block 1 lsn 0/258DB28: line pointer 1 at byte 24") || !strings.Contains(out.String(), "block 2 lsn 0/258DB28: pd_upper is 0") {
			t.Errorf("state %d: %+v, %v: %s", state, sum, err, out.String())
		}
	}
}

// Many files of many parts, on several workers: the bad pages come in order.
func TestPageCheckOrder(t *testing.T) {
	tree := fstest.MapFS{"global/1260": {Data: heapFile(0, 1)}}
	page := heapFile(0, 1)
	var want []string
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		n := r.IntN(40)
		b := bytes.Repeat(page, n) // the checksum fits block 0 alone
		name := fmt.Sprintf("base/1/%d", 10000+i)
		tree[name] = &fstest.MapFile{Data: b}
		for blk := 1; blk < n; blk++ {
			want = append(want, fmt.Sprintf("%s block %d ", name, blk))
		}
	}
	for _, workers := range []int{1, 2, 7} {
		var out bytes.Buffer
		sum, err := PageCheck(context.Background(), PageCheckSource{FS: tree, Checksums: ChecksumsOn, Workers: workers}, false, &out)
		lines := strings.Split(out.String(), "\n")
		if err == nil || !strings.Contains(err.Error(), "pg_tblspc") || int(sum.Bad) != len(want) || len(lines) != len(want)+2 {
			t.Fatalf("%d workers: %+v, %v, %d lines, want %d", workers, sum, err, len(lines), len(want)+2)
		}
		for i := range want {
			if !strings.HasPrefix(lines[i], want[i]) {
				t.Fatalf("%d workers, line %d: %s, want %s", workers, i, lines[i], want[i])
			}
		}
	}
}

// brokenFS fails to read block 1 of a file, and to open another.
type brokenFS struct{ fstest.MapFS }

type brokenFile struct {
	fs.File
	badReader
}

func (f *brokenFile) Read(b []byte) (int, error) { return f.File.Read(b) }

func (b brokenFS) Open(name string) (fs.File, error) {
	f, err := b.MapFS.Open(name)
	switch {
	case name == "base/5/16384":
		return &brokenFile{f, badReader{*bytes.NewReader(b.MapFS[name].Data), 1}}, err
	case name == "base/5/t3_16700":
		return nil, fmt.Errorf("open %s: permission denied", name)
	case name == "base/5/16384.1":
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist} // dropped meanwhile
	}
	return f, err
}

func TestPageCheckUnread(t *testing.T) {
	tree, _, _ := checkTree()
	var out bytes.Buffer
	sum, err := PageCheck(context.Background(), PageCheckSource{FS: brokenFS{tree}, VersionDir: "PG_15_202209061", Checksums: ChecksumsOn, SegBlocks: 4}, false, &out)
	if err != nil || sum.Bad != 2 || sum.Files != 6 || !strings.Contains(out.String(), "base/5/16384 block 1: input/output error\n") || !strings.Contains(out.String(), "t3_16700 block 0: open base/5/t3_16700: permission denied\n") {
		t.Errorf("%+v, %v:\n%s", sum, err, out.String())
	}
}

func TestPageCheckEnds(t *testing.T) {
	tree, main, _ := checkTree()
	damage(main, 0)
	src := PageCheckSource{FS: tree, VersionDir: "PG_15_202209061", Checksums: ChecksumsOn, SegBlocks: 4}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := PageCheck(ctx, src, false, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	wrote := errors.New("disk full")
	if _, err := PageCheck(context.Background(), src, false, failing{wrote}); !errors.Is(err, wrote) {
		t.Errorf("disk full: %v", err)
	}
	if _, err := PageCheck(context.Background(), PageCheckSource{FS: tree, Only: &PageCheckFile{Path: "nosuch"}}, false, io.Discard); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := PageCheck(context.Background(), PageCheckSource{FS: fstest.MapFS{}}, false, io.Discard); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}
