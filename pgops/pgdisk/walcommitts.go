package pgdisk

import "time"

// Classes of CommitTs records (COMMIT_TS_*, access/commit_ts.h).
const (
	walCommitTsZeroPage = 0x00
	walCommitTsTruncate = 0x10
	walCommitTsSet      = 0x20 // COMMIT_TS_SETTS, 13
)

// WALCommitTsZero decodes a CommitTs/ZEROPAGE record: a page of pg_commit_ts comes into use.
func (r *WALRecord) WALCommitTsZero() (page uint64, ok bool) {
	if !r.Is(RmgrCommitTs, walCommitTsZeroPage) {
		return 0, false
	}
	d := walBody{b: r.MainData}
	page = d.slruPage(r.Major)
	return page, !d.short
}

// WALCommitTsTruncate is a CommitTs/TRUNCATE record (xl_commit_ts_truncate).
type WALCommitTsTruncate struct {
	Page      uint64
	OldestXID XID
}

// WALCommitTsTruncate decodes a CommitTs/TRUNCATE record.
func (r *WALRecord) WALCommitTsTruncate() (t WALCommitTsTruncate, ok bool) {
	if !r.Is(RmgrCommitTs, walCommitTsTruncate) {
		return WALCommitTsTruncate{}, false
	}
	d := walBody{b: r.MainData}
	t = WALCommitTsTruncate{Page: d.slruPage(r.Major), OldestXID: XID(d.u32())}
	return t, !d.short
}

// WALCommitTsSet is a CommitTs/SETTS record of 13 (xl_commit_ts_set): a commit time set
// apart from the commit record.
type WALCommitTsSet struct {
	Time     time.Time
	Origin   uint16
	XID      XID
	Subxacts WALXIDs
}

// WALCommitTsSet decodes a CommitTs/SETTS record.
func (r *WALRecord) WALCommitTsSet() (s WALCommitTsSet, ok bool) {
	if r.Major >= 14 || !r.Is(RmgrCommitTs, walCommitTsSet) {
		return WALCommitTsSet{}, false
	}
	d := walBody{b: r.MainData}
	s.Time, s.Origin = walTime(d.u64()), d.u16()
	d.align(4)
	s.XID = XID(d.u32())
	s.Subxacts = d.rest()
	s.Subxacts = s.Subxacts[:len(s.Subxacts)&^3]
	return s, !d.short
}
