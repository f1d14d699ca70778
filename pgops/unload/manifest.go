package unload

import (
	"encoding/json"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Manifest says what was read and what came of it (manifest.json).
type Manifest struct {
	Cluster   ClusterID        `json:"cluster"`
	Warnings  []string         `json:"warnings,omitempty"` // what holds for everything below
	Options   OptionsID        `json:"options"`
	Started   time.Time        `json:"started"`
	Finished  time.Time        `json:"finished"`
	Totals    Counts           `json:"totals"`
	Problems  int              `json:"problems"` // of dictionaries, sequences and databases, in the notes
	Notes     FileReport       `json:"notes"`
	Databases []DatabaseReport `json:"databases"`
	Tables    []TableReport    `json:"tables"`
	Skipped   []SkippedReport  `json:"skipped,omitempty"`
}

// ClusterID tells one state of one cluster from others.
type ClusterID struct {
	SystemIdentifier string `json:"system_identifier"` // of pg_control; empty when that is lost
	Major            int    `json:"major"`
	State            string `json:"state"`      // of pg_control, such as "shut down"
	Checkpoint       string `json:"checkpoint"` // LSN of the latest checkpoint
	CheckpointTime   string `json:"checkpoint_time,omitempty"`
}

// OptionsID is the options that decide what the output is.
type OptionsID struct {
	Format    Format   `json:"format"`
	Databases []string `json:"databases,omitempty"`
	Tables    []string `json:"tables,omitempty"`
	Dead      bool     `json:"dead,omitempty"`
	System    bool     `json:"system,omitempty"`
	TimeZone  string   `json:"timezone"`
	NoXact    bool     `json:"no_xact,omitempty"`
}

// String is the JSON of the options.
func (o OptionsID) String() string {
	b, err := json.Marshal(o)
	if err != nil { // strings and booleans always marshal
		panic(err)
	}
	return string(b)
}

// FileReport is a file of the output.
type FileReport struct {
	Name   string `json:"name"` // relative to the manifest
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// DatabaseReport is a database whose tables were written.
type DatabaseReport struct {
	Name      string      `json:"name"`
	OID       pgdisk.OID  `json:"oid"`
	Encoding  string      `json:"encoding"`            // of the bytes in copy and csv files: \encoding of psql
	Converted bool        `json:"converted,omitempty"` // jsonl: the text was converted to UTF-8
	Sequences *FileReport `json:"sequences,omitempty"`
}

// TableReport is a table that was written.
type TableReport struct {
	Database    string         `json:"database"`
	Schema      string         `json:"schema"`
	Name        string         `json:"name"`
	OID         pgdisk.OID     `json:"oid"`
	Kind        string         `json:"kind"` // table, partition, materialized view, system table
	PartitionOf string         `json:"partition_of,omitempty"`
	Inherits    []string       `json:"inherits,omitempty"`
	Doubt       string         `json:"doubt,omitempty"`    // why it is not sure that the table is like this
	Unlogged    bool           `json:"unlogged,omitempty"` // a server would empty it after a crash
	Source      string         `json:"source"`             // the table's first file, in the data directory
	Blocks      int64          `json:"blocks"`             // that are there
	Columns     []ColumnReport `json:"columns"`
	Counts
	Bad         []BadPage   `json:"bad,omitempty"`       // pages in trouble, the first of them if there are many
	BadMore     int         `json:"bad_more,omitempty"`  // runs of bad pages beyond those listed; the notes have all
	RowsFile    *FileReport `json:"rows_file"`           // the good rows
	DeadFile    *FileReport `json:"dead_file,omitempty"` // rows that are not visible
	DamagedFile *FileReport `json:"damaged_file,omitempty"`
}

// ColumnReport is a column as it was written.
type ColumnReport struct {
	Name string `json:"name"`
	Type string `json:"type"`          // SCHEMA.NAME
	Hex  string `json:"hex,omitempty"` // why its values are the stored bytes in hex
}

// SkippedReport is a relation that has no file in the output, and why.
type SkippedReport struct {
	Database string `json:"database"`
	Schema   string `json:"schema"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Reason   string `json:"reason"`
}

// Clean reports that everything was read and nothing is in doubt.
func (m *Manifest) Clean() bool { return m.Totals.Clean() && m.Problems == 0 && !m.opaque() }

func (m *Manifest) opaque() bool {
	for _, t := range m.Tables {
		for _, c := range t.Columns {
			if c.Hex != "" {
				return true
			}
		}
	}
	return false
}

// maxBadPages bounds the list of a table's bad pages in manifest and state.
const maxBadPages = 1000

// appendBadPage adds a page to the list, or to the run at its end.
func appendBadPage(list []BadPage, p BadPage) []BadPage {
	if n := len(list); n > 0 && list[n-1].Reason == p.Reason && list[n-1].First+pgdisk.BlockNumber(list[n-1].Count) == p.First {
		list[n-1].Count += p.Count
		return list
	}
	return append(list, p)
}
