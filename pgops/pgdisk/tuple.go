package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// TupleHeaderSize is the fixed part of a heap tuple's header (SizeofHeapTupleHeader, access/htup_details.h).
const TupleHeaderSize = 23

// Infomask holds the state bits of a tuple (t_infomask, access/htup_details.h).
type Infomask uint16

// The bits of t_infomask.
const (
	HeapHasNull       Infomask = 0x0001 // HEAP_HASNULL
	HeapHasVarWidth   Infomask = 0x0002 // HEAP_HASVARWIDTH
	HeapHasExternal   Infomask = 0x0004 // HEAP_HASEXTERNAL
	HeapHasOIDOld     Infomask = 0x0008 // HEAP_HASOID_OLD
	HeapXmaxKeyShrLck Infomask = 0x0010 // HEAP_XMAX_KEYSHR_LOCK
	HeapComboCID      Infomask = 0x0020 // HEAP_COMBOCID
	HeapXmaxExclLock  Infomask = 0x0040 // HEAP_XMAX_EXCL_LOCK
	HeapXmaxLockOnly  Infomask = 0x0080 // HEAP_XMAX_LOCK_ONLY
	HeapXminCommitted Infomask = 0x0100 // HEAP_XMIN_COMMITTED
	HeapXminInvalid   Infomask = 0x0200 // HEAP_XMIN_INVALID
	HeapXmaxCommitted Infomask = 0x0400 // HEAP_XMAX_COMMITTED
	HeapXmaxInvalid   Infomask = 0x0800 // HEAP_XMAX_INVALID
	HeapXmaxIsMulti   Infomask = 0x1000 // HEAP_XMAX_IS_MULTI
	HeapUpdated       Infomask = 0x2000 // HEAP_UPDATED: this is the newer version of a row
	HeapMovedOff      Infomask = 0x4000 // HEAP_MOVED_OFF, by a VACUUM FULL before 9.0
	HeapMovedIn       Infomask = 0x8000 // HEAP_MOVED_IN

	HeapXmaxShrLock = HeapXmaxExclLock | HeapXmaxKeyShrLck // HEAP_XMAX_SHR_LOCK
	HeapLockMask    = HeapXmaxShrLock                      // HEAP_LOCK_MASK
	HeapXminFrozen  = HeapXminCommitted | HeapXminInvalid  // HEAP_XMIN_FROZEN
	HeapMoved       = HeapMovedOff | HeapMovedIn           // HEAP_MOVED
)

// Infomask2 holds the number of columns and more bits (t_infomask2, access/htup_details.h).
type Infomask2 uint16

// The bits of t_infomask2.
const (
	HeapNattsMask   Infomask2 = 0x07FF // HEAP_NATTS_MASK
	HeapKeysUpdated Infomask2 = 0x2000 // HEAP_KEYS_UPDATED: key changed, or row deleted
	HeapHotUpdated  Infomask2 = 0x4000 // HEAP_HOT_UPDATED
	HeapOnlyTuple   Infomask2 = 0x8000 // HEAP_ONLY_TUPLE
)

// TID is the place of a tuple (ItemPointerData, storage/itemptr.h).
type TID struct {
	Block BlockNumber
	Item  uint16 // line pointer, from 1
}

// String gives PostgreSQL's ctid notation: (3,1).
func (t TID) String() string { return fmt.Sprintf("(%d,%d)", t.Block, t.Item) }

// Special values of TID.Item in t_ctid (storage/itemptr.h).
const (
	SpecTokenItem       = 0xFFFE // SpecTokenOffsetNumber: a speculative insertion
	MovedPartitionsItem = 0xFFFD // MovedPartitionsOffsetNumber: an UPDATE moved the row to another partition
)

// TupleHeader is the header of a heap tuple (HeapTupleHeaderData, access/htup_details.h).
type TupleHeader struct {
	Xmin      XID       // t_xmin: the inserting transaction
	Xmax      XID       // t_xmax: the deleting or locking transaction, or a multixact
	Field3    uint32    // t_cid, or t_xvac of a VACUUM FULL before 9.0
	CTID      TID       // t_ctid: the newer version, or the tuple itself
	Infomask2 Infomask2 // t_infomask2
	Infomask  Infomask  // t_infomask
	Hoff      uint8     // t_hoff: where the columns start
}

// DecodeTupleHeader reads the header of the item's bytes without judging it; Problems judges.
func DecodeTupleHeader(b []byte) (TupleHeader, error) {
	if len(b) < TupleHeaderSize {
		return TupleHeader{}, &FormatError{Field: "tuple header", Want: fmt.Sprintf("%d bytes", TupleHeaderSize), Got: fmt.Sprintf("%d bytes", len(b))}
	}
	le := binary.LittleEndian
	return TupleHeader{
		Xmin:   XID(le.Uint32(b)),
		Xmax:   XID(le.Uint32(b[4:])),
		Field3: le.Uint32(b[8:]),
		CTID: TID{
			Block: BlockNumber(le.Uint16(b[12:]))<<16 | BlockNumber(le.Uint16(b[14:])), // bi_hi, bi_lo
			Item:  le.Uint16(b[16:]),
		},
		Infomask2: Infomask2(le.Uint16(b[18:])),
		Infomask:  Infomask(le.Uint16(b[20:])),
		Hoff:      b[22],
	}, nil
}

