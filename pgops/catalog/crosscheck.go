package catalog

import (
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// crossCheck looks for rows of catalogs that contradict each other. Without checksums a flipped
// bit in one is seen by nothing else, and makes a table or a column vanish without a word, or
// be read as what it is not.
func (l *loader) crossCheck() {
	missing := map[string]bool{}
	for _, r := range l.d.Relations {
		l.checkPlace(r, missing)
		l.checkKind(r)
		if r.Kind != KindIndex && r.Kind != KindPartitionedIndex { // whose columns have the types of the operator class
			l.checkColumns(r)
		}
	}
}

// checkPlace looks at the schema of a relation and the file that it shares with no other.
func (l *loader) checkPlace(r *Relation, missing map[string]bool) {
	if _, ok := l.schemas[l.classes[r.OID].row.namespace]; !ok && !missing[r.Schema] {
		missing[r.Schema] = true
		l.found.file("", "pg_namespace has no row for schema %s, in which %s is", r.Schema, r.Name)
	}
	if r.File.Number == 0 {
		return
	}
	if other, ok := l.d.ByFile(r.File); ok && other != r {
		l.doubt(r, fmt.Sprintf("it has the same file as %s.%s: one of them has rows that are not its own", other.Schema, other.Name))
		l.doubt(other, fmt.Sprintf("it has the same file as %s.%s: one of them has rows that are not its own", r.Schema, r.Name))
	}
}

// checkKind looks at relkind and relpersistence, which make a table pass for something that
// has no rows to keep.
func (l *loader) checkKind(r *Relation) {
	c := l.classes[r.OID].row
	switch r.Kind {
	case KindTable, KindIndex, KindSequence, KindToast, KindMatview:
	case KindView, KindComposite, KindForeign, KindPartitioned, KindPartitionedIndex:
		if c.file != 0 {
			l.doubt(r, fmt.Sprintf("relkind is %q, which has no file, and relfilenode is %d", r.Kind, c.file))
		}
	default:
		l.doubt(r, fmt.Sprintf("relkind is %q, which there is not", r.Kind))
	}
	temporary := strings.HasPrefix(r.Schema, "pg_temp_") || strings.HasPrefix(r.Schema, "pg_toast_temp_")
	switch r.Persistence {
	case 'p', 'u', 't':
		if temporary != (r.Persistence == 't') {
			l.doubt(r, fmt.Sprintf("relpersistence is %q in schema %s", r.Persistence, r.Schema))
		}
	default:
		l.doubt(r, fmt.Sprintf("relpersistence is %q, which there is not", r.Persistence))
	}
}

// checkColumns compares columns with their types (pg_attribute has copies of what decides how
// a row is taken apart) and with relnatts.
func (l *loader) checkColumns(r *Relation) {
	if n := int(l.classes[r.OID].row.natts); n < len(r.Columns) {
		l.doubt(r, fmt.Sprintf("pg_attribute has %d columns, and relnatts is %d", len(r.Columns), n))
	}
	for i := range r.Columns {
		if why := columnProblem(&r.Columns[i]); why != "" {
			l.doubt(r, fmt.Sprintf("column %d (%s): %s", r.Columns[i].Num, r.Columns[i].Name, why))
		}
	}
}

// columnProblem says what of a column cannot be.
func columnProblem(c *values.Column) string {
	const dropped = "........pg.dropped." // ChooseDroppedName: RemoveAttributeById, catalog/heap.c
	switch gone := strings.HasPrefix(c.Name, dropped); {
	case c.Dropped != gone || c.Dropped != (c.TypeOID == 0):
		return fmt.Sprintf("attisdropped is %v, and the type is %d: it was dropped only if it has none", c.Dropped, c.TypeOID)
	case c.Dropped:
		return ""
	case c.Generated != 0 && c.Generated != 's' && c.Generated != 'v':
		return fmt.Sprintf("attgenerated is %q, which there is not", c.Generated)
	case c.Type != nil && (c.Len != c.Type.Len || c.Align != c.Type.Align || c.ByVal != c.Type.ByVal):
		return fmt.Sprintf("attlen, attalign and attbyval are %d, %q and %v, and those of its type %s are %d, %q and %v",
			c.Len, c.Align, c.ByVal, c.Type.Name, c.Type.Len, c.Type.Align, c.Type.ByVal)
	}
	return ""
}

// checkPages compares relpages, which VACUUM, ANALYZE and CREATE INDEX set, with the files. A
// relation gets shorter by TRUNCATE and by VACUUM alone, and both set it anew; an unlogged one
// also by recovery, which does not. VACUUM FULL of a mapped catalog, pg_class among them,
// leaves its old count behind.
func (l *loader) checkPages(r *Relation) {
	if r.File.Number == 0 || r.Mapped || r.Persistence != 'p' || r.Pages <= 0 || len(r.Files) == 0 {
		return
	}
	blocks := int64(0)
	for _, f := range r.Files {
		if f.Fork == pgdisk.MainFork {
			blocks += f.Size / pgdisk.BlockSize
		}
	}
	if blocks < int64(r.Pages) {
		l.found.file(r.File.Path(), "%s.%s had %d blocks when it was last counted, and has %d: the file was cut", r.Schema, r.Name, r.Pages, blocks)
	}
}

// doubt marks a relation and reports why.
func (l *loader) doubt(r *Relation, why string) {
	l.found.file("", "%s.%s: %s", r.Schema, r.Name, why)
	if r.Doubt == "" {
		r.Doubt = why
	}
}
