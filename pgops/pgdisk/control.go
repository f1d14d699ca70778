package pgdisk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// ControlFileSize is the size of global/pg_control on disk (PG_CONTROL_FILE_SIZE,
// catalog/pg_control.h). Only the first part carries data.
const ControlFileSize = 8192

// ControlFilePath is where the file lies under the data directory (XLOG_CONTROL_FILE, access/xlog.h).
const ControlFilePath = "global/pg_control"

// controlMaxSafeSize bounds the part that one disk sector holds and that is therefore
// written whole (PG_CONTROL_MAX_SAFE_SIZE, catalog/pg_control.h). Every CRC lies below it.
const controlMaxSafeSize = 512

// Control is the whole of global/pg_control (ControlFileData, catalog/pg_control.h) of
// the majors 13 to 18. It also remembers the bytes it came from, so that EncodeControl
// keeps padding and whatever a fork stores in the unused part.
type Control struct {
	SystemIdentifier uint64  // system_identifier: unique to the cluster and its copies
	ControlVersion   uint32  // pg_control_version
	CatalogVersion   uint32  // catalog_version_no
	State            DBState // state
	Time             int64   // time: last update, Unix seconds
	Checkpoint       LSN     // checkPoint: the latest checkpoint record
	CheckpointCopy   CheckpointRecord

	UnloggedLSN         LSN        // unloggedLSN: fake LSN counter for unlogged relations
	MinRecoveryPoint    LSN        // minRecoveryPoint: replay at least to here
	MinRecoveryPointTLI TimelineID // minRecoveryPointTLI
	BackupStartPoint    LSN        // backupStartPoint: redo of the backup being recovered
	BackupEndPoint      LSN        // backupEndPoint
	BackupEndRequired   bool       // backupEndRequired

	Level                ControlWALLevel // wal_level
	WALLogHints          bool            // wal_log_hints
	MaxConnections       int32           // MaxConnections
	MaxWorkerProcesses   int32           // max_worker_processes
	MaxWALSenders        int32           // max_wal_senders
	MaxPreparedXacts     int32           // max_prepared_xacts
	MaxLocksPerXact      int32           // max_locks_per_xact
	TrackCommitTimestamp bool            // track_commit_timestamp

	MaxAlign              uint32  // maxAlign
	FloatFormat           float64 // floatFormat: 1234567.0 where the float format is ours
	BlockSize             uint32  // blcksz
	RelSegSize            uint32  // relseg_size: blocks per 1 GB file of a relation
	WALBlockSize          uint32  // xlog_blcksz
	WALSegmentSize        uint32  // xlog_seg_size: bytes
	NameDataLen           uint32  // nameDataLen
	IndexMaxKeys          uint32  // indexMaxKeys
	ToastMaxChunkSize     uint32  // toast_max_chunk_size
	LargeObjectBlockSize  uint32  // loblksize
	Float8ByVal           bool    // float8ByVal
	DataChecksumVersion   uint32  // data_checksum_version: 0 off, 1 on
	DefaultCharSignedness bool    // default_char_signedness: true signed; 18 and later, else false
	MockAuthNonce         [32]byte

	CRC       uint32 // crc as stored
	CRCOffset int    // where the CRC was found; differs from the layout's only in forks
	FileSize  int    // bytes that DecodeControl was given: 8192 unless the file is cut

	layout Layout
	raw    []byte // ControlFileSize bytes, nil in a Control that was not decoded
}

// CheckpointRecord is the body of a checkpoint record (CheckPoint, catalog/pg_control.h).
type CheckpointRecord struct {
	Redo              LSN             // redo: where replay starts
	ThisTimeLineID    TimelineID      // ThisTimeLineID
	PrevTimeLineID    TimelineID      // PrevTimeLineID
	FullPageWrites    bool            // fullPageWrites
	Level             ControlWALLevel // wal_level; 17 and later, else 0
	NextXID           FullXID         // nextXid
	NextOID           OID             // nextOid
	NextMulti         MultiXactID     // nextMulti
	NextMultiOffset   MultiXactOffset // nextMultiOffset
	OldestXID         XID             // oldestXid: cluster-wide minimum datfrozenxid
	OldestXIDDB       OID             // oldestXidDB
	OldestMulti       MultiXactID     // oldestMulti: cluster-wide minimum datminmxid
	OldestMultiDB     OID             // oldestMultiDB
	Time              int64           // time: Unix seconds
	OldestCommitTsXID XID             // oldestCommitTsXid
	NewestCommitTsXID XID             // newestCommitTsXid
	OldestActiveXID   XID             // oldestActiveXid: 0 in a shutdown checkpoint
}

// DecodeControl reads a pg_control file.
//
// A file that is short, empty of content, big endian or of an unknown version is refused
// with a *ControlError that says what was found. A file that reads but whose CRC does not
// match is returned *together with* a *ControlCRCError: its values are suspect and must be
// shown as such. Every other error comes with a nil Control.
//
// On a running system a read can be torn; read again before believing a CRC error.
func DecodeControl(b []byte) (*Control, error) {
	l, err := controlLayout(b)
	if err != nil {
		return nil, err
	}
	c := &Control{layout: l, raw: make([]byte, ControlFileSize), FileSize: len(b)}
	copy(c.raw, b)
	walkControl(c, l, controlReader(c.raw))
	c.CRCOffset = l.ControlCRC
	return c, c.checkCRC(b)
}

