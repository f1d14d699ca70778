package pgdisk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// slruDir makes a directory of files with so many bytes, all zero.
func slruDir(g Geometry, sizes map[string]int) fstest.MapFS {
	fsys := fstest.MapFS{g.Dir: &fstest.MapFile{Mode: fs.ModeDir | 0o700}}
	for name, n := range sizes {
		fsys[g.Dir+"/"+name] = &fstest.MapFile{Data: make([]byte, n)}
	}
	return fsys
}

func TestSurveySLRU(t *testing.T) {
	const full = SLRUSegmentSize
	l17, _ := LayoutFor(17)
	x, o, m, ts, n := XactGeometry(), OffsetsGeometry(), MembersGeometry(), CommitTsGeometry(), NotifyGeometry(l17)
	tests := []struct {
		name           string
		g              Geometry
		files          map[string]int
		oldest, newest string
		first, end     PageNo
		gaps, odd      int
		strays         int
	}{
		{"fresh", x, map[string]int{"0000": BlockSize}, "0000", "0000", 0, 1, 0, 0, 0},
		{"three", o, map[string]int{"0003": full, "0004": full, "0005": 3 * BlockSize}, "0003", "0005", 96, 163, 0, 0, 0},
		{"around the end", x, map[string]int{"0FFE": full, "0FFF": full, "0000": full, "0001": 5 * BlockSize}, "0FFE", "0001", 4094 * 32, 37, 0, 0, 0},
		{"around, empty at the start", x, map[string]int{"0FFF": full, "0000": 0}, "0FFF", "0000", 4095 * 32, 0, 0, 0, 0},
		{"members around the end", m, map[string]int{"14077": full, "14078": 6 * BlockSize, "0000": BlockSize}, "14077", "0000", 82039 * 32, 1, 0, 0, 0},
		{"members, a cut last file", m, map[string]int{"14077": full, "14078": 5 * BlockSize, "0000": BlockSize}, "14077", "0000", 82039 * 32, 1, 1, 0, 0},
		{"commit_ts, six digits", ts, map[string]int{"28028": BlockSize, "0000": BlockSize}, "28028", "0000", 163880 * 32, 1, 0, 0, 0},
		{"a file too many in the last of the circle", ts, map[string]int{"28028": 2 * BlockSize}, "28028", "28028", 163880 * 32, 163880*32 + 1, 0, 1, 0},
		{"missing in the middle", x, map[string]int{"0000": full, "0002": BlockSize}, "0000", "0002", 0, 65, 1, 0, 0},
		{"short in the middle", x, map[string]int{"0000": full - BlockSize, "0001": BlockSize}, "0000", "0001", 0, 33, 1, 0, 0},
		{"odd sizes", x, map[string]int{"0000": full + BlockSize, "0001": 100}, "0000", "0001", 0, 32, 0, 2, 0},
		{"strays", x, map[string]int{"0000": BlockSize, "00AB.bak": 1, "00ab": 1, "1000": 1, "00001": 1}, "0000", "0000", 0, 1, 0, 0, 4},
		{"15 digits", n, map[string]int{"00000000000000A": full, "00000000000000B": BlockSize, "000C": 1}, "00000000000000A", "00000000000000B", 320, 353, 0, 0, 1},
		{"15 digits around the end", n, map[string]int{"00000000000FFFF": full, "000000000000000": full}, "00000000000FFFF", "000000000000000", 65535 * 32, 32, 0, 0, 0},
		{"empty", ts, nil, "", "", 0, 0, 0, 0, 0},
		{"one empty file", ts, map[string]int{"0001": 0}, "0001", "0001", 32, 32, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := SurveySLRU(t.Context(), slruDir(tt.g, tt.files), tt.g)
			if err != nil || s.Absent {
				t.Fatal(s, err)
			}
			if s.Span.Oldest.Name != tt.oldest || s.Span.Newest.Name != tt.newest || s.First != tt.first || s.End != tt.end {
				t.Errorf("%s to %s, pages %d to %d", s.Span.Oldest.Name, s.Span.Newest.Name, s.First, s.End)
			}
			if len(s.Gaps) != tt.gaps || len(s.Odd) != tt.odd || len(s.Strays) != tt.strays || s.Used {
				t.Errorf("gaps %v, odd %v, strays %v, used %v", s.Gaps, s.Odd, s.Strays, s.Used)
			}
		})
	}
}

