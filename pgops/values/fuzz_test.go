package values

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// scalarTypes are those with a codec in this package that needs nothing else.
func scalarTypes() []Type {
	fixed := func(n int16, outputs ...string) (list []Type) {
		for _, o := range outputs {
			list = append(list, Type{Name: o, Len: n, Output: o})
		}
		return list
	}
	var list []Type
	for _, some := range [][]Type{
		fixed(-1, "textout", "varcharout", "bpcharout", "json_out", "xml_out", "byteaout", "bit_out", "varbit_out", "numeric_out", "inet_out", "cidr_out", "path_out", "poly_out"),
		fixed(1, "boolout", "charout"), fixed(2, "int2out"), fixed(4, "int4out", "oidout", "xidout", "cidout", "float4out", "date_out"),
		fixed(6, "tidout", "macaddr_out"), fixed(8, "int8out", "float8out", "cash_out", "time_out", "timestamp_out", "timestamptz_out", "xid8out", "pg_lsn_out", "macaddr8_out"),
		fixed(12, "timetz_out"), fixed(16, "interval_out", "uuid_out", "point_out"), fixed(24, "line_out", "circle_out"), fixed(32, "lseg_out", "box_out"),
		fixed(64, "nameout"), fixed(-2, "cstring_out", "unknownout"),
	} {
		list = append(list, some...)
	}
	return list
}

// expansion is how long a text can be: a numeric prints up to 147455 digits whatever it has,
// a float 24 bytes of 8, JSON 6 of one, and PGLZ makes up to 88 bytes of one, LZ4 255.
func expansion(n int) int { return 200_000 + 255*8*(n+1) }

// FuzzText feeds arbitrary bytes to the codec of every type. What comes out is bounded and
// follows what was there; what does not is a *ValueError. JSON is JSON if the text is UTF-8.
func FuzzText(f *testing.F) {
	types := scalarTypes()
	for i, typ := range types {
		f.Add(uint8(i), uint8(0), bytes.Repeat([]byte{1}, max(int(typ.Len), 9)))
		f.Add(uint8(i), uint8(13), short(bytes.Repeat([]byte{0, 0x80}, 10)))
		f.Add(uint8(i), uint8(15), compressed(withInfo(1000, pgdisk.CompressPGLZ, pglzOfEs())))
	}
	location := time.FixedZone("", -5*3600-1234)
	f.Fuzz(func(t *testing.T, which, major uint8, value []byte) {
		typ := types[int(which)%len(types)]
		if typ.Len > 0 {
			value = append(value, make([]byte, typ.Len)...)[:typ.Len]
		}
		env := &Env{Major: int(major), Location: location}
		text, err := NewText(&typ, env)([]byte("kept"), value)
		checkPrinted(t, text, err, len(value))
		printed, jsonErr := NewJSON(&typ, env)([]byte("kept"), value)
		checkPrinted(t, printed, jsonErr, len(value))
		if (err == nil) != (jsonErr == nil) {
			t.Fatalf("text: %v, JSON: %v", err, jsonErr)
		}
		if err == nil && typ.Output != "json_out" && utf8.Valid(text) && !json.Valid(printed[4:]) {
			t.Fatalf("%s of %x printed %.100q as JSON %.100q", typ.Output, value, text[4:], printed[4:])
		}
	})
}

func checkPrinted(t *testing.T, out []byte, err error, n int) {
	t.Helper()
	if !bytes.HasPrefix(out, []byte("kept")) {
		t.Fatalf("what was there became %.20q", out)
	}
	var bad *ValueError
	if err != nil && (!errors.As(err, &bad) || len(out) != 4) {
		t.Fatalf("got %q after error %v", out, err)
	}
	if len(out) > expansion(n) {
		t.Fatalf("%d bytes of %d", len(out), n)
	}
}

// FuzzFloat prints any number of both widths: what is printed reads back as the number, and is
// no longer than strconv's shortest by more than the digits of a tie.
func FuzzFloat(f *testing.F) {
	for _, n := range []float64{0, 1, -1.5, 1e23, 0.000244140625, 5e-324, math.MaxFloat64, math.Inf(1), math.NaN(), 9007199254740993, 1e15, 1e-4} {
		f.Add(math.Float64bits(n), math.Float32bits(float32(n)))
	}
	f.Fuzz(func(t *testing.T, b64 uint64, b32 uint32) {
		f64, f32 := math.Float64frombits(b64), math.Float32frombits(b32)
		text64 := string(appendFloat(nil, f64, double()))
		if got, err := strconv.ParseFloat(text64, 64); err != nil || math.Float64bits(got) != b64 && f64 == f64 {
			t.Errorf("%x printed %s, read %x, %v", b64, text64, math.Float64bits(got), err)
		}
		text32 := string(appendFloat(nil, float64(f32), single()))
		if got, err := strconv.ParseFloat(text32, 32); err != nil || math.Float32bits(float32(got)) != b32 && f32 == f32 {
			t.Errorf("%x printed %s, read %x, %v", b32, text32, math.Float32bits(float32(got)), err)
		}
		if len(text64) > 24 || len(text32) > 15 {
			t.Errorf("%s and %s are too long", text64, text32)
		}
	})
}

