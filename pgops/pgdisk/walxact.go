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

	walXactOpMask  = 0x70
	walXactHasInfo = 0x80
)

// Parts of a commit or abort record (XACT_XINFO_HAS_*, access/xact.h).
const (
	walXinfoDBInfo       = 1 << 0
	walXinfoSubxacts     = 1 << 1
	walXinfoRelations    = 1 << 2
	walXinfoInvals       = 1 << 3
	walXinfoTwoPhase     = 1 << 4
	walXinfoOrigin       = 1 << 5
	walXinfoGID          = 1 << 7
	walXinfoDroppedStats = 1 << 8 // 15 on
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

// WALXact is a commit, abort or prepare record.
type WALXact struct {
	LSN      LSN
	Kind     WALXactKind
	XID      XID // the transaction it is about: of a prepared one, not of the record's header
	Time     time.Time
	Database OID    // 0 where the record does not say
	Subxacts []byte // 4 bytes each, as in the record; see Subxact
	Dropped  int    // relations whose files go away with this record
	GID      string // of prepared transactions, where the record has it
}

// SubxactCount is the number of subtransactions that share the fate.
func (x *WALXact) SubxactCount() int { return len(x.Subxacts) / 4 }

// Subxact is the id of the i-th subtransaction.
func (x *WALXact) Subxact(i int) XID { return XID(binary.LittleEndian.Uint32(x.Subxacts[4*i:])) }

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
		return x, true, x.decodePrepare(r)
	default:
		return WALXact{}, false, nil
	}
	return x, true, x.decodeEnd(r)
}

// decodeEnd reads a commit or an abort (ParseCommitRecord, ParseAbortRecord, xactdesc.c).
func (x *WALXact) decodeEnd(r *WALRecord) error {
	d := walXactParts{b: r.MainData}
	x.Time = walTime(d.u64())
	var xinfo uint32
	if r.Info&walXactHasInfo != 0 {
		xinfo = d.u32()
	}
	if xinfo&walXinfoDBInfo != 0 {
		x.Database = OID(d.u32())
		d.u32() // its default tablespace
	}
	if xinfo&walXinfoSubxacts != 0 {
		x.Subxacts = d.array(4)
	}
	if xinfo&walXinfoRelations != 0 {
		x.Dropped = len(d.array(12)) / 12
	}
	if xinfo&walXinfoDroppedStats != 0 && r.Major >= 15 {
		size := 12 // sizeof(xl_xact_stats_item): an object id of 8 bytes came with 18
		if r.Major >= 18 {
			size = 16
		}
		d.array(size)
	}
	if xinfo&walXinfoInvals != 0 {
		d.array(16) // sizeof(SharedInvalidationMessage)
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
		d.take(16)
	}
	return d.err(r)
}

// decodePrepare reads the state file of a prepared transaction, whose header is
// xl_xact_prepare (TwoPhaseFileHeader before 14; access/xact.h).
func (x *WALXact) decodePrepare(r *WALRecord) error {
	d := walXactParts{b: r.MainData}
	d.take(8) // magic, length of the whole
	if xid := XID(d.u32()); !d.short {
		x.XID = xid
	}
	x.Database = OID(d.u32())
	x.Time = walTime(d.u64())
	d.u32() // owner
	subxacts, commitRels := d.u32(), d.u32()
	d.u32() // relations dropped by an abort
	if r.Major >= 15 {
		d.take(8) // dropped statistics of a commit and of an abort
	}
	d.take(6) // invalidation messages, relcache flag, padding
	gidLen := int(d.u16())
	d.take(16) // origin
	d.off = (d.off + 7) &^ 7
	gid := d.take(gidLen)
	name, _, _ := bytes.Cut(gid, []byte{0})
	x.GID = string(name)
	d.off = (d.off + 7) &^ 7
	if uint64(subxacts)*4 > uint64(len(d.b)) {
		d.short = true
		return d.err(r)
	}
	x.Subxacts = d.take(int(subxacts) * 4)
	if !d.short {
		x.Dropped = int(commitRels)
	}
	return d.err(r)
}

// WALAssignment decodes a Transaction/ASSIGNMENT record: subxacts, 4 bytes each, belong
// to top (xl_xact_assignment).
func (r *WALRecord) WALAssignment() (top XID, subxacts []byte, ok bool) {
	if r.Rmid != RmgrTransaction || r.Info&walXactOpMask != walXactAssignment {
		return 0, nil, false
	}
	d := walXactParts{b: r.MainData}
	top = XID(d.u32())
	subxacts = d.array(4)
	return top, subxacts, !d.short
}

// walXactParts reads the parts of a record one after the other. Once something does not
// fit, short is set and everything after it is zero.
type walXactParts struct {
	b     []byte
	off   int
	short bool
}

func (d *walXactParts) take(n int) []byte {
	if d.short || n < 0 || d.off > len(d.b) || len(d.b)-d.off < n {
		d.short = true
		return nil
	}
	p := d.b[d.off : d.off+n : d.off+n]
	d.off += n
	return p
}

func (d *walXactParts) u16() uint16 {
	if p := d.take(2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

func (d *walXactParts) u32() uint32 {
	if p := d.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (d *walXactParts) u64() uint64 {
	if p := d.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// array reads a count and that many items of size bytes.
func (d *walXactParts) array(size int) []byte {
	n := d.u32()
	if uint64(n)*uint64(size) > uint64(len(d.b)) {
		d.short = true
		return nil
	}
	return d.take(int(n) * size)
}

// text reads up to a zero byte.
func (d *walXactParts) text() string {
	if d.short {
		return ""
	}
	s, _, ok := bytes.Cut(d.b[d.off:], []byte{0})
	if !ok {
		d.short = true
		return ""
	}
	d.off += len(s) + 1
	return string(s)
}

func (d *walXactParts) err(r *WALRecord) error {
	if !d.short {
		return nil
	}
	return &FormatError{
		File: "WAL record", Off: int64(d.off), Field: r.String(),
		Want: "parts that fit into the record", Got: fmt.Sprintf("%d bytes", len(d.b)),
	}
}
