package pgdisk

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// walMaxListedCommits bounds WALEnd.CommitsBeyond.
const walMaxListedCommits = 1000

// WALEndKind classifies the place where valid WAL ends. Recovery itself makes no
// difference: it takes any invalid record for the end and starts, without a word.
type WALEndKind uint8

// Kinds of ends.
const (
	// WALEndClean: behind the last record lies nothing: zeros, pages of a recycled
	// segment, or no file.
	WALEndClean WALEndKind = iota + 1
	// WALEndTorn: a record was begun and is not whole, and nothing follows it. After a crash that
	// is the usual end, a record that never got to the disk. The same is seen if the very
	// last record was damaged later.
	WALEndTorn
	// WALEndDamaged: records follow behind the damage. Starting the server loses them.
	WALEndDamaged
	// WALEndGap: a segment file is missing or short, and records follow behind it.
	WALEndGap
	// WALEndUnreadable: the file is cut, or the device or file system refused, and no records
	// were found behind; whether there were some cannot be known.
	WALEndUnreadable
	// WALEndForeign: the WAL goes on with pages of another cluster or from a place further on, as
	// after copying a wrong file into pg_wal.
	WALEndForeign
)

// String gives the kind as a word.
func (k WALEndKind) String() string {
	words := [...]string{"", "clean", "torn", "damaged", "gap", "unreadable", "foreign"}
	if int(k) < len(words) && k != 0 {
		return words[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Lossy reports whether ending replay here loses something that is, or may be, there.
func (k WALEndKind) Lossy() bool { return k >= WALEndDamaged }

// WALCommit is one transaction that committed.
type WALCommit struct {
	LSN  LSN
	XID  XID
	Time time.Time
}

// WALEnd is where valid WAL ends, and what lies behind.
type WALEnd struct {
	LSN        LSN // end of the last valid record; from, if there was none
	LastRecord LSN // its start: what the server logs as "redo done at"; 0 if there was none
	Timeline   TimelineID
	Major      int
	SystemID   uint64
	Records    uint64 // valid ones

	Kind   WALEndKind
	Stop   WALStop // the check that failed, and at which record
	Reason string  // the same for people

	// Behind the end:
	ResumeLSN          LSN // first valid record, 0 = none
	LastBeyond         LSN // last valid record
	BeyondLSN          LSN // its end
	RecordsBeyond      uint64
	CommitsBeyondCount uint64
	CommitsBeyond      []WALCommit // the first 1000
	GapCount           uint64      // stretches that had to be stepped over, the one at Stop first
	Gaps               []WALGap    // the first 1000
	// The longest run of zeros in the WAL between the stop and ResumeLSN, in whole
	// 512 byte sectors: writes that did not reach the disk. Empty if ZeroFrom == ZeroTo.
	ZeroFrom, ZeroTo LSN
}

// FindWALEnd reads valid WAL from a record start to its end, says how it ends, and
// searches what lies behind for records that recovery would not reach. visit, if not
// nil, is given every valid record before the end; its error ends the search and is
// returned. Errors other than that are the context's, or that reading is not possible at all.
func FindWALEnd(ctx context.Context, src WALSource, from LSN, visit func(*WALRecord) error) (*WALEnd, error) {
	r, err := NewWALReader(src, from)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Walk(ctx, WALVisit{Record: visit})
}

// walk reads up to the first record that is not valid.
func (e *WALEnd) walk(ctx context.Context, r *WALReader, visit func(*WALRecord) error) (*WALStop, error) {
	for {
		rec, err := r.Next(ctx)
		if err != nil {
			if stop, ok := errors.AsType[*WALStop](err); ok {
				return stop, nil
			}
			return nil, err
		}
		e.LSN, e.LastRecord, e.Timeline = rec.EndLSN, rec.LSN, rec.Timeline
		e.Records++
		if visit == nil {
			continue
		}
		if err := visit(rec); err != nil {
			return nil, err
		}
	}
}

// classify decides from the failed check and from what the search saw.
func (e *WALEnd) classify(s *walSearch) {
	missing := e.Stop.Cause == WALStopNoSegment || e.Stop.Cause == WALStopShort
	switch {
	case e.RecordsBeyond > 0 && missing:
		e.Kind = WALEndGap
	case e.RecordsBeyond > 0:
		e.Kind = WALEndDamaged
	case e.Stop.Cause == WALStopReadError, e.Stop.Cause == WALStopShort:
		e.Kind = WALEndUnreadable
	case e.Stop.Cause == WALStopForeign,
		e.Stop.Cause == WALStopPageAddr && e.Stop.PageAddr > e.Stop.Page:
		e.Kind = WALEndForeign
	case e.quiet() && !s.dirty:
		e.Kind = WALEndClean
	default:
		e.Kind = WALEndTorn
	}
	e.Reason = e.explain(s)
}

// quiet reports whether the failed check is one that unwritten WAL fails.
func (e *WALEnd) quiet() bool {
	atPage := e.Stop.Page == e.Stop.LSN&^(BlockSize-1) // else a record was begun on an earlier page
	switch e.Stop.Cause {
	case WALStopNoSegment, WALStopZeroPage:
		return atPage
	case WALStopPageAddr:
		return atPage && e.Stop.PageAddr < e.Stop.Page
	case WALStopZeroLength:
		return true
	}
	return false
}

func (e *WALEnd) explain(s *walSearch) string {
	text := fmt.Sprintf("at %s %s", e.Stop.LSN, e.Stop.Text)
	if e.ZeroFrom != e.ZeroTo {
		text += fmt.Sprintf("; %d bytes from %s on are zeros, as if a write had not reached the disk", e.ZeroTo-e.ZeroFrom, e.ZeroFrom)
	}
	switch e.Kind {
	case WALEndClean:
		return text + "; nothing follows: the normal end"
	case WALEndTorn:
		return text + "; nothing that is valid follows: the last record is not whole, as usual after a crash, or it was damaged later"
	case WALEndUnreadable:
		return text + "; what follows cannot be known"
	case WALEndForeign:
		return text + "; the file does not belong here"
	}
	return text + fmt.Sprintf("; %d valid records follow from %s on, with %d commits: replay would lose them without a word",
		e.RecordsBeyond, e.ResumeLSN, e.CommitsBeyondCount)
}
