package pgdisk

import (
	"encoding/binary"
	"testing"
)

// accountPage has two rows of block 7, on line pointers 1 and 2.
func accountPage() []byte {
	p := heapPage()
	for i, at := range []int{8192 - 32, 8192 - 64} {
		TupleHeader{Xmin: 700, CTID: TID{7, uint16(i + 1)}, Infomask: HeapXmaxInvalid, Infomask2: 1, Hoff: 24}.Encode(p[at:])
	}
	return p
}

func TestUnclaimedBytes(t *testing.T) {
	le := binary.LittleEndian
	for _, test := range []struct {
		name   string
		change func(p []byte)
		want   int
	}{
		{"sound", func([]byte) {}, 0},
		{"a length that is no multiple of 8", func(p []byte) { le.PutUint32(p[28:], ItemID{8192 - 64, ItemNormal, 27}.Encode()) }, 0},
		{"a line pointer of zeroes", func(p []byte) { clear(p[28:32]) }, 32},
		{"a line pointer that came to be dead", func(p []byte) { le.PutUint32(p[28:], ItemID{8192 - 64, ItemDead, 32}.Encode()) }, 32},
		{"a line pointer that came to be a redirect", func(p []byte) { le.PutUint32(p[24:], ItemID{2, ItemRedirect, 0}.Encode()) }, 32},
		{"pd_lower without the last line pointer", func(p []byte) { le.PutUint16(p[12:], 28) }, 32},
		{"items that overlap", func(p []byte) { le.PutUint32(p[28:], ItemID{8192 - 64, ItemNormal, 40}.Encode()) }, -8},
	} {
		p := accountPage()
		test.change(p)
		h, err := DecodePageHeader(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := UnclaimedBytes(p, h); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

func TestForeignRows(t *testing.T) {
	for _, test := range []struct {
		name    string
		blk     BlockNumber
		change  func(h *TupleHeader) // of the row on line pointer 1
		foreign int
	}{
		{"at home", 7, func(*TupleHeader) {}, 0},
		{"elsewhere", 8, func(*TupleHeader) {}, 2},
		{"elsewhere, one was updated", 8, func(h *TupleHeader) { h.Xmax = 701 }, 1},
		{"elsewhere, one is frozen", 8, func(h *TupleHeader) { h.Infomask |= HeapXminFrozen }, 1},
		{"the high half of the block differs", 8 << 16, func(*TupleHeader) {}, 2},
		{"frozen after an updater that aborted", 7, func(h *TupleHeader) { h.CTID.Block, h.Infomask = 9, h.Infomask|HeapXminFrozen }, 0},
		{"a speculative insertion", 7, func(h *TupleHeader) { h.CTID = TID{9, SpecTokenItem} }, 0},
		{"one row of another block", 7, func(h *TupleHeader) { h.CTID.Block = 9 }, 1},
	} {
		p := accountPage()
		row := TupleHeader{Xmin: 700, CTID: TID{7, 1}, Infomask: HeapXmaxInvalid, Infomask2: 1, Hoff: 24}
		test.change(&row)
		row.Encode(p[8192-32:])
		h, err := DecodePageHeader(p)
		if err != nil {
			t.Fatal(err)
		}
		foreign, home := ForeignRows(p, h, test.blk)
		if foreign != test.foreign || foreign == 2 && home != 7 {
			t.Errorf("%s: got %d of block %d, want %d", test.name, foreign, home, test.foreign)
		}
	}
}
