package pgdisk

import (
	"context"
	"errors"
)

// WALStretch is a piece of WAL that was read on its own. Pieces that were read side by side
// become one by Join, with the checks that reading them in one go would have made.
type WALStretch struct {
	From, To LSN // as asked for

	First   LSN // the first record that begins in it; 0 = none does, or none can be read
	Prev    LSN // what that one links back to
	Last    LSN // the last record
	Next    LSN // where the record behind it is looked for
	Records uint64

	Major         int
	SystemID      uint64 // 0 = not met
	FirstTimeline TimelineID
	LastTimeline  TimelineID
}

// Stretch reads the records that begin at from or later and before to. A from on a page
// boundary means the first record that begins on that page or on one after it, any other is
// the start of a record. Reading also ends, without an error, at the first record that is not valid:
// then Next is before to. The visitor's error is returned with what was read before.
func (r *WALReader) Stretch(ctx context.Context, from, to LSN, visit func(*WALRecord) error) (WALStretch, error) {
	s := WALStretch{From: from, To: to}
	r.Seek(from)
	err := r.stretchStart(ctx, to)
	if s.Next = r.next; err == nil {
		err = r.stretch(ctx, &s, visit)
	}
	s.Major, s.SystemID = r.Major(), r.SystemID()
	if _, ok := errors.AsType[*WALStop](err); ok {
		err = nil
	}
	return s, err
}

// stretchStart steps over the rest of a record on whole pages, but not beyond to: of a record
// of many megabytes each stretch reads its own pages only.
func (r *WALReader) stretchStart(ctx context.Context, to LSN) error {
	for r.next%BlockSize == 0 && r.next < to {
		page := r.next
		if _, err := r.page(ctx, page); err != nil {
			return err
		}
		start := LSN(r.header.Size())
		if r.header.Flags&WALFirstIsContRecord != 0 {
			start += walAlignUp(LSN(r.header.RemLen))
		}
		r.next = page + min(start, BlockSize)
	}
	return nil
}

func (r *WALReader) stretch(ctx context.Context, s *WALStretch, visit func(*WALRecord) error) error {
	for r.next < s.To {
		rec, err := r.Next(ctx)
		if err != nil {
			return err
		}
		if rec.LSN >= s.To {
			s.Next = rec.LSN // what began before it was never finished
			return nil
		}
		if err := visit(rec); err != nil {
			s.Next = rec.LSN
			return err
		}
		if s.Records == 0 {
			s.First, s.Prev, s.FirstTimeline = rec.LSN, rec.Prev, rec.Timeline
		}
		s.Records++
		s.Last, s.LastTimeline, s.Next = rec.LSN, rec.Timeline, rec.EndLSN
	}
	return nil
}

// Whole reports whether the stretch was read to its end.
func (s *WALStretch) Whole() bool { return s.Next >= s.To }

// Join appends the stretch that begins where s was to end. False means that the two do not
// fit together, and s is as it was: what lies at s.Next must be read in order.
func (s *WALStretch) Join(o WALStretch) bool {
	if !s.Whole() || o.From != s.To {
		return false
	}
	if s.Next >= o.To {
		s.To = o.To // covered by one record, or skipped by a segment switch
		return true
	}
	if o.First == 0 || o.Prev != s.Last || o.FirstTimeline < s.LastTimeline || o.Major != s.Major ||
		o.SystemID != 0 && s.SystemID != 0 && o.SystemID != s.SystemID {
		return false
	}
	header := o.First - s.Next // a page header may lie between them
	if header != 0 && (s.Next%BlockSize != 0 || header != walShortHeaderSize && header != walLongHeaderSize) {
		return false
	}
	s.To, s.Last, s.Next, s.LastTimeline = o.To, o.Last, o.Next, o.LastTimeline
	s.Records += o.Records
	if s.SystemID == 0 {
		s.SystemID = o.SystemID
	}
	return true
}

// Continue goes on behind a stretch as if the reader had read it itself.
func (r *WALReader) Continue(s WALStretch) {
	r.Seek(s.Next)
	if s.Records == 0 {
		return
	}
	r.prev = s.Last
	r.newest, r.tli = s.Last&^(BlockSize-1), s.LastTimeline
	if r.sysID == 0 {
		r.sysID = s.SystemID
	}
}
