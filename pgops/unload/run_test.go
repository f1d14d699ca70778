package unload

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// testColumns are an int4 and a text.
func testColumns() []values.Column {
	return []values.Column{
		{Name: "id", Num: 1, Len: 4, ByVal: true, Align: 'i', Type: &values.Type{OID: 23, Name: "int4", Len: 4, ByVal: true, Align: 'i', Kind: values.KindBase, Output: "int4out"}},
		{Name: "t", Num: 2, Len: -1, Align: 'i', Type: &values.Type{OID: 25, Name: "text", Len: -1, Align: 'i', Kind: values.KindBase, Output: "textout"}},
	}
}

// testTuple makes a row of testColumns.
func testTuple(id int32, text string, mask pgdisk.Infomask) []byte {
	h := pgdisk.TupleHeader{Xmin: 700, Infomask: mask | pgdisk.HeapHasVarWidth, Infomask2: 2, Hoff: 24, CTID: pgdisk.TID{Item: 1}}
	b := make([]byte, 24+4)
	h.Encode(b)
	binary.LittleEndian.PutUint32(b[24:], uint32(id))
	return append(append(b, byte(len(text)+1)<<1|1), text...)
}

// testPlan is a database of tables with so many rows each, of which every seventh is deleted.
func testPlan(t testing.TB, rows ...int) (*source, *plan) {
	t.Helper()
	fsys := fstest.MapFS{}
	p := &plan{cluster: ClusterID{SystemIdentifier: "1", Major: 17}}
	db := &database{oid: 5, name: "db", charset: newCharset("UTF8")}
	p.databases = []*plannedDatabase{{database: db, dir: "db"}}
	for i, n := range rows {
		var tuples [][]byte
		for id := range n {
			mask := committed
			if id%7 == 6 {
				mask = pgdisk.HeapXminCommitted | pgdisk.HeapXmaxCommitted
			}
			tuples = append(tuples, testTuple(int32(id), fmt.Sprintf("row %d\tof %d", id, n), mask))
		}
		heap := heapOf(100, tuples...)
		files := relFiles{first: pgdisk.RelFile{Tablespace: pgdisk.DefaultTablespace, Database: 5, Number: pgdisk.RelFileNumber(1000 + i)}, perSegment: 100}
		for at := 0; at < len(heap) || at == 0; at += 100 * pgdisk.BlockSize {
			part := heap[at:min(len(heap), at+100*pgdisk.BlockSize)]
			files.segments = append(files.segments, segment{number: uint32(len(files.segments)), size: int64(len(part))})
			fsys[files.path(uint32(len(files.segments)-1))] = &fstest.MapFile{Data: part}
		}
		p.tables = append(p.tables, testTable(db, fmt.Sprintf("t%d", i), files))
	}
	return &source{fsys: fsys, nextXID: 1000}, p
}

func testTable(db *database, name string, files relFiles) *table {
	columns := testColumns()
	return &table{database: db, oid: 1, schema: "public", name: name, files: files, columns: columns,
		printed: printedColumns(columns, values.Readable), deformer: values.NewDeformer(columns), paths: tablePaths("db/public."+name, FormatCopy)}
}

// contents reads every file but those with times in them.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == StateName || d.Name() == ManifestName {
			return err
		}
		b, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestExecute(t *testing.T) {
	src, p := testPlan(t, 30000, 0, 5)
	opt := &Options{Dir: filepath.Join(t.TempDir(), "out"), Format: FormatCopy, Jobs: 3, Dead: true}
	m, err := execute(t.Context(), src, opt, p)
	if err != nil || !m.Clean() {
		t.Fatalf("%v, %+v", err, m)
	}
	files := contents(t, opt.Dir)
	var want, dead strings.Builder
	for id := range 30000 {
		if id%7 == 6 {
			fmt.Fprintf(&dead, "%d\t%d\t700\t0\tdeleted\t%d\trow %d\\tof 30000\n", id/100, id%100+1, id, id)
		} else {
			fmt.Fprintf(&want, "%d\trow %d\\tof 30000\n", id, id)
		}
	}
	if files["/db/public.t0.copy"] != want.String() {
		t.Error("the rows are not those that were put in, in their order")
	}
	if files["/db/public.t0.dead.copy"] != dead.String() {
		t.Errorf("the dead rows are not those that were deleted: %.200s", files["/db/public.t0.dead.copy"])
	}
	if s, ok := files["/db/public.t1.copy"]; !ok || s != "" {
		t.Errorf("an empty table has %q, %v", s, ok)
	}
	if len(files) != 5 || m.Totals.Rows != int64(strings.Count(want.String(), "\n"))+5 {
		t.Errorf("%d files, %+v", len(files), m.Totals)
	}
}

