package pgdisk

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
)

// Segment is one file of an SLRU directory.
type Segment struct {
	Name   string
	Number SegmentNo
	Size   int64 // bytes; sound when a multiple of BlockSize and at most SLRUSegmentSize
}

// Stray is something in an SLRU directory that the server ignores or would misread.
type Stray struct {
	Name string
	Why  string
}

// Segments lists the files of an SLRU directory, in ascending order of number, which is not
// the order of age: see SpanOf. Whatever else lies there is returned as strays.
func Segments(fsys fs.FS, g Geometry) ([]Segment, []Stray, error) {
	entries, err := fs.ReadDir(fsys, g.Dir)
	if err != nil {
		return nil, nil, fmt.Errorf("list %s: %w", g.Dir, err)
	}
	var segments []Segment
	var strays []Stray
	for _, e := range entries {
		s, why, err := segmentOf(g, e)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("list %s: %w", g.Dir, err)
		case why != "":
			strays = append(strays, Stray{Name: e.Name(), Why: why})
		default:
			segments = append(segments, s)
		}
	}
	slices.SortFunc(segments, func(a, b Segment) int { return cmp.Compare(a.Number, b.Number) })
	return segments, strays, nil
}

// segmentOf says why an entry is no segment, or returns it.
func segmentOf(g Geometry, e fs.DirEntry) (s Segment, why string, err error) {
	n, ok := g.ParseName(e.Name())
	switch {
	case !ok:
		return s, "not the name of a segment", nil
	case g.Name(n) != e.Name():
		return s, fmt.Sprintf("the server would look for segment %d under the name %s", n, g.Name(n)), nil
	case uint64(n) >= g.Segments():
		return s, fmt.Sprintf("beyond the last possible segment %s", g.Name(SegmentNo(g.Segments()-1))), nil
	case !e.Type().IsRegular():
		return s, "not a regular file", nil
	}
	info, err := e.Info()
	if err != nil {
		return s, "", err
	}
	return Segment{Name: e.Name(), Number: n, Size: info.Size()}, "", nil
}

// Span is the stretch of the circle that an SLRU directory's files cover.
type Span struct {
	Oldest, Newest Segment
	Gap            uint64 // segments missing on the circle after Newest and before Oldest
	NextGap        uint64 // the second largest gap: a hole between Oldest and Newest
}

// Ambiguous reports whether the files alone do not tell where the circle begins: two gaps
// are equally large, or there is none. The ids in pg_control must then decide.
func (s Span) Ambiguous() bool { return s.Gap == s.NextGap }

// Wrapped reports whether the circle was passed: the newest file has a lower number than the oldest.
func (s Span) Wrapped() bool { return s.Newest.Number < s.Oldest.Number }

// SpanOf finds the oldest and the newest file by the largest gap on the circle: the files in
// use form one arc, and numbers alone do not order them once the ids have wrapped around.
// It returns false without files.
//
// Of equally large gaps the one that includes the passage through 0 is taken, which is right
// unless the ids have wrapped. A hole torn by damage that is larger than the unused part of
// the circle deceives this; NextGap shows how near that came.
func SpanOf(g Geometry, segments []Segment) (Span, bool) {
	if len(segments) == 0 {
		return Span{}, false
	}
	sorted := slices.SortedFunc(slices.Values(segments), func(a, b Segment) int { return cmp.Compare(a.Number, b.Number) })
	last := sorted[len(sorted)-1]
	span := Span{Oldest: sorted[0], Newest: last}
	span.Gap = g.Segments() - 1 - uint64(last.Number-sorted[0].Number)
	if len(sorted) == 1 {
		return span, true
	}
	for i := 1; i < len(sorted); i++ {
		gap := uint64(sorted[i].Number-sorted[i-1].Number) - 1
		if sorted[i].Number == sorted[i-1].Number {
			continue
		}
		if gap > span.Gap {
			span = Span{Oldest: sorted[i], Newest: sorted[i-1], Gap: gap, NextGap: span.Gap}
		} else {
			span.NextGap = max(span.NextGap, gap)
		}
	}
	return span, true
}

// Newest returns the youngest file; see SpanOf.
func Newest(g Geometry, segments []Segment) (Segment, bool) {
	s, ok := SpanOf(g, segments)
	return s.Newest, ok
}

// Oldest returns the oldest file; see SpanOf.
func Oldest(g Geometry, segments []Segment) (Segment, bool) {
	s, ok := SpanOf(g, segments)
	return s.Oldest, ok
}

// HoleKind says what is wrong with a range of pages.
type HoleKind int

// The kinds.
const (
	HoleMissing HoleKind = iota + 1 // the file is not there
	HoleShort                       // the file ends before the page, or within it
)

// String gives the kind in words.
func (k HoleKind) String() string {
	switch k {
	case HoleMissing:
		return "file missing"
	case HoleShort:
		return "file too short"
	}
	return fmt.Sprintf("hole kind %d", int(k))
}

// Hole is a run of pages that the server needs and cannot read. Missing files in a row are
// one hole; Name is the first of them.
type Hole struct {
	Name        string
	Kind        HoleKind
	First, Last PageNo // inclusive, never around 0: a run over the end of the circle is two holes
}

// Pages returns the number of pages in the hole.
func (h Hole) Pages() uint64 { return uint64(h.Last-h.First) + 1 }

// Holes returns the pages from first to last, both included, that segments do not hold. When
// last is before first, the range runs over the end of the circle.
func Holes(g Geometry, segments []Segment, first, last PageNo) []Hole {
	if uint64(first) >= g.Pages() || uint64(last) >= g.Pages() {
		return nil
	}
	sizes := make(map[SegmentNo]int64, len(segments))
	for _, s := range segments {
		sizes[s.Number] = s.Size
	}
	if first <= last {
		return holesIn(g, sizes, first, last)
	}
	return append(holesIn(g, sizes, first, PageNo(g.Pages()-1)), holesIn(g, sizes, 0, last)...)
}

// holesIn walks file by file, so its cost is bounded by the number of files on the circle.
func holesIn(g Geometry, sizes map[SegmentNo]int64, first, last PageNo) []Hole {
	var holes []Hole
	for p := first; p <= last; {
		loc := g.LocatePage(p)
		end := min(last, PageNo(uint64(loc.Segment)*SLRUPagesPerSegment+g.PagesIn(loc.Segment)-1))
		size, there := sizes[loc.Segment]
		have := PageNo(uint64(loc.Segment)*SLRUPagesPerSegment + uint64(max(size, 0))/BlockSize)
		switch {
		case !there:
			if n := len(holes); n > 0 && holes[n-1].Kind == HoleMissing && holes[n-1].Last == p-1 {
				holes[n-1].Last = end
			} else {
				holes = append(holes, Hole{Name: loc.Name, Kind: HoleMissing, First: p, Last: end})
			}
		case have <= end:
			holes = append(holes, Hole{Name: loc.Name, Kind: HoleShort, First: max(p, have), Last: end})
		}
		p = end + 1
	}
	return holes
}
