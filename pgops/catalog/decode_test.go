package catalog

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// oneElement is an array of one element without nulls, as a varlena with a 4-byte header.
func oneElement(elem pgdisk.OID, data ...byte) []byte {
	le := binary.LittleEndian
	var p []byte
	for _, n := range []uint32{1, 0, uint32(elem), 1, 1} {
		p = le.AppendUint32(p, n)
	}
	p = append(p, data...)
	return append(le.AppendUint32(nil, uint32(len(p)+4)<<2), p...)
}

// short gives a varlena a 1-byte header.
func short(b []byte) []byte {
	return append([]byte{byte(len(b)-3)<<1 | 1}, b[4:]...)
}

func TestMissingValue(t *testing.T) {
	text := []byte{7 << 2, 0, 0, 0, 'a', 'b', 'c'}
	two := oneElement(23, 1, 0, 0, 0, 2, 0, 0, 0)
	two[4+12] = 2
	nulls := oneElement(23, make([]byte, 12)...)
	nulls[4+4] = 24
	plane := oneElement(23, 1, 0, 0, 0)
	plane[4] = 2
	tests := []struct {
		name   string
		array  []byte
		length int16
		want   []byte // nil: refused
	}{
		{"int4", oneElement(23, 42, 0, 0, 0), 4, []byte{42, 0, 0, 0}},
		{"bool with padding", oneElement(16, 1, 0, 0, 0), 1, []byte{1}},
		{"text", oneElement(25, text...), -1, text},
		{"text, short header", short(oneElement(25, text...)), -1, text},
		{"cstring", oneElement(2275, 'x', 0, 9), -2, []byte{'x', 0}},
		{"cut short", oneElement(20, 1, 2, 3), 8, nil},
		{"text cut short", oneElement(25, text[:6]...), -1, nil},
		{"two elements", two, 4, nil},
		{"a null", nulls, 4, nil},
		{"two dimensions", plane, 4, nil},
		{"no array", []byte{8 << 2, 0, 0, 0, 1, 2, 3, 4}, 4, nil},
		{"external", pgdisk.ToastPointer{RawSize: 100, ExtSize: 96, Method: pgdisk.CompressNone, ValueID: 1, ToastRelID: 2}.Append(nil), 4, nil},
		{"nothing", []byte{}, 4, nil},
	}
	for _, tt := range tests {
		got, err := missingValue(tt.array, tt.length)
		if (err != nil) != (tt.want == nil) || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, %v", tt.name, got, err)
		}
	}
}

// FuzzArray: no panic, and what is found lies in the array.
func FuzzArray(f *testing.F) {
	f.Add(oneElement(23, 42, 0, 0, 0), int16(4))
	f.Add(short(oneElement(25, 9, 'a', 'b', 'c')), int16(-1))
	f.Add([]byte{0x2E, 0, 0, 0, 0xFF, 0xFF, 0, 0, 1, 2, 3}, int16(-2))
	f.Fuzz(func(t *testing.T, b []byte, length int16) {
		if v, err := missingValue(b, length); err == nil && len(v) > maxInline {
			t.Fatalf("%d bytes out of %d", len(v), len(b))
		}
		a, err := arrayOf(b)
		if err == nil && (a.n < 0 || a.n > maxInline) {
			t.Fatalf("%d elements", a.n)
		}
		r := row{table: &table{index: map[string]int{"v": 0}}, cols: [][]byte{b}}
		for _, err := range []error{second(r.int16s("v")), second(r.oids("v"))} {
			_ = err
		}
	})
}

func second[T any](_ T, err error) error { return err }

// sequencePage is the page of a sequence.
func sequencePage(last, logged int64, called bool) []byte {
	t := &table{}
	for _, typ := range []string{"int8", "int8", "bool"} {
		t.columns = append(t.columns, columnOf(typ, 15))
	}
	t.columns[0].Name, t.columns[1].Name, t.columns[2].Name = "last", "logged", "called"
	page := heapPages(t, 1, frozen(columnsOf{"last": int(last), "logged": int(logged), "called": called}))
	// Make room for the special part: move the tuple, which is at the end of the page, down.
	copy(page[pgdisk.BlockSize-64:], page[pgdisk.BlockSize-48:])
	le := binary.LittleEndian
	id := pgdisk.DecodeItemID(le.Uint32(page[pgdisk.PageHeaderSize:]))
	id.Off -= 16
	le.PutUint32(page[pgdisk.PageHeaderSize:], id.Encode())
	le.PutUint16(page[14:], id.Off)
	le.PutUint16(page[16:], pgdisk.BlockSize-8)
	le.PutUint32(page[pgdisk.BlockSize-8:], sequenceMagic)
	return page
}