// Wherever a run is stopped, the next goes on, and all comes to the same.
func TestExecuteResumes(t *testing.T) {
	src, p := testPlan(t, 20000, 300, 0, 20000)
	whole := &Options{Dir: filepath.Join(t.TempDir(), "out"), Format: FormatCopy, Dead: true}
	if _, err := execute(t.Context(), src, whole, p); err != nil {
		t.Fatal(err)
	}
	want := contents(t, whole.Dir)
	for stop := range 9 {
		opt := &Options{Dir: filepath.Join(t.TempDir(), "out"), Format: FormatCopy, Dead: true, Jobs: 1 + stop%3}
		ctx, cancel := context.WithCancel(t.Context())
		reports := 0
		opt.Progress = func(Progress) {
			if reports++; reports > stop {
				cancel()
			}
		}
		if _, err := execute(ctx, src, opt, p); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped after %d reports: %v", stop, err)
		}
		opt.Progress = nil
		if _, err := execute(t.Context(), src, opt, p); err != nil {
			t.Fatal(err)
		}
		got := contents(t, opt.Dir)
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("stopped after %d reports: %s differs", stop, name)
			}
		}
		if len(got) != len(want) {
			t.Errorf("stopped after %d reports: %d files, want %d", stop, len(got), len(want))
		}
	}
}

func TestExecuteRefuses(t *testing.T) {
	src, p := testPlan(t, 10)
	dir := filepath.Join(t.TempDir(), "out")
	opt := Options{Dir: dir, Format: FormatCopy}
	if _, err := execute(t.Context(), src, &opt, p); err != nil {
		t.Fatal(err)
	}
	other := opt
	other.Format = FormatCSV
	if _, err := execute(t.Context(), src, &other, p); !errors.Is(err, ErrOtherRun) {
		t.Errorf("other options: %v", err)
	}
	changed := *p
	changed.cluster.Checkpoint = "0/2"
	if _, err := execute(t.Context(), src, &opt, &changed); !errors.Is(err, ErrOtherRun) {
		t.Errorf("a cluster that was started since: %v", err)
	}
	_, grown := testPlan(t, 1000)
	if _, err := execute(t.Context(), src, &opt, grown); !errors.Is(err, ErrOtherRun) {
		t.Errorf("files that have grown: %v", err)
	}
	held, err := openOutDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := execute(t.Context(), src, &opt, p); !errors.Is(err, ErrLocked) {
		t.Errorf("while another writes: %v", err)
	}
	if err := held.close(); err != nil {
		t.Fatal(err)
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opt.Dir = full
	if _, err := execute(t.Context(), src, &opt, p); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("a directory with something in it: %v", err)
	}
}

// A full disk is an error that says so, and nothing is lost by it.
func TestExecuteDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=400k"); err != nil {
		t.Skipf("SKIP-REASON: a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	src, p := testPlan(t, 30000)
	opt := &Options{Dir: filepath.Join(dir, "out"), Format: FormatCopy}
	if _, err := execute(t.Context(), src, opt, p); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a full disk: %v", err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=20m"); err != nil {
		t.Fatal(err)
	}
	if m, err := execute(t.Context(), src, opt, p); err != nil || m.Totals.Rows != 25715 {
		t.Fatalf("with room: %v, %+v", err, m)
	}
}

