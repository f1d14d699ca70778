package inspect

import (
	"bufio"
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/pgrescue/pgrescue/pgops/catalog"
)

// relationKind gives relkind in words.
func relationKind(kind byte) string {
	switch kind {
	case catalog.KindTable:
		return "table"
	case catalog.KindIndex:
		return "index"
	case catalog.KindSequence:
		return "sequence"
	case catalog.KindToast:
		return "TOAST table"
	case catalog.KindView:
		return "view"
	case catalog.KindMatview:
		return "materialized view"
	case catalog.KindComposite:
		return "composite type"
	case catalog.KindForeign:
		return "foreign table"
	case catalog.KindPartitioned:
		return "partitioned table"
	case catalog.KindPartitionedIndex:
		return "partitioned index"
	}
	return fmt.Sprintf("relation of kind %q", kind)
}

func persistence(p byte) string {
	switch p {
	case 'p':
		return "permanent"
	case 'u':
		return "unlogged"
	case 't':
		return "temporary"
	}
	return fmt.Sprintf("%q", p)
}

func partitionStrategy(s byte) string {
	switch s {
	case 'l':
		return "list"
	case 'r':
		return "range"
	case 'h':
		return "hash"
	}
	return fmt.Sprintf("%q", s)
}

// replicaIdentity gives relreplident in words, nothing for the default.
func replicaIdentity(r *catalog.Relation) string {
	switch r.ReplicaIdentity {
	case 'f':
		return "full"
	case 'i':
		return "index"
	case 'n':
		if !r.System() && r.Kind == catalog.KindTable {
			return "nothing"
		}
	}
	return ""
}

func constraintKind(k byte) string {
	switch k {
	case 'c':
		return "check"
	case 'f':
		return "foreign key"
	case 'n':
		return "not null"
	case 'p':
		return "primary key"
	case 'u':
		return "unique"
	case 't':
		return "trigger"
	case 'x':
		return "exclusion"
	}
	return fmt.Sprintf("kind %q", k)
}

// flagWord gives attidentity and attgenerated as they are, nothing for none.
func flagWord(b byte) string {
	if b == 0 {
		return ""
	}
	return string(rune(b))
}

// catalogName is a qualified name as SQL wants it.
func catalogName(schema, name string, major int) string {
	return catalog.QuoteIdentifier(schema, major) + "." + catalog.QuoteIdentifier(name, major)
}

