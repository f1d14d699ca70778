package pgops

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// ControlState says how far global/pg_control can be believed.
type ControlState string

// The states. pg_resetwal takes the values of a suspect file, but invents all of them for a
// damaged one and refuses to run without one.
const (
	ControlGood    ControlState = "good"
	ControlSuspect ControlState = "suspect" // readable, but its checksum is wrong
	ControlDamaged ControlState = "damaged" // not decodable
	ControlMissing ControlState = "missing"
)

// Evidence is what the files of a cluster say about the ids that a WAL reset has to choose.
// It is plain data: it travels from the machine of the data as JSON.
type Evidence struct {
	Major     int
	MajorFrom string
	Lock      bool // postmaster.pid is there
	Control   ControlEvidence
	Xact      SLRUEvidence
	Offsets   SLRUEvidence
	Members   SLRUEvidence
	CommitTs  SLRUEvidence
	WAL       WALEvidence
	Pages     PageEvidence
	Files     FileEvidence
	Databases DatabaseEvidence
	Machine   MachineEvidence
	Missing   []string // what could not be looked at, and why
}

// ControlEvidence is pg_control, or why there is none to believe.
type ControlEvidence struct {
	State  ControlState
	Why    string          // the error, in words; empty when good
	Values *pgdisk.Control // without the authentication nonce; nil when missing or damaged
}

// SLRUEvidence is what the files of one directory such as pg_xact span. Ids are on the
// circle of the directory's geometry; AllocatedEnd can be the size of the circle, which is 0 on it.
type SLRUEvidence struct {
	Dir          string
	Files        int
	Oldest       string       // name of the oldest file on the circle, not the lowest
	Newest       string       // name of the newest file on the circle
	OldestNumber uint64       //
	NewestNumber uint64       //
	FirstID      uint64       // first id of the oldest file
	AllocatedEnd uint64       // first id behind the last whole page of the newest file
	Used         bool         // some entry is not zero
	LastUsed     uint64       // id of the last entry that is not zero, walking back from the newest file
	LastValue    uint64       // its content: the member offset in pg_multixact/offsets
	Wrapped      bool         // ids have passed the end of the circle between oldest and newest
	Ambiguous    bool         // the names alone do not tell where the circle begins
	Gaps         []PageRange  // pages between FirstID and AllocatedEnd that are not on disk, at most 200
	Odd          []string     // names and sizes that cannot be right, at most 20
	Blank        []BlankXacts // of pg_xact: transactions below pg_control's next id of which none has a fate, by page
}

// WALEvidence sums up pg_wal.
type WALEvidence struct {
	Why           string            // why nothing could be read; empty otherwise
	SegSize       uint32            // bytes; 0 when no header tells
	Systems       map[string]int    // system identifier (decimal) in the segments' first headers → number of files
	Majors        map[int]int       // major by page magic → number of files
	Files         int               // segment files
	FirstFile     string            // lowest segment
	LastFile      string            // highest segment by number on any timeline, recycled ones included
	LastSegment   uint64            // its number in units of SegSize
	Timeline      pgdisk.TimelineID // highest in a segment's name or a history file's
	Scanned       bool              // records were read from From to End
	From, End     pgdisk.LSN        // redo point, end of the last valid record
	Stop          string            // why reading ended there
	Damaged       bool              // valid records were found beyond End
	Records       uint64            //
	Beyond        uint64            // valid records found behind the damage; their ids count too
	HaveXID       bool              // some record names a transaction
	NextXID       pgdisk.FullXID
	EpochKnown    bool               // a checkpoint record told the epoch of NextXID
	NextMulti     pgdisk.MultiXactID // above every multixact made or known at a checkpoint; 0 when none
	NextOffset    pgdisk.MultiXactOffset
	NextOID       pgdisk.OID         // object ids below may be in use; 0 when none
	OldestXID     pgdisk.XID         // from checkpoints and truncations; 0 when none
	OldestMulti   pgdisk.MultiXactID //
	MultisCreated uint64
	Commits       uint64
	Aborts        uint64
	FirstCommit   int64 // Unix microseconds, 0 when none
	LastCommit    int64
	Created       []string // relation files created after From, such as base/5/16401; at most 200
	CreatedCount  uint64
	Touched       map[string]uint64 // relation (RelationKey) to the records between From and End that change it
	TouchedMore   uint64            // records of relations beyond the ones listed
}