// testWorker prints pages of a table of testColumns.
func testWorker(t testing.TB, format Format) *worker {
	t.Helper()
	src, p := testPlan(t, 1)
	opt := &Options{Format: format, Dead: true}
	w := newWorker(t.Context(), src, opt, newPartPool(1))
	w.openTable(p.tables[0])
	w.chunk, w.part = &chunk{table: p.tables[0], parts: make(chan *part, 10)}, w.pool.get()
	return w
}

// No page makes the program fail, every line that is written is whole, and every tuple is
// counted once: as a row, dead, damaged or broken.
func FuzzPage(f *testing.F) {
	page := heapOf(40, slices.Repeat([][]byte{testTuple(1, "one", committed), testTuple(2, "two\n", pgdisk.HeapXminInvalid|pgdisk.HeapXmaxInvalid)}, 20)...)
	f.Add(page, uint16(0), uint16(0), byte(0))
	f.Add(page, uint16(12), uint16(8191), byte(0xFF))
	f.Add(page, uint16(26), uint16(8100), byte(0x10))
	f.Add(bytes.Repeat([]byte{0xFF}, pgdisk.BlockSize), uint16(1), uint16(2), byte(3))
	workers := []*worker{testWorker(f, FormatCopy), testWorker(f, FormatCSV), testWorker(f, FormatJSONL)}
	f.Fuzz(func(t *testing.T, seed []byte, a, b uint16, x byte) {
		page := make([]byte, pgdisk.BlockSize)
		copy(page, seed)
		page[int(a)%len(page)] ^= x
		page[int(b)%len(page)] ^= x
		for _, w := range workers {
			w.ctx, w.end = t.Context(), chunkEnd{}
			w.part.reset()
			w.page(page, 3)
			format := w.format
			c := w.end.counts
			if n := bytes.Count(w.part.rows, []byte("\n")); format != FormatCSV && int64(n) != c.Rows {
				t.Fatalf("%s: %d lines of %d rows", format, n, c.Rows)
			}
			if n := bytes.Count(w.part.damaged, []byte("\n")); int64(n) != c.Damaged {
				t.Fatalf("%s: %d lines of %d damaged rows", format, n, c.Damaged)
			}
			if c.Rows+c.Deleted+c.NotInserted+c.Damaged > int64(pgdisk.MaxHeapTuplesPerPage)*8 {
				t.Fatalf("%s: %+v of one page", format, c)
			}
		}
	})
}

// Pages of zeroes are lost between others, and new at the end.
func TestZeroPages(t *testing.T) {
	src, p := testPlan(t, 20000) // 200 pages, in two files, of chunks of 64
	f := src.fsys.(fstest.MapFS)
	one, two := f[p.tables[0].files.path(0)].Data, f[p.tables[0].files.path(1)].Data
	clear(one[60*pgdisk.BlockSize:])                    // across chunks and files
	clear(two[:pgdisk.BlockSize])                       // block 100
	clear(two[97*pgdisk.BlockSize:])                    // the last three
	clear(two[2*pgdisk.BlockSize : 3*pgdisk.BlockSize]) // and one alone
	opt := &Options{Dir: filepath.Join(t.TempDir(), "out"), Format: FormatCopy}
	m, err := execute(t.Context(), src, opt, p)
	if err != nil {
		t.Fatal(err)
	}
	r := m.Tables[0]
	if r.LostBlocks != 42 || r.NewPages != 3 || len(r.Bad) != 2 || r.Bad[0].span != (span{60, 41}) || r.Bad[1].span != (span{102, 1}) {
		t.Errorf("%+v, %+v", r.Counts, r.Bad)
	}
	if notes := contents(t, opt.Dir)["/"+NotesName]; strings.Count(notes, "\n") != 2 || !strings.Contains(notes, `"block":60,"blocks":41,"reason":"all zeroes`) {
		t.Errorf("the notes are\n%s", notes)
	}
}
