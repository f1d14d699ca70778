package values

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// pglzOfEs is "eeee..." 1000 times, compressed by PGLZ: a literal and copies of 273 bytes.
func pglzOfEs() []byte {
	return []byte{0b11110, 'e', 0x0F, 1, 255, 0x0F, 1, 255, 0x0F, 1, 255, 0x0F, 1, 180 - 18}
}

// withInfo puts va_tcinfo before compressed bytes.
func withInfo(raw uint32, method pgdisk.CompressionMethod, b []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, raw|uint32(method)<<30), b...)
}

// compressed makes a value compressed in line.
func compressed(b []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b)+4)<<2|2), b...)
}

func TestStoredForms(t *testing.T) {
	text := &Type{Name: "text", Len: -1, Output: "textout"}
	es := withInfo(1000, pgdisk.CompressPGLZ, pglzOfEs())
	pointer := pgdisk.ToastPointer{RawSize: 1004, ExtSize: uint32(len(es)), Method: pgdisk.CompressPGLZ, ValueID: 7, ToastRelID: 8}
	plain := pgdisk.ToastPointer{RawSize: 7, ExtSize: 3, Method: pgdisk.CompressNone, ValueID: 9, ToastRelID: 8}
	p := NewText(text, &Env{Fetch: func(p pgdisk.ToastPointer) ([]byte, error) {
		if p == pointer {
			return es, nil
		}
		return []byte("abc"), nil
	}})
	for range 2 { // the second time with room kept
		for name, row := range map[string]struct {
			in   []byte
			want string
		}{
			"short":               {short([]byte("abc")), "abc"},
			"plain":               {varlena([]byte("abc")), "abc"},
			"compressed":          {compressed(es), strings.Repeat("e", 1000)},
			"external":            {pointer.Append(nil), strings.Repeat("e", 1000)},
			"external and plain":  {plain.Append(nil), "abc"},
			"compressed, smaller": {compressed(withInfo(274, pgdisk.CompressPGLZ, pglzOfEs()[:5])), strings.Repeat("e", 274)},
		} {
			if out, err := p([]byte("> "), row.in); err != nil || string(out) != "> "+row.want {
				t.Errorf("%s: got %.20q, %v, want %.20q", name, out, err, row.want)
			}
		}
	}
}

func TestStoredFormsRefused(t *testing.T) {
	text := &Type{Name: "text", Len: -1, Output: "textout"}
	es := withInfo(1000, pgdisk.CompressPGLZ, pglzOfEs())
	pointer := pgdisk.ToastPointer{RawSize: 1004, ExtSize: uint32(len(es)), Method: pgdisk.CompressPGLZ, ValueID: 7, ToastRelID: 8}
	gives := func(b []byte, err error) *Env {
		return &Env{Fetch: func(pgdisk.ToastPointer) ([]byte, error) { return b, err }}
	}
	rows := []struct {
		name  string
		value []byte
		env   *Env
		says  string
	}{
		{"no bytes", nil, nil, "read its header"},
		{"bytes left over", append(short([]byte("abc")), 'd'), nil, "a length of 4 in 5 bytes"},
		{"nowhere to fetch from", pointer.Append(nil), nil, "chunks of value 7 in TOAST table 8, which cannot be read"},
		{"fetching fails", pointer.Append(nil), gives(nil, context.Canceled), "context canceled"},
		{"a chunk missing", pointer.Append(nil), gives(es[:10], nil), "have 10 bytes, want 18"},
		{"another size in the chunks", pointer.Append(nil), gives(withInfo(999, pgdisk.CompressPGLZ, pglzOfEs()), nil), "pglz of 999 bytes, the pointer pglz of 1000"},
		{"another method in the chunks", pointer.Append(nil), gives(withInfo(1000, pgdisk.CompressLZ4, pglzOfEs()), nil), "the pointer pglz"},
		{"compressed bytes cut off", compressed(es[:len(es)-3]), nil, "decompress it"},
		{"a raw size that cannot be", compressed(withInfo(1<<29, pgdisk.CompressPGLZ, pglzOfEs())), nil, "decompress it"},
		{"a zero byte in a text", short([]byte("a\x00c")), nil, "a zero byte at 1 of 3"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dst := []byte("kept")
			out, err := NewText(text, row.env)(dst, row.value)
			var bad *ValueError
			if !errors.As(err, &bad) || bad.Type != "text" || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v, want it to say %q", err, row.says)
			}
			if string(out) != "kept" {
				t.Errorf("after the error there is %q", out)
			}
			if row.name == "fetching fails" && !errors.Is(err, context.Canceled) {
				t.Errorf("%v hides its cause", err)
			}
		})
	}
}

