package pgdisk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"testing"
	"testing/fstest"
)

// readAllWAL reads to the end and gives the starts.
func readAllWAL(t *testing.T, r *WALReader) (starts []LSN, stop *WALStop) {
	t.Helper()
	for {
		rec, err := r.Next(t.Context())
		if errors.As(err, &stop) {
			return starts, stop
		}
		if err != nil {
			t.Fatal(err)
		}
		starts = append(starts, rec.LSN)
	}
}

// Records of every length modulo the page put headers and bodies across page and
// segment boundaries in all ways.
func TestWALReaderCrossesPages(t *testing.T) {
	for _, major := range []int{13, 14, 15, 16, 17, 18} {
		w := newWALBuilder(major)
		for i := range 900 {
			w.insert(XID(i+3), 1+i*8)
		}
		r := openTestWAL(t, w.source(), w.starts[0])
		for i, want := range w.starts {
			rec, err := r.Next(t.Context())
			if err != nil {
				t.Fatalf("%d: record %d at %s: %v", major, i, want, err)
			}
			if rec.LSN != want || rec.XID != XID(i+3) || len(rec.Blocks[0].Data) != 1+i*8 || rec.Blocks[0].Data[i*8] != byte(i*8*7+i+3) {
				t.Fatalf("%d: record %d at %s, want %s", major, i, rec.LSN, want)
			}
			if next := i + 1; next < len(w.starts) && rec.EndLSN != w.starts[next] && w.starts[next]-rec.EndLSN > walLongHeaderSize {
				t.Errorf("%d: record %d ends at %s, next starts at %s", major, i, rec.EndLSN, w.starts[next])
			}
		}
		var stop *WALStop
		if _, err := r.Next(t.Context()); !errors.As(err, &stop) || stop.LSN != w.pos {
			t.Errorf("%d: end %v, want %s", major, err, w.pos)
		}
		if r.Major() != major || r.SystemID() != walTestSysID || r.Position() != w.pos {
			t.Errorf("major %d, system identifier %d, position %s", r.Major(), r.SystemID(), r.Position())
		}
	}
}

func TestWALReaderFirst(t *testing.T) {
	w := newWALBuilder(15)
	w.insert(3, 50)
	w.insert(4, 30000)
	w.insert(5, 50)
	w.insert(6, 50)
	tests := []struct {
		from LSN
		want int
	}{
		{0x100000, 0}, {w.starts[0], 0}, {w.starts[0] + 1, 1}, {w.starts[1] + 8, 2}, {0x102000, 2}, {0x104000, 2}, {w.starts[2] + 8, 3},
	}
	for _, tt := range tests {
		r := openTestWAL(t, w.source(), 0)
		got, err := r.First(t.Context(), tt.from)
		if err != nil || got != w.starts[tt.want] {
			t.Errorf("first from %s: %s, %v, want %s", tt.from, got, err, w.starts[tt.want])
			continue
		}
		if starts, _ := readAllWAL(t, r); len(starts) != len(w.starts)-tt.want {
			t.Errorf("from %s: read %v", tt.from, starts)
		}
	}
}

func TestWALReaderSwitch(t *testing.T) {
	w := newWALBuilder(15)
	w.insert(3, 50)
	w.add(RmgrXLOG, walXLOGSwitch, 0, nil)
	w.pos = 2 * LSN(w.segSize)
	w.insert(4, 50)
	if starts, stop := readAllWAL(t, openTestWAL(t, w.source(), w.starts[0])); len(starts) != 3 || stop.LSN != w.pos {
		t.Errorf("read %v, then %v", starts, stop)
	}
}

