package pgops

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Where the fields that a treatment changes lie within a tuple: t_xmax to t_infomask (access/htup_details.h).
const (
	tupleXmaxAt = 4
	tupleBitsTo = 22
)

// xmaxBits are the bits of t_infomask that speak of t_xmax (HEAP_XMAX_BITS).
const xmaxBits = pgdisk.HeapXmaxCommitted | pgdisk.HeapXmaxInvalid | pgdisk.HeapXmaxIsMulti | pgdisk.HeapLockMask | pgdisk.HeapXmaxLockOnly

// clearXmax removes an xmax for good, as freezing does (heap_execute_freeze_tuple with FRM_INVALIDATE_XMAX,
// access/heap/heapam.c).
func clearXmax(t pgdisk.TupleHeader) pgdisk.TupleHeader {
	t.Xmax = pgdisk.InvalidXID
	t.Infomask = t.Infomask&^xmaxBits | pgdisk.HeapXmaxInvalid
	t.Infomask2 &^= pgdisk.HeapHotUpdated | pgdisk.HeapKeysUpdated
	return t
}

// setXmax replaces a multixact by its updater, known to have committed, as freezing does (FRM_RETURN_IS_XID and
// FRM_MARK_COMMITTED). The chain to the newer version stays.
func setXmax(t pgdisk.TupleHeader, updater pgdisk.XID) pgdisk.TupleHeader {
	t.Xmax = updater
	t.Infomask = t.Infomask&^xmaxBits | pgdisk.HeapXmaxCommitted
	return t
}

// tupleEdits treats the tuples whose multixact is lost.
func (p *multiRepair) tupleEdits(ctx context.Context, report Report) error {
	heap := newHeapReader(p.c, p.ev, "tuples with lost multixacts", report)
	t := &treating{p: p, heap: heap, xact: pgdisk.NewSLRUFiles(p.c.fsys), target: make([]byte, pgdisk.BlockSize)}
	defer t.close()
	err := heap.each(ctx, t.page)
	t.flush("")
	if err != nil {
		return err
	}
	return t.flushMap()
}

// treating walks the pages.
type treating struct {
	p       *multiRepair
	heap    *heapReader
	xact    *pgdisk.SLRUFiles
	current Treated

	file   openFile // of the newer versions
	target []byte
	vm     vmPage
}

func (t *treating) flush(next string) {
	if t.current.Path == next {
		return
	}
	c, sum := t.current, &t.p.plan.Total
	if c.Pages > 0 {
		t.p.plan.Relations = append(t.p.plan.Relations, c)
		sum.Unlock += c.Unlock
		sum.Supersede += c.Supersede
		sum.Revive += c.Revive
		sum.Kept += c.Kept
		sum.Pages += c.Pages
	}
	t.current = Treated{Path: next}
}

// page treats one page: it changes a copy of it, so that the new checksum can be computed, and emits the ranges.
func (t *treating) page(f relationFile, blk pgdisk.BlockNumber, h pgdisk.PageHeader, page []byte) error {
	t.flush(relationPath(f.RelFile))
	var after []byte
	var edits []Edit
	killed := false
	n := min(h.LinePointers(), pgdisk.MaxHeapTuplesPerPage)
	base := int64(blk%pgdisk.BlockNumber(t.heap.perSegment)) * pgdisk.BlockSize
	for item := 1; item <= n; item++ {
		old, ok := tupleAt(page, h, item, n)
		if !ok {
			continue
		}
		id, ok := old.Multi()
		if !ok || old.LockedUpgraded() {
			continue
		}
		fate, err := t.p.m.fate(id)
		if err != nil {
			return err
		}
		if !fate.lost(old) {
			continue
		}
		at := pgdisk.TID{Block: blk, Item: uint16(item)}
		v := t.decide(f, h, page, old, at)
		if after == nil {
			after = slices.Clone(page)
		}
		off := int(pgdisk.DecodeItemID(binary.LittleEndian.Uint32(page[pgdisk.PageHeaderSize+(item-1)*pgdisk.ItemIDSize:])).Off)
		v.header.Encode(after[off:])
		edits = append(edits, Edit{Path: f.path, Offset: base + int64(off) + tupleXmaxAt, At: at, Why: v.why, Loses: v.loses,
			Before: slices.Clone(page[off+tupleXmaxAt : off+tupleBitsTo]), After: slices.Clone(after[off+tupleXmaxAt : off+tupleBitsTo])})
		t.count(v, at)
		killed = killed || v.what == TreatSupersed
	}
	if len(edits) == 0 {
		return nil
	}
	t.current.Pages++
	return t.emitPage(f, blk, base, page, after, edits, killed)
}

func (t *treating) count(v verdict, at pgdisk.TID) {
	switch v.what {
	case TreatUnlock:
		t.current.Unlock++
	case TreatSupersed:
		t.current.Supersede++
	case TreatRevive:
		t.current.Revive++
	default:
		t.current.Kept++
		if len(t.p.plan.Kept) < maxKept {
			t.p.plan.Kept = append(t.p.plan.Kept, KeptRow{Path: t.current.Path, At: at, Why: v.why})
		}
	}
}

// emitPage emits the changes of a page in order of position. The LSN of the page stays: no WAL describes the
// change.
func (t *treating) emitPage(f relationFile, blk pgdisk.BlockNumber, base int64, page, after []byte, edits []Edit, killed bool) error {
	var head []Edit
	if killed {
		if err := t.notAllVisible(f, blk); err != nil {
			return err
		}
		flags := pgdisk.PageFlags(binary.LittleEndian.Uint16(page[10:]))
		if flags&pgdisk.PageAllVisible != 0 {
			binary.LittleEndian.PutUint16(after[10:], uint16(flags&^pgdisk.PageAllVisible))
			head = append(head, Edit{Path: f.path, Offset: base + 10, Before: slices.Clone(page[10:12]), After: slices.Clone(after[10:12]),
				Why: "the page was marked as visible to all, which it no longer is with a row version that is dead"})
		}
	}
	if t.heap.checksums {
		pgdisk.PutPageChecksum(after, blk)
		head = append([]Edit{{Path: f.path, Offset: base + 8, Before: slices.Clone(page[8:10]), After: slices.Clone(after[8:10]), Why: "the page's checksum after the changes below"}}, head...)
	}
	for _, e := range append(head, edits...) {
		if err := t.p.emit(e); err != nil {
			return err
		}
	}
	return nil
}