// TestDamagedValues has values that no server writes. Each is an error, not a guess.
func TestDamagedValues(t *testing.T) {
	le := binary.LittleEndian
	u64 := func(n int64) []byte { return le.AppendUint64(nil, uint64(n)) }
	rows := []struct {
		name, output string
		length       int16
		value        []byte
	}{
		{"boolean 2", "boolout", 1, []byte{2}},
		{"3 bytes of int4", "int4out", 4, []byte{1, 2, 3}},
		{"5 bytes of int4", "int4out", 4, []byte{1, 2, 3, 4, 5}},
		{"name without end", "nameout", 64, bytes.Repeat([]byte("x"), 64)},
		{"date before all", "date_out", 4, le.AppendUint32(nil, 1<<31|5)},
		{"date after all", "date_out", 4, le.AppendUint32(nil, 1<<31-2)},
		{"time of 25 hours", "time_out", 8, u64(25 * microsPerHour)},
		{"negative time", "time_out", 8, u64(-1)},
		{"timetz 17 hours from UTC", "timetz_out", 12, append(u64(0), le.AppendUint32(nil, 17*3600)...)},
		{"timestamp before all", "timestamp_out", 8, u64(-211813488000000001)},
		{"empty numeric", "numeric_out", -1, short(nil)},
		{"numeric of half a digit", "numeric_out", -1, short([]byte{0, 0x80, 1})},
		{"numeric without weight", "numeric_out", -1, short([]byte{0, 0, 1})},
		{"numeric digit 10000", "numeric_out", -1, short([]byte{0, 0x80, 0x10, 0x27})},
		{"numeric of a leading zero", "numeric_out", -1, short([]byte{0, 0x80, 0, 0, 1, 0})},
		{"numeric zero of weight 5", "numeric_out", -1, short([]byte{5, 0x80})},
		{"more bits than bytes", "bit_out", -1, short([]byte{17, 0, 0, 0, 1, 2})},
		{"fewer bits than none", "varbit_out", -1, short([]byte{255, 255, 255, 255, 1, 2})},
		{"address family 4", "inet_out", -1, short([]byte{4, 32, 1, 2, 3, 4})},
		{"mask of 33 bits", "inet_out", -1, short([]byte{2, 33, 1, 2, 3, 4})},
		{"half an address", "cidr_out", -1, short([]byte{3, 32, 1, 2, 3, 4})},
		{"path of more points than bytes", "path_out", -1, short(append([]byte{2, 0, 0, 0}, make([]byte, 8+16)...))},
		{"polygon of 2^28 points", "poly_out", -1, short(append([]byte{0, 0, 0, 16}, make([]byte, 32)...))},
		{"a function nobody knows", "frobnicate_out", 4, []byte{1, 2, 3, 4}},
		{"no function at all", "", 4, []byte{1, 2, 3, 4}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			typ := &Type{Name: "t", Len: row.length, Output: row.output}
			for _, p := range []Printer{NewText(typ, nil), NewJSON(typ, nil)} {
				out, err := p([]byte("kept"), row.value)
				var bad *ValueError
				if !errors.As(err, &bad) || string(out) != "kept" {
					t.Errorf("got %q, %v, want an error", out, err)
				}
			}
		})
	}
}

// TestMajors has values that print otherwise in older servers.
func TestMajors(t *testing.T) {
	end := slices.Repeat([]byte{0xFF}, 16)
	end[7], end[11], end[15] = 0x7F, 0x7F, 0x7F
	rows := []struct {
		output string
		length int16
		value  []byte
		major  int
		want   string
	}{
		{"charout", 1, []byte{0xE9}, 13, "\xE9"},
		{"charout", 1, []byte{0xE9}, 14, "\xE9"},
		{"charout", 1, []byte{0xE9}, 15, `\351`},
		{"charout", 1, []byte{0xE9}, 0, `\351`},
		{"interval_out", 16, end, 16, "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807"},
		{"interval_out", 16, end, 17, "infinity"},
		{"interval_out", 16, end, 0, "infinity"},
	}
	for _, row := range rows {
		out, err := NewText(&Type{Len: row.length, Output: row.output}, &Env{Major: row.major})(nil, row.value)
		if err != nil || string(out) != row.want {
			t.Errorf("%s of %d: got %q, %v, want %q", row.output, row.major, out, err, row.want)
		}
	}
}

// TestWithoutCatalog prints types of which only the OID or the kind is known.
func TestWithoutCatalog(t *testing.T) {
	four := []byte{42, 0, 0, 0}
	int4 := &Type{OID: 23, Len: 4}
	rows := map[string]*Type{
		"an OID":            int4,
		"a domain":          {OID: 99999, Len: 4, Kind: KindDomain, Base: int4},
		"a domain of those": {OID: 99999, Len: 4, Kind: KindDomain, Base: &Type{Kind: KindDomain, Len: 4, Base: int4}},
	}
	for name, typ := range rows {
		for _, p := range []Printer{NewText(typ, nil), NewJSON(typ, nil)} {
			if out, err := p(nil, four); err != nil || string(out) != "42" {
				t.Errorf("%s: got %q, %v", name, out, err)
			}
		}
	}
	var bad *ValueError
	if out, err := NewText(nil, nil)(nil, four); !errors.As(err, &bad) {
		t.Errorf("no type: %q, %v", out, err)
	}
	circle := &Type{Name: "circle", Kind: KindDomain, Len: 4}
	circle.Base = circle
	if out, err := NewText(circle, nil)(nil, four); err == nil {
		t.Errorf("a domain over itself: %q", out)
	}
}
