package unload

import (
	"encoding/json"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Kinds of notes.
const (
	NotePage      = "page"      // a page, or a run of them
	NoteTuple     = "tuple"     // a tuple or line pointer that does not hold together: Hex is all of it
	NoteRow       = "row"       // a row that went to the file of damaged rows
	NoteValue     = "value"     // a value that could not be printed: Hex is what lies in the tuple
	NoteDoubt     = "doubt"     // a tuple whose fate is not proved
	NoteColumn    = "column"    // a column whose type cannot be printed: all its values are hex
	NoteTable     = "table"     // a whole table
	NoteDatabase  = "database"  // a database, or its dictionary
	NoteDeadValue = "deadvalue" // a value of a dead row, whose parts may be gone by right
)

// Note is a line of notes.jsonl: one thing that was not as it should be, and where.
type Note struct {
	Kind     string              `json:"kind"`
	Database string              `json:"database,omitempty"`
	Table    string              `json:"table,omitempty"` // SCHEMA.NAME
	Block    *pgdisk.BlockNumber `json:"block,omitempty"`
	Blocks   uint32              `json:"blocks,omitempty"` // of a run of pages
	Item     uint16              `json:"item,omitempty"`   // line pointer, from 1
	Column   string              `json:"column,omitempty"`
	Reason   string              `json:"reason"`
	Hex      string              `json:"hex,omitempty"`
}

// append adds the note as a line.
func (n Note) append(dst []byte) []byte {
	b, err := json.Marshal(n)
	if err != nil { // strings and numbers always marshal
		panic(err)
	}
	return append(append(dst, b...), '\n')
}
