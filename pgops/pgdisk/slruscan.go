package pgdisk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// SLRUSurvey is what the files of one SLRU directory say of themselves.
type SLRUSurvey struct {
	Geometry Geometry
	Absent   bool      // the directory is not there
	Segments []Segment // in order of number
	Strays   []Stray
	Odd      []Segment // no whole number of pages, or more pages than a file can have
	Span     Span      // zero without files
	First    PageNo    // first page of the oldest file
	End      PageNo    // one beyond the last whole page of the newest file; First+End can pass the end of the circle
	Gaps     []Hole    // between First and End
	Used     bool      // an entry that is not zero was found; always false where entries have no fixed meaning
	LastUsed uint64    // the id of the last one
}

// SurveySLRU looks through one SLRU directory: the files, their order on the circle, what is
// missing or cut between the oldest and the newest, and the last entry in use. A directory
// that is not there is no error. It reads back from the newest file to the first entry that is
// not zero, a file at a time.
func SurveySLRU(ctx context.Context, fsys fs.FS, g Geometry) (*SLRUSurvey, error) {
	s := &SLRUSurvey{Geometry: g}
	var err error
	s.Segments, s.Strays, err = Segments(fsys, g)
	if errors.Is(err, fs.ErrNotExist) {
		s.Absent = true
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	for _, f := range s.Segments {
		if f.Size%BlockSize != 0 || f.Size > int64(g.PagesIn(f.Number))*BlockSize {
			s.Odd = append(s.Odd, f)
		}
	}
	var ok bool
	if s.Span, ok = SpanOf(g, s.Segments); !ok {
		return s, nil
	}
	s.measure()
	return s, s.findLastUsed(ctx, fsys)
}

// measure fills in what names and sizes say.
func (s *SLRUSurvey) measure() {
	g := s.Geometry
	s.First = PageNo(uint64(s.Span.Oldest.Number) * SLRUPagesPerSegment)
	pages := min(uint64(s.Span.Newest.Size)/BlockSize, g.PagesIn(s.Span.Newest.Number))
	s.End = PageNo(uint64(s.Span.Newest.Number)*SLRUPagesPerSegment + pages)
	switch {
	case s.End != 0:
		s.Gaps = Holes(g, s.Segments, s.First, s.End-1)
	case s.Span.Wrapped():
		s.Gaps = Holes(g, s.Segments, s.First, PageNo(g.Pages()-1)) // the newest file is the first and empty
	}
	if s.End == s.First {
		s.Gaps = nil // a single empty file
	}
}

// lastUsedIn returns the function that finds the last entry in use of a file's bytes, nil
// where entries have no fixed size or meaning.
func lastUsedIn(dir string) func([]byte) (uint64, bool) {
	switch dir {
	case XactGeometry().Dir:
		return LastUsedXact
	case OffsetsGeometry().Dir:
		return LastUsedOffset
	case MembersGeometry().Dir:
		return LastUsedMember
	case CommitTsGeometry().Dir:
		return LastUsedCommitTs
	case SubtransGeometry().Dir:
		return LastUsedSubtrans
	}
	return nil
}

// findLastUsed walks back from the newest file. Files that end in zeroes were allocated ahead, or
// lost their content.
func (s *SLRUSurvey) findLastUsed(ctx context.Context, fsys fs.FS) error {
	last := lastUsedIn(s.Geometry.Dir)
	if last == nil {
		return nil
	}
	newest := 0
	for i, f := range s.Segments {
		if f.Number == s.Span.Newest.Number {
			newest = i
		}
	}
	buf := make([]byte, SLRUSegmentSize)
	for n := range s.Segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := s.Segments[(newest-n+len(s.Segments))%len(s.Segments)]
		data, err := readSegment(fsys, s.Geometry, f, buf)
		if err != nil {
			return err
		}
		if entry, ok := last(data); ok {
			s.Used, s.LastUsed = true, uint64(f.Number)*s.Geometry.EntriesPerSegment()+entry
			return nil
		}
	}
	return nil
}

// EachSegment reads the files of the directory one by one in their order on the circle, oldest
// first, and hands over the whole pages of each with the id of the first entry. Data is valid
// during the call.
func (s *SLRUSurvey) EachSegment(ctx context.Context, fsys fs.FS, f func(seg Segment, firstID uint64, data []byte) error) error {
	oldest := 0
	for i, seg := range s.Segments {
		if seg.Number == s.Span.Oldest.Number {
			oldest = i
		}
	}
	buf := make([]byte, SLRUSegmentSize)
	for n := range s.Segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		seg := s.Segments[(oldest+n)%len(s.Segments)]
		data, err := readSegment(fsys, s.Geometry, seg, buf)
		if err != nil {
			return err
		}
		if err := f(seg, uint64(seg.Number)*s.Geometry.EntriesPerSegment(), data[:len(data)/BlockSize*BlockSize]); err != nil {
			return err
		}
	}
	return nil
}

// readSegment reads what the file has, up to the size of buf.
func readSegment(fsys fs.FS, g Geometry, s Segment, buf []byte) ([]byte, error) {
	n, err := readFileAt(fsys, g.Dir+"/"+s.Name, buf[:min(int64(len(buf)), s.Size)], 0)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read %s/%s: %w", g.Dir, s.Name, err)
	}
	return buf[:n], nil
}
