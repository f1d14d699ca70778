package pgdisk

// Classes of Heap2 records that take old tuples away. The numbers changed with 14 and the
// meaning again with 17 (XLOG_HEAP2_*, access/heapam_xlog.h).
const (
	walHeap2Clean       = 0x10 // 13: CLEAN; 14 to 16: PRUNE; 17 on: PRUNE_ON_ACCESS
	walHeap2Vacuum      = 0x20 // 13: FREEZE_PAGE; 14 to 16: VACUUM; 17 on: PRUNE_VACUUM_SCAN
	walHeap2CleanupInfo = 0x30 // 13: CLEANUP_INFO; 14 to 16: FREEZE_PAGE; 17 on: PRUNE_VACUUM_CLEANUP
)

// Parts of a record of 17 and later (XLHP_*, access/heapam_xlog.h).
const (
	walPruneCatalogRel   = 1 << 1
	walPruneCleanupLock  = 1 << 2
	walPruneHorizon      = 1 << 3
	walPruneFreezePlans  = 1 << 4
	walPruneRedirections = 1 << 5
	walPruneDead         = 1 << 6
	walPruneUnused       = 1 << 7
)

// WALFreezePlan says how tuples are frozen (xlhp_freeze_plan; xl_heap_freeze_plan in 16,
// xl_heap_freeze_tuple before).
type WALFreezePlan struct {
	Xmax      XID
	Infomask2 Infomask2
	Infomask  Infomask
	Flags     uint8      // XLH_FREEZE_XVAC 0x02, XLH_INVALID_XVAC 0x04
	Lines     WALOffsets // line pointers of the tuples
}

// WALPrune is a Heap2 record in which VACUUM, or a query that passed by, took old tuples off
// the page in block 0 or froze some. One shape for what are several kinds of records before
// 17: of CLEAN, PRUNE, VACUUM and FREEZE_PAGE only some parts are set.
type WALPrune struct {
	HasHorizon      bool
	ConflictHorizon XID   // snapshots older than this conflict on a standby
	Flags           uint8 // XLHP_*, 17 on
	CatalogRel      bool  // 16 on
	CleanupLock     bool  // 17 on; before, all but VACUUM of 14 to 16 take it
	HasItems        bool  // false when a page image says it all, before 17 except for counts

	// As the record counts them; before 17 the counts are there without the items.
	Redirects, DeadCount, UnusedCount, PlanCount int

	Redirected WALOffsets // pairs: from, to
	Dead       WALOffsets // become LP_DEAD
	Unused     WALOffsets // become LP_UNUSED
	plans      []byte     // 12 bytes each
	frozen     WALOffsets // line pointers of all plans; before 16 they are in the plans
}

const walFreezePlanSize = 12 // sizeof(xlhp_freeze_plan), and of the two before it

// WALPrune decodes a Heap2 record of the classes 0x10 to 0x30, except CLEANUP_INFO of 13.
func (r *WALRecord) WALPrune() (p WALPrune, ok bool) {
	class := r.Info & walHeapOpMask
	if r.Rmid != RmgrHeap2 || class < walHeap2Clean || class > walHeap2CleanupInfo {
		return WALPrune{}, false
	}
	switch {
	case r.Major >= 17:
		ok = p.decode(r)
	case class == walHeap2Clean:
		ok = p.decodeClean(r)
	case r.Major >= 14 && class == walHeap2Vacuum:
		ok = p.decodeVacuum(r)
	case r.Major >= 14 || class == walHeap2Vacuum:
		ok = p.decodeFreeze(r)
	}
	return p, ok
}

// decode reads xl_heap_prune of 17 and later (heap_xlog_deserialize_prune_and_freeze, heapdesc.c).
func (p *WALPrune) decode(r *WALRecord) bool {
	d := walBody{b: r.MainData}
	d.u8() // reason: the class says the same
	p.Flags = d.u8()
	p.CatalogRel, p.CleanupLock = p.Flags&walPruneCatalogRel != 0, p.Flags&walPruneCleanupLock != 0
	if p.HasHorizon = p.Flags&walPruneHorizon != 0; p.HasHorizon {
		p.ConflictHorizon = XID(d.u32()) // right behind the flags, not aligned
	}
	block, have := r.blockBody(0)
	if !have || d.short {
		return !d.short
	}
	p.HasItems = true
	if p.Flags&walPruneFreezePlans != 0 {
		n := block.u16()
		block.align(4)
		p.plans = block.items(uint32(n), walFreezePlanSize)
	}
	part := func(flag uint8, size int) WALOffsets {
		if p.Flags&flag == 0 {
			return nil
		}
		return block.items(uint32(block.u16()), size)
	}
	p.Redirected = part(walPruneRedirections, 4)
	p.Dead = part(walPruneDead, 2)
	p.Unused = part(walPruneUnused, 2)
	p.PlanCount, p.Redirects = len(p.plans)/walFreezePlanSize, p.Redirected.Len()/2
	p.DeadCount, p.UnusedCount = p.Dead.Len(), p.Unused.Len()
	p.frozen = block.rest()
	return !block.short && p.plansFit()
}

