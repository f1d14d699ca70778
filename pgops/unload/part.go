package unload

import "github.com/pgrescue/pgrescue/pgops/pgdisk"

// partSize is how much output a worker gathers before it hands it on.
const partSize = 1 << 20

// part is output of one chunk, each stream in order. A chunk is one part, or several when
// its values are long.
type part struct {
	rows, dead, damaged, notes []byte
	end                        *chunkEnd // of the last part
}

// chunkEnd is what a chunk comes to.
type chunkEnd struct {
	counts      Counts
	bad         []BadPage
	zeros       []span             // runs of pages that are all zeroes
	lastWritten pgdisk.BlockNumber // the last page that is not
	written     bool               // there is one
}

func (p *part) size() int { return len(p.rows) + len(p.dead) + len(p.damaged) + len(p.notes) }

func (p *part) reset() {
	p.rows, p.dead, p.damaged, p.notes, p.end = p.rows[:0], p.dead[:0], p.damaged[:0], p.notes[:0], nil
}

// keep reports whether the part's memory is worth keeping: one that a huge value has blown
// up is not.
func (p *part) keep() bool {
	return cap(p.rows)+cap(p.dead)+cap(p.damaged)+cap(p.notes) <= 8*partSize
}

// Counts is what became of the tuples of a table.
type Counts struct {
	Rows        int64 `json:"rows"`             // written to the table's file
	Doubtful    int64 `json:"doubtful"`         // tuples whose fate is not proved; those taken as visible are among Rows
	Deleted     int64 `json:"deleted"`          // not written: deleted, or an older version
	NotInserted int64 `json:"not_inserted"`     // not written: the transaction did not commit
	Dead        int64 `json:"dead_written"`     // of Deleted and NotInserted, written to the file of dead rows
	Damaged     int64 `json:"damaged"`          // visible rows that cannot be trusted or not be printed whole, in the file of damaged rows
	Broken      int64 `json:"broken"`           // tuples and line pointers that do not hold together, in the notes
	BadPages    int64 `json:"bad_pages"`        // pages that do not hold together or fail their checksum
	LostBlocks  int64 `json:"lost_blocks"`      // blocks that are missing, also at the end, cannot be read, or are zeroes and not known to be new
	NewPages    int64 `json:"new_pages"`        // pages of zeroes that were allocated and never used
	BadValues   int64 `json:"undecoded_values"` // kept as hex, in whichever file
}

// Add adds up.
func (c *Counts) Add(d Counts) {
	c.Rows += d.Rows
	c.Doubtful += d.Doubtful
	c.Deleted += d.Deleted
	c.NotInserted += d.NotInserted
	c.Dead += d.Dead
	c.Damaged += d.Damaged
	c.Broken += d.Broken
	c.BadPages += d.BadPages
	c.LostBlocks += d.LostBlocks
	c.NewPages += d.NewPages
	c.BadValues += d.BadValues
}

// Clean reports that everything was read and nothing is in doubt.
func (c Counts) Clean() bool {
	return c.Doubtful == 0 && c.Damaged == 0 && c.Broken == 0 && c.BadPages == 0 && c.LostBlocks == 0 && c.BadValues == 0
}

// BadPage is a run of pages with one thing wrong.
type BadPage struct {
	span
	Reason string `json:"reason"`
}
