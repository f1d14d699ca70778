package inspect

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

const walTestSegSize = 1 << 20

// walTape writes WAL of PostgreSQL 16, segments of 1 MB from number 1 on.
type walTape struct {
	b      []byte // from LSN walTestSegSize on
	prev   pgdisk.LSN
	starts []pgdisk.LSN
}

func (w *walTape) pos() pgdisk.LSN { return walTestSegSize + pgdisk.LSN(len(w.b)) }

// page begins a page; rest is what is left of the record at hand.
func (w *walTape) page(rest int) {
	le := binary.LittleEndian
	h := make([]byte, 24, 40)
	le.PutUint16(h, 0xD113)
	le.PutUint32(h[4:], 1)
	le.PutUint64(h[8:], uint64(w.pos()))
	if rest > 0 {
		h[2] |= 1
		le.PutUint32(h[16:], uint32(rest))
	}
	if w.pos()%walTestSegSize == 0 {
		h[2] |= 2
		h = le.AppendUint64(h, 7300000000000000001)
		h = le.AppendUint32(h, walTestSegSize)
		h = le.AppendUint32(h, pgdisk.BlockSize)
	}
	w.b = append(w.b, h...)
}

// add writes a record with n bytes of main data.
func (w *walTape) add(rmid pgdisk.RmgrID, info uint8, xid uint32, main []byte) {
	le := binary.LittleEndian
	raw := make([]byte, 24, 29+len(main))
	raw = le.AppendUint32(append(raw, 254), uint32(len(main)))
	raw = append(raw, main...)
	le.PutUint32(raw, uint32(len(raw)))
	le.PutUint32(raw[4:], xid)
	le.PutUint64(raw[8:], uint64(w.prev))
	raw[16], raw[17] = info, byte(rmid)
	le.PutUint32(raw[20:], pgdisk.WALRecordCRC(raw))
	if len(w.b)%pgdisk.BlockSize == 0 {
		w.page(0)
	}
	w.prev = w.pos()
	w.starts = append(w.starts, w.prev)
	for len(raw) > 0 {
		if len(w.b)%pgdisk.BlockSize == 0 {
			w.page(len(raw))
		}
		n := min(len(raw), pgdisk.BlockSize-len(w.b)%pgdisk.BlockSize)
		w.b = append(w.b, raw[:n]...)
		raw = raw[n:]
	}
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
}

// newWALTape writes pairs of a message and a commit, and here and there one over many pages.
func newWALTape(pairs int) *walTape {
	w := new(walTape)
	for i := range pairs {
		size := 100 + i%900
		if i%1000 == 999 {
			size = 300_000
		}
		w.add(pgdisk.RmgrXLOG, 0x20, 0, bytes.Repeat([]byte{byte(i)}, size))
		w.add(pgdisk.RmgrTransaction, 0, uint32(1000+i), make([]byte, 8))
	}
	return w
}

func (w *walTape) fs() fstest.MapFS {
	fsys := fstest.MapFS{}
	for at := 0; at < len(w.b); at += walTestSegSize {
		data := make([]byte, walTestSegSize)
		copy(data, w.b[at:])
		name := pgdisk.WALSegmentAt(1, walTestSegSize+pgdisk.LSN(at), walTestSegSize).Name(walTestSegSize)
		fsys[name] = &fstest.MapFile{Data: data, Mode: 0o600}
	}
	return fsys
}

func (w *walTape) flip(i int) { w.b[w.starts[i]-walTestSegSize+26] ^= 1 }

// readWAL gives what is printed, stdout and notes.
func readWAL(t *testing.T, w *walTape, opt WALOptions) (string, string, *WALEnd) {
	t.Helper()
	var out, notes strings.Builder
	end, err := WAL(t.Context(), WALInput{FS: w.fs()}, opt, &out, &notes)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), notes.String(), end
}

// TestWALParallel: decoding side by side prints what decoding in order prints, to the byte.
func TestWALParallel(t *testing.T) {
	const inOrder = 1 << 40 // a limit makes the reading go record by record
	whole, damaged := newWALTape(12_000), newWALTape(12_000)
	damaged.flip(15_000)
	damaged.flip(15_008)
	for name, w := range map[string]*walTape{"whole": whole, "damaged": damaged} {
		for _, opt := range []WALOptions{
			{}, {JSON: true}, {Mode: WALCommits}, {Mode: WALStats}, {Mode: WALRecordStats, JSON: true}, {Mode: WALCount},
			{PastDamage: true}, {End: w.starts[9000] + 5}, {Start: w.starts[100] + 1}, {Filter: WALFilter{XID: 5000}},
		} {
			out, notes, end := readWAL(t, w, opt)
			opt.Limit = inOrder
			wantOut, wantNotes, wantEnd := readWAL(t, w, opt)
			if out != wantOut || notes != wantNotes {
				t.Errorf("%s, %+v: %d bytes side by side, %d in order\n%s\n%s", name, opt, len(out), len(wantOut), notes, wantNotes)
			}
			if stopOf(end) != stopOf(wantEnd) || end.Records != wantEnd.Records || end.LastRecord != wantEnd.LastRecord {
				t.Errorf("%s, %+v: end %+v, in order %+v", name, opt, end, wantEnd)
			}
		}
	}
}

