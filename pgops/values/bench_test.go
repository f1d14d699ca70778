package values

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// benchValue is a stored value of a type that tables are full of.
type benchValue struct {
	name  string
	typ   Type
	value []byte
	text  string
	json  string
}

// commonValues are values whose printing must not allocate.
func commonValues() []benchValue {
	le := binary.LittleEndian
	u64 := func(n int64) []byte { return le.AppendUint64(nil, uint64(n)) }
	stamp := int64(770_000_000) * microsPerSecond
	return []benchValue{
		{"int4", Type{Name: "int4", Len: 4, Output: "int4out"}, le.AppendUint32(nil, 1234567), "1234567", "1234567"},
		{"int8", Type{Name: "int8", Len: 8, Output: "int8out"}, u64(-1234567890123), "-1234567890123", "-1234567890123"},
		{"bool", Type{Name: "bool", Len: 1, Output: "boolout"}, []byte{1}, "t", "true"},
		{"text", Type{Name: "text", Len: -1, Output: "textout"}, varlena([]byte("a text of the usual sort, forty bytes...")),
			"a text of the usual sort, forty bytes...", `"a text of the usual sort, forty bytes..."`},
		{"short text", Type{Name: "text", Len: -1, Output: "textout"}, short([]byte(`a "short" one`)), `a "short" one`, `"a \"short\" one"`},
		{"timestamp", Type{Name: "timestamp", Len: 8, Output: "timestamp_out"}, u64(stamp + 123456), "2024-05-26 00:53:20.123456", `"2024-05-26T00:53:20.123456"`},
		{"timestamptz", Type{Name: "timestamptz", Len: 8, Output: "timestamptz_out"}, u64(stamp), "2024-05-26 00:53:20+00", `"2024-05-26T00:53:20+00:00"`},
		{"date", Type{Name: "date", Len: 4, Output: "date_out"}, le.AppendUint32(nil, 8911), "2024-05-25", `"2024-05-25"`},
		{"numeric", Type{Name: "numeric", Len: -1, Output: "numeric_out"}, short([]byte{0x00, 0x84, 0xD2, 0x04, 0x2E, 0x16, 0xD8, 0x13}), "1234.56785080", "1234.56785080"},
		{"float8", Type{Name: "float8", Len: 8, Output: "float8out"}, u64(int64(math.Float64bits(51.507351))), "51.507351", "51.507351"},
		{"uuid", Type{Name: "uuid", Len: 16, Output: "uuid_out"}, []byte("0123456789abcdef"), "30313233-3435-3637-3839-616263646566", `"30313233-3435-3637-3839-616263646566"`},
	}
}

// short puts a 1-byte header before a payload.
func short(payload []byte) []byte {
	return append([]byte{byte(len(payload)+1)<<1 | 1}, payload...)
}

func TestCommonValues(t *testing.T) {
	for _, v := range commonValues() {
		t.Run(v.name, func(t *testing.T) {
			for want, p := range map[string]Printer{v.text: NewText(&v.typ, nil), v.json: NewJSON(&v.typ, nil)} {
				buf := make([]byte, 0, 1024)
				out, err := p(buf, v.value)
				if err != nil || string(out) != want {
					t.Errorf("got %s, %v, want %s", out, err, want)
				}
				if n := testing.AllocsPerRun(100, func() { out, _ = p(buf[:0], v.value) }); n != 0 {
					t.Errorf("%v allocations for %s, want none", n, out)
				}
			}
		})
	}
}

func TestZoneWithoutAllocation(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p := NewText(&Type{Len: 8, Output: "timestamptz_out"}, &Env{Location: berlin})
	buf, v := make([]byte, 0, 64), binary.LittleEndian.AppendUint64(nil, 770_000_000*microsPerSecond)
	if n := testing.AllocsPerRun(100, func() { buf, _ = p(buf[:0], v) }); n != 0 || string(buf) != "2024-05-26 02:53:20+02" {
		t.Errorf("%v allocations for %s", n, buf)
	}
}

// BenchmarkText measures printing by type, in bytes of text.
func BenchmarkText(b *testing.B) {
	for _, v := range commonValues() {
		b.Run(v.name, func(b *testing.B) {
			p, buf := NewText(&v.typ, nil), make([]byte, 0, 1024)
			b.SetBytes(int64(len(v.text) + 1))
			for b.Loop() {
				buf, _ = p(buf[:0], v.value)
			}
		})
	}
}

// BenchmarkJSON measures printing JSON by type, in bytes of JSON.
func BenchmarkJSON(b *testing.B) {
	for _, v := range commonValues() {
		b.Run(v.name, func(b *testing.B) {
			p, buf := NewJSON(&v.typ, nil), make([]byte, 0, 1024)
			b.SetBytes(int64(len(v.json) + 1))
			for b.Loop() {
				buf, _ = p(buf[:0], v.value)
			}
		})
	}
}

// BenchmarkRow takes a row of the common types apart and prints it, in bytes of text.
func BenchmarkRow(b *testing.B) {
	var cols []Column
	var columns []byte
	var printers []Printer
	for _, v := range commonValues() {
		align := byte('c')
		if v.typ.Len > 1 && v.name != "uuid" {
			align = 'd'
		}
		for align == 'd' && len(columns)%8 != 0 {
			columns = append(columns, 0)
		}
		value := v.value
		if v.name == "text" {
			value = short(value[4:])
		}
		columns = append(columns, value...)
		cols = append(cols, column(v.name, v.typ.Len, align))
		printers = append(printers, NewText(&v.typ, nil))
	}
	d, tuple, out, buf := NewDeformer(cols), tupleOf(b, len(cols), nil, columns), make([][]byte, len(cols)), make([]byte, 0, 1024)
	for b.Loop() {
		if err := d.Deform(tuple, out); err != nil {
			b.Fatal(err)
		}
		buf = buf[:0]
		for i, v := range out {
			buf, _ = printers[i](buf, v)
			buf = append(buf, '\t')
		}
	}
	b.SetBytes(int64(len(buf)))
}
