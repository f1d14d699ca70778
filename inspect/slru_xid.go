package inspect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruXID is what the SLRU directories know of a transaction.
type slruXID struct {
	XID        pgdisk.XID   `json:"xid"`
	Status     string       `json:"status,omitempty"` // empty when it cannot be read
	Place      slruPlace    `json:"place"`
	Bit        int          `json:"bit"` // the lower of the two bits, from the lowest of the byte
	Prepared   bool         `json:"prepared"`
	Ancestors  []pgdisk.XID `json:"ancestors,omitempty"` // the parent first
	CommitTime string       `json:"commit_time,omitempty"`
	Origin     uint16       `json:"origin"`
	Notes      []string     `json:"notes,omitempty"`
	Findings   []string     `json:"findings,omitempty"`
}

// slruPlace is where an entry lies.
type slruPlace struct {
	File string `json:"file"`
	Page uint64 `json:"page"` // counted across files
	Byte int64  `json:"byte"` // in the file
}

// SLRUTransaction tells what is known of a transaction: status, ancestors, time of the commit,
// and where the two bits of its status lie. What cannot be read although it should be there
// counts as a finding.
func SLRUTransaction(src SLRUSource, x pgdisk.XID, asJSON bool, w io.Writer) (findings int, err error) {
	pages := pgdisk.NewSLRUFiles(src.FS)
	l := pgdisk.XactGeometry().Locate(uint64(x))
	a := &slruXID{XID: x, Bit: int(l.Entry%4) * 2, Place: slruPlace{File: l.Path(), Page: uint64(l.Page), Byte: l.PageByte + int64(l.Entry/4)}}
	a.placeAmongIDs(src)
	if src.has(pgdisk.XactGeometry().Dir) {
		a.readStatus(src, pages)
	}
	if src.has(pgdisk.SubtransGeometry().Dir) {
		a.readAncestors(pages)
	}
	if src.has(pgdisk.CommitTsGeometry().Dir) {
		a.readCommitTs(src, pages)
	}
	p := newSLRUPrinter(w, asJSON)
	if asJSON {
		p.object(a)
	} else {
		a.print(p)
	}
	return len(a.Findings), p.err
}

// placeAmongIDs compares with pg_control.
func (a *slruXID) placeAmongIDs(src SLRUSource) {
	if src.control() == nil || !a.XID.Normal() {
		return
	}
	c := src.control().CheckpointCopy
	switch {
	case a.XID.Precedes(c.OldestXID):
		a.Notes = append(a.Notes, fmt.Sprintf("older than oldestXID %d: nothing that is not frozen belongs to it any more", c.OldestXID))
	case a.XID.Precedes(c.NextXID.XID()):
	case src.clean():
		a.Notes = append(a.Notes, fmt.Sprintf("not given out yet: NextXID is %d", c.NextXID.XID()))
	default:
		a.Notes = append(a.Notes, fmt.Sprintf("not given out at the last checkpoint, where NextXID was %d", c.NextXID.XID()))
	}
}

func (a *slruXID) readStatus(src SLRUSource, pages pgdisk.SLRUPages) {
	status, err := pgdisk.ReadXactStatus(pages, a.XID)
	if err != nil {
		a.Findings = append(a.Findings, err.Error())
		return
	}
	a.Status = status.String()
	a.Prepared = slruPrepared(src, a.XID)
	switch {
	case a.Prepared:
		a.Notes = append(a.Notes, "prepared: it waits for COMMIT PREPARED or ROLLBACK PREPARED")
	case status == pgdisk.XactInProgress && src.clean():
		a.Notes = append(a.Notes, "the server was stopped in order, so nothing is in progress: it did not commit")
	case status == pgdisk.XactInProgress:
		a.Notes = append(a.Notes, "unless a server runs or replay finds its commit, it did not commit")
	}
}

// slruPrepared looks for the state file of a prepared transaction: the id in 8 hexadecimal
// digits, from 17 on the full id in 16 (TwoPhaseFilePath, access/transam/twophase.c).
func slruPrepared(src SLRUSource, x pgdisk.XID) bool {
	entries, _ := fs.ReadDir(src.FS, "pg_twophase") // without the directory nothing is known to be prepared
	for _, e := range entries {
		n, err := strconv.ParseUint(e.Name(), 16, 64)
		if err == nil && (len(e.Name()) == 8 || len(e.Name()) == 16) && pgdisk.XID(n) == x {
			return true
		}
	}
	return false
}

// readAncestors says nothing of a page that is not there: the server removes old ones.
func (a *slruXID) readAncestors(pages pgdisk.SLRUPages) {
	var err error
	a.Ancestors, err = pgdisk.SubtransChain(pages, a.XID)
	var format *pgdisk.FormatError
	if errors.As(err, &format) {
		a.Findings = append(a.Findings, format.Error())
	}
	if a.Status == pgdisk.XactSubCommitted.String() && len(a.Ancestors) == 0 {
		a.Notes = append(a.Notes, "its parent decides, and pg_subtrans does not know it: it did not commit unless replay finds the commit")
	}
}

func (a *slruXID) readCommitTs(src SLRUSource, pages pgdisk.SLRUPages) {
	if src.control() != nil {
		c := src.control().CheckpointCopy
		tracked := c.OldestCommitTsXID.Normal() && !a.XID.Precedes(c.OldestCommitTsXID) &&
			(!src.clean() || !c.NewestCommitTsXID.Precedes(a.XID))
		if !tracked {
			return
		}
	}
	ts, err := pgdisk.ReadCommitTs(pages, a.XID)
	switch {
	case err != nil && src.control() != nil && !src.Control.CheckpointCopy.NewestCommitTsXID.Precedes(a.XID):
		a.Findings = append(a.Findings, err.Error())
	case err == nil && ts.Kept():
		a.CommitTime, a.Origin = ts.Time().Format(time.RFC3339Nano), uint16(ts.Origin)
	}
}

func (a *slruXID) print(p *slruPrinter) {
	p.line("transaction %d: %s", a.XID, slruOr(a.Status, "not to be read"))
	p.line("  status: %s, page %d, byte %d, bits %d and %d", a.Place.File, a.Place.Page, a.Place.Byte, a.Bit, a.Bit+1)
	if len(a.Ancestors) > 0 {
		var words []string
		for _, x := range a.Ancestors {
			words = append(words, strconv.FormatUint(uint64(x), 10))
		}
		p.line("  subtransaction of %s", strings.Join(slruListed(words), ", of "))
	}
	if a.CommitTime != "" {
		p.line("  committed at %s, origin %d", a.CommitTime, a.Origin)
	}
	for _, f := range a.Findings {
		p.line("  FINDING %s", f)
	}
	for _, n := range a.Notes {
		p.line("  note %s", n)
	}
}

func slruOr(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
