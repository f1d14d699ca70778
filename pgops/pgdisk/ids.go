package pgdisk

import (
	"fmt"
	"strconv"
	"strings"
)

// BlockSize is the page size of every file read here (BLCKSZ and XLOG_BLCKSZ, pg_config.h).
const BlockSize = 8192

// LSN is a byte position in the write-ahead log (XLogRecPtr, access/xlogdefs.h).
type LSN uint64

// String gives PostgreSQL's own notation, two hexadecimal halves: 0/258DB28.
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint32(l>>32), uint32(l)) }

// ParseLSN reads the notation that String writes.
func ParseLSN(s string) (LSN, error) {
	hi, lo, ok := strings.Cut(s, "/")
	if !ok {
		return 0, fmt.Errorf("LSN %q: want two hexadecimal numbers joined by a slash", s)
	}
	h, err := strconv.ParseUint(hi, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("LSN %q: %w", s, err)
	}
	l, err := strconv.ParseUint(lo, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("LSN %q: %w", s, err)
	}
	return LSN(h<<32 | l), nil
}

// TimelineID names a history of WAL (TimeLineID, access/xlogdefs.h). 0 is invalid.
type TimelineID uint32

// XID is a 32-bit transaction id that wraps around (TransactionId, c.h).
type XID uint32

// Special transaction ids (access/transam.h).
const (
	InvalidXID     XID = 0 // InvalidTransactionId
	BootstrapXID   XID = 1 // BootstrapTransactionId
	FrozenXID      XID = 2 // FrozenTransactionId
	FirstNormalXID XID = 3 // FirstNormalTransactionId
)

// Normal reports whether the id belongs to an ordinary transaction (TransactionIdIsNormal).
func (x XID) Normal() bool { return x >= FirstNormalXID }

// Precedes compares on the circle of ids (TransactionIdPrecedes, transam.c).
func (x XID) Precedes(y XID) bool {
	if !x.Normal() || !y.Normal() {
		return x < y
	}
	return int32(x-y) < 0
}

// FullXID is a transaction id with its epoch in the upper half (FullTransactionId, access/transam.h).
type FullXID uint64

// XID drops the epoch.
func (f FullXID) XID() XID { return XID(f) }

// Epoch counts how often the 32-bit id has wrapped.
func (f FullXID) Epoch() uint32 { return uint32(f >> 32) }

// String gives epoch and id as pg_controldata prints them: 0:741.
func (f FullXID) String() string { return fmt.Sprintf("%d:%d", f.Epoch(), uint32(f)) }

// MultiXactID names a set of transactions that lock one tuple (MultiXactId, c.h). 0 is invalid.
type MultiXactID uint32

// FirstMultiXactID is the first valid id (FirstMultiXactId, access/multixact.h).
const FirstMultiXactID MultiXactID = 1

// Precedes compares on the circle of ids (MultiXactIdPrecedes, multixact.c).
func (m MultiXactID) Precedes(n MultiXactID) bool { return int32(m-n) < 0 }

// MultiXactOffset is a position in the members area (MultiXactOffset, c.h).
type MultiXactOffset uint32

// BlockNumber counts blocks of a relation fork from 0 (BlockNumber, storage/block.h).
type BlockNumber uint32

// OID is an object identifier (Oid, postgres_ext.h).
type OID uint32
