package unload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// plan is everything that a run will write, in order.
type plan struct {
	cluster   ClusterID
	warnings  []string
	databases []*plannedDatabase
	tables    []*table
	skipped   []SkippedReport
	problems  []Note // of the cluster and its dictionaries
	bytes     int64  // of the tables' files
}

// plannedDatabase is a database with what is written beside its tables.
type plannedDatabase struct {
	*database
	dir       string // in the output
	sequences []sequence
}

// sequence is a sequence whose state is to be read.
type sequence struct {
	oid          pgdisk.OID
	schema, name string
	files        relFiles
}

// plannedTable is what of a table must not change between two runs.
type plannedTable struct {
	Database pgdisk.OID
	OID      pgdisk.OID
	Source   string
	Sizes    []int64
	Columns  []string
	Paths    []string
}

// digest tells this plan from others.
func (p *plan) digest() (string, error) {
	sum := sha256.New()
	enc := json.NewEncoder(sum)
	for _, t := range p.tables {
		planned := plannedTable{Database: t.database.oid, OID: t.oid, Source: t.files.path(0), Paths: []string{t.paths.rows, t.paths.dead, t.paths.damaged}}
		for _, s := range t.files.segments {
			planned.Sizes = append(planned.Sizes, int64(s.number), s.size)
		}
		for _, c := range t.columns {
			planned.Columns = append(planned.Columns, fmt.Sprintf("%s %d %d %v %c", c.Name, c.TypeOID, c.Typmod, c.Dropped, c.Generated))
		}
		if err := enc.Encode(planned); err != nil {
			return "", fmt.Errorf("digest of the plan: %w", err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// notes are what is known of a table before it is read.
func (t *table) notes() []Note {
	var notes []Note
	add := func(n Note) {
		n.Database, n.Table = t.database.charset.shared(t.database.name), t.title()
		notes = append(notes, n)
	}
	if !t.files.there() {
		add(Note{Kind: NoteTable, Reason: fmt.Sprintf("its file %s is missing: no rows", t.files.path(0))})
	}
	if t.report.Doubt != "" {
		add(Note{Kind: NoteTable, Reason: "its row in the dictionary is in doubt: " + t.report.Doubt})
	}
	if t.report.Unlogged {
		add(Note{Kind: NoteTable, Reason: "it is unlogged: a server would empty it after a crash"})
	}
	for _, c := range t.printed {
		if c.opaque != "" {
			add(Note{Kind: NoteColumn, Column: t.database.charset.string(t.columns[c.index].Name), Reason: "its values are written as hex: " + c.opaque})
		}
	}
	return notes
}
