package pgdisk

import (
	"encoding/binary"
	"time"
)

// WALSummary is what a run of WAL proves about the ids a cluster has used: the evidence
// for pg_resetwal's values. Add every record in order, from the redo location of a
// checkpoint on: the ids then are at least what recovery would end with. All maxima are
// taken on the circle of ids.
type WALSummary struct {
	Records   uint64
	First     LSN // start of the first record added
	Last      LSN // start of the last
	End       LSN // end of the last
	Timeline  TimelineID
	Major     int
	ByManager [256]uint64 // records per resource manager

	NextXID         FullXID // above every id seen; the epoch is 0 as long as no checkpoint was seen
	EpochKnown      bool
	HaveXID         bool
	NextMulti       MultiXactID     // above every multixact seen
	NextMultiOffset MultiXactOffset // above every member seen
	HaveMulti       bool
	NextOID         OID // OIDs below may be in use; 0 = nothing seen
	OldestXID       XID // from checkpoints and truncations; 0 = nothing seen
	OldestXIDDB     OID
	OldestMulti     MultiXactID
	OldestMultiDB   OID

	Checkpoints    uint64
	LastCheckpoint WALCheckpoint // zero if there was none

	Commits     uint64 // top transactions, prepared ones when they commit
	Aborts      uint64
	Prepared    uint64
	FirstCommit WALCommit
	LastCommit  WALCommit
	Multis      uint64 // multixacts created
	Undecoded   uint64 // records whose bodies do not hold together in spite of a good checksum
}

// Add takes in one record. It has the form that FindWALEnd's visit wants and never fails.
func (s *WALSummary) Add(rec *WALRecord) error {
	if s.Records == 0 {
		s.First = rec.LSN
	}
	s.Records++
	s.Last, s.End, s.Timeline, s.Major = rec.LSN, rec.EndLSN, rec.Timeline, rec.Major
	s.ByManager[rec.Rmid]++
	s.xidSeen(rec.XID)
	s.xidSeen(rec.TopLevelXID)
	switch rec.Rmid {
	case RmgrXLOG:
		s.addXLOG(rec)
	case RmgrTransaction:
		s.addXact(rec)
	case RmgrMultiXact:
		s.addMulti(rec)
	case RmgrStandby:
		s.addRunning(rec)
	case RmgrCLOG:
		s.addCLOG(rec)
	}
	return nil
}

// LastCommitTime is the time of the last commit, zero if there was none.
func (s *WALSummary) LastCommitTime() time.Time { return s.LastCommit.Time }

func (s *WALSummary) addXLOG(rec *WALRecord) {
	if oid, ok := rec.WALNextOID(); ok {
		s.NextOID = oid // the server sets, it does not compare: OIDs wrap around too
		return
	}
	c, ok := rec.WALCheckpoint()
	if !ok {
		return
	}
	s.Checkpoints++
	s.LastCheckpoint = c
	if !s.EpochKnown {
		// Ids seen before are near this one: give them its epoch.
		seen, have := s.NextXID.XID(), s.HaveXID
		s.NextXID, s.EpochKnown, s.HaveXID = c.NextXID, true, true
		if have {
			s.nextXIDSeen(seen)
		}
	} else {
		s.nextXIDSeen(c.NextXID.XID())
	}
	s.nextMultiSeen(c.NextMulti, c.NextMultiOffset)
	if !c.Online || s.NextOID == 0 {
		// An online checkpoint's value may be older than a NEXTOID record before it.
		s.NextOID = c.NextOID
	}
	s.OldestXID, s.OldestXIDDB = c.OldestXID, c.OldestXIDDB
	s.OldestMulti, s.OldestMultiDB = c.OldestMulti, c.OldestMultiDB
}

func (s *WALSummary) addXact(rec *WALRecord) {
	if _, subxacts, ok := rec.WALAssignment(); ok {
		s.xidsSeen(subxacts)
		return
	}
	x, ok, err := rec.WALXact()
	if err != nil {
		s.Undecoded++
	}
	if !ok {
		return
	}
	s.xidSeen(x.XID)
	s.xidsSeen(x.Subxacts)
	switch {
	case x.Kind.Commit():
		s.LastCommit = WALCommit{x.LSN, x.XID, x.Time}
		if s.Commits == 0 {
			s.FirstCommit = s.LastCommit
		}
		s.Commits++
	case x.Kind == WALPrepared:
		s.Prepared++
	default:
		s.Aborts++
	}
}

func (s *WALSummary) addMulti(rec *WALRecord) {
	if m, ok := rec.WALMultiCreate(); ok {
		s.Multis++
		s.nextMultiSeen(m.Next(), m.NextOffset())
		for i := range m.Len() {
			s.xidSeen(m.Member(i).XID)
		}
		return
	}
	if t, ok := rec.WALMultiTruncate(); ok {
		s.OldestMulti, s.OldestMultiDB = t.EndMulti, t.OldestMultiDB
	}
}

func (s *WALSummary) addRunning(rec *WALRecord) {
	if x, ok := rec.WALRunningXacts(); ok {
		s.nextXIDSeen(x.NextXID)
	}
}

func (s *WALSummary) addCLOG(rec *WALRecord) {
	if t, ok := rec.WALCLOGTruncate(); ok {
		s.OldestXID, s.OldestXIDDB = t.OldestXID, t.OldestXIDDB
	}
}

func (s *WALSummary) xidsSeen(b []byte) {
	for ; len(b) >= 4; b = b[4:] {
		s.xidSeen(XID(binary.LittleEndian.Uint32(b)))
	}
}

func (s *WALSummary) xidSeen(x XID) {
	if x.Normal() {
		s.nextXIDSeen(max(x+1, FirstNormalXID)) // x+1 wraps to 0
	}
}

// nextXIDSeen moves NextXID on, over the end of an epoch if need be (FullTransactionIdFromAllowableAt
// has the same rule: the id nearest to what is known).
func (s *WALSummary) nextXIDSeen(x XID) {
	if !x.Normal() {
		return
	}
	if !s.HaveXID {
		s.NextXID, s.HaveXID = FullXID(x), true
		return
	}
	if s.NextXID.XID().Precedes(x) {
		s.NextXID += FullXID(uint32(x - s.NextXID.XID()))
	}
}

func (s *WALSummary) nextMultiSeen(m MultiXactID, off MultiXactOffset) {
	if !s.HaveMulti {
		s.NextMulti, s.NextMultiOffset, s.HaveMulti = m, off, true
		return
	}
	if s.NextMulti.Precedes(m) {
		s.NextMulti = m
	}
	if int32(off-s.NextMultiOffset) > 0 {
		s.NextMultiOffset = off
	}
}
