package pgops

import (
	"regexp"
	"strconv"
)

// Tablespaces with a directory of their own (pg_tablespace.dat).
const (
	defaultTablespace = 1663 // base/
	globalTablespace  = 1664 // global/
)

var (
	basePath    = regexp.MustCompile(`^base/(\d+)/(\d+)(?:_(fsm|vm|init))?(?:\.\d+)?$`)
	globalPath  = regexp.MustCompile(`^global/(\d+)(?:_(fsm|vm|init))?(?:\.\d+)?$`)
	spacePath   = regexp.MustCompile(`^pg_tblspc/(\d+)/[A-Za-z0-9_]+/(\d+)/(\d+)(?:_(fsm|vm|init))?(?:\.\d+)?$`)
	walFile     = regexp.MustCompile(`^pg_wal/(?:archive_status/)?([0-9A-F]{24})`)
	slruSegment = regexp.MustCompile(`^pg_(?:xact|subtrans|commit_ts|multixact/(?:offsets|members))/([0-9A-F]{4,15})$`)
)

// relPath is the path below the data directory of the relation that a block reference names
// (GetRelationPath, common/relpath.c). In a tablespace of its own the version directory is not
// known from the reference; a star stands for it.
func relPath(b RedoBlock) string {
	fork := ""
	switch b.Fork {
	case "fsm", "1":
		fork = "_fsm"
	case "vm", "2":
		fork = "_vm"
	case "init", "3":
		fork = "_init"
	}
	number := utoa(uint32(b.RelNumber)) + fork
	switch b.Tablespace {
	case defaultTablespace:
		return "base/" + utoa(uint32(b.Database)) + "/" + number
	case globalTablespace:
		return "global/" + number
	}
	return "pg_tblspc/" + utoa(uint32(b.Tablespace)) + "/*/" + utoa(uint32(b.Database)) + "/" + number
}

// addRelation reads what a captured path says: tablespace, database, relfilenode, fork, or the WAL
// segment or SLRU segment.
func addRelation(captures map[string]string) {
	path := captures["rel"]
	if path == "" {
		path = captures["file"]
	}
	var space, database, number, fork string
	switch {
	case basePath.MatchString(path):
		m := basePath.FindStringSubmatch(path)
		space, database, number, fork = strconv.Itoa(defaultTablespace), m[1], m[2], m[3]
	case globalPath.MatchString(path):
		m := globalPath.FindStringSubmatch(path)
		space, database, number, fork = strconv.Itoa(globalTablespace), "0", m[1], m[2]
	case spacePath.MatchString(path):
		m := spacePath.FindStringSubmatch(path)
		space, database, number, fork = m[1], m[2], m[3], m[4]
	case walFile.MatchString(path):
		put(captures, "segment", walFile.FindStringSubmatch(path)[1])
		return
	case slruSegment.MatchString(path):
		put(captures, "segment", slruSegment.FindStringSubmatch(path)[1])
		return
	default:
		return
	}
	put(captures, "rel", path)
	put(captures, "tablespace", space)
	put(captures, "database", database)
	put(captures, "relfilenode", number)
	put(captures, "fork", fork)
}

func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
