package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// IndexTupleHeaderSize is the fixed part of an index tuple (sizeof(IndexTupleData), access/itup.h).
const IndexTupleHeaderSize = 8

// TIDSize is the size of a TID on disk (sizeof(ItemPointerData), storage/itemptr.h).
const TIDSize = 6

// InvalidBlock stands where a link leads nowhere (InvalidBlockNumber, storage/block.h).
const InvalidBlock BlockNumber = 0xFFFFFFFF

// Bits of t_info (access/itup.h).
const (
	indexSizeMask  = 0x1FFF // INDEX_SIZE_MASK
	indexAMBit     = 0x2000 // INDEX_AM_RESERVED_BIT: btree's INDEX_ALT_TID_MASK, hash's INDEX_MOVED_BY_SPLIT_MASK
	indexVarMask   = 0x4000 // INDEX_VAR_MASK
	indexNullMask  = 0x8000 // INDEX_NULL_MASK
	indexNullBytes = 4      // sizeof(IndexAttributeBitMapData): INDEX_MAX_KEYS is 32
)

// IndexTuple is an entry of a btree, hash or GiST index, of GIN's entry tree, or a node of an
// SP-GiST inner tuple (IndexTupleData, access/itup.h). What TID and the reserved bit of Info
// mean is each access method's own affair.
type IndexTuple struct {
	TID  TID    // t_tid as stored
	Info uint16 // t_info: size and bits
	data []byte // as many bytes of the item as the size says
}

// decodeTID reads the 6 bytes of an ItemPointerData.
func decodeTID(b []byte) TID {
	le := binary.LittleEndian
	_ = b[TIDSize-1]
	return TID{
		Block: BlockNumber(le.Uint16(b))<<16 | BlockNumber(le.Uint16(b[2:])), // bi_hi, bi_lo
		Item:  le.Uint16(b[4:]),
	}
}

// DecodeIndexTuple reads an entry from the bytes of its item. A size that is less than the
// header and null bitmap or more than the item is an error.
func DecodeIndexTuple(item []byte) (IndexTuple, error) {
	if len(item) < IndexTupleHeaderSize {
		return IndexTuple{}, &FormatError{Field: "index tuple", Want: fmt.Sprintf("%d bytes", IndexTupleHeaderSize), Got: fmt.Sprintf("%d bytes", len(item))}
	}
	t := IndexTuple{TID: decodeTID(item), Info: binary.LittleEndian.Uint16(item[TIDSize:])}
	if size := t.Size(); size < t.headerLen() || size > len(item) {
		return IndexTuple{}, &FormatError{Off: TIDSize, Field: "size in t_info",
			Want: fmt.Sprintf("%d to %d", t.headerLen(), len(item)), Got: fmt.Sprint(size)}
	}
	t.data = item[:t.Size():t.Size()]
	return t, nil
}

// Size returns the bytes of the whole tuple (IndexTupleSize).
func (t IndexTuple) Size() int { return int(t.Info & indexSizeMask) }

// HasNulls reports a null bitmap after the header (IndexTupleHasNulls).
func (t IndexTuple) HasNulls() bool { return t.Info&indexNullMask != 0 }

// HasVarWidths reports columns of variable width (IndexTupleHasVarwidths).
func (t IndexTuple) HasVarWidths() bool { return t.Info&indexVarMask != 0 }

// Reserved reports the bit that belongs to the access method (INDEX_AM_RESERVED_BIT). In a
// hash index it says that a split moved the tuple here (INDEX_MOVED_BY_SPLIT_MASK).
func (t IndexTuple) Reserved() bool { return t.Info&indexAMBit != 0 }

// IsNull reports whether the column of the given number (from 1 to 32) is null.
func (t IndexTuple) IsNull(attnum int) bool {
	i := attnum - 1
	if !t.HasNulls() || i < 0 || i >= indexNullBytes*8 {
		return false
	}
	return t.data[IndexTupleHeaderSize+i/8]&(1<<(i%8)) == 0
}

// Data returns the bytes from the first column on, which is where the header and the null
// bitmap, padded to 8 bytes, end (IndexInfoFindDataOffset).
func (t IndexTuple) Data() []byte { return t.data[t.headerLen():] }

func (t IndexTuple) headerLen() int {
	if t.HasNulls() {
		return IndexTupleHeaderSize + 8 // the bitmap, padded
	}
	return IndexTupleHeaderSize
}
