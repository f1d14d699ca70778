package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// ginOffsetBits is how far a TID's block is shifted to make one number of it
// (MaxHeapTuplesPerPageBits, access/gin/ginpostinglist.c).
const ginOffsetBits = 11

// GinPostingList is a compressed list of TIDs (GinPostingList, access/ginblock.h).
type GinPostingList struct {
	First TID
	Bytes int // nbytes: of the list's packed part, without header and padding
	TIDs  []TID
}

// GinLeafPostings reads the posting lists of a leaf of a posting tree (GIN_DATA, GIN_LEAF and
// GIN_COMPRESSED). On a list that does not hold together those before it are returned with
// the error.
func GinLeafPostings(page []byte) ([]GinPostingList, error) {
	h, err := DecodePageHeader(page)
	if err != nil {
		return nil, err
	}
	const start = PageHeaderSize + ginBoundSize
	end := int(h.Lower)
	if end < start || end > BlockSize-ginOpaqueSize {
		return nil, &FormatError{Off: 12, Field: "pd_lower", Want: fmt.Sprintf("%d to %d", start, BlockSize-ginOpaqueSize), Got: fmt.Sprint(end)}
	}
	return DecodeGinPostingLists(page[start:end])
}

// DecodeGinPostingLists reads posting lists that lie one after the other, each padded to 2
// bytes (ginPostingListDecodeAllSegments, access/gin/ginpostinglist.c).
func DecodeGinPostingLists(b []byte) ([]GinPostingList, error) {
	var lists []GinPostingList
	for off := 0; off < len(b); {
		l, size, err := decodeGinPostingList(b[off:])
		if err != nil {
			err.Off += int64(off)
			return lists, err
		}
		lists = append(lists, l)
		off += size
	}
	return lists, nil
}

// decodeGinPostingList reads one list and tells how many bytes it takes: the first TID whole,
// then the distances in 7 bits a byte, low bits first.
func decodeGinPostingList(b []byte) (GinPostingList, int, *FormatError) {
	if len(b) < ginListHeader {
		return GinPostingList{}, 0, &FormatError{Field: "posting list", Want: fmt.Sprintf("%d bytes", ginListHeader), Got: fmt.Sprintf("%d bytes", len(b))}
	}
	l := GinPostingList{First: decodeTID(b), Bytes: int(binary.LittleEndian.Uint16(b[TIDSize:]))}
	size := ginListHeader + (l.Bytes+1)&^1
	if size > len(b) {
		return GinPostingList{}, 0, &FormatError{Off: TIDSize, Field: "nbytes", Want: fmt.Sprintf("at most %d", len(b)-ginListHeader), Got: fmt.Sprint(l.Bytes)}
	}
	l.TIDs = append(l.TIDs, l.First)
	at := uint64(l.First.Block)<<ginOffsetBits | uint64(l.First.Item)
	packed := b[ginListHeader : ginListHeader+l.Bytes]
	for i := 0; i < len(packed); {
		delta, n := binary.Uvarint(packed[i:])
		if n <= 0 || n > 7 {
			return GinPostingList{}, 0, &FormatError{Off: int64(ginListHeader + i), Field: "distance in a posting list", Want: "up to 7 bytes", Got: "more, or an end in the middle"}
		}
		i += n
		at += delta
		l.TIDs = append(l.TIDs, TID{Block: BlockNumber(at >> ginOffsetBits), Item: uint16(at & (1<<ginOffsetBits - 1))})
	}
	return l, size, nil
}

// GinEntry is a tuple of the entry tree taken apart (access/ginblock.h, "leaf-page entry tuples").
type GinEntry struct {
	IndexTuple
	Child     BlockNumber      // on an inner page: the downlink
	Tree      bool             // on a leaf: the rows are in a posting tree
	TreeRoot  BlockNumber      // of that tree
	Postings  int              // on a leaf without a tree: rows
	Lists     []GinPostingList // their TIDs, where they are stored compressed, as they are since 9.4
	PlainTIDs []TID            // or not
	keyEnd    int              // where the key and the category of a null end, in data
}

// Key returns the bytes of the key. In an index of several columns the column's number comes
// first, in 2 bytes (gintuple_get_attrnum); a key that is a placeholder for null has a byte
// with its category (GinGetNullCategory).
func (e GinEntry) Key() []byte { return e.data[e.headerLen():max(e.headerLen(), e.keyEnd)] }

// TIDs returns the rows that the entry itself has.
func (e GinEntry) TIDs() []TID {
	tids := e.PlainTIDs
	for _, l := range e.Lists {
		tids = append(tids, l.TIDs...)
	}
	return tids
}

// DecodeGinEntry reads a tuple of the entry tree, of a leaf or an inner page.
func DecodeGinEntry(item []byte, leaf bool) (GinEntry, error) {
	t, err := DecodeIndexTuple(item)
	if err != nil {
		return GinEntry{}, err
	}
	e := GinEntry{IndexTuple: t, keyEnd: t.Size()}
	switch {
	case !leaf:
		e.Child = t.TID.Block
		return e, nil
	case t.TID.Item == ginTreePosting:
		e.Tree, e.TreeRoot = true, t.TID.Block
		return e, nil
	}
	e.Postings = int(t.TID.Item)
	at := int(t.TID.Block &^ ginCompressed)
	if at > t.Size() || (e.Postings > 0 && at < IndexTupleHeaderSize) {
		return GinEntry{}, &FormatError{Field: "posting list", Want: fmt.Sprintf("a start up to byte %d", t.Size()), Got: fmt.Sprint(at)}
	}
	if e.Postings == 0 {
		return e, nil
	}
	e.keyEnd = at
	return e.withPostings(t.data[at:], t.TID.Block&ginCompressed != 0)
}

func (e GinEntry) withPostings(b []byte, compressed bool) (GinEntry, error) {
	if !compressed {
		if len(b) < e.Postings*TIDSize {
			return GinEntry{}, &FormatError{Field: "posting list", Want: fmt.Sprintf("%d TIDs", e.Postings), Got: fmt.Sprintf("%d bytes", len(b))}
		}
		for i := range e.Postings {
			e.PlainTIDs = append(e.PlainTIDs, decodeTID(b[i*TIDSize:]))
		}
		return e, nil
	}
	l, _, err := decodeGinPostingList(b) // an entry has one list; what follows is padding
	if err != nil {
		return GinEntry{}, err
	}
	e.Lists = []GinPostingList{l}
	if len(l.TIDs) != e.Postings {
		return GinEntry{}, &FormatError{Field: "posting list", Want: fmt.Sprintf("%d TIDs", e.Postings), Got: fmt.Sprint(len(l.TIDs))}
	}
	return e, nil
}
