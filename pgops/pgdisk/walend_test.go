package pgdisk

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"
)

// commitsFrom counts the commits that the builder's fill wrote at or after lsn.
func (w *walBuilder) commitsFrom(t *testing.T, lsn LSN) (n uint64) {
	t.Helper()
	r := openTestWAL(t, w.source(), w.starts[0])
	for range w.starts {
		rec, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if x, ok, _ := rec.WALXact(); ok && x.Kind.Commit() && rec.LSN >= lsn {
			n++
		}
	}
	return n
}

func openTestWAL(t *testing.T, src WALSource, from LSN) *WALReader {
	t.Helper()
	r, err := NewWALReader(src, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func findTestEnd(t *testing.T, w *walBuilder) *WALEnd {
	t.Helper()
	end, err := FindWALEnd(t.Context(), w.source(), w.starts[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s end at %s: %s", end.Kind, end.LSN, end.Reason)
	return end
}

func TestWALEndKinds(t *testing.T) {
	// They fill segments 1 and 2 and part of 3.
	const pairs = 5000
	type want struct {
		kind   WALEndKind
		cause  WALStopCause
		stop   LSN // 0: the end of what was written
		resume LSN // 0: none
	}
	tests := []struct {
		name   string
		damage func(w *walBuilder) want
	}{
		{"zeros follow", func(*walBuilder) want {
			return want{kind: WALEndClean, cause: WALStopZeroLength}
		}},
		{"segment full and no next", func(w *walBuilder) want {
			for w.pos%LSN(w.segSize) != 0 {
				w.fillPage()
			}
			return want{kind: WALEndClean, cause: WALStopNoSegment}
		}},
		{"recycled pages follow", func(w *walBuilder) want {
			w.recycle(w.pos)
			return want{kind: WALEndClean, cause: WALStopZeroLength}
		}},
		{"recycled page at once", func(w *walBuilder) want {
			w.fillPage()
			w.recycle(w.pos)
			return want{kind: WALEndClean, cause: WALStopPageAddr}
		}},
		{"recycled segments follow", func(w *walBuilder) want {
			for n := range uint64(3) {
				w.data[4+n] = append([]byte(nil), w.data[1+n%2]...)
			}
			return want{kind: WALEndClean, cause: WALStopZeroLength}
		}},
		{"byte flipped in the middle", func(w *walBuilder) want {
			w.bytes(w.starts[2000])[30] ^= 0x40
			return want{WALEndDamaged, WALStopCRC, w.starts[2000], w.starts[2001]}
		}},
		{"length wiped in the middle", func(w *walBuilder) want {
			clear(w.bytes(w.starts[2000])[:4])
			return want{WALEndDamaged, WALStopZeroLength, w.starts[2000], w.starts[2001]}
		}},
		{"link wrong in the middle", func(w *walBuilder) want {
			w.bytes(w.starts[2000])[8] ^= 1
			return want{WALEndDamaged, WALStopPrev, w.starts[2000], w.starts[2001]}
		}},
		{"record length huge", func(w *walBuilder) want {
			copy(w.bytes(w.starts[2000]), []byte{0xFF, 0xFF, 0xFF, 0x3E})
			return want{WALEndDamaged, WALStopContRecord, w.starts[2000], w.starts[2001]}
		}},
		{"record length beyond the limit", func(w *walBuilder) want {
			copy(w.bytes(w.starts[2000]), []byte{0xFF, 0xFF, 0xFF, 0xFF})
			return want{WALEndDamaged, WALStopLength, w.starts[2000], w.starts[2001]}
		}},
		{"page header wiped", func(w *walBuilder) want {
			page := w.starts[2000]&^(BlockSize-1) + BlockSize
			i := w.firstFrom(page)
			clear(w.bytes(page)[:walShortHeaderSize])
			next := w.firstFrom(page + BlockSize)
			return want{WALEndDamaged, WALStopPageMagic, w.starts[i-1], w.starts[next]}
		}},
		{"4 kB not written in the middle", func(w *walBuilder) want {
			page := w.starts[2000]&^(BlockSize-1) + BlockSize
			i := w.firstFrom(page + BlockSize/2)
			clear(w.bytes(page)[BlockSize/2 : BlockSize])
			next := w.firstFrom(page + BlockSize)
			return want{WALEndDamaged, WALStopCRC, w.starts[i-1], w.starts[next]}
		}},
		{"a page lost at the end", func(w *walBuilder) want {
			w.insert(1, 20000)
			last := w.starts[len(w.starts)-1]
			clear(w.bytes(last&^(BlockSize-1) + BlockSize)[:2*BlockSize])
			return want{WALEndTorn, WALStopZeroPage, last, 0}
		}},
		{"last record half written", func(w *walBuilder) want {
			last := w.starts[len(w.starts)-1]
			clear(w.bytes(last)[16:40])
			return want{WALEndTorn, WALStopCRC, last, 0}
		}},
		{"last record's length wiped", func(w *walBuilder) want {
			last := w.starts[len(w.starts)-1]
			clear(w.bytes(last)[:4])
			return want{WALEndTorn, WALStopZeroLength, last, 0}
		}},
		{"length wrong by 8 across pages", func(w *walBuilder) want {
			i := w.firstFrom(w.starts[2000]&^(BlockSize-1)+BlockSize) - 1
			w.bytes(w.starts[i])[0] += 8
			return want{WALEndDamaged, WALStopContRecord, w.starts[i], w.starts[i+1]}
		}},
		{"segment missing", func(w *walBuilder) want {
			delete(w.data, 2)
			i, next := w.firstFrom(2*LSN(w.segSize)), w.firstFrom(3*LSN(w.segSize))
			return want{WALEndGap, WALStopNoSegment, w.starts[i-1], w.starts[next]}
		}},
		{"segment cut", func(w *walBuilder) want {
			w.data[2] = w.data[2][:5*BlockSize+100]
			i, next := w.firstFrom(2*LSN(w.segSize)+5*BlockSize), w.firstFrom(3*LSN(w.segSize))
			return want{WALEndGap, WALStopShort, w.starts[i-1], w.starts[next]}
		}},
		{"last segment cut", func(w *walBuilder) want {
			w.data[3] = w.data[3][:0]
			i := w.firstFrom(3 * LSN(w.segSize))
			return want{WALEndUnreadable, WALStopShort, w.starts[i-1], 0}
		}},
		{"segment of another cluster", func(w *walBuilder) want {
			i := w.firstFrom(3 * LSN(w.segSize))
			w.data[3][24] ^= 1
			return want{WALEndDamaged, WALStopForeign, w.starts[i-1], w.starts[w.firstFrom(3*LSN(w.segSize)+BlockSize)]}
		}},
		{"segment from further on", func(w *walBuilder) want {
			i := w.firstFrom(3 * LSN(w.segSize))
			w.data[3][14] ^= 1
			clear(w.data[3][BlockSize:])
			return want{WALEndForeign, WALStopPageAddr, w.starts[i-1], 0}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWALBuilder(15).fill(pairs)
			whole := newWALBuilder(15).fill(pairs)
			want := tt.damage(w)
			if want.stop == 0 {
				want.stop = w.pos
			}
			end := findTestEnd(t, w)
			if end.Kind != want.kind || end.Stop.Cause != want.cause {
				t.Errorf("kind %s, cause %d, want %s, %d", end.Kind, end.Stop.Cause, want.kind, want.cause)
			}
			if end.Stop.LSN != want.stop || end.ResumeLSN != want.resume {
				t.Errorf("stops at %s and resumes at %s, want %s and %s", end.Stop.LSN, end.ResumeLSN, want.stop, want.resume)
			}
			commits := uint64(0)
			if want.resume != 0 {
				commits = whole.commitsFrom(t, want.resume)
			}
			if end.CommitsBeyondCount != commits {
				t.Errorf("%d commits beyond, want %d", end.CommitsBeyondCount, commits)
			}
			if n := uint64(len(end.CommitsBeyond)); n != min(commits, walMaxListedCommits) {
				t.Errorf("%d commits listed", n)
			}
			if want.resume != 0 && !end.Kind.Lossy() {
				t.Error("records are lost, and the kind does not say so")
			}
		})
	}
}

// firstFrom is the index of the first record that starts at or after lsn.
func (w *walBuilder) firstFrom(lsn LSN) int {
	for i, s := range w.starts {
		if s >= lsn {
			return i
		}
	}
	return len(w.starts)
}

// fillPage writes records up to the end of a page.
func (w *walBuilder) fillPage() {
	const fixed = walRecordHeaderSize + 20 + 5 // what insert writes beside its data
	if w.pos%BlockSize == 0 {
		w.header(0)
	}
	left := int(BlockSize - w.pos%BlockSize)
	if left <= fixed {
		w.insert(1, 200)
		left = int(BlockSize - w.pos%BlockSize)
	}
	w.insert(1, left-fixed)
}

// recycle fills the rest of the segment, from the page after lsn on, with what lay in a segment before.
func (w *walBuilder) recycle(lsn LSN) {
	old := w.data[1]
	n := uint64(lsn) / uint64(w.segSize)
	first := (uint64(lsn)%uint64(w.segSize) + BlockSize - 1) / BlockSize * BlockSize
	copy(w.bytes(LSN(n * uint64(w.segSize)))[first:], old[first:])
}

// Sectors of an older record inside a page that was only partly written have good
// checksums. Their links give them away.
func TestWALEndIgnoresStaleSectors(t *testing.T) {
	w := newWALBuilder(15).fill(3000)
	w.fillPage()
	w.fill(1)
	off := uint64(w.pos) % uint64(w.segSize)
	sector := (off/walSector + 1) * walSector
	page := (off + BlockSize - 1) / BlockSize * BlockSize
	n := uint64(w.pos) / uint64(w.segSize)
	if n != 2 || page-sector < 2*walSector {
		t.Fatalf("WAL ends at %s: no room for old sectors", w.pos)
	}
	copy(w.data[n][sector:page], w.data[1][sector:page])
	end := findTestEnd(t, w)
	if end.RecordsBeyond != 0 || end.Stop.LSN != w.pos {
		t.Errorf("%d records beyond, stop at %s; want none, %s", end.RecordsBeyond, end.Stop.LSN, w.pos)
	}
}

func TestWALEndNamesZeros(t *testing.T) {
	w := newWALBuilder(17).fill(100)
	page := w.insert(7, 30000)&^(BlockSize-1) + BlockSize
	w.fill(10)
	clear(w.bytes(page)[3*walSector : 4*walSector]) // the longest run is named, not this
	clear(w.bytes(page)[BlockSize/2 : BlockSize])
	end := findTestEnd(t, w)
	if end.ZeroFrom != page+BlockSize/2 || end.ZeroTo != page+BlockSize || end.CommitsBeyondCount != 10 {
		t.Errorf("zeros from %s to %s, want %s to %s", end.ZeroFrom, end.ZeroTo, page+BlockSize/2, page+BlockSize)
	}
}

func TestWALEndListsCommits(t *testing.T) {
	w := newWALBuilder(13).fill(10)
	w.bytes(w.starts[15])[10] ^= 1 // the commit of 1007
	end := findTestEnd(t, w)
	if len(end.CommitsBeyond) != 2 {
		t.Fatalf("commits beyond: %v, want those of 1008 and 1009", end.CommitsBeyond)
	}
	c := end.CommitsBeyond[1]
	if c.XID != 1009 || !c.Time.Equal(walTestTime(1009)) || c.LSN != w.starts[19] {
		t.Errorf("last commit beyond: %+v", c)
	}
}

func TestWALEndStopsWhenCancelled(t *testing.T) {
	w := newWALBuilder(15).fill(3000)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := FindWALEnd(ctx, w.source(), w.starts[0], func(rec *WALRecord) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestWALEndReturnsVisitorsError(t *testing.T) {
	w := newWALBuilder(15).fill(3)
	stop := errors.New("enough")
	if _, err := FindWALEnd(t.Context(), w.source(), w.starts[0], func(*WALRecord) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v, want the visitor's", err)
	}
}

// badSectorFS refuses to read one page of one file.
type badSectorFS struct {
	fstest.MapFS
	name string
	off  int64
}

type badSectorFile struct {
	fs.File
	off int64
}

func (b badSectorFS) Open(name string) (fs.File, error) {
	f, err := b.MapFS.Open(name)
	if err != nil || name != b.name {
		return f, err
	}
	return badSectorFile{f, b.off}, nil
}

func (f badSectorFile) ReadAt(p []byte, off int64) (int, error) {
	if off <= f.off && f.off < off+int64(len(p)) {
		return 0, errors.New("input/output error")
	}
	return f.File.(io.ReaderAt).ReadAt(p, off)
}

func TestWALEndSurvivesReadErrors(t *testing.T) {
	w := newWALBuilder(15).fill(3000)
	src := w.source()
	const bad = 5*BlockSize + 100
	src.FS = badSectorFS{w.fs(), WALSegment{1, 2}.Name(w.segSize), bad}
	end, err := FindWALEnd(t.Context(), src, w.starts[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	page := 2*LSN(w.segSize) + 5*BlockSize
	if end.Stop.Cause != WALStopReadError || end.Stop.Page != page {
		t.Errorf("stop %d at page %s, want a read error at %s: %s", end.Stop.Cause, end.Stop.Page, page, end.Reason)
	}
	if want := w.starts[w.firstFrom(page+BlockSize)]; end.ResumeLSN != want || end.Kind != WALEndDamaged {
		t.Errorf("%s, resumes at %s, want damaged, %s", end.Kind, end.ResumeLSN, want)
	}
}
