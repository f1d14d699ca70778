package pgdisk

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Limits of wal_segment_size in bytes (WalSegMinSize, WalSegMaxSize, access/xlog_internal.h).
const (
	WALMinSegSize uint32 = 1 << 20
	WALMaxSegSize uint32 = 1 << 30
)

// ValidWALSegSize reports whether a server can use segments of n bytes: a power of
// two from 1 MB to 1 GB (IsValidWalSegSize, access/xlog_internal.h).
func ValidWALSegSize(n uint32) bool {
	return n >= WALMinSegSize && n <= WALMaxSegSize && bits.OnesCount32(n) == 1
}

// WALSegment names one segment file of a timeline. Number counts segments from LSN 0
// (XLogSegNo, access/xlogdefs.h), so it means a position only together with a segment size.
type WALSegment struct {
	Timeline TimelineID
	Number   uint64
}

// WALSegmentAt is the segment that holds the byte at lsn (XLByteToSeg).
// segSize must satisfy ValidWALSegSize.
func WALSegmentAt(tli TimelineID, lsn LSN, segSize uint32) WALSegment {
	return WALSegment{Timeline: tli, Number: uint64(lsn) / uint64(segSize)}
}

// Start is the LSN of the segment's first byte (XLogSegNoOffsetToRecPtr).
func (s WALSegment) Start(segSize uint32) LSN { return LSN(s.Number * uint64(segSize)) }

// Name is the file name, 24 upper case hexadecimal digits (XLogFileName).
func (s WALSegment) Name(segSize uint32) string {
	per := walSegmentsPerID(segSize)
	return fmt.Sprintf("%08X%08X%08X", uint32(s.Timeline), uint32(s.Number/per), uint32(s.Number%per))
}

// ParseWALSegment reads a segment file name (XLogFromFileName). The last eight digits
// must be below 4 GB / segSize: a name beyond that was made with a smaller segment size.
func ParseWALSegment(name string, segSize uint32) (WALSegment, error) {
	if !ValidWALSegSize(segSize) {
		return WALSegment{}, fmt.Errorf("WAL segment size %d: want a power of two from 1 MB to 1 GB", segSize)
	}
	if len(name) != 24 || !walUpperHex(name) {
		return WALSegment{}, fmt.Errorf("WAL segment name %q: want 24 upper case hexadecimal digits", name)
	}
	tli, id, seg := walHex32(name[:8]), walHex32(name[8:16]), walHex32(name[16:])
	if tli == 0 {
		return WALSegment{}, fmt.Errorf("WAL segment name %q: timeline 0 does not exist", name)
	}
	per := walSegmentsPerID(segSize)
	if uint64(seg) >= per {
		return WALSegment{}, fmt.Errorf("WAL segment name %q: last part must be below %X with segments of %d bytes", name, per, segSize)
	}
	return WALSegment{Timeline: TimelineID(tli), Number: uint64(id)*per + uint64(seg)}, nil
}

// WALFileKind says what a name in pg_wal or in an archive stands for.
type WALFileKind uint8

// Kinds of names (IsXLogFileName and its relatives, access/xlog_internal.h).
const (
	WALFileStray   WALFileKind = iota // none of the below
	WALFileSegment                    // 000000010000000000000001
	WALFilePartial                    // segment + .partial: the last one of an abandoned timeline
	WALFileHistory                    // 00000002.history
	WALFileBackup                     // segment + .XXXXXXXX.backup: backup history, offset of the backup's start
	WALFileTemp                       // xlogtemp.PID: a segment being made, worthless after a crash
	WALFileDir                        // archive_status, summaries
)

// String gives the kind as a word.
func (k WALFileKind) String() string {
	words := [...]string{"stray", "segment", "partial segment", "timeline history", "backup history", "temporary", "directory"}
	if int(k) < len(words) {
		return words[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// WALFile is one recognised name. Segment is set for segments, partial segments and
// backup history; Timeline for all of these and timeline history; Offset is the
// start of the backup within its segment. Why explains a stray.
type WALFile struct {
	Name     string
	Kind     WALFileKind
	Segment  WALSegment
	Timeline TimelineID
	Offset   uint32
	Size     int64
	Why      string
}

// ClassifyWALName recognises one file name; it never fails, what it does not know is a
// stray that says why.
func ClassifyWALName(name string, segSize uint32) WALFile {
	f := WALFile{Name: name}
	switch {
	case strings.HasPrefix(name, "xlogtemp."):
		f.Kind = WALFileTemp
	case len(name) == 24:
		f.nameSegment(WALFileSegment, name, segSize)
	case strings.HasSuffix(name, ".partial"):
		f.nameSegment(WALFilePartial, strings.TrimSuffix(name, ".partial"), segSize)
	case strings.HasSuffix(name, ".history"):
		f.nameHistory(strings.TrimSuffix(name, ".history"))
	case strings.HasSuffix(name, ".backup"):
		f.nameBackup(strings.TrimSuffix(name, ".backup"), segSize)
	default:
		f.Why = "not a name that PostgreSQL gives to a WAL file"
	}
	return f
}

func (f *WALFile) nameSegment(kind WALFileKind, name string, segSize uint32) {
	seg, err := ParseWALSegment(name, segSize)
	if err != nil {
		f.Why = err.Error()
		return
	}
	f.Kind, f.Segment, f.Timeline = kind, seg, seg.Timeline
}

func (f *WALFile) nameHistory(digits string) {
	if len(digits) != 8 || !walUpperHex(digits) || walHex32(digits) == 0 {
		f.Why = "a timeline history file is named by 8 upper case hexadecimal digits"
		return
	}
	f.Kind, f.Timeline = WALFileHistory, TimelineID(walHex32(digits))
}

func (f *WALFile) nameBackup(name string, segSize uint32) {
	seg, off, ok := strings.Cut(name, ".")
	if !ok || len(off) != 8 || !walUpperHex(off) || walHex32(off) >= segSize {
		f.Why = "a backup history file is named by its segment and an 8 digit offset within it"
		return
	}
	f.nameSegment(WALFileBackup, seg, segSize)
	if f.Kind == WALFileBackup {
		f.Offset = walHex32(off)
	}
}

// walSegmentsPerID counts the segments of one 4 GB log id (XLogSegmentsPerXLogId).
func walSegmentsPerID(segSize uint32) uint64 { return 1 << 32 / uint64(segSize) }

func walUpperHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// walHex32 reads up to 8 digits that walUpperHex has accepted.
func walHex32(s string) uint32 {
	n, _ := strconv.ParseUint(s, 16, 32)
	return uint32(n)
}
