package pgdisk

import "encoding/binary"

// Classes of Standby records (XLOG_STANDBY_LOCK and others, storage/standbydefs.h).
const (
	walStandbyLock          = 0x00
	walStandbyRunningXacts  = 0x10
	walStandbyInvalidations = 0x20
)

// WALStandbyLock is an AccessExclusiveLock that a standby must take too (xl_standby_lock).
type WALStandbyLock struct {
	XID      XID
	Database OID
	Relation OID
}

// WALStandbyLocks lists locks, 12 bytes each, as a record holds them.
type WALStandbyLocks []byte

// Len is the number of locks.
func (l WALStandbyLocks) Len() int { return len(l) / 12 }

// At is the i-th.
func (l WALStandbyLocks) At(i int) WALStandbyLock {
	b := l[12*i:]
	le := binary.LittleEndian
	return WALStandbyLock{XID(le.Uint32(b)), OID(le.Uint32(b[4:])), OID(le.Uint32(b[8:]))}
}

// WALStandbyLocks decodes a Standby/LOCK record (xl_standby_locks).
func (r *WALRecord) WALStandbyLocks() (l WALStandbyLocks, ok bool) {
	if !r.Is(RmgrStandby, walStandbyLock) {
		return nil, false
	}
	d := walBody{b: r.MainData}
	l = d.array(12)
	return l, !d.short
}

// WALRunningXacts is a Standby/RUNNING_XACTS record (xl_running_xacts): what was running at
// a moment, from which a standby builds its first snapshot.
type WALRunningXacts struct {
	NextXID            XID
	OldestRunning      XID
	LatestCompleted    XID
	SubxactsOverflowed bool // not all subtransactions are listed
	Xacts              WALXIDs
	Subxacts           WALXIDs
}

// WALRunningXacts decodes a Standby/RUNNING_XACTS record.
func (r *WALRecord) WALRunningXacts() (x WALRunningXacts, ok bool) {
	if !r.Is(RmgrStandby, walStandbyRunningXacts) {
		return WALRunningXacts{}, false
	}
	d := walBody{b: r.MainData}
	xacts, subxacts := d.u32(), d.u32()
	x.SubxactsOverflowed = d.u8() != 0
	d.align(4)
	x.NextXID, x.OldestRunning, x.LatestCompleted = XID(d.u32()), XID(d.u32()), XID(d.u32())
	x.Xacts, x.Subxacts = d.items(xacts, 4), d.items(subxacts, 4)
	return x, !d.short
}

// WALInvalidationsRecord is a Standby/INVALIDATIONS record (xl_invalidations): messages of
// a change made without a transaction id.
type WALInvalidationsRecord struct {
	Database     OID
	Tablespace   OID
	RelcacheFile bool // the relation cache's init file goes away
	Messages     WALInvalidations
}

// WALStandbyInvalidations decodes a Standby/INVALIDATIONS record.
func (r *WALRecord) WALStandbyInvalidations() (i WALInvalidationsRecord, ok bool) {
	if !r.Is(RmgrStandby, walStandbyInvalidations) {
		return WALInvalidationsRecord{}, false
	}
	d := walBody{b: r.MainData}
	i.Database, i.Tablespace, i.RelcacheFile = OID(d.u32()), OID(d.u32()), d.u8() != 0
	d.align(4)
	i.Messages = d.array(walInvalSize)
	return i, !d.short
}
