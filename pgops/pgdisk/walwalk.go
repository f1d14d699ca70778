package pgdisk

import (
	"context"
	"errors"
	"slices"
)

// walMaxListedGaps bounds WALEnd.Gaps.
const walMaxListedGaps = 1000

// WALVisit is whom a walk over WAL tells what it meets. A function that is nil is not
// called; the error of one ends the walk and is returned by it.
type WALVisit struct {
	Record func(*WALRecord) error // each valid record up to the end of valid WAL
	Gap    func(WALGap) error     // WAL that cannot be read, once a valid record is known behind it
	Beyond func(*WALRecord) error // each valid record behind the end; the first after a gap follows its Gap
}

// WALGap is a stretch of WAL that cannot be read, with a valid record behind it. How many
// records it held nobody knows.
type WALGap struct {
	From LSN     // end of the valid record before it
	To   LSN     // the valid record behind it
	Stop WALStop // why reading ended at From
	Fix  *WALFix // the one change that makes the record at Stop whole; nil if there is none, or more
}

// Walk reads valid WAL from the reader's position to its end, says how it ends, and
// searches what lies behind for records that recovery would not reach, gap after gap.
// Errors other than the visitor's are the context's, or that reading is not possible at all.
func (r *WALReader) Walk(ctx context.Context, visit WALVisit) (*WALEnd, error) {
	end := &WALEnd{LSN: r.next, LastRecord: r.prev, Timeline: r.pages.src.Timeline}
	stop, err := end.walk(ctx, r, visit.Record)
	if err != nil {
		return nil, err
	}
	end.Stop, end.Major, end.SystemID = *stop, r.Major(), r.SystemID()
	s := walSearch{r: r, end: end, stop: stop, visit: visit}
	s.last = WALGap{From: end.LSN, Stop: *stop}
	err = s.run(ctx)
	if s.side != nil {
		if closeErr := s.side.close(); err == nil {
			err = closeErr
		}
	}
	if err != nil {
		return nil, err
	}
	end.classify(&s)
	return end, nil
}

// Segments lists the numbers of the segment files that the reader would open, from the one
// that holds from on, in order: those of the timelines it follows.
func (r *WALReader) Segments(from LSN) ([]uint64, error) {
	src := r.pages.src
	dir, err := ReadWALDir(src.FS, src.SegSize)
	if err != nil {
		return nil, err
	}
	files := dir.Segments
	if src.Partial {
		files = append(files, dir.Partials...)
	}
	first := uint64(from) / uint64(src.SegSize)
	var numbers []uint64
	for _, f := range files {
		if f.Segment.Number >= first && slices.Contains(r.pages.timelines(f.Segment.Number), f.Timeline) {
			numbers = append(numbers, f.Segment.Number)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// gap tells that a chain of valid records begins behind WAL that cannot be read.
func (s *walSearch) gap(ctx context.Context, rec *WALRecord) error {
	gap := s.last
	gap.To = rec.LSN
	var err error
	if gap.Fix, err = s.fix(ctx, gap, rec); err != nil {
		return err
	}
	s.end.GapCount++
	if len(s.end.Gaps) < walMaxListedGaps {
		s.end.Gaps = append(s.end.Gaps, gap)
	}
	if s.visit.Gap == nil {
		return nil
	}
	return s.visit.Gap(gap)
}

// follow reads the chain of records that starts at a candidate and returns where it
// breaks; at itself if there is no record.
func (s *walSearch) follow(ctx context.Context, at, least LSN) (LSN, error) {
	start := at
	s.r.Seek(at)
	rec, err := s.r.read(ctx, at, walLink{least: least})
	if err == nil {
		err = s.gap(ctx, rec)
	}
	for err == nil {
		s.found(rec)
		at = rec.EndLSN
		if s.visit.Beyond != nil {
			if err = s.visit.Beyond(rec); err != nil {
				return at, err
			}
		}
		rec, err = s.r.Next(ctx)
	}
	stop, ok := errors.AsType[*WALStop](err)
	if !ok {
		return at, err
	}
	if at > start {
		s.last = WALGap{From: at, Stop: *stop}
	}
	return at, nil
}
