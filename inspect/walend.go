package inspect

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Ends that are none of the WAL's own (pgdisk.WALEndKind names those).
const (
	walStopped   = "stopped"     // as far as was asked; what follows was not looked at
	walEndOfFile = "end of file" // the one file that was given is read to its end
	walAbsent    = "absent"      // there is not one record where reading begins
	walTooShort  = "too short"   // pg_control's checkpoint is not reached
)

// walTime is how times are printed: as PostgreSQL does, in UTC.
const walTime = "2006-01-02 15:04:05.000000 UTC"

// WALEnd is how a reading of WAL ended; the last object of --json.
type WALEnd struct {
	Kind     string `json:"kind"`   // end
	State    string `json:"state"`  // clean, torn, damaged, gap, unreadable, foreign; stopped, end of file, absent, too short
	Lossy    bool   `json:"lossy"`  // starting a server on this WAL loses something that is, or may be, there
	Reason   string `json:"reason"` // the same for people
	StartLSN string `json:"start_lsn"`
	LSN      string `json:"lsn"` // end of the last valid record
	Timeline uint32 `json:"timeline"`
	Major    int    `json:"major"`
	SystemID string `json:"system_identifier"`
	Records  uint64 `json:"records"` // valid ones read
	Shown    uint64 `json:"shown"`   // of these and those behind damage, what the filters chose

	BadImages int `json:"bad_images,omitempty"` // page images that could not be restored, with --save-fullpage

	LastRecord    string        `json:"last_record,omitempty"`
	Stop          *walStopJSON  `json:"stop,omitempty"`
	ResumeLSN     string        `json:"resume_lsn,omitempty"` // first valid record behind the end
	BeyondLSN     string        `json:"beyond_lsn,omitempty"` // end of the last one
	RecordsBeyond uint64        `json:"records_beyond,omitempty"`
	CommitsBeyond uint64        `json:"commits_beyond,omitempty"`
	Commits       []walLostJSON `json:"commits,omitempty"` // the first 1000 of these
	Gaps          []walGapJSON  `json:"gaps,omitempty"`    // the first 1000
	ZeroFrom      string        `json:"zero_from,omitempty"`
	ZeroTo        string        `json:"zero_to,omitempty"`
}

// walStopJSON is where and why reading ended.
type walStopJSON struct {
	LSN   string `json:"lsn"`
	Page  string `json:"page"`
	Cause string `json:"cause"`
	Text  string `json:"text"`
}

// walLostJSON is a commit that recovery would not reach.
type walLostJSON struct {
	LSN  string     `json:"lsn"`
	XID  pgdisk.XID `json:"xid"`
	Time string     `json:"time"`
}

// walGapJSON is WAL that cannot be read; an object of its own between records, too.
type walGapJSON struct {
	Kind  string      `json:"kind"` // gap
	From  string      `json:"from"`
	To    string      `json:"to"`
	Bytes uint64      `json:"bytes"`
	Stop  walStopJSON `json:"stop"`
	Fix   *walFixJSON `json:"fix,omitempty"` // the one change that would make the record there whole
}

// walFixJSON is what would make a damaged record whole.
type walFixJSON struct {
	LSN   string           `json:"lsn"`            // of the record, or of the page whose header it is
	Name  string           `json:"name"`           // Heap/INSERT, or page header
	Page  bool             `json:"page,omitempty"` // it is the header of a page that is changed
	Count int              `json:"records"`        // that become readable
	Bytes []walFixByteJSON `json:"bytes"`
}

type walFixByteJSON struct {
	LSN  string `json:"lsn"`
	Was  uint8  `json:"was"`
	Want uint8  `json:"want"`
}

func newWALGapJSON(g pgdisk.WALGap) walGapJSON {
	gap := walGapJSON{Kind: "gap", From: g.From.String(), To: g.To.String(), Bytes: uint64(g.To - g.From), Stop: newWALStopJSON(&g.Stop)}
	if g.Fix != nil {
		gap.Fix = &walFixJSON{LSN: g.Fix.Record.String(), Name: g.Fix.Name, Page: g.Fix.Page, Count: g.Fix.Records}
		for _, b := range g.Fix.Bytes {
			gap.Fix.Bytes = append(gap.Fix.Bytes, walFixByteJSON{b.LSN.String(), b.Was, b.Want})
		}
	}
	return gap
}

// String says in words what would make the record whole.
func (f *walFixJSON) String() string {
	s := fmt.Sprintf("the checksum and the neighbours of the record at %s allow one repair, which makes it %s:", f.LSN, f.Name)
	if f.Page {
		s = fmt.Sprintf("the pages around that at %s determine its header, with which %d records are whole:", f.LSN, f.Count)
	}
	for i, b := range f.Bytes {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprintf(" the byte at %s from 0x%02X to 0x%02X", b.LSN, b.Was, b.Want)
	}
	return s
}

func newWALStopJSON(s *pgdisk.WALStop) walStopJSON {
	return walStopJSON{s.LSN.String(), s.Page.String(), walCause(s.Cause), s.Text}
}