func TestSurveySLRUAbsent(t *testing.T) {
	s, err := SurveySLRU(t.Context(), fstest.MapFS{}, XactGeometry())
	if err != nil || !s.Absent {
		t.Errorf("got %+v, %v", s, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := SurveySLRU(ctx, slruDir(XactGeometry(), map[string]int{"0000": 8192}), XactGeometry()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The last entry in use lies in an older file than the newest, across the end of the circle.
func TestSurveySLRULastUsed(t *testing.T) {
	for _, tt := range []struct {
		g    Geometry
		at   string
		off  int
		want uint64
	}{
		{XactGeometry(), "0FFF", 100, 0xFFF00000 + 403},
		{OffsetsGeometry(), "FFFF", 8, 0xFFFF0002},
		{MembersGeometry(), "14078", 4, 82040 * 52352},
		{CommitTsGeometry(), "28028", 19, 163880*26208 + 1},
		{SubtransGeometry(), "FFFF", 7, 0xFFFF0001},
	} {
		last := SegmentNo(tt.g.Segments() - 1)
		fsys := slruDir(tt.g, map[string]int{tt.at: int(tt.g.PagesIn(last)) * BlockSize, "0000": BlockSize})
		fsys[tt.g.Dir+"/"+tt.at].Data[tt.off] = 0xFF
		s, err := SurveySLRU(t.Context(), fsys, tt.g)
		if err != nil || !s.Used || s.LastUsed != tt.want || !s.Span.Wrapped() {
			t.Errorf("%s: last used %d (%v), want %d; %v", tt.g.Dir, s.LastUsed, s.Used, tt.want, err)
		}
		var order []string
		err = s.EachSegment(t.Context(), fsys, func(seg Segment, id uint64, data []byte) error {
			order = append(order, fmt.Sprintf("%s:%d:%d", seg.Name, id/tt.g.EntriesPerSegment(), len(data)))
			return nil
		})
		if want := fmt.Sprintf("%s:%d:%d 0000:0:8192", tt.at, last, tt.g.PagesIn(last)*BlockSize); err != nil || strings.Join(order, " ") != want {
			t.Errorf("%s: order %v, %v", tt.g.Dir, order, err)
		}
	}
}

// Of several files in use it is the newest that tells.
func TestSurveySLRUNewestUsed(t *testing.T) {
	g := XactGeometry()
	fsys := slruDir(g, map[string]int{"0005": SLRUSegmentSize, "0006": SLRUSegmentSize, "0007": BlockSize})
	fsys["pg_xact/0005"].Data[9], fsys["pg_xact/0006"].Data[3] = 1, 1
	if s, err := SurveySLRU(t.Context(), fsys, g); err != nil || s.LastUsed != 6<<20+12 {
		t.Errorf("last used %d, %v", s.LastUsed, err)
	}
}

func TestSLRUNeeds(t *testing.T) {
	fresh := &Control{CheckpointCopy: CheckpointRecord{NextXID: 3, OldestXID: 3, NextMulti: 1, OldestMulti: 1}}
	if needs := SLRUNeeds(fresh, nil); len(needs) != 0 {
		t.Errorf("fresh: %+v", needs)
	}
	c := &Control{CheckpointCopy: CheckpointRecord{NextXID: 1<<32 | 40000, OldestXID: 0xFFFFFF00, NextMulti: 1, OldestMulti: 0xFFFFFFFE,
		NextMultiOffset: 20, OldestCommitTsXID: 700, NewestCommitTsXID: 30000}}
	page := make([]byte, SLRUSegmentSize)
	copy(page[SLRUSegmentSize-8:], []byte{0xF0, 0xFF, 0xFF, 0xFF})
	pages := NewSLRUFiles(fstest.MapFS{"pg_multixact/offsets/FFFF": &fstest.MapFile{Data: page}})
	var got []string
	for _, n := range SLRUNeeds(c, pages) {
		got = append(got, fmt.Sprintf("%s %d-%d%s %v", n.Geometry.Dir, n.First, n.Last, n.Unknown, n.Lacking(nil)))
	}
	want := []string{
		"pg_xact 4294967040-39999 [{0FFF file missing 131071 131071} {0000 file missing 0 1}]",
		"pg_multixact/offsets 4294967294-4294967295 [{FFFF file missing 2097151 2097151}]",
		"pg_multixact/members 4294967280-19 [{14078 file missing 2625285 2625285} {0000 file missing 0 0}]",
		"pg_commit_ts 700-30000 [{0000 file missing 0 36}]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	for _, n := range SLRUNeeds(c, NewSLRUFiles(fstest.MapFS{})) {
		if members := n.Geometry.Dir == "pg_multixact/members"; members != (n.Unknown != "") || members && n.Lacking(nil) != nil {
			t.Errorf("without offsets: %+v", n)
		}
	}
}

// FuzzSurveySLRU: whatever names and sizes a directory has, pages lie on the circle and gaps
// between its ends.
func FuzzSurveySLRU(f *testing.F) {
	f.Add(uint8(0), uint32(0), uint32(0xFFF), uint16(1), uint16(3))
	f.Add(uint8(2), uint32(0x14078), uint32(0), uint16(6), uint16(60))
	f.Add(uint8(6), uint32(1), uint32(9), uint16(0), uint16(31))
	f.Fuzz(func(t *testing.T, kind uint8, a, b uint32, sizeA, sizeB uint16) {
		l, _ := LayoutFor(17)
		all := Geometries(l)
		g := all[int(kind)%len(all)]
		fsys := slruDir(g, map[string]int{g.Name(SegmentNo(a)): int(sizeA) * 600, g.Name(SegmentNo(b)): int(sizeB) * 8192 % (1 << 20)})
		s, err := SurveySLRU(t.Context(), fsys, g)
		if err != nil {
			t.Fatal(err)
		}
		if uint64(s.First) >= g.Pages() || uint64(s.End) > g.Pages() || len(s.Segments)+len(s.Strays) > 2 {
			t.Fatalf("%+v", s)
		}
		for _, h := range s.Gaps {
			if h.First > h.Last || uint64(h.Last) >= g.Pages() {
				t.Fatalf("gap %+v", h)
			}
		}
	})
}
