package pgdisk

import "fmt"

// Bits of the line pointer number in t_tid of a btree's tuple with the reserved bit
// (access/nbtree.h).
const (
	btreeOffsetMask   = 0x0FFF // BT_OFFSET_MASK: number of attributes, or of TIDs
	btreePivotHeapTID = 0x1000 // BT_PIVOT_HEAP_TID_ATTR
	btreeIsPosting    = 0x2000 // BT_IS_POSTING
)

// BTreeTupleKind says how a btree's tuple is to be read.
type BTreeTupleKind uint8

// The kinds.
const (
	BTreePlain   BTreeTupleKind = iota // leads to one row
	BTreePivot                         // separates pages: a downlink, or a high key
	BTreePosting                       // equal keys merged: leads to several rows
)

// String names the kind.
func (k BTreeTupleKind) String() string {
	switch k {
	case BTreePlain:
		return "plain"
	case BTreePivot:
		return "pivot"
	case BTreePosting:
		return "posting"
	}
	return fmt.Sprintf("btree tuple kind %d", uint8(k))
}

// BTreeTuple is an entry of a btree page (access/nbtree.h, "Notes on B-Tree tuple format").
//
// In an index made by 11 or before and upgraded since (btm_version 2 and 3), pivot tuples may
// look plain: TID.Block is their downlink all the same, and no column of them is truncated.
type BTreeTuple struct {
	IndexTuple
	Kind BTreeTupleKind
	// Natts is the number of columns that a pivot tuple has kept. Those cut off count as
	// minus infinity. -1 for the other kinds, which have all columns of the index.
	Natts   int
	HeapTID *TID // of a pivot tuple that needs one to tell equal keys apart (BTreeTupleGetHeapTID)
	posting []byte
	keyEnd  int // where the key columns end, in data
}

// DecodeBTreeTuple reads an entry from the bytes of its item.
func DecodeBTreeTuple(item []byte) (BTreeTuple, error) {
	it, err := DecodeIndexTuple(item)
	if err != nil {
		return BTreeTuple{}, err
	}
	t := BTreeTuple{IndexTuple: it, Natts: -1, keyEnd: it.Size()}
	if !it.Reserved() {
		return t, nil
	}
	if it.TID.Item&btreeIsPosting != 0 {
		return t.withPosting()
	}
	t.Kind, t.Natts = BTreePivot, int(it.TID.Item&btreeOffsetMask)
	if it.TID.Item&btreePivotHeapTID != 0 {
		t.keyEnd = it.Size() - 8 // MAXALIGN(sizeof(ItemPointerData)), the TID in its last 6 bytes
		if t.keyEnd < it.headerLen() {
			return BTreeTuple{}, &FormatError{Off: TIDSize, Field: "size in t_info",
				Want: fmt.Sprintf("at least %d with a heap TID", it.headerLen()+8), Got: fmt.Sprint(it.Size())}
		}
		tid := decodeTID(it.data[it.Size()-TIDSize:])
		t.HeapTID = &tid
	}
	return t, nil
}

// withPosting finds the posting list: t_tid has its place and its length
// (BTreeTupleGetPostingOffset, BTreeTupleGetNPosting).
func (t BTreeTuple) withPosting() (BTreeTuple, error) {
	t.Kind = BTreePosting
	n, at := int(t.TID.Item&btreeOffsetMask), int64(t.TID.Block)
	if n == 0 || at < int64(t.headerLen()) || at+int64(n)*TIDSize > int64(t.Size()) {
		return BTreeTuple{}, &FormatError{Field: "posting list", Want: fmt.Sprintf("1 or more TIDs between byte %d and %d", t.headerLen(), t.Size()),
			Got: fmt.Sprintf("%d TIDs at byte %d", n, at)}
	}
	t.keyEnd, t.posting = int(at), t.data[at:int(at)+n*TIDSize]
	return t, nil
}

// Key returns the bytes of the columns, with alignment bytes at the end, without a posting
// list or a pivot's heap TID.
func (t BTreeTuple) Key() []byte { return t.data[t.headerLen():t.keyEnd] }

// Downlink returns the child page that a tuple of an inner page leads to (BTreeTupleGetDownLink).
func (t BTreeTuple) Downlink() BlockNumber { return t.TID.Block }

// TIDs returns the rows that the tuple leads to: one of a plain tuple, all of a posting list,
// none of a pivot.
func (t BTreeTuple) TIDs() []TID {
	switch t.Kind {
	case BTreePlain:
		return []TID{t.TID}
	case BTreePosting:
		tids := make([]TID, 0, len(t.posting)/TIDSize)
		for b := t.posting; len(b) >= TIDSize; b = b[TIDSize:] {
			tids = append(tids, decodeTID(b))
		}
		return tids
	}
	return nil
}
