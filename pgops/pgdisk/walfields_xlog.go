package pgdisk

import "fmt"

// xlog writes what xlog_desc (xlogdesc.c) prints.
func (w *walFieldWriter) xlog() bool {
	r := w.r
	switch r.Info & walInfoRmgrMask {
	case walXLOGCheckpointShutdown, walXLOGCheckpointOnline:
		return w.checkpoint()
	case walXLOGNextOID:
		oid, ok := r.WALNextOID()
		w.uint("next_oid", uint64(oid))
		return ok
	case walXLOGBackupEnd:
		lsn, ok := r.WALBackupEnd()
		w.text("startpoint", lsn.String())
		return ok
	case walXLOGParameterChange:
		return w.parameters()
	case walXLOGRestorePoint:
		p, ok := r.WALRestorePoint()
		w.text("name", p.Name)
		w.time("time", p.Time)
		return ok
	case walXLOGFPWChange:
		on, ok := r.WALFullPageWrites()
		w.word("fpw", on)
		return ok
	case walXLOGEndOfRecovery:
		return w.endOfRecovery()
	case walXLOGOverwriteContRecord:
		d := walBody{b: r.MainData}
		lsn, at := LSN(d.u64()), d.u64()
		w.text("lsn", lsn.String())
		w.time("time", walTime(at))
		return !d.short
	case walXLOGCheckpointRedo:
		d := walBody{b: r.MainData}
		w.text("wal_level", ControlWALLevel(d.u32()).String())
		return !d.short
	}
	return true
}

func (w *walFieldWriter) checkpoint() bool {
	c, ok := w.r.WALCheckpoint()
	if !ok {
		return false
	}
	w.text("redo", c.Redo.String())
	w.uint("tli", uint64(c.ThisTimeLineID))
	w.uint("prev tli", uint64(c.PrevTimeLineID))
	w.word("fpw", c.FullPageWrites)
	if l, known := LayoutFor(w.r.Major); known && l.ControlCheckpointWALLevel != 0 {
		w.text("wal_level", c.Level.String())
	}
	w.text("xid", c.NextXID.String())
	w.uint("oid", uint64(c.NextOID))
	w.uint("multi", uint64(c.NextMulti))
	w.uint("offset", uint64(c.NextMultiOffset))
	w.text("oldest xid", fmt.Sprintf("%d in DB %d", c.OldestXID, c.OldestXIDDB))
	w.text("oldest multi", fmt.Sprintf("%d in DB %d", c.OldestMulti, c.OldestMultiDB))
	w.text("oldest/newest commit timestamp xid", fmt.Sprintf("%d/%d", c.OldestCommitTsXID, c.NewestCommitTsXID))
	w.uint("oldest running xid", uint64(c.OldestActiveXID))
	w.time("time", walUnixTime(c.Time))
	return true
}

func (w *walFieldWriter) parameters() bool {
	p, ok := w.r.WALParameters()
	if !ok {
		return false
	}
	number := func(name string, v int32) { w.text(name, fmt.Sprint(v)) }
	number("max_connections", p.MaxConnections)
	number("max_worker_processes", p.MaxWorkerProcesses)
	number("max_wal_senders", p.MaxWALSenders)
	number("max_prepared_xacts", p.MaxPreparedXacts)
	number("max_locks_per_xact", p.MaxLocksPerXact)
	w.text("wal_level", p.Level.String())
	w.onOff("wal_log_hints", p.WALLogHints)
	w.onOff("track_commit_timestamp", p.TrackCommitTimestamp)
	return true
}

func (w *walFieldWriter) endOfRecovery() bool {
	e, ok := w.r.WALEndOfRecovery()
	if !ok {
		return false
	}
	w.uint("tli", uint64(e.ThisTimeLineID))
	w.uint("prev tli", uint64(e.PrevTimeLineID))
	w.time("time", e.Time)
	if w.r.Major >= 17 {
		w.text("wal_level", e.Level.String())
	}
	return true
}