// overwriteContRecord makes the WAL that recovery leaves when the rest of a record was
// lost: the page of the continuation opens with a record that says so.
func overwriteContRecord() (w *walBuilder, aborted LSN) {
	w = newWALBuilder(15)
	w.insert(3, 50)
	prev, page := w.prev, LSN(0)
	aborted = w.insert(4, 20000)
	page = aborted&^(BlockSize-1) + BlockSize
	clear(w.bytes(page))
	w.pos, w.prev, w.starts = page, prev, w.starts[:1]
	w.add(RmgrXLOG, walXLOGOverwriteContRecord, 0, walFragmentBytes(nil, append(binary.LittleEndian.AppendUint64(nil, uint64(aborted)), make([]byte, 8)...), false))
	w.bytes(page)[2] |= byte(WALFirstIsOverwriteContRecord)
	w.insert(5, 50)
	return w, aborted
}

func TestWALReaderOverwrittenContRecord(t *testing.T) {
	w, aborted := overwriteContRecord()
	r := openTestWAL(t, w.source(), w.starts[0])
	for i := range w.starts {
		rec, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if rec.LSN != w.starts[i] {
			t.Errorf("record %d at %s, want %s", i, rec.LSN, w.starts[i])
		}
		if lsn, ok := rec.WALOverwritten(); ok != (i == 1) || ok && lsn != aborted {
			t.Errorf("record %d: overwrites %s, %t", i, lsn, ok)
		}
	}
}

// A timeline's own segment goes on where the older one was left; what the older one
// has beyond the switch is not read.
func TestWALReaderFollowsTimelines(t *testing.T) {
	w := newWALBuilder(15).fill(3000)
	fsys := w.fs()
	until := w.starts[5000]
	var before int
	two := newWALBuilder(15)
	two.tli = 2
	seg := uint64(until) / uint64(w.segSize)
	two.data[seg] = append([]byte(nil), w.data[seg]...)
	off := uint64(until) % uint64(w.segSize)
	clear(two.data[seg][off:])
	two.pos, two.prev, before = until, w.starts[4999], 5000
	two.fill(50)
	for name, f := range two.fs() {
		fsys[name] = f
	}
	fsys["00000002.history"] = &fstest.MapFile{Data: []byte("1\t" + until.String() + "\tno recovery target specified\n\n")}
	src := WALSource{FS: fsys, SegSize: w.segSize, Timeline: 2}
	starts, stop := readAllWAL(t, openTestWAL(t, src, w.starts[0]))
	if len(starts) != before+100 || stop.LSN != two.pos {
		t.Errorf("read %d records, then %v, want %d and %s", len(starts), stop, before+100, two.pos)
	}
	src.Timeline = 1
	if starts, _ := readAllWAL(t, openTestWAL(t, src, w.starts[0])); len(starts) != len(w.starts) {
		t.Errorf("timeline 1: read %d records, want %d", len(starts), len(w.starts))
	}
}

func TestParseWALHistory(t *testing.T) {
	good := "# a comment\n1\t0/3000000\tno recovery target specified\n\n 2\t1/A0\tbefore 2026-03-01 00:00:00+00\n"
	got, err := ParseWALHistory([]byte(good), 3)
	if err != nil || len(got) != 2 || got[0] != (WALSwitch{1, 0x3000000}) || got[1] != (WALSwitch{2, 0x1000000A0}) {
		t.Errorf("history %v, %v", got, err)
	}
	for _, bad := range []string{"1", "x\t0/1\n", "1\t01\n", "2\t0/1\tx\n1\t0/2\tx\n", "3\t0/1\tx\n"} {
		if got, err := ParseWALHistory([]byte(bad), 3); err == nil {
			t.Errorf("%q reads as %v", bad, got)
		}
	}
}

// What a record claims costs nothing: memory follows the bytes that are there.
func TestWALReaderMemoryIsBounded(t *testing.T) {
	w := newWALBuilder(15).fill(200)
	const claimed = 1000 << 20
	head := w.starts[len(w.starts)-1]
	b := w.bytes(head)
	binary.LittleEndian.PutUint32(b, claimed)
	// The next page agrees that a huge record goes on, the one after that does not exist.
	page := head&^(BlockSize-1) + BlockSize
	w.pos = page
	w.header(claimed - int(page-head))
	r := openTestWAL(t, w.source(), w.starts[0])
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, stop := readAllWAL(t, r)
	runtime.ReadMemStats(&after)
	if stop.LSN != head {
		t.Errorf("stopped at %s, want %s", stop.LSN, head)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes allocated to read a record that is not there", used)
	}
}

