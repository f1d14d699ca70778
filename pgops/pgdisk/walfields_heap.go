package pgdisk

import (
	"fmt"
	"strconv"
	"strings"
)

// heap writes what heap_desc (heapdesc.c) prints.
func (w *walFieldWriter) heap() bool {
	switch w.r.Info & walHeapOpMask {
	case walHeapInsert:
		h, ok := w.r.WALHeapInsert()
		w.uint("off", uint64(h.Line))
		w.hex8("flags", h.Flags)
		return ok
	case walHeapDelete:
		h, ok := w.r.WALHeapDelete()
		w.uint("xmax", uint64(h.Xmax))
		w.uint("off", uint64(h.Line))
		w.infobits("infobits", h.Infobits)
		w.hex8("flags", h.Flags)
		return ok
	case walHeapUpdate, walHeapHotUpdate:
		return w.heapUpdate()
	case walHeapTruncate:
		return w.heapTruncate()
	case walHeapConfirm:
		line, ok := w.r.WALHeapConfirm()
		w.uint("off", uint64(line))
		return ok
	case walHeapLock:
		return w.heapLock()
	case walHeapInplace:
		h, ok := w.r.WALHeapInplace()
		w.uint("off", uint64(h.Line))
		if h.Invalidations.Len() > 0 {
			w.invalidations(h.Database, h.Tablespace, h.RelcacheFile, h.Invalidations)
		}
		return ok
	}
	return true
}

func (w *walFieldWriter) heapUpdate() bool {
	h, ok := w.r.WALHeapUpdate()
	w.uint("old_xmax", uint64(h.OldXmax))
	w.uint("old_off", uint64(h.OldLine))
	w.infobits("old_infobits", h.OldInfobits)
	w.hex8("flags", h.Flags)
	w.uint("new_xmax", uint64(h.NewXmax))
	w.uint("new_off", uint64(h.NewLine))
	return ok
}

func (w *walFieldWriter) heapTruncate() bool {
	h, ok := w.r.WALHeapTruncate()
	words := bitWords(uint16(h.Flags), []bitWord{{WALTruncateCascade, "CASCADE"}, {WALTruncateRestartSequences, "RESTART_SEQS"}})
	w.text("flags", "["+strings.Join(words, ", ")+"]")
	w.uint("nrelids", uint64(h.Relations.Len()))
	w.list("relids", "[", ", ", "]", h.Relations.Len(), func(i int) string { return strconv.FormatUint(uint64(h.Relations.At(i)), 10) })
	return ok
}

func (w *walFieldWriter) heapLock() bool {
	h, ok := w.r.WALHeapLock()
	w.uint("xmax", uint64(h.Xmax))
	w.uint("off", uint64(h.Line))
	w.infobits("infobits", h.Infobits)
	w.hex8("flags", h.Flags)
	return ok
}

// heap2 writes what heap2_desc (heapdesc.c) prints.
func (w *walFieldWriter) heap2() bool {
	switch w.r.Info & walHeapOpMask {
	case walHeap2Rewrite:
		return w.rewrite()
	case walHeap2Visible:
		h, ok := w.r.WALHeapVisible()
		w.uint("snapshotConflictHorizon", uint64(h.ConflictHorizon))
		w.hex8("flags", h.Flags)
		return ok
	case walHeap2MultiInsert:
		m, ok := w.r.WALHeapMulti()
		w.uint("ntuples", uint64(m.Count))
		w.hex8("flags", m.Flags)
		if !m.Init {
			w.offsets("offsets", m.Lines)
		}
		return ok
	case walHeap2LockUpdated:
		return w.heapLock()
	case walHeap2NewCID:
		h, ok := w.r.WALHeapNewCID()
		w.text("rel", h.Relation.String())
		w.text("tid", fmt.Sprintf("%d/%d", h.TID.Block, h.TID.Item))
		w.uint("cmin", uint64(h.Cmin))
		w.uint("cmax", uint64(h.Cmax))
		w.uint("combo", uint64(h.ComboCID))
		return ok
	}
	if rel, xid, ok := w.r.WALCleanupInfo(); ok {
		w.uint("snapshotConflictHorizon", uint64(xid))
		w.text("rel", rel.String())
		return true
	}
	return w.prune()
}

func (w *walFieldWriter) rewrite() bool {
	h, ok := w.r.WALHeapRewrite()
	w.uint("mapped_xid", uint64(h.XID))
	w.uint("mapped_db", uint64(h.Database))
	w.uint("mapped_rel", uint64(h.Relation))
	w.text("offset", strconv.FormatInt(h.Offset, 10))
	w.uint("num_mappings", uint64(h.Count))
	w.text("start_lsn", h.StartLSN.String())
	return ok
}

func (w *walFieldWriter) prune() bool {
	p, ok := w.r.WALPrune()
	if !ok {
		return false
	}
	if p.HasHorizon {
		w.uint("snapshotConflictHorizon", uint64(p.ConflictHorizon))
	}
	if w.r.Major >= 16 {
		w.letter("isCatalogRel", p.CatalogRel)
	}
	if w.r.Major >= 17 && !p.HasItems {
		return true // a page image says the rest
	}
	w.uint("nplans", uint64(p.PlanCount))
	w.uint("nredirected", uint64(p.Redirects))
	w.uint("ndead", uint64(p.DeadCount))
	w.uint("nunused", uint64(p.UnusedCount))
	if len(p.plans) > 0 {
		w.freezePlans(&p)
	}
	if p.Redirected.Len() > 0 {
		w.list("redirected", "[", ", ", "]", p.Redirected.Len()/2, func(i int) string {
			return fmt.Sprintf("%d->%d", p.Redirected.At(2*i), p.Redirected.At(2*i+1))
		})
	}
	if p.Dead.Len() > 0 {
		w.offsets("dead", p.Dead)
	}
	if p.Unused.Len() > 0 {
		w.offsets("unused", p.Unused)
	}
	return true
}

func (w *walFieldWriter) freezePlans(p *WALPrune) {
	var plans []string
	for plan := range p.Plans {
		inner := walFieldWriter{r: w.r}
		inner.offsets("offsets", plan.Lines)
		plans = append(plans, fmt.Sprintf("{ xmax: %d, infomask: %d, infomask2: %d, ntuples: %d, offsets: %s }",
			plan.Xmax, plan.Infomask, plan.Infomask2, plan.Lines.Len(), inner.fields[0].Value))
	}
	w.text("plans", "["+strings.Join(plans, ", ")+"]")
}