func TestDecodeSequence(t *testing.T) {
	page := sequencePage(-42, 32, true)
	got, err := decodeSequence(page)
	if err != nil || got != (SequenceState{Last: -42, Logged: 32, IsCalled: true}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"zero":   func(b []byte) []byte { return make([]byte, len(b)) },
		"cut":    func(b []byte) []byte { return b[:100] },
		"magic":  func(b []byte) []byte { b[pgdisk.BlockSize-8]++; return b },
		"header": func(b []byte) []byte { b[12] = 1; return b },
		"empty":  func(b []byte) []byte { b[12] = pgdisk.PageHeaderSize; return b },
		"item":   func(b []byte) []byte { b[pgdisk.PageHeaderSize] = 3; return b },
	} {
		if got, err := decodeSequence(damage(slices.Clone(page))); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzDecodeSequence(f *testing.F) {
	page := sequencePage(7, 0, false)
	f.Add(uint16(0), []byte{1})
	f.Add(uint16(pgdisk.BlockSize-8), []byte{0x17, 0x17, 0, 0})
	f.Fuzz(func(t *testing.T, at uint16, damage []byte) {
		b := slices.Clone(page)
		copy(b[int(at)%len(b):], damage)
		if s, err := decodeSequence(b); err != nil && s != (SequenceState{}) {
			t.Fatalf("%+v with %v", s, err)
		}
	})
}

func TestFormatIntervalTypmod(t *testing.T) {
	for typmod, want := range map[int32]string{
		0x7FFF<<16 | 3:      "(3)",
		0x7FFF<<16 | 0xFFFF: "",
		4<<16 | 0xFFFF:      " year",
		6<<16 | 0xFFFF:      " year to month",
		0x1C08<<16 | 2:      " day to second(2)",
		0x1000<<16 | 0xFFFF: " second",
		0x1800<<16 | 6:      " minute to second(6)",
	} {
		if got := formatIntervalTypmod(typmod); got != want {
			t.Errorf("%#x: got %q, want %q", typmod, got, want)
		}
	}
}

func TestNumericTypmod(t *testing.T) {
	numeric := func(major, precision, scale int) string {
		d := &Database{cluster: &Cluster{Layout: pgdisk.Layout{Major: major}}, typmods: map[pgdisk.OID]string{oidNumeric: "numerictypmodout"},
			types: map[pgdisk.OID]*values.Type{oidNumeric: {OID: oidNumeric, Name: "numeric"}}}
		return d.FormatType(oidNumeric, int32(precision<<16|scale&0x7FF)+4)
	}
	for _, tt := range []struct {
		major, precision, scale int
		want                    string
	}{{13, 10, 2, "numeric(10,2)"}, {18, 10, 2, "numeric(10,2)"}, {15, 3, -5, "numeric(3,-5)"}, {18, 1000, 1000, "numeric(1000,1000)"}} {
		if got := numeric(tt.major, tt.precision, tt.scale); got != tt.want {
			t.Errorf("%+v: got %s", tt, got)
		}
	}
}

func TestNewer(t *testing.T) {
	at := func(xmin pgdisk.XID, block pgdisk.BlockNumber, item uint16) seen {
		return seen{xmin: xmin, tid: pgdisk.TID{Block: block, Item: item}}
	}
	order := []seen{at(pgdisk.FrozenXID, 0, 9), at(pgdisk.FrozenXID, 1, 1), at(1<<32-5, 0, 1), at(700, 0, 1), at(700, 0, 2), at(701, 0, 1)}
	for i := range order {
		for j := range order {
			if got := order[i].newer(order[j]); got != (i > j) {
				t.Errorf("%d newer than %d: %v", i, j, got)
			}
		}
	}
}