// PageLSN is a page and its pd_lsn.
type PageLSN struct {
	Path  string
	Block pgdisk.BlockNumber
	LSN   pgdisk.LSN
}

// PageEvidence comes from the pages of all relation files, tablespaces included.
type PageEvidence struct {
	Files        uint64
	Pages        uint64
	New          uint64     // all zero: allocated and never written
	BadHeader    uint64     // refused by the header's own sanity rules; their LSN is not used
	BadChecksum  uint64     // refused by their checksum, where checksums are on
	Truncated    uint64     // pages cut short by the end of their file
	MaxLSN       pgdisk.LSN // of the pages that were not refused
	Highest      []PageLSN  // the pages with the highest LSNs, highest first, one per relation file, at most 8
	AfterWAL     uint64     // pages whose LSN lies beyond the last segment in pg_wal
	AfterRecords uint64     // pages whose LSN lies beyond the last valid record
	HeapTuples   uint64
	MaxXID       pgdisk.XID         // highest xmin or xmax within the window, 0 when none
	MaxXIDAt     string             // path, block and line pointer
	MaxMulti     pgdisk.MultiXactID // highest multixact in an xmax within the window, 0 when none
	MaxMultiAt   string
	OddXIDs      uint64 // tuples whose xmin or xmax lies outside the window: damage, or a foreign page
	OddMultis    uint64
	Unreadable   []string // files that gave a read error, at most 20
	Checksummed  uint64   // pages whose stored checksum is not 0 and matches
	Unchecked    uint64   // pages with checksum 0
	Mismatched   uint64   // pages whose checksum is not 0 and does not match
}

// FileEvidence comes from file names.
type FileEvidence struct {
	MaxFileNumber pgdisk.OID   // highest relation file number
	MaxFilePath   string       //
	Prepared      []pgdisk.XID // prepared transactions in pg_twophase, at most 1000
}

// DatabaseEvidence comes from pg_database (global), read without a server.
type DatabaseEvidence struct {
	Why           string // why it could not be read; empty otherwise
	Databases     int
	MinFrozenXID  pgdisk.XID // oldest datfrozenxid on the circle
	MinFrozenOf   string
	MinMulti      pgdisk.MultiXactID // oldest datminmxid on the circle
	MinMultiOf    string
	FrozenInvalid int // databases whose datfrozenxid is not a normal id
}

// MachineEvidence says on what machine the data lie: the default signedness of char is
// the C compiler's for that machine (default_char_signedness in pg_control, 18 and later).
type MachineEvidence struct {
	Arch       string // as Go names it: amd64, arm64
	CharSigned bool
}

// ChecksumsOn tells from samples whether the cluster was initialised with page checksums. The second
// result is false when too few pages say anything.
func (p PageEvidence) ChecksumsOn() (on, known bool) {
	switch {
	case p.Checksummed+p.Unchecked+p.Mismatched < 10:
		return false, false
	case p.Checksummed > p.Unchecked && p.Checksummed > p.Mismatched:
		return true, true
	case p.Unchecked > p.Checksummed+p.Mismatched:
		return false, true
	}
	return false, false
}

// Progress is how far a scan has come. Total is 0 while it is not known yet.
type Progress struct {
	What        string // "pg_wal", "relation pages"
	Done, Total int64  // bytes
}

// Report takes progress; it may be nil. It is called at most a few times per megabyte.
type Report func(Progress)

func (r Report) send(p Progress) {
	if r != nil {
		r(p)
	}
}

// advance extends a 32-bit id to the full id nearest to base.
func advance(base pgdisk.FullXID, x pgdisk.XID) pgdisk.FullXID {
	next := int64(base) + int64(int32(x-base.XID()))
	if next < 0 {
		return pgdisk.FullXID(x)
	}
	return pgdisk.FullXID(next)
}

// later returns the younger of two ids on the circle; 0 stands for none.
func later[T ~uint32](a, b T) T {
	switch {
	case a == 0:
		return b
	case b == 0 || int32(b-a) <= 0:
		return a
	}
	return b
}

// earlier returns the older of two ids on the circle; 0 stands for none.
func earlier[T ~uint32](a, b T) T {
	switch {
	case a == 0:
		return b
	case b == 0 || int32(b-a) >= 0:
		return a
	}
	return b
}

func (s SLRUEvidence) span() string {
	if s.Files == 0 {
		return s.Dir + ": no files"
	}
	return fmt.Sprintf("%s: %d files, %s to %s", s.Dir, s.Files, s.Oldest, s.Newest)
}
