package pgdisk

import (
	"fmt"
	"strconv"
	"strings"
)

// SLRUPagesPerSegment is the number of pages in one full file (SLRU_PAGES_PER_SEGMENT, access/slru.h).
const SLRUPagesPerSegment = 32

// SLRUSegmentSize is the size in bytes of a full file. A younger one is shorter.
const SLRUSegmentSize = SLRUPagesPerSegment * BlockSize

// PageNo counts the pages of an SLRU directory from 0, across its files.
type PageNo uint64

// SegmentNo counts the files of an SLRU directory from 0. Its hexadecimal form is the name.
type SegmentNo uint64

// Geometry says how one SLRU directory is cut into entries, pages and files
// (access/slru.c and the module that owns the directory).
//
// The ids of every directory run on a circle of Entries ids: after the last comes 0. The
// last file of a circle can be shorter than the others. The functions below that return a
// Geometry hold for the majors 13 to 18, where they take no Layout.
type Geometry struct {
	Dir            string // under the data directory, such as pg_multixact/offsets
	What           string // what an entry belongs to, in words
	EntriesPerPage uint64
	Entries        uint64 // ids on the circle
	LongNames      bool   // names of 15 digits (long_segment_names)
	Durable        bool   // content matters after a crash; if not, the server recreates it
}

// XactGeometry is pg_xact: two bits per transaction (access/transam/clog.c).
func XactGeometry() Geometry {
	return Geometry{Dir: "pg_xact", What: "transaction", EntriesPerPage: 4 * BlockSize, Entries: 1 << 32, Durable: true}
}

// OffsetsGeometry is pg_multixact/offsets: four bytes per multixact (access/transam/multixact.c).
func OffsetsGeometry() Geometry {
	return Geometry{Dir: "pg_multixact/offsets", What: "multixact", EntriesPerPage: BlockSize / 4, Entries: 1 << 32, Durable: true}
}

// MembersGeometry is pg_multixact/members: groups of four members in 20 bytes
// (access/transam/multixact.c). It has 82041 files and the last one is short.
func MembersGeometry() Geometry {
	return Geometry{Dir: "pg_multixact/members", What: "multixact member", EntriesPerPage: membersPerPage, Entries: 1 << 32, Durable: true}
}

// CommitTsGeometry is pg_commit_ts: ten bytes per transaction (access/transam/commit_ts.c).
func CommitTsGeometry() Geometry {
	return Geometry{Dir: "pg_commit_ts", What: "transaction", EntriesPerPage: BlockSize / 10, Entries: 1 << 32, Durable: true}
}

// SubtransGeometry is pg_subtrans: four bytes per transaction (access/transam/subtrans.c).
// The server zeroes what it needs of it at every start.
func SubtransGeometry() Geometry {
	return Geometry{Dir: "pg_subtrans", What: "transaction", EntriesPerPage: BlockSize / 4, Entries: 1 << 32}
}

// SerialGeometry is pg_serial: eight bytes per transaction (storage/lmgr/predicate.c).
// Up to 16 its circle is cut at 65536 files; what is in it never survives a restart.
func SerialGeometry(l Layout) Geometry {
	g := Geometry{Dir: "pg_serial", What: "transaction", EntriesPerPage: BlockSize / 8, Entries: 1 << 32}
	if !l.LongNotify {
		g.Entries = 65536 * SLRUPagesPerSegment * g.EntriesPerPage
	}
	return g
}

// NotifyGeometry is pg_notify (commands/async.c). Its entries vary in size, so an id here
// is a byte position; what is in it never survives a restart.
func NotifyGeometry(l Layout) Geometry {
	return Geometry{Dir: "pg_notify", What: "notification byte", EntriesPerPage: BlockSize,
		Entries: 65536 * SLRUPagesPerSegment * BlockSize, LongNames: l.LongNotify}
}

// Geometries lists every SLRU directory of a major.
func Geometries(l Layout) []Geometry {
	return []Geometry{XactGeometry(), OffsetsGeometry(), MembersGeometry(), CommitTsGeometry(),
		SubtransGeometry(), SerialGeometry(l), NotifyGeometry(l)}
}

// Location is where one entry lies.
type Location struct {
	Dir      string
	Segment  SegmentNo
	Name     string // file name
	Page     PageNo // counted across files
	PageByte int64  // first byte of the page within the file
	Entry    uint64 // index of the entry within its page
}

// Path is the file under the data directory.
func (l Location) Path() string { return l.Dir + "/" + l.Name }

// Pages returns the number of pages on the circle.
func (g Geometry) Pages() uint64 { return (g.Entries + g.EntriesPerPage - 1) / g.EntriesPerPage }

// Segments returns the number of files on the circle.
func (g Geometry) Segments() uint64 {
	return (g.Pages() + SLRUPagesPerSegment - 1) / SLRUPagesPerSegment
}

// EntriesPerSegment returns the number of entries in a full file.
func (g Geometry) EntriesPerSegment() uint64 { return g.EntriesPerPage * SLRUPagesPerSegment }

// PagesIn returns the number of pages that the file has when it is full: 32, or fewer in
// the last file of the circle.
func (g Geometry) PagesIn(s SegmentNo) uint64 {
	if uint64(s) >= g.Segments() {
		return 0
	}
	return min(SLRUPagesPerSegment, g.Pages()-uint64(s)*SLRUPagesPerSegment)
}

// Locate finds the entry of an id.
func (g Geometry) Locate(id uint64) Location {
	l := g.LocatePage(PageNo(id / g.EntriesPerPage))
	l.Entry = id % g.EntriesPerPage
	return l
}

// LocatePage finds a page.
func (g Geometry) LocatePage(p PageNo) Location {
	s := SegmentNo(p / SLRUPagesPerSegment)
	return Location{Dir: g.Dir, Segment: s, Name: g.Name(s), Page: p, PageByte: int64(p%SLRUPagesPerSegment) * BlockSize}
}

// FirstID returns the id of a page's first entry. It can be Entries itself, which is 0 on the circle.
func (g Geometry) FirstID(p PageNo) uint64 { return uint64(p) * g.EntriesPerPage }

// Name returns the file name of a segment (SlruFileName, access/transam/slru.c).
func (g Geometry) Name(s SegmentNo) string {
	if g.LongNames {
		return fmt.Sprintf("%015X", uint64(s))
	}
	return fmt.Sprintf("%04X", uint64(s))
}

// ParseName reads a file name as the server does (SlruCorrectSegmentFilenameLength and
// SlruScanDirectory): upper case hexadecimal, 4 to 6 digits or exactly 15. The number can
// lie beyond the circle; see PagesIn.
func (g Geometry) ParseName(name string) (SegmentNo, bool) {
	if g.LongNames != (len(name) == 15) || (!g.LongNames && (len(name) < 4 || len(name) > 6)) {
		return 0, false
	}
	if strings.Trim(name, "0123456789ABCDEF") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(name, 16, 64)
	return SegmentNo(n), err == nil
}
