package pgops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Bounds of what is listed about a directory that is full of oddities.
const (
	maxOdd  = 20
	maxGaps = 200
)

// PageRange is a run of pages, both ends included.
type PageRange struct{ First, Last pgdisk.PageNo }

func (c *Cluster) scanSLRUs(ctx context.Context, ev *Evidence) error {
	for _, d := range []struct {
		g    pgdisk.Geometry
		into *SLRUEvidence
		last func([]byte) (uint64, bool)
	}{
		{pgdisk.XactGeometry(), &ev.Xact, pgdisk.LastUsedXact},
		{pgdisk.OffsetsGeometry(), &ev.Offsets, pgdisk.LastUsedOffset},
		{pgdisk.MembersGeometry(), &ev.Members, pgdisk.LastUsedMember},
		{pgdisk.CommitTsGeometry(), &ev.CommitTs, pgdisk.LastUsedCommitTs},
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		s, err := scanSLRU(ctx, c.fsys, d.g, d.last)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			ev.Missing = append(ev.Missing, err.Error())
		}
		*d.into = s
	}
	return nil
}

func scanSLRU(ctx context.Context, fsys fs.FS, g pgdisk.Geometry, last func([]byte) (uint64, bool)) (SLRUEvidence, error) {
	s := SLRUEvidence{Dir: g.Dir}
	segments, strays, err := pgdisk.Segments(fsys, g)
	if err != nil {
		return s, err
	}
	for _, stray := range strays {
		s.odd("%s: %s", stray.Name, stray.Why)
	}
	for _, f := range segments {
		if f.Size%pgdisk.BlockSize != 0 || f.Size > pgdisk.SLRUSegmentSize {
			s.odd("%s has %d bytes, which is no whole number of pages or more than a file can have", f.Name, f.Size)
		}
	}
	span, ok := pgdisk.SpanOf(g, segments)
	if !ok {
		return s, nil
	}
	s.measure(g, segments, span)
	return s, s.lastUsed(ctx, fsys, g, segments, last)
}

func (s *SLRUEvidence) odd(format string, args ...any) {
	if len(s.Odd) < maxOdd {
		s.Odd = append(s.Odd, fmt.Sprintf(format, args...))
	}
}

// measure fills in what the names and sizes say.
func (s *SLRUEvidence) measure(g pgdisk.Geometry, segments []pgdisk.Segment, span pgdisk.Span) {
	s.Files = len(segments)
	s.Oldest, s.OldestNumber = span.Oldest.Name, uint64(span.Oldest.Number)
	s.Newest, s.NewestNumber = span.Newest.Name, uint64(span.Newest.Number)
	s.Wrapped, s.Ambiguous = span.Wrapped(), span.Ambiguous()
	first := pgdisk.PageNo(s.OldestNumber * pgdisk.SLRUPagesPerSegment)
	pages := min(uint64(span.Newest.Size)/pgdisk.BlockSize, g.PagesIn(span.Newest.Number))
	end := pgdisk.PageNo(s.NewestNumber*pgdisk.SLRUPagesPerSegment + pages)
	s.FirstID = g.FirstID(first)
	s.AllocatedEnd = min(g.FirstID(end), g.Entries)
	if end == first || end == 0 {
		return
	}
	for _, h := range pgdisk.Holes(g, segments, first, end-1) {
		if len(s.Gaps) < maxGaps {
			s.Gaps = append(s.Gaps, PageRange{h.First, h.Last})
		}
	}
}

// lastUsed walks back from the newest file to the last entry that is not zero. Files that end in zeroes
// were allocated ahead, or lost their content.
func (s *SLRUEvidence) lastUsed(ctx context.Context, fsys fs.FS, g pgdisk.Geometry, segments []pgdisk.Segment, last func([]byte) (uint64, bool)) error {
	newest := len(segments) - 1
	for i, f := range segments {
		if uint64(f.Number) == s.NewestNumber {
			newest = i
		}
	}
	for n := range segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := segments[(newest-n+len(segments))%len(segments)]
		data, err := readSmall(fsys, g.Dir+"/"+f.Name, pgdisk.SLRUSegmentSize)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if entry, ok := last(data); ok {
			s.Used, s.LastUsed = true, uint64(f.Number)*g.EntriesPerSegment()+entry
			if g.Dir == pgdisk.OffsetsGeometry().Dir {
				s.LastValue = offsetEntry(data, entry)
			}
			return nil
		}
	}
	return nil
}

func offsetEntry(data []byte, entry uint64) uint64 {
	page := entry / offsetsPage * pgdisk.BlockSize
	if page+pgdisk.BlockSize > uint64(len(data)) {
		return 0 // on the cut last page: the entry itself may be cut
	}
	o, err := pgdisk.PageOffset(data[page:page+pgdisk.BlockSize], pgdisk.MultiXactID(entry%offsetsPage))
	if err != nil {
		return 0
	}
	return uint64(o)
}

// holds reports whether the page of an id is on disk.
func (s SLRUEvidence) holds(id uint64) bool {
	if s.Files == 0 {
		return false
	}
	geometry, ok := geometryOf(s.Dir)
	if !ok {
		return false
	}
	first, end, x := s.FirstID, s.AllocatedEnd, id
	if s.Wrapped && x >= first {
		end += geometry.Entries
	} else if s.Wrapped {
		x, end = x+geometry.Entries, end+geometry.Entries
	}
	if x < first || x >= end {
		return false
	}
	page := geometry.Locate(id).Page
	for _, gap := range s.Gaps {
		if page >= gap.First && page <= gap.Last {
			return false
		}
	}
	return true
}

func geometryOf(dir string) (pgdisk.Geometry, bool) {
	for _, g := range []pgdisk.Geometry{pgdisk.XactGeometry(), pgdisk.OffsetsGeometry(), pgdisk.MembersGeometry(), pgdisk.CommitTsGeometry()} {
		if g.Dir == dir {
			return g, true
		}
	}
	return pgdisk.Geometry{}, false
}
