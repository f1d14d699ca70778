package pgdisk

import (
	"fmt"
	"testing"
	"testing/fstest"
)

func TestGeometry(t *testing.T) {
	l17, _ := LayoutFor(17)
	l15, _ := LayoutFor(15)
	tests := []struct {
		g         Geometry
		perPage   uint64
		segments  uint64
		last      string
		lastPages uint64
	}{
		{XactGeometry(), 32768, 4096, "0FFF", 32},
		{OffsetsGeometry(), 2048, 65536, "FFFF", 32},
		{MembersGeometry(), 1636, 82041, "14078", 6},
		{CommitTsGeometry(), 819, 163881, "28028", 1},
		{SubtransGeometry(), 2048, 65536, "FFFF", 32},
		{SerialGeometry(l15), 1024, 65536, "FFFF", 32},
		{SerialGeometry(l17), 1024, 131072, "1FFFF", 32},
		{NotifyGeometry(l15), 8192, 65536, "FFFF", 32},
		{NotifyGeometry(l17), 8192, 65536, "00000000000FFFF", 32},
	}
	for _, tt := range tests {
		last := SegmentNo(tt.g.Segments() - 1)
		if tt.g.EntriesPerPage != tt.perPage || tt.g.Segments() != tt.segments || tt.g.Name(last) != tt.last || tt.g.PagesIn(last) != tt.lastPages {
			t.Errorf("%s: %d per page, %d segments, last %s with %d pages", tt.g.Dir, tt.g.EntriesPerPage, tt.g.Segments(), tt.g.Name(last), tt.g.PagesIn(last))
		}
		if tt.g.PagesIn(last+1) != 0 {
			t.Errorf("%s: pages beyond the circle", tt.g.Dir)
		}
		if got, ok := tt.g.ParseName(tt.last); !ok || got != last {
			t.Errorf("%s: %s parses as %d", tt.g.Dir, tt.last, got)
		}
	}
}

func TestLocate(t *testing.T) {
	tests := []struct {
		g     Geometry
		id    uint64
		path  string
		page  PageNo
		byte  int64
		entry uint64
	}{
		{XactGeometry(), 3, "pg_xact/0000", 0, 0, 3},
		{XactGeometry(), 0x100000 + 32768, "pg_xact/0001", 33, 8192, 0},
		{OffsetsGeometry(), 0xFFFFFFFF, "pg_multixact/offsets/FFFF", 2097151, 31 * 8192, 2047},
		{MembersGeometry(), 52352, "pg_multixact/members/0001", 32, 0, 0},
		{MembersGeometry(), 0xFFFFFFFF, "pg_multixact/members/14078", 2625285, 5 * 8192, 1035},
		{CommitTsGeometry(), 26208, "pg_commit_ts/0001", 32, 0, 0},
	}
	for _, tt := range tests {
		l := tt.g.Locate(tt.id)
		if l.Path() != tt.path || l.Page != tt.page || l.PageByte != tt.byte || l.Entry != tt.entry {
			t.Errorf("%s %d: got %s page %d byte %d entry %d", tt.g.Dir, tt.id, l.Path(), l.Page, l.PageByte, l.Entry)
		}
		if back := tt.g.FirstID(l.Page) + l.Entry; back != tt.id {
			t.Errorf("%s %d: back as %d", tt.g.Dir, tt.id, back)
		}
	}
}

func TestParseName(t *testing.T) {
	long := Geometry{LongNames: true}
	tests := []struct {
		g    Geometry
		name string
		n    SegmentNo
		ok   bool
	}{
		{Geometry{}, "0000", 0, true},
		{Geometry{}, "10000", 0x10000, true},
		{Geometry{}, "0FFFFF", 0xFFFFF, true},
		{Geometry{}, "000", 0, false},
		{Geometry{}, "1000000", 0, false},
		{Geometry{}, "00fe", 0, false},
		{Geometry{}, "-001", 0, false},
		{Geometry{}, "0001.bak", 0, false},
		{Geometry{}, "000000000000001", 0, false},
		{long, "000000000000001", 1, true},
		{long, "FFFFFFFFFFFFFFF", 0xFFFFFFFFFFFFFFF, true},
		{long, "0001", 0, false},
	}
	for _, tt := range tests {
		if n, ok := tt.g.ParseName(tt.name); n != tt.n || ok != tt.ok {
			t.Errorf("%q long %v: got %d, %v", tt.name, tt.g.LongNames, n, ok)
		}
	}
}

func TestSegments(t *testing.T) {
	full := &fstest.MapFile{Data: make([]byte, SLRUSegmentSize)}
	fsys := fstest.MapFS{
		"pg_xact/0FFF": full, "pg_xact/0000": &fstest.MapFile{Data: make([]byte, 100)},
		"pg_xact/1000": full, "pg_xact/00000": full, "pg_xact/0001.bak": full, "pg_xact/0002/x": full,
	}
	segments, strays, err := Segments(fsys, XactGeometry())
	if err != nil || fmt.Sprint(segments) != "[{0000 0 100} {0FFF 4095 262144}]" {
		t.Errorf("got %v, %v", segments, err)
	}
	if len(strays) != 4 {
		t.Errorf("strays %v", strays)
	}
	if _, _, err := Segments(fsys, OffsetsGeometry()); err == nil {
		t.Error("a missing directory is no error")
	}
}

