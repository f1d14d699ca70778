package unload

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// chunkTuple makes a row of a TOAST table.
func chunkTuple(id pgdisk.OID, seq uint32, xmin pgdisk.XID, mask pgdisk.Infomask, data []byte) []byte {
	h := pgdisk.TupleHeader{Xmin: xmin, Infomask: mask, Infomask2: 3, Hoff: 24, CTID: pgdisk.TID{Item: 1}}
	b := make([]byte, 24+8+4, 24+8+4+len(data))
	h.Encode(b)
	le := binary.LittleEndian
	le.PutUint32(b[24:], uint32(id))
	le.PutUint32(b[28:], seq)
	le.PutUint32(b[32:], uint32(len(data)+4)<<2)
	return append(b, data...)
}

// heapOf puts tuples on pages, as many on each as it is given.
func heapOf(perPage int, tuples ...[]byte) []byte {
	var file []byte
	le := binary.LittleEndian
	for len(tuples) > 0 {
		page := make([]byte, pgdisk.BlockSize)
		n := min(perPage, len(tuples))
		upper := pgdisk.BlockSize
		for i, t := range tuples[:n] {
			upper = (upper - len(t)) &^ 7
			copy(page[upper:], t)
			blk := len(file) / pgdisk.BlockSize // t_ctid is the tuple's own place
			le.PutUint16(page[upper+12:], uint16(blk>>16))
			le.PutUint16(page[upper+14:], uint16(blk))
			le.PutUint16(page[upper+16:], uint16(i+1))
			le.PutUint32(page[pgdisk.PageHeaderSize+4*i:], pgdisk.ItemID{Off: uint16(upper), Flags: pgdisk.ItemNormal, Len: uint16(len(t))}.Encode())
		}
		le.PutUint16(page[12:], uint16(pgdisk.PageHeaderSize+4*n))
		le.PutUint16(page[14:], uint16(upper))
		le.PutUint16(page[16:], pgdisk.BlockSize)
		le.PutUint16(page[18:], pgdisk.BlockSize|pgdisk.PageLayoutVersion)
		file, tuples = append(file, page...), tuples[n:]
	}
	return file
}

// toastOf makes a TOAST table without an index.
func toastOf(t *testing.T, limit int, tuples ...[]byte) *toastReader {
	t.Helper()
	heap := heapOf(2, tuples...)
	fsys := fstest.MapFS{"base/5/900": {Data: heap}}
	files := relFiles{first: pgdisk.RelFile{Tablespace: pgdisk.DefaultTablespace, Database: 5, Number: 900}, perSegment: pgdisk.RelSegmentBlocks,
		segments: []segment{{size: int64(len(heap))}}}
	dir := t.TempDir()
	scan := &toastScan{ctx: t.Context(), fsys: fsys, heap: files, limit: limit, spill: func() (*os.File, error) { return os.Create(filepath.Join(dir, "spill")) }}
	t.Cleanup(func() {
		if err := scan.close(); err != nil {
			t.Error(err)
		}
	})
	return &toastReader{src: &toastSource{oid: 900, heap: files, chunkSize: 4, scan: scan}, heap: newPageCache(newRelReader(fsys, files), 2)}
}

// pointerTo is a pointer to a value of so many bytes.
func pointerTo(id pgdisk.OID, size uint32) pgdisk.ToastPointer {
	return pgdisk.ToastPointer{RawSize: size + 4, ExtSize: size, Method: pgdisk.CompressNone, ValueID: id, ToastRelID: 900}
}

const committed = pgdisk.HeapXminCommitted | pgdisk.HeapXmaxInvalid

func TestToastFetch(t *testing.T) {
	chunk := func(id pgdisk.OID, seq uint32, data string) []byte {
		return chunkTuple(id, seq, 700, committed, []byte(data))
	}
	for _, limit := range []int{1000, 3, 1} { // all in memory, and spilled
		r := toastOf(t, limit,
			chunk(2, 1, "ef"), chunk(1, 0, "abcd"), chunk(2, 0, "WXYZ"), chunk(1, 1, "efgh"), chunk(1, 2, "i"), // out of order
			chunk(3, 0, "abcd"), chunk(3, 2, "i"), // a hole
			chunk(4, 0, "abc"), chunk(4, 1, "d"), // sizes that cannot be
			chunkTuple(5, 0, 700, pgdisk.HeapXminInvalid|pgdisk.HeapXmaxInvalid, []byte("none")),               // aborted
			chunkTuple(6, 0, 800, committed, []byte("new!")), chunkTuple(6, 0, 700, committed, []byte("old!")), // one number twice
			chunkTuple(7, 0, 900, pgdisk.HeapXminCommitted|pgdisk.HeapXmaxCommitted, []byte("gone")), // deleted: its row may be, too
			chunk(8, 0, "more"), chunk(8, 1, "more"), // longer than the pointer says
		)
		for _, c := range []struct {
			id   pgdisk.OID
			size uint32
			want string
			bad  string
		}{
			{1, 9, "abcdefghi", ""}, {2, 6, "WXYZef", ""}, {3, 9, "", "chunk 2 of 3: it is missing"}, {4, 4, "", "has 3 bytes, want 4"},
			{5, 4, "", "was not inserted"}, {6, 4, "new!", ""}, {7, 4, "gone", ""}, {8, 4, "more", ""}, {9, 1, "", "chunk 1 of 1: it is missing"}, {1, 0, "", ""},
		} {
			got, err := r.fetch(pointerTo(c.id, c.size))
			if (err != nil) != (c.bad != "") || err != nil && !strings.Contains(err.Error(), c.bad) || string(got) != c.want {
				t.Errorf("limit %d, value %d: %q, %v, want %q, %q", limit, c.id, got, err, c.want, c.bad)
			}
		}
	}
	r := toastOf(t, 10, chunk(1, 0, "abcd"))
	p := pointerTo(1, 4)
	p.ToastRelID = 901
	if _, err := r.fetch(p); err == nil || !strings.Contains(err.Error(), "901") {
		t.Errorf("a value of another table: %v", err)
	}
}

// Whatever bytes the TOAST table has, a value has the length that was asked for, or there is
// an error.
func FuzzToastFetch(f *testing.F) {
	f.Add([]byte("abcd"), uint32(4), uint16(100), byte(1))
	f.Add(bytes.Repeat([]byte("x"), 40), uint32(9), uint16(24), byte(0xFF))
	f.Add([]byte{}, uint32(1<<30), uint16(8160), byte(7))
	f.Fuzz(func(t *testing.T, data []byte, size uint32, at uint16, b byte) {
		if len(data) > 1000 {
			return
		}
		r := toastOf(t, 2, chunkTuple(1, 0, 700, committed, data), chunkTuple(1, 1, 700, committed, data))
		page, err := r.heap.page(0)
		if err != nil {
			t.Fatal(err)
		}
		page[int(at)%len(page)] ^= b
		p := pointerTo(1, size%(1<<30))
		got, err := r.fetch(p)
		if err == nil && len(got) != int(p.ExtSize) {
			t.Fatalf("%d bytes, want %d", len(got), p.ExtSize)
		}
	})
}