// walCause names the check that failed.
func walCause(c pgdisk.WALStopCause) string {
	words := [...]string{
		"", "no segment", "file too short", "read error", "zero page", "page magic", "page flags", "foreign page", "page address", "timeline",
		"no record start", "zero length", "record length", "resource manager", "link", "continuation", "checksum", "body",
	}
	if int(c) < len(words) {
		return words[c]
	}
	return fmt.Sprintf("cause %d", uint8(c))
}

// newWALEnd puts what the walk found into words.
func newWALEnd(r *walRun, e *pgdisk.WALEnd) *WALEnd {
	end := &WALEnd{
		Kind: "end", State: e.Kind.String(), Lossy: e.Kind.Lossy(), Reason: e.Reason,
		StartLSN: r.first.String(), LSN: e.LSN.String(), Timeline: uint32(e.Timeline), Major: e.Major,
		SystemID: strconv.FormatUint(e.SystemID, 10), Records: e.Records, Shown: r.sum.shown,
		RecordsBeyond: e.RecordsBeyond, CommitsBeyond: e.CommitsBeyondCount,
	}
	stop := newWALStopJSON(&e.Stop)
	end.Stop = &stop
	if e.LastRecord != 0 {
		end.LastRecord = e.LastRecord.String()
	}
	if e.ResumeLSN != 0 {
		end.ResumeLSN, end.BeyondLSN = e.ResumeLSN.String(), e.BeyondLSN.String()
	}
	if e.ZeroFrom != e.ZeroTo {
		end.ZeroFrom, end.ZeroTo = e.ZeroFrom.String(), e.ZeroTo.String()
	}
	for _, c := range e.CommitsBeyond {
		end.Commits = append(end.Commits, walLostJSON{c.LSN.String(), c.XID, c.Time.Format(time.RFC3339Nano)})
	}
	for _, g := range e.Gaps {
		end.Gaps = append(end.Gaps, newWALGapJSON(g))
	}
	if r.in.File != "" && e.RecordsBeyond == 0 && e.Stop.Cause == pgdisk.WALStopNoSegment {
		end.State, end.Lossy = walEndOfFile, false
		end.Reason = fmt.Sprintf("the file is read to its end; at %s the next segment goes on", e.Stop.LSN)
	}
	if !end.Lossy && end.State != walEndOfFile { // one file may hold the middle of one record
		end.judge(r, e)
	}
	return end
}

// judge takes back that the end is a normal one where there is no WAL at all, or too little
// for a server to start on.
func (end *WALEnd) judge(r *walRun, e *pgdisk.WALEnd) {
	control := r.in.Control
	switch {
	case e.Records == 0:
		end.State, end.Lossy = walAbsent, true
		end.Reason = fmt.Sprintf("not one record can be read from %s on: at %s %s", end.StartLSN, e.Stop.LSN, e.Stop.Text)
	case control != nil && r.in.File == "" && r.opt.Timeline == 0 && e.LSN <= control.Checkpoint:
		end.State, end.Lossy = walTooShort, true
		end.Reason = fmt.Sprintf("it ends at %s, and the checkpoint that pg_control names is at %s: at %s %s", end.LSN, control.Checkpoint, e.Stop.LSN, e.Stop.Text)
	}
}

// stopped is the end of a reading that was limited. Damage that was stepped over on the way
// remains damage.
func (r *walRun) stopped(before uint64) *WALEnd {
	end := &WALEnd{
		Kind: "end", State: walStopped, Reason: "as far as was asked; what follows was not looked at",
		StartLSN: r.first.String(), LSN: r.last.String(), Timeline: uint32(r.src.Timeline), Major: r.reader.Major(),
		SystemID: strconv.FormatUint(r.reader.SystemID(), 10), Records: before + r.walked, Shown: r.sum.shown,
		Gaps: r.gaps, Lossy: len(r.gaps) > 0,
	}
	if end.Lossy {
		end.Reason = fmt.Sprintf("as far as was asked, over %d gaps; what follows was not looked at", len(r.gaps))
	}
	return end
}

// printEnd writes the last object, or the last remark.
func (r *walRun) printEnd(end *WALEnd) error {
	if r.opt.JSON {
		return r.writeJSON(end)
	}
	var err error
	note := func(format string, args ...any) {
		_, e := fmt.Fprintf(r.notes, format+"\n", args...)
		err = errors.Join(err, e)
	}
	note("end of WAL: %s: %d records from %s to %s, %d shown", end.State, end.Records, end.StartLSN, end.LSN, end.Shown)
	if !end.Lossy {
		note("  %s", end.Reason) // of a lossy end, the caller's error says it
	}
	for _, g := range end.Gaps {
		if g.Fix != nil {
			note("  %s", g.Fix)
		}
	}
	const listed = 20
	for i, c := range end.Commits {
		if i == listed {
			note("  and %d more", end.CommitsBeyond-listed)
			break
		}
		note("  behind the damage: commit of xid %d at %s, %s", c.XID, c.LSN, c.Time)
	}
	return err
}
