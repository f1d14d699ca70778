package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// WALFilter chooses records; every part that is set must hold. The parts about blocks must
// hold for one and the same block of the record, as in pg_waldump.
type WALFilter struct {
	Managers  []pgdisk.RmgrID
	XID       pgdisk.XID // in the record's header; 0 = any
	Relations []pgdisk.WALRelation
	Block     *pgdisk.BlockNumber
	Fork      *pgdisk.WALFork
	FullPage  bool // with a page image
}

// empty reports whether every record matches.
func (f *WALFilter) empty() bool {
	return f.XID == 0 && f.Managers == nil && !f.FullPage && !f.byBlock()
}

// byBlock reports whether a block must match.
func (f *WALFilter) byBlock() bool { return f.Relations != nil || f.Block != nil || f.Fork != nil }

func (f *WALFilter) match(rec *pgdisk.WALRecord) bool {
	if f.XID != 0 && rec.XID != f.XID {
		return false
	}
	if f.Managers != nil && !slices.Contains(f.Managers, rec.Rmid) {
		return false
	}
	if f.FullPage && !slices.ContainsFunc(rec.Blocks, func(b pgdisk.WALBlockRef) bool { return b.HasImage }) {
		return false
	}
	if !f.byBlock() {
		return true
	}
	for i := range rec.Blocks {
		if f.matchBlock(&rec.Blocks[i]) {
			return true
		}
	}
	return false
}

func (f *WALFilter) matchBlock(b *pgdisk.WALBlockRef) bool {
	return (f.Relations == nil || slices.Contains(f.Relations, b.Rel)) &&
		(f.Block == nil || b.Block == *f.Block) &&
		(f.Fork == nil || b.Fork == *f.Fork)
}

// ParseWALRelation reads TABLESPACE/DATABASE/RELATION, three file numbers as pg_waldump
// prints them. Only the database may be 0.
func ParseWALRelation(s string) (pgdisk.WALRelation, error) {
	var ids [3]uint32
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return pgdisk.WALRelation{}, fmt.Errorf("relation %q: want TABLESPACE/DATABASE/RELATION, such as 1663/5/16384", s)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil || n == 0 && i != 1 {
			return pgdisk.WALRelation{}, fmt.Errorf("relation %q: %q is no object id", s, part)
		}
		ids[i] = uint32(n)
	}
	return pgdisk.WALRelation{Tablespace: pgdisk.OID(ids[0]), Database: pgdisk.OID(ids[1]), Number: pgdisk.OID(ids[2])}, nil
}

// ParseWALFork reads the name of a fork.
func ParseWALFork(s string) (pgdisk.WALFork, error) {
	for f := range pgdisk.WALFork(4) {
		if s == f.String() {
			return f, nil
		}
	}
	return 0, fmt.Errorf("fork %q: want main, fsm, vm or init", s)
}

// WALManagerNames lists the resource managers of PostgreSQL itself.
func WALManagerNames() []string {
	var names []string
	for id := range pgdisk.RmgrLogicalMessage + 1 {
		names = append(names, id.String())
	}
	return names
}

// ParseWALManager reads the name of a resource manager in any case, custom128 to custom255
// for those of extensions.
func ParseWALManager(s string) (pgdisk.RmgrID, error) {
	for id := range 256 {
		name := pgdisk.RmgrID(id).String()
		if strings.EqualFold(s, name) && !strings.HasPrefix(name, "unknown") {
			return pgdisk.RmgrID(id), nil
		}
	}
	return 0, fmt.Errorf("resource manager %q does not exist: %s, or custom128 to custom255", s, strings.Join(WALManagerNames(), ", "))
}
