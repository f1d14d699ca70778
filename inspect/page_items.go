package inspect

import (
	"errors"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// pageItem is a line pointer with what it leads to.
type pageItem struct {
	Number   int        `json:"item"`
	Off      uint16     `json:"off"`
	Flags    string     `json:"state"` // unused, normal, redirect, dead
	Len      uint16     `json:"len"`
	Heap     *heapItem  `json:"tuple,omitempty"`
	Index    *indexItem `json:"entry,omitempty"`
	Problems []string   `json:"problems,omitempty"`
}

func (i *pageItem) broken(err error) {
	if e, ok := errors.AsType[*pgdisk.FormatError](err); ok {
		i.Problems = append(i.Problems, pageProblem(e))
	} else if err != nil {
		i.Problems = append(i.Problems, err.Error())
	}
}

// addEntries lists the line pointers of a page that has them.
func (r *pageReport) addEntries(page []byte, kind pgdisk.PageKind, blk pgdisk.BlockNumber) {
	part, _ := pgdisk.DecodeSpecial(page, kind) // nil where there is none: a heap
	budget := pgdisk.BlockSize                  // on a damaged page thousands of items may lie over each other
	for n, id := range pgdisk.PageItems(page, kind) {
		i := pageItem{Number: n + 1, Off: id.Off, Flags: id.Flags.String(), Len: id.Len}
		item := pgdisk.Item(page, id)
		if budget -= len(item); budget < 0 {
			i.Problems = append(i.Problems, "not shown: the items together are longer than a page")
		} else if item != nil {
			i.describe(item, part, pgdisk.TID{Block: blk, Item: uint16(n + 1)})
		}
		r.Entries = append(r.Entries, i)
	}
}

// describe reads the bytes of the item as its page says that they are to be read.
func (i *pageItem) describe(item []byte, part pgdisk.Special, self pgdisk.TID) {
	switch o := part.(type) {
	case nil:
		i.heap(item, self)
	case pgdisk.BTreeOpaque:
		i.btree(item, o)
	case pgdisk.GinOpaque:
		i.gin(item, o)
	case pgdisk.SPGistOpaque:
		i.spgist(item, o)
	case pgdisk.BrinOpaque:
		i.brin(item)
	case pgdisk.GistOpaque:
		i.gist(item, o)
	default:
		i.hash(item)
	}
}

// heapItem is the header of a row's version.
type heapItem struct {
	Xmin       uint32   `json:"xmin"`
	Xmax       uint32   `json:"xmax"`
	Field3     uint32   `json:"field3"` // t_cid, or t_xvac
	CTID       string   `json:"ctid"`
	Natts      int      `json:"natts"`
	Infomask   uint16   `json:"infomask"`
	Infomask2  uint16   `json:"infomask2"`
	Words      []string `json:"infomask_words"`
	Hoff       uint8    `json:"hoff"`
	NullBitmap string   `json:"null_bitmap,omitempty"` // 1 is a value, 0 is null, the first column first
	Next       string   `json:"next,omitempty"`        // where t_ctid leads on to
}

func (i *pageItem) heap(item []byte, self pgdisk.TID) {
	h, err := pgdisk.DecodeTupleHeader(item)
	if err != nil {
		i.broken(err)
		return
	}
	i.Heap = &heapItem{
		Xmin: uint32(h.Xmin), Xmax: uint32(h.Xmax), Field3: h.Field3, CTID: h.CTID.String(), Natts: h.Natts(),
		Infomask: uint16(h.Infomask), Infomask2: uint16(h.Infomask2), Words: append(h.Infomask.Words(), h.Infomask2.Words()...),
		Hoff: h.Hoff, Next: nextVersion(h, self),
	}
	for _, p := range h.Problems(len(item)) {
		i.broken(p)
	}
	t, err := pgdisk.DecodeTuple(item)
	if err != nil || !h.HasNulls() {
		return
	}
	bits := make([]byte, h.Natts())
	for n := range bits {
		if bits[n] = '1'; t.IsNull(n + 1) {
			bits[n] = '0'
		}
	}
	i.Heap.NullBitmap = string(bits)
}

// nextVersion says where the tuple leads on to, empty for the last version of its row.
func nextVersion(h pgdisk.TupleHeader, self pgdisk.TID) string {
	switch {
	case h.MovedPartitions():
		return "moved to another partition"
	case !h.Superseded(self):
		return ""
	case h.HotUpdated():
		return "HOT " + h.CTID.String()
	}
	return h.CTID.String()
}
