package unload

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// mixedColumns have every kind of step: those with a short way, others, dropped ones, one
// that is not printed, and two that are younger than the rows.
func mixedColumns() []values.Column {
	column := func(name, output string, length int16, align byte) values.Column {
		return values.Column{Name: name, Len: length, Align: align, Type: &values.Type{Name: name, Len: length, Align: align, Kind: values.KindBase, Output: output}}
	}
	dropped := func(length int16, align byte) values.Column {
		return values.Column{Name: "gone", Len: length, Align: align, Dropped: true}
	}
	stored := column("g", "int4out", 4, 'i')
	stored.Generated = 's'
	young := column("y", "textout", -1, 'i')
	young.Missing = []byte{9, 'a', '\t', 'b'}
	return []values.Column{
		column("b", "boolout", 1, 'c'), column("i2", "int2out", 2, 's'), column("i4", "int4out", 4, 'i'), column("i8", "int8out", 8, 'd'),
		column("t", "textout", -1, 'i'), dropped(2, 's'), column("n", "numeric_out", -1, 'i'), dropped(-1, 'i'), stored,
		column("v", "varcharout", -1, 'i'), column("at", "timestamptz_out", 8, 'd'), young, column("z", "int4out", 4, 'i'),
	}
}

// mixedTuple makes a row of mixedColumns without its youngest.
func mixedTuple(r *rand.Rand) []byte {
	columns := mixedColumns()[:11]
	h := pgdisk.TupleHeader{Xmin: 700 + pgdisk.XID(r.IntN(2)), Infomask: committed, Infomask2: pgdisk.Infomask2(len(columns)), Hoff: 24, CTID: pgdisk.TID{Item: 1}}
	nulls := make([]byte, 2)
	if r.IntN(3) == 0 {
		h.Infomask |= pgdisk.HeapHasNull
		h.Hoff = 32
		binary.LittleEndian.PutUint16(nulls, uint16(r.Uint32()))
	}
	b := make([]byte, h.Hoff)
	h.Encode(b)
	if h.HasNulls() {
		copy(b[pgdisk.TupleHeaderSize:], nulls)
	}
	for i, c := range columns {
		if h.HasNulls() && nulls[i/8]&(1<<(i%8)) == 0 {
			continue
		}
		b = appendRandom(b, int(h.Hoff), c, r)
	}
	return b
}

func appendRandom(b []byte, hoff int, c values.Column, r *rand.Rand) []byte {
	pad := func(to int) {
		for (len(b)-hoff)%to != 0 {
			b = append(b, 0)
		}
	}
	if c.Len > 0 {
		pad(map[byte]int{'c': 1, 's': 2, 'i': 4, 'd': 8}[c.Align])
		if c.Len == 1 {
			return append(b, byte(r.IntN(2)))
		}
		v := r.Uint64() >> r.IntN(64)
		if c.Name == "at" {
			v >>= 20
		}
		return append(b, binary.LittleEndian.AppendUint64(nil, v)[:c.Len]...)
	}
	var text []byte
	if c.Name == "n" {
		scale := uint16(r.IntN(9))
		text = binary.LittleEndian.AppendUint16(text, 0x8000|scale<<7|uint16(r.IntN(3)))
		for range 1 + r.IntN(4) {
			text = binary.LittleEndian.AppendUint16(text, uint16(1+r.IntN(9999)))
		}
	} else {
		alphabet := []rune("abcdefghijklmnopqrstuvwxyz0123456789")
		if r.IntN(3) == 0 {
			alphabet = []rune("abcé\t\n\\\b\r\x0e\x1fx日")
		}
		for range r.IntN(60) {
			text = append(text, string(alphabet[r.IntN(len(alphabet))])...)
		}
	}
	if len(text) < 127 && r.IntN(4) > 0 {
		return append(append(b, byte(len(text)+1)<<1|1), text...)
	}
	pad(4)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(text)+4)<<2), text...)
}

// quickWorkers are two workers on a table of mixedColumns, of which only the first knows the
// short way.
func quickWorkers(t testing.TB) (quick, long *worker) {
	t.Helper()
	src, p := testPlan(t, 1)
	table := p.tables[0]
	table.columns, table.frozenXID = mixedColumns(), 600
	table.printed, table.deformer = printedColumns(table.columns, values.Readable), values.NewDeformer(table.columns)
	make1 := func() *worker {
		w := newWorker(t.Context(), src, &Options{Format: FormatCopy, Dead: true}, newPartPool(1))
		w.openTable(table)
		w.chunk, w.part = &chunk{table: table, parts: make(chan *part, 10)}, w.pool.get()
		return w
	}
	quick, long = make1(), make1()
	long.quick = nil
	return quick, long
}