func stopOf(e *WALEnd) walStopJSON {
	if e.Stop == nil {
		return walStopJSON{}
	}
	return *e.Stop
}

func TestWALPastDamage(t *testing.T) {
	w := newWALTape(500)
	w.flip(400)
	out, _, end := readWAL(t, w, WALOptions{PastDamage: true, End: w.starts[600]})
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 600 || !strings.HasPrefix(lines[400], "=== GAP: ") || !strings.HasPrefix(lines[401], w.starts[401].String()+" ") {
		t.Errorf("%d lines, at the damage: %q", len(lines), lines[min(400, len(lines)-1)])
	}
	if end.State != walStopped || !end.Lossy || len(end.Gaps) != 1 {
		t.Errorf("a range over a gap ends as %+v", end)
	}
	out, notes, end := readWAL(t, w, WALOptions{Mode: WALCommits})
	if n := strings.Count(out, "\n"); n != 200 || end.State != "damaged" || !end.Lossy || end.CommitsBeyond != 300 {
		t.Errorf("%d commits, end %+v", n, end)
	}
	if !strings.Contains(notes, "behind the damage: commit of xid 1200 at ") || !strings.Contains(notes, "and 280 more") {
		t.Errorf("notes: %s", notes)
	}
}

// TestWALText pins the line.
func TestWALText(t *testing.T) {
	w := new(walTape)
	w.add(pgdisk.RmgrXLOG, 0x20, 0, []byte("noop"))
	w.add(pgdisk.RmgrTransaction, 0, 1234567890, make([]byte, 8))
	out, notes, _ := readWAL(t, w, WALOptions{})
	want := "0/100028   XLOG/NOOP                xid 0       len 33/33       prev 0/0\n" +
		"0/100050   Transaction/COMMIT       xid 1234567890 len 37/37    prev 0/100028   time: 2000-01-01 00:00:00.000000 UTC\n"
	if out != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
	if want := "end of WAL: clean: 2 records from 0/100000 to 0/100078, 2 shown\n"; !strings.HasPrefix(notes, want) {
		t.Errorf("notes %q", notes)
	}
	out, _, _ = readWAL(t, w, WALOptions{Bytes: true, Limit: 1})
	if !strings.Contains(out, "00000010  20 00 00 00 ") || !strings.Contains(out, "|p|\n") {
		t.Errorf("bytes: %s", out)
	}
}

// TestWALJSON: each line is an object whose kind says what it is.
func TestWALJSON(t *testing.T) {
	w := newWALTape(50)
	w.flip(20)
	out, notes, _ := readWAL(t, w, WALOptions{JSON: true, PastDamage: true, Bytes: true})
	kinds := ""
	for line := range strings.Lines(out) {
		var o struct {
			Kind  string
			Bytes string
		}
		err := json.Unmarshal([]byte(line), &o)
		if err != nil && !strings.Contains(line, `"kind":"gap"`) { // there, bytes is a number
			t.Fatal(err)
		}
		kinds += o.Kind[:1]
	}
	if want := strings.Repeat("r", 20) + "g" + strings.Repeat("r", 79) + "e"; kinds != want || notes != "" {
		t.Errorf("kinds %s, notes %q", kinds, notes)
	}
}

// TestWALEndOfRange: the last byte of a record counts, not the padding behind it.
func TestWALEndOfRange(t *testing.T) {
	w := newWALTape(10)
	last := w.starts[9]
	size := pgdisk.LSN(24 + 5 + 8) // of a commit, padded to 40
	for end, want := range map[pgdisk.LSN]uint64{last: 9, last + size - 1: 9, last + size: 10, last + 40: 10} {
		if _, _, got := readWAL(t, w, WALOptions{End: end}); got.Shown != want || got.State != walStopped {
			t.Errorf("up to %s: %d shown, want %d, %s", end, got.Shown, want, got.State)
		}
	}
}