// FuzzNumeric stores a decimal the way the server does, in all the forms it may have, and
// prints it again.
func FuzzNumeric(f *testing.F) {
	f.Add("0", false)
	f.Add("12345.67800", true)
	f.Add("0.00000001", false)
	f.Add("99999999999999999999.0001", true)
	f.Fuzz(func(t *testing.T, decimal string, negative bool) {
		whole, fraction, _ := strings.Cut(decimal, ".")
		whole = strings.TrimLeft(whole, "0")
		if strings.Trim(whole+fraction, "0123456789") != "" || len(whole) > 200 || len(fraction) > 200 {
			return
		}
		want := whole
		if whole == "" {
			want = "0"
		}
		if fraction != "" {
			want += "." + fraction
		}
		if negative {
			want = "-" + want
		}
		weight, digits := numericDigits(whole, fraction)
		for _, short := range []bool{true, false} {
			payload := encodeNumeric(weight, len(fraction), digits, negative, short)
			if payload == nil {
				continue
			}
			got, err := numericOut(nil, &Type{}, payload, nil)
			if err != nil || string(got) != want {
				t.Fatalf("%x printed %s, %v, want %s", payload, got, err, want)
			}
		}
	})
}

// numericDigits splits a decimal into digits of base 10000 without zeros at the ends.
func numericDigits(whole, fraction string) (weight int, digits []uint16) {
	whole = strings.Repeat("0", (4-len(whole)%4)%4) + whole
	fraction += strings.Repeat("0", (4-len(fraction)%4)%4)
	weight = len(whole)/4 - 1
	for all := whole + fraction; all != ""; all = all[4:] {
		n, _ := strconv.Atoi(all[:4])
		digits = append(digits, uint16(n))
	}
	for len(digits) > 0 && digits[0] == 0 {
		digits, weight = digits[1:], weight-1
	}
	for len(digits) > 0 && digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
	}
	if len(digits) == 0 {
		weight = 0
	}
	return weight, digits
}

// encodeNumeric makes the payload of a numeric, nil if the short form has no room for it.
func encodeNumeric(weight, dscale int, digits []uint16, negative, short bool) []byte {
	le := binary.LittleEndian
	var b []byte
	if short {
		if dscale > 63 || weight > 63 || weight < -64 {
			return nil
		}
		h := numericShort | uint16(dscale)<<numericShortDscaleShift | uint16(weight)&(numericShortWeight|numericShortWeightNeg)
		if negative {
			h |= numericShortNeg
		}
		b = le.AppendUint16(b, h)
	} else {
		h := uint16(dscale)
		if negative {
			h |= numericNeg
		}
		b = le.AppendUint16(le.AppendUint16(b, h), uint16(int16(weight)))
	}
	for _, d := range digits {
		b = le.AppendUint16(b, d)
	}
	return b
}

// FuzzTimestamp compares dates and times with those of package time.
func FuzzTimestamp(f *testing.F) {
	f.Add(int64(0))
	f.Add(int64(-1))
	f.Add(int64(-211813488000000000))
	f.Add(int64(math.MaxInt64 - 1))
	for year := -4000; year < 3000; year += 100 { // the ends of centuries, where calendars go wrong
		for day := range 3 {
			f.Add(int64(365.2425*float64(year)+float64(day+57)) * microsPerDay)
		}
	}
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, micros int64) {
		got, err := timestampOut(nil, &Type{}, binary.LittleEndian.AppendUint64(nil, uint64(micros)), nil)
		if err != nil || strings.HasSuffix(string(got), "infinity") {
			return
		}
		at := time.Unix(epoch.Unix()+micros/microsPerSecond, micros%microsPerSecond*1000).UTC()
		year, era := at.Year(), ""
		if year <= 0 {
			year, era = 1-year, " BC"
		}
		want := fmt.Sprintf("%04d-%s%s", year, at.Format("01-02 15:04:05.999999"), era)
		if string(got) != want {
			t.Fatalf("%d printed %s, want %s", micros, got, want)
		}
	})
}
