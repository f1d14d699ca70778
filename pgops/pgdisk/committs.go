package pgdisk

import (
	"encoding/binary"
	"fmt"
	"time"
)

// commitTsEntrySize is the size of an entry (SizeOfCommitTimestampEntry,
// access/transam/commit_ts.c): eight bytes of time and two of origin, without padding.
const commitTsEntrySize = 10

// ReplicationOriginID names where a replicated transaction came from (RepOriginId,
// access/xlogdefs.h; ReplOriginId from 19 on). 0 is this server itself.
type ReplicationOriginID uint16

// CommitTs says when a transaction committed (CommitTimestampEntry, access/transam/commit_ts.c).
type CommitTs struct {
	Micros int64               // time: microseconds since 2000-01-01 UTC; 0 where none is kept
	Origin ReplicationOriginID // nodeid
}

// Kept reports whether the entry holds a time. One that does not belongs to a transaction
// that did not commit, or that committed while track_commit_timestamp was off.
func (c CommitTs) Kept() bool { return c.Micros != 0 }

// Time returns the time in UTC. It is meaningful only where Kept.
func (c CommitTs) Time() time.Time { return walTime(uint64(c.Micros)) }

// PageCommitTs reads the entry of x from its pg_commit_ts page (TransactionIdToCTsEntry).
func PageCommitTs(page []byte, x XID) (CommitTs, error) {
	if err := wholePage("pg_commit_ts page", page); err != nil {
		return CommitTs{}, err
	}
	b := page[CommitTsGeometry().Locate(uint64(x)).Entry*commitTsEntrySize:]
	return CommitTs{
		Micros: int64(binary.LittleEndian.Uint64(b)),
		Origin: ReplicationOriginID(binary.LittleEndian.Uint16(b[8:])),
	}, nil
}

// PutPageCommitTs writes the entry of x into its page.
func PutPageCommitTs(page []byte, x XID, c CommitTs) error {
	if err := wholePage("pg_commit_ts page", page); err != nil {
		return err
	}
	b := page[CommitTsGeometry().Locate(uint64(x)).Entry*commitTsEntrySize:]
	binary.LittleEndian.PutUint64(b, uint64(c.Micros))
	binary.LittleEndian.PutUint16(b[8:], uint16(c.Origin))
	return nil
}

// ReadCommitTs returns when x committed (TransactionIdGetCommitTsData,
// access/transam/commit_ts.c). The server believes only the entries between oldestCommitTsXid
// and newestCommitTsXid of pg_control; that comparison is the caller's. A page that cannot be
// had is an *SLRUPageError: with track_commit_timestamp off there are none.
func ReadCommitTs(pages SLRUPages, x XID) (CommitTs, error) {
	if !x.Normal() {
		return CommitTs{}, nil
	}
	g := CommitTsGeometry()
	page, err := pages.SLRUPage(g, g.Locate(uint64(x)).Page)
	if err != nil {
		return CommitTs{}, fmt.Errorf("commit timestamp of transaction %d: %w", x, err)
	}
	return PageCommitTs(page, x)
}

// LastUsedCommitTs returns the index of the last entry of a commit_ts file that is not zero,
// and false when all are. Data must start on a page.
func LastUsedCommitTs(data []byte) (uint64, bool) {
	perPage := CommitTsGeometry().EntriesPerPage
	for end := len(data); ; {
		i, ok := lastNonZero(data[:end])
		if !ok {
			return 0, false
		}
		page, entry := uint64(i/BlockSize), uint64(i%BlockSize/commitTsEntrySize)
		if entry < perPage {
			return page*perPage + entry, true
		}
		end = i // the unused end of a page
	}
}
