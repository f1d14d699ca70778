package pgdisk

// Classes of Heap2 records that are the same in all majors (XLOG_HEAP2_*,
// access/heapam_xlog.h); 0x10 to 0x30 are in walprune.go.
const (
	walHeap2Rewrite     = 0x00
	walHeap2Visible     = 0x40
	walHeap2MultiInsert = 0x50
	walHeap2LockUpdated = 0x60
	walHeap2NewCID      = 0x70
)

// heap2Op reports whether the record is of that class of the Heap2 manager.
func (r *WALRecord) heap2Op(class uint8) bool {
	return r.Rmid == RmgrHeap2 && r.Info&walHeapOpMask == class
}

// Flags of Heap2/VISIBLE (VISIBILITYMAP_*, access/visibilitymapdefs.h).
const (
	WALAllVisible        = 0x01 // VISIBILITYMAP_ALL_VISIBLE
	WALAllFrozen         = 0x02 // VISIBILITYMAP_ALL_FROZEN
	WALVisibleCatalogRel = 0x04 // VISIBILITYMAP_XLOG_CATALOG_REL, 16 on
)

// WALHeapVisible is a Heap2/VISIBLE record (xl_heap_visible): bits of the visibility map in
// block 0 are set for the heap page in block 1.
type WALHeapVisible struct {
	ConflictHorizon XID // snapshotConflictHorizon; cutoff_xid before 16
	Flags           uint8
}

// WALHeapVisible decodes a Heap2/VISIBLE record.
func (r *WALRecord) WALHeapVisible() (h WALHeapVisible, ok bool) {
	if !r.heap2Op(walHeap2Visible) {
		return WALHeapVisible{}, false
	}
	d := walBody{b: r.MainData}
	h = WALHeapVisible{ConflictHorizon: XID(d.u32()), Flags: d.u8()}
	return h, !d.short
}

// WALHeapNewCID is a Heap2/NEW_CID record (xl_heap_new_cid): the command ids of a change to
// a catalog, for logical decoding. It has no block reference.
type WALHeapNewCID struct {
	TopXID   XID
	Cmin     uint32
	Cmax     uint32
	ComboCID uint32
	Relation WALRelation
	TID      TID
}

// WALHeapNewCID decodes a Heap2/NEW_CID record.
func (r *WALRecord) WALHeapNewCID() (h WALHeapNewCID, ok bool) {
	if !r.heap2Op(walHeap2NewCID) {
		return WALHeapNewCID{}, false
	}
	d := walBody{b: r.MainData}
	h = WALHeapNewCID{TopXID: XID(d.u32()), Cmin: d.u32(), Cmax: d.u32(), ComboCID: d.u32(), Relation: d.relation()}
	high, low := BlockNumber(d.u16()), BlockNumber(d.u16())
	h.TID = TID{Block: high<<16 | low, Item: d.u16()}
	return h, !d.short
}

// WALHeapRewrite is a Heap2/REWRITE record (xl_heap_rewrite_mapping): where VACUUM FULL or
// CLUSTER moved rows of a catalog, for logical decoding. The mappings go to a file in
// pg_logical/mappings.
type WALHeapRewrite struct {
	XID      XID // xid that might need to see the rows
	Database OID
	Relation OID
	Offset   int64 // where the mappings go in the file
	Count    uint32
	StartLSN LSN
	Mappings []byte // LogicalRewriteMappingData, 36 bytes each
}

// walRewriteMappingSize is sizeof(LogicalRewriteMappingData): two relations and two TIDs.
const walRewriteMappingSize = 36

// WALHeapRewrite decodes a Heap2/REWRITE record.
func (r *WALRecord) WALHeapRewrite() (h WALHeapRewrite, ok bool) {
	if !r.heap2Op(walHeap2Rewrite) {
		return WALHeapRewrite{}, false
	}
	d := walBody{b: r.MainData}
	h = WALHeapRewrite{XID: XID(d.u32()), Database: OID(d.u32()), Relation: OID(d.u32())}
	d.align(8)
	h.Offset, h.Count = int64(d.u64()), d.u32()
	d.align(8)
	h.StartLSN = LSN(d.u64())
	h.Mappings = d.items(h.Count, walRewriteMappingSize)
	return h, !d.short
}
