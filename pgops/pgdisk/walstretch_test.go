package pgdisk

import (
	"errors"
	"slices"
	"testing"
)

// readStretches reads WAL in pieces of size bytes with a reader of their own and joins them.
// It returns the records of the joined part.
func readStretches(t *testing.T, w *walBuilder, size LSN) (sum WALStretch, starts []LSN) {
	t.Helper()
	at := w.starts[0]
	sum = WALStretch{From: at, To: at, Next: at}
	for first := true; at < w.pos; first = false {
		var list []LSN
		to := (at + size) &^ (size - 1)
		got, err := openTestWAL(t, w.source(), 0).Stretch(t.Context(), at, to, func(rec *WALRecord) error {
			list = append(list, rec.LSN)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if first {
			sum = got
		} else if !sum.Join(got) {
			break
		}
		starts = append(starts, list...)
		if !sum.Whole() {
			break
		}
		at = to
	}
	return sum, starts
}

func TestWALStretchesMakeTheWhole(t *testing.T) {
	for name, w := range map[string]*walBuilder{
		"plain": newWALBuilder(17).fill(5000),
		"a record over many pages": func() *walBuilder {
			w := newWALBuilder(17).fill(10)
			w.add(RmgrLogicalMessage, 0, 0, walFragmentBytes(nil, make([]byte, 3<<20), true))
			return w.fill(10)
		}(),
		"a segment switch": func() *walBuilder {
			w := newWALBuilder(17).fill(10)
			w.add(RmgrXLOG, walXLOGSwitch, 0, nil)
			w.pos = (w.pos + LSN(w.segSize) - 1) &^ (LSN(w.segSize) - 1)
			return w.fill(10)
		}(),
	} {
		for _, size := range []LSN{BlockSize, 64 << 10, 4 << 20} {
			sum, starts := readStretches(t, w, size)
			if !slices.Equal(starts, w.starts) || sum.Records != uint64(len(starts)) {
				t.Errorf("%s in pieces of %d: %d records, want %d; stopped at %s of %s", name, size, len(starts), len(w.starts), sum.Next, w.pos)
			}
			r := openTestWAL(t, w.source(), 0)
			r.Continue(sum)
			end, err := r.Walk(t.Context(), WALVisit{})
			if err != nil || end.Kind != WALEndClean || end.LSN != w.pos || end.Records != 0 || end.LastRecord != w.prev {
				t.Errorf("%s in pieces of %d: end %+v, %v", name, size, end, err)
			}
		}
	}
}

// TestWALStretchesStopAtDamage: what was joined ends where reading in order would have.
func TestWALStretchesStopAtDamage(t *testing.T) {
	over, _ := overwriteContRecord()
	flipped := newWALBuilder(14).fill(3000)
	flipped.bytes(flipped.starts[2000])[40] ^= 1
	linked := newWALBuilder(14).fill(3000)
	other := newWALBuilder(14)
	other.prev = 0x28
	other.fill(3000)
	copy(linked.data[2], other.data[2]) // good records, but not those that belong here
	for name, w := range map[string]*walBuilder{"overwritten": over, "flipped": flipped, "foreign": linked} {
		want, stop := readAllWAL(t, openTestWAL(t, w.source(), w.starts[0]))
		_, starts := readStretches(t, w, 32<<10)
		if len(starts) == 0 || len(starts) > len(want) || !slices.Equal(starts, want[:len(starts)]) {
			t.Errorf("%s: %d records in pieces, %d in order, then %v", name, len(starts), len(want), stop)
		}
	}
}

// TestWALStretchOfNothing: a page that cannot be read is where reading in order goes on.
func TestWALStretchOfNothing(t *testing.T) {
	w := newWALBuilder(16).fill(100)
	clear(w.bytes(LSN(w.segSize))[:8])
	r := openTestWAL(t, w.source(), 0)
	got, err := r.Stretch(t.Context(), LSN(w.segSize), w.pos, func(*WALRecord) error { return nil })
	if err != nil || got.Next != LSN(w.segSize) || got.Whole() || got.Records != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if r.Continue(got); r.Position() != LSN(w.segSize) {
		t.Errorf("goes on at %s", r.Position())
	}
}

func TestWALStretchJoinRefuses(t *testing.T) {
	whole := WALStretch{From: 0x2000, To: 0x4000, First: 0x2018, Last: 0x3F00, Next: 0x4000, Records: 9, Major: 15, SystemID: 7, FirstTimeline: 2, LastTimeline: 2}
	next := WALStretch{From: 0x4000, To: 0x6000, First: 0x4018, Prev: 0x3F00, Last: 0x5000, Next: 0x6000, Records: 9, Major: 15, SystemID: 7, FirstTimeline: 2, LastTimeline: 3}
	if s := whole; !s.Join(next) || s.Records != 18 || s.Last != 0x5000 || s.LastTimeline != 3 || s.First != 0x2018 {
		t.Fatalf("they fit, and yet: %+v", s)
	}
	for name, change := range map[string]func(s, o *WALStretch){
		"not next":         func(s, o *WALStretch) { o.From = 0x5000 },
		"not read to end":  func(s, o *WALStretch) { s.Next = 0x3F80 },
		"nothing in it":    func(s, o *WALStretch) { o.First = 0 },
		"another link":     func(s, o *WALStretch) { o.Prev = 0x3E00 },
		"a hole":           func(s, o *WALStretch) { o.First = 0x4100 },
		"older timeline":   func(s, o *WALStretch) { o.FirstTimeline = 1 },
		"another major":    func(s, o *WALStretch) { o.Major = 16 },
		"another cluster":  func(s, o *WALStretch) { o.SystemID = 8 },
		"begins too early": func(s, o *WALStretch) { s.Next = 0x4100 },
	} {
		s, o := whole, next
		change(&s, &o)
		before := s
		if s.Join(o) || s != before {
			t.Errorf("%s: joined to %+v", name, s)
		}
	}
}

func TestWALStretchReturnsVisitorsError(t *testing.T) {
	w := newWALBuilder(16).fill(100)
	enough := errors.New("enough")
	got, err := openTestWAL(t, w.source(), 0).Stretch(t.Context(), w.starts[0], w.pos, func(rec *WALRecord) error {
		if rec.LSN == w.starts[7] {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || got.Records != 7 || got.Next != w.starts[7] || got.Last != w.starts[6] {
		t.Errorf("%+v, %v", got, err)
	}
}