// decodeClean reads xl_heap_clean of 13 and xl_heap_prune of 14 to 16.
func (p *WALPrune) decodeClean(r *WALRecord) bool {
	d := walBody{b: r.MainData}
	p.HasHorizon, p.CleanupLock = true, true
	p.ConflictHorizon = XID(d.u32())
	p.Redirects, p.DeadCount = int(d.u16()), int(d.u16())
	if r.Major >= 16 {
		p.CatalogRel = d.u8() != 0
	}
	block, have := r.blockBody(0)
	if !have || d.short {
		return !d.short
	}
	p.HasItems = true
	p.Redirected = block.items(uint32(p.Redirects), 4)
	p.Dead = block.items(uint32(p.DeadCount), 2)
	p.Unused = block.rest()
	p.UnusedCount = p.Unused.Len()
	return !block.short
}

// decodeVacuum reads xl_heap_vacuum of 14 to 16.
func (p *WALPrune) decodeVacuum(r *WALRecord) bool {
	d := walBody{b: r.MainData}
	p.UnusedCount = int(d.u16())
	block, have := r.blockBody(0)
	if !have || d.short {
		return !d.short
	}
	p.HasItems = true
	p.Unused = block.items(uint32(p.UnusedCount), 2)
	return !block.short
}

// decodeFreeze reads xl_heap_freeze_page: a plan per tuple up to 15, one for all that are
// frozen alike in 16.
func (p *WALPrune) decodeFreeze(r *WALRecord) bool {
	d := walBody{b: r.MainData}
	p.HasHorizon, p.CleanupLock = true, true
	p.ConflictHorizon = XID(d.u32())
	p.PlanCount = int(d.u16())
	if r.Major >= 16 {
		p.CatalogRel = d.u8() != 0
	}
	block, have := r.blockBody(0)
	if !have || d.short {
		return !d.short
	}
	p.HasItems = true
	p.plans = block.items(uint32(p.PlanCount), walFreezePlanSize)
	if r.Major >= 16 {
		p.frozen = block.rest()
		return !block.short && p.plansFit()
	}
	return !block.short
}

// plansFit reports whether there is a line pointer for every tuple that the plans count.
func (p *WALPrune) plansFit() bool {
	n := 0
	for off := 0; off < len(p.plans); off += walFreezePlanSize {
		d := walBody{b: p.plans, off: off + 10}
		n += int(d.u16())
	}
	return n <= p.frozen.Len()
}

// Plans goes through the plans by which tuples are frozen.
func (p *WALPrune) Plans(yield func(WALFreezePlan) bool) {
	at := 0
	for d := (walBody{b: p.plans}); d.off < len(d.b); {
		plan := WALFreezePlan{Xmax: XID(d.u32())}
		if p.frozen == nil { // xl_heap_freeze_tuple
			plan.Lines = d.take(2)
			plan.Infomask2, plan.Infomask, plan.Flags = Infomask2(d.u16()), Infomask(d.u16()), d.u8()
			d.align(4)
		} else {
			plan.Infomask2, plan.Infomask, plan.Flags = Infomask2(d.u16()), Infomask(d.u16()), d.u8()
			d.align(2)
			end := at + int(d.u16())*2
			plan.Lines = p.frozen[at:end:end]
			at = end
		}
		if !yield(plan) {
			return
		}
	}
}

// WALCleanupInfo decodes a Heap2/CLEANUP_INFO record of 13: VACUUM removed tuples of the
// relation that snapshots older than xid may still need.
func (r *WALRecord) WALCleanupInfo() (rel WALRelation, xid XID, ok bool) {
	if r.Major >= 14 || !r.heap2Op(walHeap2CleanupInfo) {
		return WALRelation{}, 0, false
	}
	d := walBody{b: r.MainData}
	rel, xid = d.relation(), XID(d.u32())
	return rel, xid, !d.short
}
