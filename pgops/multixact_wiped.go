package pgops

import (
	"encoding/binary"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// WipedPage is a heap page whose header says that it has no rows, while the space above pd_upper, which the
// header itself counts as used, holds tuples. The server takes it for an empty page, without any error.
type WipedPage struct {
	Path         string
	Block        pgdisk.BlockNumber
	Bytes        int  // between pd_upper and the end
	Rows         int  // estimate of the tuples, all versions of them
	PointersLeft bool // the line pointers are still there behind pd_lower, so Rows is exact
}

func (w WipedPage) String() string {
	about := "about "
	if w.PointersLeft {
		about = ""
	}
	return fmt.Sprintf("block %d of %s has %d bytes of tuples but no line pointers: %s%d rows unreachable", w.Block, w.Path, w.Bytes, about, w.Rows)
}

// countUnreachable counts the tuples of a page without line pointers: by the pointers that still stand behind
// pd_lower, else by what looks like a tuple's header. A tuple that was deleted counts as well.
func countUnreachable(page []byte, h pgdisk.PageHeader, blk pgdisk.BlockNumber) (rows int, pointers bool) {
	if n := countPointers(page, h); n > 0 {
		return n, true
	}
	columns := map[int]int{}
	for at := int(h.Upper+7) &^ 7; at+pgdisk.TupleHeaderSize <= int(h.Special); at += 8 {
		if t, ok := plausible(page[at:h.Special], blk); ok {
			columns[t.Natts()]++
		}
	}
	for _, n := range columns {
		rows = max(rows, n)
	}
	return rows, false
}

// countPointers follows line pointers past pd_lower as long as each leads to a sound header in the used part.
func countPointers(page []byte, h pgdisk.PageHeader) int {
	n := 0
	for at := pgdisk.PageHeaderSize; at+pgdisk.ItemIDSize <= int(h.Upper); at += pgdisk.ItemIDSize {
		raw := binary.LittleEndian.Uint32(page[at:])
		id := pgdisk.DecodeItemID(raw)
		if id.Flags != pgdisk.ItemNormal || id.Problem(h, 1, pgdisk.MaxHeapTuplesPerPage) != nil {
			break
		}
		if t, err := pgdisk.DecodeTupleHeader(pgdisk.Item(page, id)); err != nil || t.Hoff < 24 {
			break
		}
		n++
	}
	return n
}

// plausible judges whether a tuple's header starts here: it leads to itself or to another place nearby, its
// columns start where its own fields say, and the ids are possible.
func plausible(b []byte, blk pgdisk.BlockNumber) (pgdisk.TupleHeader, bool) {
	t, err := pgdisk.DecodeTupleHeader(b)
	if err != nil || t.Xmin == 0 || t.Natts() == 0 || t.Infomask&pgdisk.HeapMoved != 0 {
		return t, false
	}
	want := 24
	if t.HasNulls() {
		want = (pgdisk.TupleHeaderSize + (t.Natts()+7)/8 + 7) &^ 7
	}
	if int(t.Hoff) != want || t.CTID.Item == 0 || t.CTID.Item > pgdisk.MaxHeapTuplesPerPage {
		return t, false
	}
	return t, t.CTID.Block == blk || t.Xmax != 0 && t.Infomask&pgdisk.HeapXmaxInvalid == 0
}