func segmentsOf(g Geometry, numbers ...SegmentNo) []Segment {
	var s []Segment
	for _, n := range numbers {
		s = append(s, Segment{Name: g.Name(n), Number: n, Size: SLRUSegmentSize})
	}
	return s
}

func TestSpanOf(t *testing.T) {
	x, m := XactGeometry(), MembersGeometry()
	tests := []struct {
		name           string
		g              Geometry
		numbers        []SegmentNo
		oldest, newest string
		ambiguous      bool
	}{
		{"one", x, []SegmentNo{5}, "0005", "0005", false},
		{"young", x, []SegmentNo{0, 1, 2}, "0000", "0002", false},
		{"unsorted", x, []SegmentNo{2, 0, 1}, "0000", "0002", false},
		{"with a hole", x, []SegmentNo{0, 1, 5, 6}, "0000", "0006", false},
		{"wrapped", x, []SegmentNo{0, 1, 0xFFE, 0xFFF}, "0FFE", "0001", false},
		{"wrapped, 0 missing", x, []SegmentNo{1, 2, 0xFFD}, "0FFD", "0002", false},
		{"up to the end", x, []SegmentNo{0xFFE, 0xFFF}, "0FFE", "0FFF", false},
		{"opposite", x, []SegmentNo{0, 2048}, "0000", "0800", true},
		{"five digits sort after four", m, []SegmentNo{0xFFFF, 0x10000}, "FFFF", "10000", false},
		{"members wrapped", m, []SegmentNo{0, 0x14078, 0x14077}, "14077", "0000", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, ok := SpanOf(tt.g, segmentsOf(tt.g, tt.numbers...))
			if !ok || s.Oldest.Name != tt.oldest || s.Newest.Name != tt.newest || s.Ambiguous() != tt.ambiguous {
				t.Errorf("got %+v", s)
			}
			if s.Wrapped() != (s.Newest.Number < s.Oldest.Number) {
				t.Error("wrapped")
			}
		})
	}
	if _, ok := SpanOf(x, nil); ok {
		t.Error("a span without files")
	}
	var all []SegmentNo
	for n := range SegmentNo(x.Segments()) {
		all = append(all, n)
	}
	if s, _ := SpanOf(x, segmentsOf(x, all...)); !s.Ambiguous() {
		t.Error("a full circle has a beginning")
	}
	if n, ok := Newest(x, segmentsOf(x, 0, 0xFFF)); !ok || n.Name != "0000" {
		t.Errorf("newest %v", n)
	}
	if o, ok := Oldest(x, segmentsOf(x, 0, 0xFFF)); !ok || o.Name != "0FFF" {
		t.Errorf("oldest %v", o)
	}
}

func TestHoles(t *testing.T) {
	g, m := OffsetsGeometry(), MembersGeometry()
	short := segmentsOf(g, 0, 1, 4)
	short[1].Size = 3*BlockSize + 100
	empty := segmentsOf(g, 0)
	empty[0].Size = 0
	tests := []struct {
		name        string
		g           Geometry
		segments    []Segment
		first, last PageNo
		want        string
	}{
		{"none", g, segmentsOf(g, 0, 1), 5, 63, "[]"},
		{"missing and short", g, short, 0, 159, "[{0001 file too short 35 63} {0002 file missing 64 127}]"},
		{"starts inside", g, short, 40, 45, "[{0001 file too short 40 45}]"},
		{"ends before", g, short, 0, 34, "[]"},
		{"first missing page", g, short, 0, 35, "[{0001 file too short 35 35}]"},
		{"empty file", g, empty, 0, 0, "[{0000 file too short 0 0}]"},
		{"nothing there", g, nil, 0, 2097151, "[{0000 file missing 0 2097151}]"},
		{"around", g, segmentsOf(g, 0xFFFF), 2097151, 1, "[{0000 file missing 0 1}]"},
		{"short last members file", m, func() []Segment {
			s := segmentsOf(m, 0x14078)
			s[0].Size = 5 * BlockSize
			return s
		}(), 2625281, 5, "[{14078 file too short 2625285 2625285} {0000 file missing 0 5}]"},
		{"outside of the circle", g, nil, 2097152, 5, "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fmt.Sprint(Holes(tt.g, tt.segments, tt.first, tt.last)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// FuzzSegmentName: a name that parses is found again under the canonical name, and no
// name of another number is taken for it.
func FuzzSegmentName(f *testing.F) {
	for _, s := range []string{"0000", "FFFF", "14078", "000000000000001", "0x01", ""} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, name string, long bool) {
		g := Geometry{LongNames: long}
		n, ok := g.ParseName(name)
		if !ok {
			return
		}
		if back, ok := g.ParseName(g.Name(n)); !ok || back != n {
			t.Fatalf("%q is %d, and that is %q", name, n, g.Name(n))
		}
	})
}
