package pgdisk

// Classes of Heap records (XLOG_HEAP_*, access/heapam_xlog.h).
const (
	walHeapInsert    = 0x00
	walHeapDelete    = 0x10
	walHeapUpdate    = 0x20
	walHeapTruncate  = 0x30
	walHeapHotUpdate = 0x40
	walHeapConfirm   = 0x50
	walHeapLock      = 0x60
	walHeapInplace   = 0x70

	walHeapOpMask   = 0x70 // XLOG_HEAP_OPMASK
	walHeapInitPage = 0x80 // XLOG_HEAP_INIT_PAGE: the first tuple of a page
)

// Flags of heap records (XLH_*, access/heapam_xlog.h).
const (
	WALInsertAllVisibleCleared  = 1 << 0 // XLH_INSERT_ALL_VISIBLE_CLEARED
	WALInsertLastInMulti        = 1 << 1 // XLH_INSERT_LAST_IN_MULTI
	WALInsertSpeculative        = 1 << 2 // XLH_INSERT_IS_SPECULATIVE: of INSERT ... ON CONFLICT, not yet confirmed
	WALInsertContainsNewTuple   = 1 << 3 // XLH_INSERT_CONTAINS_NEW_TUPLE: beside a page image, for logical decoding
	WALInsertOnToast            = 1 << 4 // XLH_INSERT_ON_TOAST_RELATION, 14 on
	WALInsertAllFrozenSet       = 1 << 5 // XLH_INSERT_ALL_FROZEN_SET, 14 on
	WALUpdateOldVisibleCleared  = 1 << 0 // XLH_UPDATE_OLD_ALL_VISIBLE_CLEARED
	WALUpdateNewVisibleCleared  = 1 << 1 // XLH_UPDATE_NEW_ALL_VISIBLE_CLEARED
	WALUpdateContainsOldTuple   = 1 << 2 // XLH_UPDATE_CONTAINS_OLD_TUPLE
	WALUpdateContainsOldKey     = 1 << 3 // XLH_UPDATE_CONTAINS_OLD_KEY
	WALUpdateContainsNewTuple   = 1 << 4 // XLH_UPDATE_CONTAINS_NEW_TUPLE
	WALUpdatePrefixFromOld      = 1 << 5 // XLH_UPDATE_PREFIX_FROM_OLD
	WALUpdateSuffixFromOld      = 1 << 6 // XLH_UPDATE_SUFFIX_FROM_OLD
	WALDeleteAllVisibleCleared  = 1 << 0 // XLH_DELETE_ALL_VISIBLE_CLEARED
	WALDeleteContainsOldTuple   = 1 << 1 // XLH_DELETE_CONTAINS_OLD_TUPLE
	WALDeleteContainsOldKey     = 1 << 2 // XLH_DELETE_CONTAINS_OLD_KEY
	WALDeleteSuper              = 1 << 3 // XLH_DELETE_IS_SUPER: a speculative insertion taken back
	WALDeletePartitionMove      = 1 << 4 // XLH_DELETE_IS_PARTITION_MOVE
	WALTruncateCascade          = 1 << 0 // XLH_TRUNCATE_CASCADE
	WALTruncateRestartSequences = 1 << 1 // XLH_TRUNCATE_RESTART_SEQS
	WALLockAllFrozenCleared     = 1 << 0 // XLH_LOCK_ALL_FROZEN_CLEARED
)

// heapOp reports whether the record is of that class of the Heap manager.
func (r *WALRecord) heapOp(class uint8) bool {
	return r.Rmid == RmgrHeap && r.Info&walHeapOpMask == class
}

// WALHeapInsert is a Heap/INSERT record (xl_heap_insert): a new tuple in block 0.
type WALHeapInsert struct {
	Line     uint16 // line pointer
	Flags    uint8  // WALInsert*
	Init     bool   // it is the first tuple on the page
	HasTuple bool   // false when the tuple is in the page image alone
	Tuple    WALTuple
}

// WALHeapInsert decodes a Heap/INSERT record; ok is false for other records and for one
// whose parts do not fit, here and in all decoders of this kind.
func (r *WALRecord) WALHeapInsert() (h WALHeapInsert, ok bool) {
	if !r.heapOp(walHeapInsert) {
		return WALHeapInsert{}, false
	}
	d := walBody{b: r.MainData}
	h = WALHeapInsert{Line: d.u16(), Flags: d.u8(), Init: r.Info&walHeapInitPage != 0}
	if d.short {
		return WALHeapInsert{}, false
	}
	if block, have := r.blockBody(0); have {
		h.HasTuple = true
		if h.Tuple, ok = decodeWALTuple(&block); !ok {
			return WALHeapInsert{}, false
		}
	}
	return h, true
}

// WALHeapDelete is a Heap/DELETE record (xl_heap_delete): a tuple in block 0 is deleted.
type WALHeapDelete struct {
	Xmax     XID // the deleting transaction, or a multixact
	Line     uint16
	Infobits WALInfobits
	Flags    uint8 // WALDelete*
	HasOld   bool  // the deleted row or its key is here, for logical decoding
	Old      WALTuple
}

// WALHeapDelete decodes a Heap/DELETE record.
func (r *WALRecord) WALHeapDelete() (h WALHeapDelete, ok bool) {
	if !r.heapOp(walHeapDelete) {
		return WALHeapDelete{}, false
	}
	d := walBody{b: r.MainData}
	h = WALHeapDelete{Xmax: XID(d.u32()), Line: d.u16(), Infobits: WALInfobits(d.u8()), Flags: d.u8()}
	if h.Flags&(WALDeleteContainsOldTuple|WALDeleteContainsOldKey) != 0 {
		h.HasOld = true
		h.Old, _ = decodeWALTuple(&d)
	}
	return h, !d.short
}

