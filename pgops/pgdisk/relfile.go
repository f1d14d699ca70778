package pgdisk

import (
	"fmt"
	"strconv"
	"strings"
)

// RelSegmentBlocks is the number of blocks in one file of a relation fork in every package
// of PostgreSQL (RELSEG_SIZE, pg_config.h): 1 GB. pg_control has the cluster's own number.
const RelSegmentBlocks = 131072

// RelFileNumber names the files of a relation within its database (RelFileNumber, common/relpath.h;
// up to 15 an Oid).
type RelFileNumber uint32

// Fork is one of the files that make up a relation (ForkNumber, common/relpath.h).
type Fork uint8

// The forks.
const (
	MainFork Fork = iota // MAIN_FORKNUM
	FSMFork              // FSM_FORKNUM: free space map, recreated when missing
	VMFork               // VISIBILITYMAP_FORKNUM, recreated when missing
	InitFork             // INIT_FORKNUM: what an unlogged relation is reset to after a crash
)

// String gives the name as pg_relation_size takes it.
func (f Fork) String() string {
	switch f {
	case MainFork:
		return "main"
	case FSMFork:
		return "fsm"
	case VMFork:
		return "vm"
	case InitFork:
		return "init"
	}
	return fmt.Sprintf("fork %d", uint8(f))
}

// Tablespaces that every cluster has (catalog/pg_tablespace.dat).
const (
	DefaultTablespace OID = 1663 // DEFAULTTABLESPACE_OID: base/
	GlobalTablespace  OID = 1664 // GLOBALTABLESPACE_OID: global/
)

// RelFile is the name of one file of a relation taken apart (GetRelationPath,
// common/relpath.c; parse_filename_for_nontemp_relation, storage/file/reinit.c).
type RelFile struct {
	Tablespace OID
	VersionDir string // PG_15_202209061 in an own tablespace, else empty
	Database   OID    // 0 in global/
	Number     RelFileNumber
	Fork       Fork
	Segment    uint32 // 0 for the first 1 GB
	Temp       bool   // of a temporary table: its content ends with the session
	Backend    uint32 // of a temporary table: its session's number
}

// ParseRelFile takes a slash-separated path under the data directory apart. It returns false
// for whatever is no file of a relation: PG_VERSION, pg_filenode.map, pgsql_tmp and the like.
func ParseRelFile(path string) (RelFile, bool) {
	parts := strings.Split(path, "/")
	var r RelFile
	ok := true
	switch {
	case len(parts) == 2 && parts[0] == "global":
		r.Tablespace = GlobalTablespace
	case len(parts) == 3 && parts[0] == "base":
		r.Tablespace = DefaultTablespace
		r.Database, ok = parseOID[OID](parts[1])
	case len(parts) == 5 && parts[0] == "pg_tblspc" && strings.HasPrefix(parts[2], "PG_"):
		r.VersionDir = parts[2]
		r.Tablespace, ok = parseOID[OID](parts[1])
		if ok {
			r.Database, ok = parseOID[OID](parts[3])
		}
	default:
		return RelFile{}, false
	}
	if !ok || !r.parseName(parts[len(parts)-1]) {
		return RelFile{}, false
	}
	return r, true
}

// parseName reads [tBACKEND_]NUMBER[_FORK][.SEGMENT].
func (r *RelFile) parseName(name string) bool {
	var ok bool
	if rest, found := strings.CutPrefix(name, "t"); found {
		backend, number, cut := strings.Cut(rest, "_")
		if r.Backend, ok = parseDecimal(backend); !cut || !ok {
			return false
		}
		r.Temp, name = true, number
	}
	name, segment, hasSegment := strings.Cut(name, ".")
	if hasSegment {
		if r.Segment, ok = parseOID[uint32](segment); !ok {
			return false
		}
	}
	number, fork, hasFork := strings.Cut(name, "_")
	if hasFork {
		switch fork {
		case "fsm":
			r.Fork = FSMFork
		case "vm":
			r.Fork = VMFork
		case "init":
			r.Fork = InitFork
		default:
			return false
		}
	}
	r.Number, ok = parseOID[RelFileNumber](number)
	return ok
}

// Path puts the name together again, relative to the data directory.
func (r RelFile) Path() string {
	var b strings.Builder
	switch {
	case r.Tablespace == GlobalTablespace:
		b.WriteString("global/")
	case r.VersionDir == "":
		fmt.Fprintf(&b, "base/%d/", r.Database)
	default:
		fmt.Fprintf(&b, "pg_tblspc/%d/%s/%d/", r.Tablespace, r.VersionDir, r.Database)
	}
	if r.Temp {
		fmt.Fprintf(&b, "t%d_", r.Backend)
	}
	fmt.Fprint(&b, r.Number)
	if r.Fork != MainFork {
		b.WriteString("_" + r.Fork.String())
	}
	if r.Segment > 0 {
		fmt.Fprintf(&b, ".%d", r.Segment)
	}
	return b.String()
}

// FirstBlock returns the number of the file's first block within the fork, and false when
// no relation can be that long. perSegment is pg_control's RelSegSize, usually RelSegmentBlocks.
func (r RelFile) FirstBlock(perSegment uint32) (BlockNumber, bool) {
	first := uint64(r.Segment) * uint64(perSegment)
	return BlockNumber(first), first < 0xFFFFFFFF // InvalidBlockNumber
}

// LocateBlock returns the segment number that holds a block of a fork and the byte of the
// block within that file. perSegment must not be 0.
func LocateBlock(b BlockNumber, perSegment uint32) (segment uint32, off int64) {
	return uint32(b) / perSegment, int64(uint32(b)%perSegment) * BlockSize
}

// parseOID reads a number as PostgreSQL writes it in file names: decimal and not 0.
func parseOID[T ~uint32](s string) (T, bool) {
	n, ok := parseDecimal(s)
	return T(n), ok && n != 0
}

// parseDecimal reads a number without sign or leading zero.
func parseDecimal(s string) (uint32, bool) {
	if strings.Trim(s, "0123456789") != "" || (len(s) > 1 && s[0] == '0') {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}
