package pgdisk

import (
	"fmt"
	"strings"
)

// btree writes what btree_desc (nbtdesc.c) prints.
func (w *walFieldWriter) btree() bool {
	switch w.r.Info & walInfoRmgrMask {
	case walBtreeInsertLeaf, walBtreeInsertUpper, walBtreeInsertMeta, walBtreeInsertPost:
		i, ok := w.r.WALBtreeInsert()
		w.uint("off", uint64(i.Line))
		return ok
	case walBtreeSplitL, walBtreeSplitR:
		s, ok := w.r.WALBtreeSplit()
		w.uint("level", uint64(s.Level))
		w.uint("firstrightoff", uint64(s.FirstRight))
		w.uint("newitemoff", uint64(s.NewLine))
		w.uint("postingoff", uint64(s.PostingAt))
		return ok
	case walBtreeDedup:
		h, ok := w.r.WALBtreeDedup()
		w.uint("nintervals", uint64(h.Count))
		return ok
	case walBtreeDelete, walBtreeVacuum:
		return w.btreeDelete()
	case walBtreeHalfDead:
		h, ok := w.r.WALBtreeHalfDead()
		w.uint("topparent", uint64(h.TopParent))
		w.uint("leaf", uint64(h.Leaf))
		w.uint("left", uint64(h.Left))
		w.uint("right", uint64(h.Right))
		return ok
	case walBtreeUnlinkPage, walBtreeUnlinkPageMeta:
		return w.btreeUnlink()
	case walBtreeNewRoot:
		_, level, ok := w.r.WALBtreeNewRoot()
		w.uint("level", uint64(level))
		return ok
	case walBtreeReusePage:
		return w.btreeReuse()
	case walBtreeMetaCleanup:
		return w.btreeMetaCleanup()
	}
	return true
}

func (w *walFieldWriter) btreeDelete() bool {
	h, ok := w.r.WALBtreeDelete()
	if !h.Vacuum {
		w.uint("snapshotConflictHorizon", uint64(h.ConflictHorizon))
	}
	w.uint("ndeleted", uint64(h.DeletedCount))
	if h.Vacuum || w.r.Major >= 14 {
		w.uint("nupdated", uint64(h.UpdatedCount))
	}
	if !h.Vacuum && w.r.Major >= 16 {
		w.letter("isCatalogRel", h.CatalogRel)
	}
	if !ok || !h.HasItems {
		return ok
	}
	w.offsets("deleted", h.Deleted)
	var updates []string
	for line, lost := range h.Updates {
		inner := walFieldWriter{r: w.r}
		inner.offsets("ptids", lost)
		updates = append(updates, fmt.Sprintf("{ off: %d, nptids: %d, ptids: %s }", line, lost.Len(), inner.fields[0].Value))
	}
	w.text("updated", "["+strings.Join(updates, ", ")+"]")
	return true
}

func (w *walFieldWriter) btreeUnlink() bool {
	h, ok := w.r.WALBtreeUnlink()
	w.uint("left", uint64(h.Left))
	w.uint("right", uint64(h.Right))
	if w.r.Major >= 14 {
		w.uint("level", uint64(h.Level))
		w.text("safexid", h.SafeXID.String())
	} else {
		w.uint("btpo_xact", uint64(h.SafeXID))
	}
	w.uint("leafleft", uint64(h.LeafLeft))
	w.uint("leafright", uint64(h.LeafRight))
	w.uint("leaftopparent", uint64(h.LeafTopParent))
	return ok
}

func (w *walFieldWriter) btreeReuse() bool {
	h, ok := w.r.WALBtreeReuse()
	w.text("rel", h.Relation.String())
	w.uint("blk", uint64(h.Block))
	if w.r.Major >= 14 {
		w.text("snapshotConflictHorizon", h.ConflictHorizon.String())
	} else {
		w.uint("snapshotConflictHorizon", uint64(h.ConflictHorizon))
	}
	if w.r.Major >= 16 {
		w.letter("isCatalogRel", h.CatalogRel)
	}
	return ok
}

func (w *walFieldWriter) btreeMetaCleanup() bool {
	m, ok := w.r.WALBtreeMeta()
	if !ok {
		return w.r.Block(0) != nil && w.r.Block(0).HasImage // an image has it instead
	}
	if w.r.Major >= 14 {
		w.uint("last_cleanup_num_delpages", uint64(m.DeletedPages))
		return true
	}
	w.uint("oldest_btpo_xact", uint64(m.OldestXact))
	w.text("last_cleanup_num_heap_tuples", fmt.Sprintf("%f", m.HeapTuples))
	return true
}