func TestWALReaderDoesNotAllocatePerRecord(t *testing.T) {
	w := newWALBuilder(18).fill(2000)
	r := openTestWAL(t, w.source(), w.starts[0])
	read := func() {
		r.Seek(w.starts[0])
		for range w.starts {
			if _, err := r.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	read()
	// Opening segments and reading chunks costs a little, records must not.
	if n := testing.AllocsPerRun(3, read); n > 100 {
		t.Errorf("%.0f allocations for %d records", n, len(w.starts))
	}
}

func TestNewWALReaderRefuses(t *testing.T) {
	src := newWALBuilder(15).fill(1).source()
	for name, spoil := range map[string]func(*WALSource){
		"segment size": func(s *WALSource) { s.SegSize = 3 << 20 },
		"timeline":     func(s *WALSource) { s.Timeline = 0 },
		"history": func(s *WALSource) {
			s.Timeline = 2
			s.FS = fstest.MapFS{"00000002.history": &fstest.MapFile{Data: []byte("nonsense")}}
		},
	} {
		bad := src
		spoil(&bad)
		if _, err := NewWALReader(bad, 0); err == nil {
			t.Errorf("wrong %s accepted", name)
		}
	}
	src.SystemID = 5
	var stop *WALStop
	if _, err := openTestWAL(t, src, 0x100000).Next(t.Context()); !errors.As(err, &stop) || stop.Cause != WALStopForeign {
		t.Errorf("another cluster's WAL: %v", err)
	}
}

// Reading and searching damaged segments ends, without a panic, and every record that
// is reported has a good checksum.
func FuzzFindWALEnd(f *testing.F) {
	plain := newWALBuilder(15).fill(40)
	over, _ := overwriteContRecord()
	long := newWALBuilder(18)
	long.insert(3, 25000)
	bases := []*walBuilder{plain, over, long}
	f.Add(uint8(0), []byte{0x30, 0x40, 1})
	f.Add(uint8(0), []byte{0x00, 0x20, 0, 0x01, 0x20, 0})
	f.Add(uint8(1), []byte{0x29, 0, 9})
	f.Add(uint8(2), []byte{0x10, 0x20, 0xFF, 0x28, 0, 0xFF})
	f.Fuzz(func(t *testing.T, base uint8, patches []byte) {
		if len(patches) > 60 {
			return
		}
		segment := bytes.Clone(bases[int(base)%len(bases)].data[1][:4*BlockSize]) // cut, to be quick
		for ; len(patches) >= 3; patches = patches[3:] {
			segment[int(binary.LittleEndian.Uint16(patches))%len(segment)] = patches[2]
		}
		fsys := fstest.MapFS{"000000010000000000000001": &fstest.MapFile{Data: segment}}
		var s WALSummary
		end, err := FindWALEnd(t.Context(), WALSource{FS: fsys, SegSize: walTestSegSize, Timeline: 1}, 0x100000, s.Add)
		if err != nil {
			t.Fatal(err)
		}
		if end.Reason == "" || end.Records != s.Records || end.ResumeLSN != 0 && end.ResumeLSN <= end.Stop.LSN {
			t.Errorf("end %+v", end)
		}
		err = ScanWALCheckpoints(t.Context(), fsys, walTestSegSize, func(WALFoundCheckpoint) error { return nil })
		if err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkFindWALEnd(b *testing.B) {
	w := newWALBuilder(18).fill(40000)
	src := w.source()
	b.SetBytes(int64(w.pos) - int64(w.starts[0]))
	b.ReportAllocs()
	for b.Loop() {
		var s WALSummary
		if _, err := FindWALEnd(b.Context(), src, w.starts[0], s.Add); err != nil {
			b.Fatal(err)
		}
	}
}