// WALHeapUpdate is a Heap/UPDATE or HOT_UPDATE record (xl_heap_update): a new version of a
// row in block 0; the old one is in block 1 if there is one, else in block 0 too.
type WALHeapUpdate struct {
	Hot         bool
	Init        bool // the new version is the first tuple on its page
	OldXmax     XID  // what the old version's t_xmax becomes
	OldLine     uint16
	OldInfobits WALInfobits
	Flags       uint8 // WALUpdate*
	NewXmax     XID   // of the new version: locks that were carried over
	NewLine     uint16
	HasNew      bool     // false when the new version is in the page image alone
	New         WALTuple // without the bytes shared with the old version, see Rebuild
	Prefix      uint16   // bytes of columns that the new version takes from the start of the old one
	Suffix      uint16   // and from its end
	HasOld      bool     // the old row or its key is here, for logical decoding
	Old         WALTuple
}

// WALHeapUpdate decodes a Heap/UPDATE or HOT_UPDATE record.
func (r *WALRecord) WALHeapUpdate() (h WALHeapUpdate, ok bool) {
	if !r.heapOp(walHeapUpdate) && !r.heapOp(walHeapHotUpdate) {
		return WALHeapUpdate{}, false
	}
	d := walBody{b: r.MainData}
	h = WALHeapUpdate{
		Hot: r.heapOp(walHeapHotUpdate), Init: r.Info&walHeapInitPage != 0,
		OldXmax: XID(d.u32()), OldLine: d.u16(), OldInfobits: WALInfobits(d.u8()), Flags: d.u8(),
		NewXmax: XID(d.u32()), NewLine: d.u16(),
	}
	if h.Flags&(WALUpdateContainsOldTuple|WALUpdateContainsOldKey) != 0 {
		h.HasOld = true
		h.Old, _ = decodeWALTuple(&d)
	}
	if block, have := r.blockBody(0); have && !d.short {
		h.HasNew = true
		if h.Flags&WALUpdatePrefixFromOld != 0 {
			h.Prefix = block.u16()
		}
		if h.Flags&WALUpdateSuffixFromOld != 0 {
			h.Suffix = block.u16()
		}
		if h.New, ok = decodeWALTuple(&block); !ok {
			return WALHeapUpdate{}, false
		}
	}
	return h, !d.short
}

// WALHeapTruncate is a Heap/TRUNCATE record (xl_heap_truncate). Only logical decoding reads
// it: the files are changed by Storage records.
type WALHeapTruncate struct {
	Database  OID
	Flags     uint8 // WALTruncate*
	Relations WALOIDs
}

// WALHeapTruncate decodes a Heap/TRUNCATE record.
func (r *WALRecord) WALHeapTruncate() (h WALHeapTruncate, ok bool) {
	if !r.heapOp(walHeapTruncate) {
		return WALHeapTruncate{}, false
	}
	d := walBody{b: r.MainData}
	h.Database = OID(d.u32())
	n := d.u32()
	h.Flags = d.u8()
	d.align(4)
	h.Relations = d.items(n, 4)
	return h, !d.short
}

// WALHeapConfirm decodes a Heap/HEAP_CONFIRM record: the speculative insertion at line is to
// stay (xl_heap_confirm).
func (r *WALRecord) WALHeapConfirm() (line uint16, ok bool) {
	if !r.heapOp(walHeapConfirm) {
		return 0, false
	}
	d := walBody{b: r.MainData}
	line = d.u16()
	return line, !d.short
}

// WALHeapLock is a Heap/LOCK or Heap2/LOCK_UPDATED record (xl_heap_lock,
// xl_heap_lock_updated): a tuple in block 0 is locked.
type WALHeapLock struct {
	Xmax     XID // the locking transaction, or a multixact
	Line     uint16
	Infobits WALInfobits
	Flags    uint8 // WALLockAllFrozenCleared
	Updated  bool  // a newer version of the row that was asked for
}

// WALHeapLock decodes a Heap/LOCK or Heap2/LOCK_UPDATED record.
func (r *WALRecord) WALHeapLock() (h WALHeapLock, ok bool) {
	h.Updated = r.Rmid == RmgrHeap2 && r.Info&walHeapOpMask == walHeap2LockUpdated
	if !h.Updated && !r.heapOp(walHeapLock) {
		return WALHeapLock{}, false
	}
	d := walBody{b: r.MainData}
	h.Xmax, h.Line, h.Infobits, h.Flags = XID(d.u32()), d.u16(), WALInfobits(d.u8()), d.u8()
	return h, !d.short
}

// WALHeapInplace is a Heap/INPLACE record (xl_heap_inplace): a tuple in block 0 is
// overwritten without a new version, as VACUUM does in pg_class.
type WALHeapInplace struct {
	Line    uint16
	Columns []byte // the tuple from t_hoff on; nil when in the page image alone

	// From 18 on the record also carries what others must forget.
	Database      OID
	Tablespace    OID
	RelcacheFile  bool
	Invalidations WALInvalidations
}

// WALHeapInplace decodes a Heap/INPLACE record.
func (r *WALRecord) WALHeapInplace() (h WALHeapInplace, ok bool) {
	if !r.heapOp(walHeapInplace) {
		return WALHeapInplace{}, false
	}
	d := walBody{b: r.MainData}
	h.Line = d.u16()
	if block, have := r.blockBody(0); have {
		h.Columns = block.b
	}
	if r.Major < 18 {
		return h, !d.short
	}
	d.align(4)
	h.Database, h.Tablespace = OID(d.u32()), OID(d.u32())
	h.RelcacheFile = d.u8() != 0
	d.align(4)
	h.Invalidations = d.array(walInvalSize)
	return h, !d.short
}
