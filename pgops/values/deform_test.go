package values

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// tupleOf makes a tuple of natts columns; nulls has a bit for each that is not null, or is nil.
func tupleOf(t testing.TB, natts int, nulls, columns []byte) pgdisk.Tuple {
	t.Helper()
	hoff := (pgdisk.TupleHeaderSize + len(nulls) + 7) &^ 7
	item := make([]byte, hoff, hoff+len(columns))
	h := pgdisk.TupleHeader{Infomask2: pgdisk.Infomask2(natts), Hoff: uint8(hoff)}
	if nulls != nil {
		h.Infomask = pgdisk.HeapHasNull
		copy(item[pgdisk.TupleHeaderSize:], nulls)
	}
	h.Encode(item)
	tuple, err := pgdisk.DecodeTuple(append(item, columns...))
	if err != nil {
		t.Fatal(err)
	}
	return tuple
}

// column makes a column of a length and alignment.
func column(name string, length int16, align byte) Column {
	return Column{Name: name, Len: length, Align: align}
}

func TestDeform(t *testing.T) {
	dropped, missing := column("gone", 8, 'd'), column("young", -1, 'i')
	dropped.Dropped, dropped.Missing = true, []byte("never")
	missing.Missing = []byte{3<<1 | 1, 'm', 'm'}
	cols := []Column{column("a", 4, 'i'), dropped, column("b", -1, 'i'), column("c", 2, 's'), missing}
	columns := []byte{1, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 2<<1 | 1, 'x', 5, 0}
	rows := []struct {
		name    string
		natts   int
		nulls   []byte
		columns []byte
		want    string
	}{
		{"all stored", 4, nil, columns, `["\x01\x00\x00\x00" <nil> "\x05x" "\x05\x00" "\amm"]`},
		{"first null", 4, []byte{0b1110}, columns[8:], `[<nil> <nil> "\x05x" "\x05\x00" "\amm"]`},
		{"dropped and null", 4, []byte{0b1101}, []byte{1, 0, 0, 0, 2<<1 | 1, 'x', 5, 0}, `["\x01\x00\x00\x00" <nil> "\x05x" "\x05\x00" "\amm"]`},
		{"fewer columns", 1, nil, columns[:4], `["\x01\x00\x00\x00" <nil> <nil> <nil> "\amm"]`},
		{"no columns", 0, nil, nil, `[<nil> <nil> <nil> <nil> "\amm"]`},
		{"more columns than known", 7, nil, append(slices.Clone(columns), 3, 3, 3), `["\x01\x00\x00\x00" <nil> "\x05x" "\x05\x00" "\x03"]`},
	}
	d := NewDeformer(cols)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			out := slices.Repeat([][]byte{[]byte("old")}, len(cols))
			if err := d.Deform(tupleOf(t, row.natts, row.nulls, row.columns), out); err != nil {
				t.Fatal(err)
			}
			if got := printValues(out); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func printValues(values [][]byte) string {
	var list []any
	for _, v := range values {
		if v == nil {
			list = append(list, "<nil>")
			continue
		}
		list = append(list, fmt.Sprintf("%q", v))
	}
	return fmt.Sprint(list)
}

func TestDeformNullBeforeFixed(t *testing.T) {
	d, out := NewDeformer([]Column{column("a", 4, 'i'), column("b", 4, 'i'), column("c", 2, 's')}), make([][]byte, 3)
	if err := d.Deform(tupleOf(t, 3, []byte{0b110}, []byte("bbbbccextra bytes")), out); err != nil || printValues(out) != `[<nil> "bbbb" "cc"]` {
		t.Errorf("got %s, %v", printValues(out), err)
	}
}

func TestDeformRefuses(t *testing.T) {
	cols := []Column{column("a", 4, 'i'), column("b", -1, 'i'), column("c", 8, 'd')}
	out := make([][]byte, 3)
	rows := []struct {
		name    string
		columns []byte
		index   int
	}{
		{"nothing", nil, 0},
		{"half of the first", []byte{1, 0}, 0},
		{"no second", []byte{1, 0, 0, 0}, 1},
		{"a second too long", []byte{1, 0, 0, 0, 9<<1 | 1, 1}, 1},
		{"half of the third", []byte{1, 0, 0, 0, 2<<1 | 1, 1, 0, 0, 1, 2, 3, 4}, 2},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			clear(out)
			err := NewDeformer(cols).Deform(tupleOf(t, 3, nil, row.columns), out)
			var bad *ColumnError
			if !errors.As(err, &bad) || bad.Index != row.index || bad.Name != cols[row.index].Name {
				t.Fatalf("got %v, want an error of column %d", err, row.index)
			}
			for i, v := range out {
				if (v != nil) != (i < row.index) {
					t.Errorf("column %d is %x", i, v)
				}
			}
		})
	}
	if err := NewDeformer(cols).Deform(tupleOf(t, 0, nil, nil), out[:2]); err == nil {
		t.Error("room for too few columns taken")
	}
}

// FuzzDeform takes arbitrary bytes apart by an arbitrary list of columns. Values lie in the
// tuple one after the other, and remembered places give what walking from the start gives.
func FuzzDeform(f *testing.F) {
	f.Add([]byte{4, 'i', 0, 'i', 8, 'd', 2, 's'}, []byte{0xFF}, []byte{1, 0, 0, 0, 5, 'x', 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9})
	f.Add([]byte{255, 'c', 0, 'd', 64, 'c'}, []byte{}, []byte("string\x00and more bytes"))
	f.Fuzz(func(t *testing.T, layout, nulls, columns []byte) {
		var cols []Column
		for pair := range slices.Chunk(layout[:min(len(layout), 64)], 2) {
			length := int16(int8(pair[0]))
			if length <= 0 {
				length = -1 + length%2
			}
			cols = append(cols, column("x", length, pair[len(pair)-1]))
		}
		if len(nulls) < (len(cols)+7)/8 {
			nulls = nil
		} else {
			nulls = nulls[:(len(cols)+7)/8]
		}
		tuple := tupleOf(t, len(cols), nulls, columns)
		out, walked := make([][]byte, len(cols)), make([][]byte, len(cols))
		err := NewDeformer(cols).Deform(tuple, out)
		walkedErr := (&Deformer{cols: cols}).Deform(tuple, walked)
		if (err == nil) != (walkedErr == nil) || printValues(out) != printValues(walked) {
			t.Fatalf("got %s, %v\nwalked %s, %v", printValues(out), err, printValues(walked), walkedErr)
		}
		total := 0
		for _, v := range out {
			total += len(v)
		}
		if total > len(columns) {
			t.Fatalf("%d bytes of values in %d", total, len(columns))
		}
	})
}

// BenchmarkDeform takes a row of five columns apart, in bytes of tuple.
func BenchmarkDeform(b *testing.B) {
	cols := []Column{column("a", 4, 'i'), column("b", 8, 'd'), column("c", -1, 'i'), column("d", 8, 'd'), column("e", -1, 'i')}
	columns := make([]byte, 16)
	columns = append(columns, short([]byte("a text of the usual sort"))...)
	for len(columns)%8 != 0 {
		columns = append(columns, 0)
	}
	columns = binary.LittleEndian.AppendUint64(columns, 7)
	columns = append(columns, short([]byte("another one"))...)
	d, tuple, out := NewDeformer(cols), tupleOf(b, 5, nil, columns), make([][]byte, 5)
	b.SetBytes(int64(24 + len(columns)))
	for b.Loop() {
		if err := d.Deform(tuple, out); err != nil {
			b.Fatal(err)
		}
	}
}