// TestWALRefusesOtherMajors: those that are not read are named, not taken for damage.
func TestWALRefusesOtherMajors(t *testing.T) {
	w := newWALTape(4000)
	for at := 0; at < len(w.b); at += pgdisk.BlockSize {
		binary.LittleEndian.PutUint16(w.b[at:], 0xD101) // 12
	}
	var input *WALInputError
	_, err := WAL(t.Context(), WALInput{FS: w.fs()}, WALOptions{}, io.Discard, io.Discard)
	if !errors.As(err, &input) || !strings.Contains(err.Error(), "page magic D101") {
		t.Errorf("got %v", err)
	}
}

func TestWALSaveImageErrors(t *testing.T) {
	full := errors.New("disk full")
	run := walRun{opt: WALOptions{SaveImage: func(string, []byte) error { return full }}, notes: io.Discard}
	rec := &pgdisk.WALRecord{Blocks: []pgdisk.WALBlockRef{{HasImage: true, Image: make([]byte, pgdisk.BlockSize)}}}
	if err := run.saveImages(rec); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	rec.Blocks[0].Image = rec.Blocks[0].Image[:5]
	if err := run.saveImages(rec); err != nil || run.bad != 1 {
		t.Errorf("an image that cannot be restored: %v, %d counted", err, run.bad)
	}
}

func TestWALImageName(t *testing.T) {
	rec := &pgdisk.WALRecord{Timeline: 1, LSN: 0x1_00A02DD0}
	b := &pgdisk.WALBlockRef{Rel: pgdisk.WALRelation{Tablespace: 1663, Database: 5, Number: 2703}, Block: 2, Fork: 2}
	if got := walImageName(rec, b); got != "00000001-00000001-00A02DD0.1663.5.2703.2_vm" {
		t.Errorf("got %s", got)
	}
}

func TestWALParse(t *testing.T) {
	if rel, err := ParseWALRelation("1664/0/1262"); err != nil || rel.String() != "1664/0/1262" {
		t.Errorf("%v, %v", rel, err)
	}
	for _, s := range []string{"", "1/2", "1/2/3/4", "0/5/6", "1663/5/0", "1663/x/1", "1663/5/4294967296", "-1/5/6"} {
		if rel, err := ParseWALRelation(s); err == nil {
			t.Errorf("%q is taken for %s", s, rel)
		}
	}
	for s, want := range map[string]pgdisk.RmgrID{"heap2": pgdisk.RmgrHeap2, "XLOG": pgdisk.RmgrXLOG, "custom130": 130} {
		if id, err := ParseWALManager(s); err != nil || id != want {
			t.Errorf("%q: %v, %v", s, id, err)
		}
	}
	for _, s := range []string{"", "heap3", "unknown030", "custom100"} {
		if id, err := ParseWALManager(s); err == nil {
			t.Errorf("%q is taken for %s", s, id)
		}
	}
	if f, err := ParseWALFork("init"); err != nil || f.String() != "init" {
		t.Errorf("%v, %v", f, err)
	}
	if _, err := ParseWALFork("fork4"); err == nil {
		t.Error("fork4 is taken")
	}
}

func TestAppendLSN(t *testing.T) {
	for _, l := range []pgdisk.LSN{0, 1, 0xF, 0x10, 0xFFFFFFFF, 1 << 32, 0xABC_00000DEF, ^pgdisk.LSN(0)} {
		if got := string(appendLSN(nil, l)); got != l.String() {
			t.Errorf("got %s, want %s", got, l)
		}
	}
}

// WAL that is not there is no WAL that ends in order.
func TestWALAbsent(t *testing.T) {
	tape := newWALTape(100)
	far := pgdisk.LSN(0xFFFFFFFFFFFFFFFF)
	for _, tt := range []struct {
		name       string
		start      pgdisk.LSN
		checkpoint pgdisk.LSN
		state      string
	}{
		{"all of it", 0, tape.starts[50], "clean"},
		{"from behind its end", 1 << 40, 0, "absent"},
		{"from the last of all bytes", far, 0, "absent"},
		{"a checkpoint behind its end", 0, tape.pos() + 4096, "too short"},
	} {
		in := WALInput{FS: tape.fs(), Control: &pgdisk.Control{Checkpoint: tt.checkpoint}}
		end, err := WAL(t.Context(), in, WALOptions{Start: tt.start}, io.Discard, io.Discard)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if end.State != tt.state || end.Lossy != (tt.state != "clean") {
			t.Errorf("%s: %s (lossy %v), want %s: %s", tt.name, end.State, end.Lossy, tt.state, end.Reason)
		}
	}
}