// controlLayout refuses what cannot be decoded.
func controlLayout(b []byte) (Layout, error) {
	if len(b) < 16 {
		return Layout{}, &ControlError{Reason: ControlShort, Size: len(b)}
	}
	if len(bytes.Trim(b, "\x00")) == 0 {
		return Layout{}, &ControlError{Reason: ControlZero, Size: len(b)}
	}
	e := &ControlError{
		Size:           len(b),
		Version:        binary.LittleEndian.Uint32(b[8:]),
		CatalogVersion: binary.LittleEndian.Uint32(b[12:]),
	}
	l, _, ok := LayoutForControl(e.Version, e.CatalogVersion)
	if !ok {
		e.Reason = ControlUnknownVersion
		if v := binary.BigEndian.Uint32(b[8:]); e.Version&0xFFFF == 0 && v != 0 && v <= 0xFFFF {
			e.Reason = ControlBigEndian
			e.Version, e.CatalogVersion = v, binary.BigEndian.Uint32(b[12:])
		}
		return Layout{}, e
	}
	if len(b) < l.ControlCRC+4 {
		e.Reason = ControlShort
		return Layout{}, e
	}
	return l, nil
}

// checkCRC verifies the checksum, looking for it elsewhere when it is not in its place:
// forks of PostgreSQL append fields and so move it.
func (c *Control) checkCRC(b []byte) error {
	stored, computed := controlCRCAt(b, c.layout.ControlCRC)
	c.CRC = stored
	if stored == computed {
		return nil
	}
	for off := 280; off <= controlMaxSafeSize-4 && off+4 <= len(b); off += 4 {
		if s, sum := controlCRCAt(b, off); s == sum {
			c.CRC, c.CRCOffset = s, off
			return nil
		}
	}
	return &ControlCRCError{Offset: c.layout.ControlCRC, Stored: stored, Computed: computed}
}

func controlCRCAt(b []byte, off int) (stored, computed uint32) {
	return binary.LittleEndian.Uint32(b[off:]), crc32.Checksum(b[:off], crc32.MakeTable(crc32.Castagnoli))
}

// Layout returns the row of the layout table that the file was read by.
func (c *Control) Layout() Layout {
	if c.layout.Major != 0 {
		return c.layout
	}
	l, _, _ := LayoutForControl(c.ControlVersion, c.CatalogVersion)
	return l
}

// Major returns the PostgreSQL major that wrote the file, 13 to 18, told by control version
// and catalog version (see LayoutForControl), or 0 when neither is known.
func (c *Control) Major() int { return c.Layout().Major }

// ControlCRCError says that the checksum in pg_control does not match its content: the file
// is damaged, was read while being written, or belongs to a fork with another layout.
type ControlCRCError struct {
	Offset           int // of the stored CRC
	Stored, Computed uint32
}

func (e *ControlCRCError) Error() string {
	return fmt.Sprintf("%s: CRC at byte %d is %08X but the content gives %08X: the values are suspect",
		ControlFilePath, e.Offset, e.Stored, e.Computed)
}

// ControlRefusal says why a pg_control file could not be decoded at all.
type ControlRefusal int

// The reasons.
const (
	ControlShort          ControlRefusal = iota + 1 // too short to hold the structure
	ControlZero                                     // nothing but zero bytes
	ControlBigEndian                                // written on a machine of the other byte order
	ControlUnknownVersion                           // no row in the layout table
)

// ControlError refuses a pg_control file, with what was found in it.
type ControlError struct {
	Reason         ControlRefusal
	Size           int    // bytes given
	Version        uint32 // pg_control_version as found, 0 when unreadable
	CatalogVersion uint32 // catalog_version_no as found
}

func (e *ControlError) Error() string {
	switch e.Reason {
	case ControlShort:
		return fmt.Sprintf("%s: the file has only %d bytes, want %d: it was cut short", ControlFilePath, e.Size, ControlFileSize)
	case ControlZero:
		if e.Size == 0 {
			return ControlFilePath + ": the file is empty"
		}
		return fmt.Sprintf("%s: all %d bytes are zero: the content is lost", ControlFilePath, e.Size)
	case ControlBigEndian:
		return fmt.Sprintf("%s: control version %d in big endian byte order (%s): only little endian clusters can be read here",
			ControlFilePath, e.Version, releaseOfControl(e.Version, e.CatalogVersion))
	default:
		return fmt.Sprintf("%s: control version %d, catalog version %d (%s): only 13 to 18 can be read here",
			ControlFilePath, e.Version, e.CatalogVersion, releaseOfControl(e.Version, e.CatalogVersion))
	}
}

// Foreign reports whether the file looks sound and is only not one of those read here: of another
// release, or of a machine of the other byte order.
func (e *ControlError) Foreign() bool {
	return e.Reason == ControlBigEndian || e.Reason == ControlUnknownVersion && controlReleases(e.Version) != ""
}

// releaseOfControl names the release behind a control version, also of majors that are not read here.
func releaseOfControl(version, catalog uint32) string {
	if l, _, ok := LayoutForControl(version, catalog); ok {
		return fmt.Sprintf("PostgreSQL %d", l.Major)
	}
	if release := controlReleases(version); release != "" {
		return release
	}
	return "no PostgreSQL release has that number; the file is damaged or is no pg_control"
}

// controlReleases names the releases that are not in the layout table, empty for a number that none has.
func controlReleases(version uint32) string {
	switch {
	case version == 1201:
		return "PostgreSQL 12"
	case version == 1100:
		return "PostgreSQL 11"
	case version == 1002:
		return "PostgreSQL 10"
	case version >= 830 && version < 1002:
		return "PostgreSQL 9.6 or older"
	case version >= 1900 && version < 10000:
		return fmt.Sprintf("PostgreSQL %d or a development version of it", version/100)
	}
	return ""
}