// displayName keeps a name from moving the cursor of a terminal: with control characters it
// is shown as Go quotes it.
func displayName(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

func displayNames(names []string) string {
	shown := make([]string, len(names))
	for i, n := range names {
		shown[i] = displayName(cmp.Or(n, "(expression)"))
	}
	return strings.Join(shown, ", ")
}

func doubtText(doubt string) string {
	if doubt == "" {
		return ""
	}
	return "  DOUBTFUL: " + displayName(doubt)
}

// flags joins the words whose condition holds.
func flags(words ...string) string {
	var s string
	for _, w := range words {
		if w != "" {
			s += ", " + w
		}
	}
	return s
}

func when(cond bool, word string) string {
	if cond {
		return word
	}
	return ""
}

func (r catalogCluster) text(w *bufio.Writer) {
	fmt.Fprintf(w, "PostgreSQL %d, system identifier %d, %s\n", r.Major, r.SystemIdentifier, cmp.Or(r.State, "state not known"))
}

func (r catalogTablespace) text(w *bufio.Writer) {
	fmt.Fprintf(w, "tablespace %s (%d), owner %s, %s%s\n", displayName(r.Name), r.OID, displayName(r.Owner), r.Dir, doubtText(r.Doubt))
}

func (r catalogRole) text(w *bufio.Writer) {
	fmt.Fprintf(w, "role %s (%d)%s%s\n", displayName(r.Name), r.OID, flags(when(r.Superuser, "superuser"), when(r.Login, "login")), doubtText(r.Doubt))
}

func (r catalogDatabase) text(w *bufio.Writer) {
	fmt.Fprintf(w, "\ndatabase %s (%d), owner %s, %s, collate %s, ctype %s, %s%s\n", displayName(r.Name), r.OID, displayName(r.Owner),
		r.Encoding, displayName(r.Collate), displayName(r.CType), r.Dir, doubtText(r.Doubt))
	fmt.Fprintf(w, "  %d relations, %d bytes%s\n", r.Relations, r.Size, flags(when(r.Orphans > 0, fmt.Sprintf("%d files that no relation has", r.Orphans)),
		when(r.Template, "template"), when(!r.AllowConn, "no connections allowed")))
}

func (r catalogSchema) text(w *bufio.Writer) {
	fmt.Fprintf(w, "  schema %s (%d), owner %s%s\n", displayName(r.Name), r.OID, displayName(r.Owner), doubtText(r.Doubt))
}

func (r catalogExtension) text(w *bufio.Writer) {
	fmt.Fprintf(w, "  extension %s (%d), version %s, schema %s\n", displayName(r.Name), r.OID, displayName(r.Version), displayName(r.Schema))
}

func (r catalogOrphan) text(w *bufio.Writer) {
	fmt.Fprintf(w, "  no relation has %s, %d bytes\n", r.File, r.Size)
}

func (r catalogProblem) text(w *bufio.Writer) {
	fmt.Fprintf(w, "  PROBLEM %s\n", displayName(r.full))
}

func (r catalogRelation) text(w *bufio.Writer) {
	fmt.Fprintf(w, "  %s %s (%d)%s, owner %s", r.Kind, displayName(r.quoted), r.OID,
		flags(when(r.Persistence != "permanent", r.Persistence), when(r.AccessMethod != "heap", r.AccessMethod)), displayName(r.Owner))
	if r.File != "" {
		fmt.Fprintf(w, ", %s, %d bytes", r.File, r.Size)
		if r.Tablespace != "pg_default" && r.Tablespace != "pg_global" {
			fmt.Fprintf(w, ", tablespace %s", displayName(r.Tablespace))
		}
	}
	fmt.Fprintf(w, "%s%s\n", flags(when(r.Identity != "", "replica identity "+r.Identity), when(r.NoData, "without data")), doubtText(r.Doubt))
	if len(r.Parents) > 0 {
		word := when(r.Partition, "partition of") + when(!r.Partition, "inherits")
		fmt.Fprintf(w, "    %s %s%s\n", word, displayNames(r.Parents), when(r.Detaching, ", being detached"))
	}
	if r.Partitioned != "" {
		fmt.Fprintf(w, "    partitioned by %s\n", displayName(r.Partitioned))
	}
	r.textColumns(w)
	for _, i := range r.Indexes {
		fmt.Fprintf(w, "    index %s (%d), %s (%s)%s", displayName(i.Name), i.OID, i.Method, displayNames(i.Columns),
			flags(when(i.Primary, "primary key"), when(i.Unique && !i.Primary, "unique"), when(len(i.Included) > 0, "including "+displayNames(i.Included)),
				when(i.Partial, "partial"), when(!i.Valid, "NOT VALID")))
		fmt.Fprintf(w, "%s%s\n", when(i.File != "", fmt.Sprintf(", %s, %d bytes", i.File, i.Size)), doubtText(i.Doubt))
	}
	for _, c := range r.Constraints {
		fmt.Fprintf(w, "    constraint %s, %s (%s)%s%s\n", displayName(c.Name), c.Kind, displayNames(c.Columns),
			flags(when(c.Refers != "", "references "+displayName(c.Refers)), when(!c.Validated, "not validated")), doubtText(c.Doubt))
	}
	r.textStorage(w)
}

func (r catalogRelation) textColumns(w *bufio.Writer) {
	for _, c := range r.Columns {
		if c.Dropped {
			fmt.Fprintf(w, "    %4d dropped\n", c.Num)
			continue
		}
		fmt.Fprintf(w, "    %4d %s %s%s\n", c.Num, c.display, displayName(c.Type),
			flags(when(c.NotNull, "not null"), when(c.Identity != "", "identity"), when(c.Generated != "", "generated"),
				when(c.Missing, "older rows have the value of its default")))
	}
}

func (r catalogRelation) textStorage(w *bufio.Writer) {
	if s := r.Sequence; s != nil {
		state := "last value not readable: " + displayName(s.Why)
		if s.Last != nil {
			state = fmt.Sprintf("last value %d%s", *s.Last, when(!s.IsCalled, ", not called"))
		}
		fmt.Fprintf(w, "    %s, %s, start %d, increment %d, from %d to %d, cache %d%s\n", state, s.Type, s.Start, s.Increment, s.Min, s.Max, s.Cache, when(s.Cycle, ", cycles"))
	}
	if t := r.Toast; t != nil {
		fmt.Fprintf(w, "    TOAST table %s (%d)%s\n", t.Name, t.OID, when(t.File != "", fmt.Sprintf(", %s, %d bytes", t.File, t.Size)))
	}
	for _, f := range r.Files {
		fmt.Fprintf(w, "    file %s, %s fork, %d bytes\n", f.File, f.Fork, f.Size)
	}
}