// Encode writes the header over the start of b, which must hold TupleHeaderSize bytes.
func (h TupleHeader) Encode(b []byte) {
	le := binary.LittleEndian
	_ = b[TupleHeaderSize-1]
	le.PutUint32(b, uint32(h.Xmin))
	le.PutUint32(b[4:], uint32(h.Xmax))
	le.PutUint32(b[8:], h.Field3)
	le.PutUint16(b[12:], uint16(h.CTID.Block>>16))
	le.PutUint16(b[14:], uint16(h.CTID.Block))
	le.PutUint16(b[16:], h.CTID.Item)
	le.PutUint16(b[18:], uint16(h.Infomask2))
	le.PutUint16(b[20:], uint16(h.Infomask))
	b[22] = h.Hoff
}

// Natts returns the number of columns stored, which can be fewer than the table has now
// (HeapTupleHeaderGetNatts).
func (h TupleHeader) Natts() int { return int(h.Infomask2 & HeapNattsMask) }

// XminCommitted reports that the inserting transaction is known committed (HeapTupleHeaderXminCommitted).
func (h TupleHeader) XminCommitted() bool { return h.Infomask&HeapXminCommitted != 0 }

// XminInvalid reports that the inserting transaction is known aborted (HeapTupleHeaderXminInvalid).
func (h TupleHeader) XminInvalid() bool { return h.Infomask&HeapXminFrozen == HeapXminInvalid }

// XminFrozen reports that the tuple is visible to all (HeapTupleHeaderXminFrozen).
func (h TupleHeader) XminFrozen() bool {
	return h.Infomask&HeapXminFrozen == HeapXminFrozen || h.Xmin == FrozenXID
}

// XmaxInvalid reports that nobody deletes or locks the tuple any more (HEAP_XMAX_INVALID).
func (h TupleHeader) XmaxInvalid() bool { return h.Infomask&HeapXmaxInvalid != 0 }

// XmaxCommitted reports that the deleting transaction is known committed (HEAP_XMAX_COMMITTED).
func (h TupleHeader) XmaxCommitted() bool { return h.Infomask&HeapXmaxCommitted != 0 }

// XmaxIsMulti reports that t_xmax is a multixact (HEAP_XMAX_IS_MULTI).
func (h TupleHeader) XmaxIsMulti() bool { return h.Infomask&HeapXmaxIsMulti != 0 }

// Multi returns the multixact in t_xmax, and false when t_xmax is a transaction or no longer counts.
func (h TupleHeader) Multi() (MultiXactID, bool) {
	ok := h.XmaxIsMulti() && !h.XmaxInvalid() && h.Xmax != 0
	return MultiXactID(h.Xmax), ok
}

// XmaxLockedOnly reports that t_xmax locks the tuple and does not delete it
// (HEAP_XMAX_IS_LOCKED_ONLY). A cluster upgraded from before 9.3 marks such a tuple by an
// exclusive lock without multixact instead of by the lock-only bit.
func (h TupleHeader) XmaxLockedOnly() bool {
	return h.Infomask&HeapXmaxLockOnly != 0 ||
		h.Infomask&(HeapXmaxIsMulti|HeapLockMask) == HeapXmaxExclLock
}

// LockedUpgraded reports a multixact from before 9.3 brought along by pg_upgrade; no member
// of it can be running and its files may be gone (HEAP_LOCKED_UPGRADED).
func (h TupleHeader) LockedUpgraded() bool {
	return h.XmaxIsMulti() && h.Infomask&HeapXmaxLockOnly != 0 &&
		h.Infomask&(HeapXmaxExclLock|HeapXmaxKeyShrLck) == 0
}

// KeysUpdated reports that the deleting transaction changed the key or deleted the row (HEAP_KEYS_UPDATED).
func (h TupleHeader) KeysUpdated() bool { return h.Infomask2&HeapKeysUpdated != 0 }

// HotUpdated reports that the newer version is on the same page and has no index entries of
// its own (HeapTupleHeaderIsHotUpdated).
func (h TupleHeader) HotUpdated() bool {
	return h.Infomask2&HeapHotUpdated != 0 && !h.XmaxInvalid() && !h.XminInvalid()
}

// HeapOnly reports that no index entry leads here, only an older version (HeapTupleHeaderIsHeapOnly).
func (h TupleHeader) HeapOnly() bool { return h.Infomask2&HeapOnlyTuple != 0 }

// HasNulls reports a null bitmap after the header (HEAP_HASNULL).
func (h TupleHeader) HasNulls() bool { return h.Infomask&HeapHasNull != 0 }

// MovedPartitions reports that an UPDATE moved the row to another partition (HeapTupleHeaderIndicatesMovedPartitions).
func (h TupleHeader) MovedPartitions() bool { return h.CTID.Item == MovedPartitionsItem }

// Superseded reports that t_ctid of the tuple at self leads to a newer version.
func (h TupleHeader) Superseded(self TID) bool {
	return h.CTID != self && h.CTID.Item != SpecTokenItem && h.CTID.Item != MovedPartitionsItem
}