// samePage prints a page with both and wants the same of them.
func samePage(t *testing.T, quick, long *worker, page []byte) {
	t.Helper()
	for _, w := range []*worker{quick, long} {
		w.end = chunkEnd{}
		w.part.reset()
		w.page(page, 0)
	}
	a, b := quick.part, long.part
	if quick.end.counts != long.end.counts || !bytes.Equal(a.rows, b.rows) || !bytes.Equal(a.damaged, b.damaged) || !bytes.Equal(a.dead, b.dead) || !bytes.Equal(a.notes, b.notes) {
		t.Fatalf("the short way comes to\n%+v\n%q\n%s%s\nthe long way to\n%+v\n%q\n%s%s", quick.end.counts, a.rows, a.damaged, a.notes, long.end.counts, b.rows, b.damaged, b.notes)
	}
}

// The short way comes to what the long way comes to, of sound rows and of rows with a byte
// changed, and is really taken.
func TestQuickRow(t *testing.T) {
	quick, long := quickWorkers(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var tuples [][]byte
		for range 10 {
			tuples = append(tuples, mixedTuple(r))
		}
		page := heapOf(10, tuples...)
		samePage(t, quick, long, page)
		if quick.end.counts.Rows != 10 {
			t.Fatalf("%+v of ten sound rows", quick.end.counts)
		}
		for _, raw := range tuples {
			if _, ok := quick.quick.row(nil, raw); !ok {
				t.Fatalf("the short way was not taken for %x", raw)
			}
		}
		for range 10 {
			at := len(page) - 1 - r.IntN(900)
			was := page[at]
			page[at] ^= 1 << r.IntN(8)
			samePage(t, quick, long, page)
			page[at] = was
		}
	}
}

// Bits that only together mean something are not taken for ordinary.
func TestQuickRowDeclines(t *testing.T) {
	quick, long := quickWorkers(t)
	r := rand.New(rand.NewPCG(7, 8))
	for name, change := range map[string]func(raw []byte){
		"committed multixact":   func(raw []byte) { raw[21] |= byte((pgdisk.HeapXmaxCommitted | pgdisk.HeapXmaxIsMulti) >> 8) },
		"speculative insertion": func(raw []byte) { binary.LittleEndian.PutUint16(raw[16:], pgdisk.SpecTokenItem) },
		"xmin of the future":    func(raw []byte) { binary.LittleEndian.PutUint32(raw, 1000) },
		"xmin too old":          func(raw []byte) { binary.LittleEndian.PutUint32(raw, 599) },
		"xmax that counts":      func(raw []byte) { raw[21] &^= byte(pgdisk.HeapXmaxInvalid >> 8); raw[4] = 9 },
		"no hint":               func(raw []byte) { raw[21] &^= byte(pgdisk.HeapXminCommitted >> 8) },
		"a byte more":           func(raw []byte) { raw[22] += 8 },
	} {
		raw := mixedTuple(r)
		change(raw)
		if _, ok := quick.quick.row(nil, raw); ok {
			t.Errorf("%s: the short way was taken", name)
		}
		samePage(t, quick, long, heapOf(2, mixedTuple(r), raw))
	}
}

func FuzzQuickRow(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 8 {
		f.Add(mixedTuple(r), mixedTuple(r))
	}
	quick, long := quickWorkers(f)
	f.Fuzz(func(t *testing.T, one, two []byte) {
		one, two = one[:min(len(one), 3000)], two[:min(len(two), 3000)]
		samePage(t, quick, long, heapOf(2, slices.Concat(one, make([]byte, max(0, 24-len(one)))), two))
	})
}

// Text and numbers of the short way are those of the long one.
func TestQuickText(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		text := make([]byte, r.IntN(40))
		for i := range text {
			if text[i] = byte(' ' + r.IntN(60)); r.IntN(30) == 0 {
				text[i] = "\t\n\r\b\f\v\\\x01\x0e\x7f\x80\xff\x00"[r.IntN(13)]
			}
		}
		want, _ := escapeCopy(append([]byte("kept"), text...), 4)
		got, ascii, ok := appendCopyText([]byte("kept"), text)
		zero := bytes.IndexByte(text, 0) >= 0
		if ok == zero || ok && !bytes.Equal(got, want) {
			t.Fatalf("%q: got %q, %v, want %q", text, got, ok, want)
		}
		if ascii && bytes.ContainsFunc(text, func(r rune) bool { return r >= 0x80 }) {
			t.Fatalf("%q is taken as ASCII", text)
		}
	}
	for n := int64(1); n > 0; n *= 10 {
		for _, v := range []int64{n - 1, n, n + 1, -n, 1 - n, 9 * (n / 10), math.MaxInt64 - n, math.MinInt64 + n} {
			if got, want := string(appendInt([]byte("x"), v)), "x"+strconv.FormatInt(v, 10); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		if n > math.MaxInt64/10 {
			break
		}
	}
	if got := string(appendInt(nil, math.MinInt64)); got != "-9223372036854775808" {
		t.Errorf("got %s", got)
	}
}
