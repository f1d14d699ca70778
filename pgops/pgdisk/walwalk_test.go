package pgdisk

import (
	"errors"
	"slices"
	"testing"
	"testing/fstest"
)

// walkTest collects what a walk tells.
type walkTest struct {
	records, beyond []LSN
	gaps            []WALGap
	order           string // r, g, b for each
}

func (k *walkTest) visit() WALVisit {
	return WALVisit{
		Record: func(rec *WALRecord) error { k.records = append(k.records, rec.LSN); k.order += "r"; return nil },
		Gap:    func(g WALGap) error { k.gaps = append(k.gaps, g); k.order += "g"; return nil },
		Beyond: func(rec *WALRecord) error { k.beyond = append(k.beyond, rec.LSN); k.order += "b"; return nil },
	}
}

// TestWALWalkPastDamage damages two records: all others come out, in order, and two gaps.
func TestWALWalkPastDamage(t *testing.T) {
	w := newWALBuilder(16).fill(3000)
	for _, i := range []int{1000, 4000} {
		w.bytes(w.starts[i])[40] ^= 1
	}
	var k walkTest
	end, err := openTestWAL(t, w.source(), w.starts[0]).Walk(t.Context(), k.visit())
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(w.starts[1001:4000], w.starts[4001:])
	if !slices.Equal(k.records, w.starts[:1000]) || !slices.Equal(k.beyond, want) {
		t.Errorf("%d records and %d beyond, want 1000 and %d", len(k.records), len(k.beyond), len(want))
	}
	if end.Kind != WALEndDamaged || end.GapCount != 2 || len(k.gaps) != 2 || len(end.Gaps) != 2 || end.BeyondLSN != w.pos {
		t.Fatalf("end %+v", end)
	}
	for n, i := range []int{1000, 4000} {
		if g := k.gaps[n]; g.From != w.starts[i] || g.To != w.starts[i+1] || g.Stop.LSN != w.starts[i] || g.Stop.Cause != WALStopCRC || g != end.Gaps[n] {
			t.Errorf("gap %d: %+v, want from %s to %s", n, g, w.starts[i], w.starts[i+1])
		}
	}
	if k.order[999:1002] != "rgb" || k.order[3999:4002] != "bgb" {
		t.Errorf("order %q ... %q", k.order[999:1002], k.order[3999:4002])
	}
}

func TestWALWalkReturnsVisitorsError(t *testing.T) {
	w := newWALBuilder(16).fill(100)
	w.bytes(w.starts[50])[40] ^= 1
	enough := errors.New("enough")
	for name, visit := range map[string]WALVisit{
		"record": {Record: func(*WALRecord) error { return enough }},
		"gap":    {Gap: func(WALGap) error { return enough }},
		"beyond": {Beyond: func(*WALRecord) error { return enough }},
	} {
		if _, err := openTestWAL(t, w.source(), w.starts[0]).Walk(t.Context(), visit); !errors.Is(err, enough) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWALPartial: NAME.partial is read where it was asked for and there is no NAME.
func TestWALPartial(t *testing.T) {
	w := newWALBuilder(15).fill(4000)
	src := w.source()
	files := src.FS.(fstest.MapFS)
	name := WALSegment{1, 2}.Name(w.segSize)
	files[name+".partial"] = files[name]
	delete(files, name)
	end, err := FindWALEnd(t.Context(), src, w.starts[0], nil)
	if err != nil || end.Kind != WALEndGap {
		t.Errorf("unasked: %v, %v", end, err)
	}
	src.Partial = true
	end, err = FindWALEnd(t.Context(), src, w.starts[0], nil)
	if err != nil || end.Kind != WALEndClean || end.Records != uint64(len(w.starts)) {
		t.Errorf("asked: %+v, %v", end, err)
	}
	numbers, err := openTestWAL(t, src, w.starts[0]).Segments(0)
	if err != nil || len(numbers) != len(w.data) || !slices.IsSorted(numbers) {
		t.Errorf("segments %v, %v", numbers, err)
	}
}

// TestWALWalkFromDamage: reading begins on a page that is gone, in the middle of a record that began
// before it. The record behind that one links to it, and counts.
func TestWALWalkFromDamage(t *testing.T) {
	w := newWALBuilder(17).fill(20)
	long := w.insert(1, 20000)
	w.fill(20)
	page := long&^(BlockSize-1) + BlockSize
	clear(w.bytes(page)[:BlockSize])
	end, err := FindWALEnd(t.Context(), w.source(), page, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := w.starts[41]; end.ResumeLSN != want || end.RecordsBeyond != 40 {
		t.Errorf("goes on at %s with %d records, want %s with 40", end.ResumeLSN, end.RecordsBeyond, want)
	}
}
