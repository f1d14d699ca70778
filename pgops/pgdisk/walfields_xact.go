package pgdisk

import "fmt"

// xact writes what xact_desc (xactdesc.c) prints.
func (w *walFieldWriter) xact() bool {
	if top, subxacts, ok := w.r.WALAssignment(); ok {
		w.uint("xtop", uint64(top))
		w.xids("subxacts", subxacts)
		return true
	}
	if list, ok := w.r.WALXactInvalidations(); ok {
		w.invalidations(0, 0, false, list)
		return true
	}
	x, ok, err := w.r.WALXact()
	if !ok {
		return false
	}
	w.err = err
	if x.GID != "" {
		w.text("gid", x.GID)
	}
	if x.Kind != WALCommitted && x.Kind != WALAborted {
		w.uint("xid", uint64(x.XID)) // of the prepared transaction
	}
	w.time("time", x.Time)
	dropped, stats := "rels", "dropped stats"
	if x.Kind == WALPrepared {
		dropped, stats = "rels(commit)", "commit dropped stats"
	}
	w.relations(dropped, x.Dropped)
	w.relations("rels(abort)", x.DroppedByAbort)
	w.stats(stats, x.Stats)
	w.stats("abort dropped stats", x.StatsByAbort)
	if x.Subxacts.Len() > 0 {
		w.xids("subxacts", x.Subxacts)
	}
	w.xactRest(&x)
	return true
}

// xactRest writes what a commit has to say beside what it made permanent.
func (w *walFieldWriter) xactRest(x *WALXact) {
	if x.Invalidations.Len() > 0 {
		w.invalidations(x.Database, x.Tablespace, x.RelcacheFile, x.Invalidations)
	}
	if x.ApplyFeedback {
		w.word("apply_feedback", true)
	}
	if x.ForceSync {
		w.word("sync", true)
	}
	if x.AELocks {
		w.word("ae_locks", true)
	}
	if x.HasOrigin {
		w.text("origin", fmt.Sprintf("node %d, lsn %s, at %s", x.Origin, x.OriginLSN, walTimeText(x.OriginTime)))
	}
}

// relations writes the paths of dropped relations, if there are any.
func (w *walFieldWriter) relations(name string, l WALRelations) {
	if l.Len() > 0 {
		w.list(name, "", " ", "", l.Len(), func(i int) string { return l.At(i).Path(w.r.Major, 0) })
	}
}

func (w *walFieldWriter) stats(name string, s WALStats) {
	if s.Len() > 0 {
		w.list(name, "", " ", "", s.Len(), func(i int) string {
			item := s.At(i)
			return fmt.Sprintf("%d/%d/%d", item.Kind, item.Database, item.Object)
		})
	}
}

// standby writes what standby_desc (standbydesc.c) prints.
func (w *walFieldWriter) standby() bool {
	if l, ok := w.r.WALStandbyLocks(); ok {
		w.list("locks", "", " ", "", l.Len(), func(i int) string {
			lock := l.At(i)
			return fmt.Sprintf("xid %d db %d rel %d", lock.XID, lock.Database, lock.Relation)
		})
		return true
	}
	if i, ok := w.r.WALStandbyInvalidations(); ok {
		w.invalidations(i.Database, i.Tablespace, i.RelcacheFile, i.Messages)
		return true
	}
	x, ok := w.r.WALRunningXacts()
	if !ok {
		return false
	}
	w.uint("nextXid", uint64(x.NextXID))
	w.uint("latestCompletedXid", uint64(x.LatestCompleted))
	w.uint("oldestRunningXid", uint64(x.OldestRunning))
	if x.Xacts.Len() > 0 {
		w.xids("xacts", x.Xacts)
	}
	if x.SubxactsOverflowed {
		w.word("subxid overflowed", true)
	}
	if x.Subxacts.Len() > 0 {
		w.xids("subxacts", x.Subxacts)
	}
	return true
}
