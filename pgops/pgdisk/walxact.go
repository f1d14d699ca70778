package pgdisk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// Classes of Transaction records (XLOG_XACT_*, access/xact.h).
const (
	walXactCommit         = 0x00
	walXactPrepare        = 0x10
	walXactAbort          = 0x20
	walXactCommitPrepared = 0x30
	walXactAbortPrepared  = 0x40
	walXactAssignment     = 0x50
	walXactInvalidations  = 0x60 // 14 on

	walXactOpMask  = 0x70
	walXactHasInfo = 0x80
)

// Parts of a commit or abort record (XACT_XINFO_HAS_*, access/xact.h), and what is to be
// done when it is replayed (XACT_COMPLETION_*).
const (
	walXinfoDBInfo       = 1 << 0
	walXinfoSubxacts     = 1 << 1
	walXinfoRelations    = 1 << 2
	walXinfoInvals       = 1 << 3
	walXinfoTwoPhase     = 1 << 4
	walXinfoOrigin       = 1 << 5
	walXinfoAELocks      = 1 << 6
	walXinfoGID          = 1 << 7
	walXinfoDroppedStats = 1 << 8 // 15 on

	walXinfoApplyFeedback = 1 << 29
	walXinfoRelcacheFile  = 1 << 30
	walXinfoForceSync     = 1 << 31
)

// WALXactKind says what became of a transaction.
type WALXactKind uint8

// Kinds of ends of transactions.
const (
	WALCommitted WALXactKind = iota + 1
	WALAborted
	WALPrepared
	WALCommittedPrepared
	WALAbortedPrepared
)

// String gives the class that pg_waldump prints.
func (k WALXactKind) String() string {
	names := [...]string{"", "COMMIT", "ABORT", "PREPARE", "COMMIT_PREPARED", "ABORT_PREPARED"}
	if int(k) < len(names) && k != 0 {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Commit reports whether the transaction's changes became visible with this record.
func (k WALXactKind) Commit() bool { return k == WALCommitted || k == WALCommittedPrepared }

// WALXact is a commit, abort or prepare record. Its lists are the reader's bytes.
type WALXact struct {
	LSN        LSN
	Kind       WALXactKind
	XID        XID // the transaction it is about: of a prepared one, not of the record's header
	Time       time.Time
	Database   OID     // 0 where the record does not say
	Tablespace OID     // the database's default one, where the record says
	Owner      OID     // of a PREPARE: who may end it
	Subxacts   WALXIDs // subtransactions that share the fate
	GID        string  // of prepared transactions, where the record has it

	// Dropped are the relations whose files go away with this record; in a PREPARE, those
	// that go away when it commits, and DroppedByAbort those that go away when it does not.
	Dropped        WALRelations
	DroppedByAbort WALRelations
	Stats          WALStats // statistics that go away, likewise; 15 on
	StatsByAbort   WALStats

	Invalidations WALInvalidations
	RelcacheFile  bool // the relation cache's init file goes away (initfileinval)
	ApplyFeedback bool // the commit waited for standbys to apply it
	ForceSync     bool
	AELocks       bool // it held AccessExclusiveLocks that standbys know of

	HasOrigin  bool
	Origin     uint16 // replication origin that the transaction came from
	OriginLSN  LSN    // its place there
	OriginTime time.Time
}

// SubxactCount is the number of subtransactions that share the fate.
func (x *WALXact) SubxactCount() int { return x.Subxacts.Len() }

// Subxact is the id of the i-th subtransaction.
func (x *WALXact) Subxact(i int) XID { return x.Subxacts.At(i) }

// WALStat names the statistics of an object (xl_xact_stats_item, access/xact.h).
type WALStat struct {
	Kind     int32 // PgStat_Kind
	Database OID
	Object   uint64 // 4 bytes before 18
}

// WALStats lists statistics as a record holds them.
type WALStats struct {
	b    []byte
	size int // of an item: 12 bytes, 16 from 18 on
}

// Len is the number of items.
func (s WALStats) Len() int {
	if s.size == 0 {
		return 0
	}
	return len(s.b) / s.size
}

// At is the i-th.
func (s WALStats) At(i int) WALStat {
	d := walBody{b: s.b, off: i * s.size}
	item := WALStat{Kind: int32(d.u32()), Database: OID(d.u32()), Object: uint64(d.u32())}
	if s.size == 16 {
		item.Object |= uint64(d.u32()) << 32
	}
	return item
}

// walStatSize is sizeof(xl_xact_stats_item): 18 widened the object.
func walStatSize(major int) int {
	if major >= 18 {
		return 16
	}
	return 12
}

// WALXact decodes a Transaction record that ends or prepares a transaction. ok is false
// for all other records. An error means that the parts do not fit into the record; what was
// read up to there, which always includes Kind, XID and Time, is returned with it.
func (r *WALRecord) WALXact() (x WALXact, ok bool, err error) {
	if r.Rmid != RmgrTransaction {
		return WALXact{}, false, nil
	}
	x = WALXact{LSN: r.LSN, XID: r.XID}
	switch r.Info & walXactOpMask {
	case walXactCommit:
		x.Kind = WALCommitted
	case walXactAbort:
		x.Kind = WALAborted
	case walXactCommitPrepared:
		x.Kind = WALCommittedPrepared
	case walXactAbortPrepared:
		x.Kind = WALAbortedPrepared
	case walXactPrepare:
		x.Kind = WALPrepared
		err = x.decodePrepare(r)
		return x, true, err
	default:
		return WALXact{}, false, nil
	}
	err = x.decodeEnd(r)
	return x, true, err
}

// decodeEnd reads a commit or an abort (ParseCommitRecord, ParseAbortRecord, xactdesc.c).
func (x *WALXact) decodeEnd(r *WALRecord) error {
	d := walBody{b: r.MainData}
	x.Time = walTime(d.u64())
	var xinfo uint32
	if r.Info&walXactHasInfo != 0 {
		xinfo = d.u32()
	}
	x.ApplyFeedback, x.ForceSync = xinfo&walXinfoApplyFeedback != 0, xinfo&walXinfoForceSync != 0
	x.RelcacheFile, x.AELocks = xinfo&walXinfoRelcacheFile != 0, xinfo&walXinfoAELocks != 0
	if xinfo&walXinfoDBInfo != 0 {
		x.Database, x.Tablespace = OID(d.u32()), OID(d.u32())
	}
	if xinfo&walXinfoSubxacts != 0 {
		x.Subxacts = d.array(4)
	}
	if xinfo&walXinfoRelations != 0 {
		x.Dropped = d.array(12)
	}
	if xinfo&walXinfoDroppedStats != 0 && r.Major >= 15 {
		size := walStatSize(r.Major)
		x.Stats = WALStats{d.array(size), size}
	}
	if xinfo&walXinfoInvals != 0 {
		x.Invalidations = d.array(walInvalSize)
	}
	if xinfo&walXinfoTwoPhase != 0 {
		if xid := XID(d.u32()); !d.short {
			x.XID = xid
		}
		if xinfo&walXinfoGID != 0 {
			x.GID = d.text()
		}
	}
	if xinfo&walXinfoOrigin != 0 {
		x.origin(r, &d)
	}
	return d.err(r)
}

// origin reads xl_xact_origin; the node is in the record's own header.
func (x *WALXact) origin(r *WALRecord, d *walBody) {
	lsn, at := LSN(d.u64()), d.u64()
	if !d.short {
		x.HasOrigin, x.Origin, x.OriginLSN, x.OriginTime = true, r.Origin, lsn, walTime(at)
	}
}

// decodePrepare reads the state file of a prepared transaction, whose header is
// xl_xact_prepare (TwoPhaseFileHeader before 14; access/xact.h). What follows it is aligned
// to 8 bytes, part by part (ParsePrepareRecord, xactdesc.c).
func (x *WALXact) decodePrepare(r *WALRecord) error {
	d := walBody{b: r.MainData}
	d.take(8) // magic, length of the whole
	if xid := XID(d.u32()); !d.short {
		x.XID = xid
	}
	x.Database = OID(d.u32())
	x.Time = walTime(d.u64())
	x.Owner = OID(d.u32())
	subxacts, commitRels, abortRels := d.u32(), d.u32(), d.u32()
	var commitStats, abortStats uint32
	if r.Major >= 15 {
		commitStats, abortStats = d.u32(), d.u32()
	}
	invals := d.u32()
	x.RelcacheFile = d.u8() != 0
	d.align(2)
	gidLen := int(d.u16())
	d.align(8)
	if x.origin(r, &d); r.Origin == 0 {
		x.HasOrigin = false // the fields are there all the same
	}
	d.align(8)
	gid, _, _ := bytes.Cut(d.take(gidLen), []byte{0})
	x.GID = string(gid)
	part := func(n uint32, size int) []byte {
		d.align(8)
		return d.items(n, size)
	}
	size := walStatSize(r.Major)
	x.Subxacts = part(subxacts, 4)
	x.Dropped = part(commitRels, 12)
	x.DroppedByAbort = part(abortRels, 12)
	x.Stats = WALStats{part(commitStats, size), size}
	x.StatsByAbort = WALStats{part(abortStats, size), size}
	x.Invalidations = part(invals, walInvalSize)
	return d.err(r)
}

// WALAssignment decodes a Transaction/ASSIGNMENT record: subxacts, 4 bytes each, belong
// to top (xl_xact_assignment).
func (r *WALRecord) WALAssignment() (top XID, subxacts WALXIDs, ok bool) {
	if r.Rmid != RmgrTransaction || r.Info&walXactOpMask != walXactAssignment {
		return 0, nil, false
	}
	d := walBody{b: r.MainData}
	top = XID(d.u32())
	subxacts = d.array(4)
	return top, subxacts, !d.short
}

// WALXactInvalidations decodes a Transaction/INVALIDATION record: messages of a command
// within a running transaction, for logical decoding (xl_xact_invals; 14 on).
func (r *WALRecord) WALXactInvalidations() (list WALInvalidations, ok bool) {
	if r.Rmid != RmgrTransaction || r.Info&walXactOpMask != walXactInvalidations || r.Major < 14 || len(r.MainData) < 4 {
		return nil, false
	}
	n := uint64(binary.LittleEndian.Uint32(r.MainData))
	if n*walInvalSize > uint64(len(r.MainData)-4) {
		return nil, false
	}
	return WALInvalidations(r.MainData[4 : 4+n*walInvalSize]), true
}
