package values

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
)

func numberSamples(r *rand.Rand, major int) []sample {
	numerics := []string{"0", "0.00", "-0.000", "1", "-1", "NaN", "10000", "9999", "99999999", "100000000", "0.0001", "0.00010000", "1e300", "-1e-300", "1.5e1000",
		"123456789012345678901234567890.123456789", "1e131071", "1e-16383", "0.1234500000000000000", "12345678.9000", "1e63", "1e-63", "1e64", "1e255", "1e256", "1e-256",
		"5e-5000", "-99999999999999999999999999999999999999.99999999999999999999999999999999"}
	if major >= 14 {
		numerics = append(numerics, "Infinity", "-Infinity")
	}
	return []sample{
		{name: "bool", typ: "bool", values: []string{"t", "f"}},
		{name: "int2", typ: "int2", values: random([]string{"0", "-32768", "32767"}, samplesOfEach, func() string { return fmt.Sprint(int16(r.Uint32() >> r.IntN(16))) })},
		{name: "int4", typ: "int4", values: random([]string{"0", "-2147483648", "2147483647"}, samplesOfEach, func() string { return fmt.Sprint(int32(r.Uint32()) >> r.IntN(32)) })},
		{name: "int8", typ: "int8", values: random([]string{"0", "-9223372036854775808", "9223372036854775807"}, samplesOfEach, func() string { return fmt.Sprint(int64(r.Uint64()) >> r.IntN(64)) })},
		{name: "float4", typ: "float4", values: float4Values(r)},
		{name: "float8", typ: "float8", values: float8Values(r)},
		{name: "numeric", typ: "numeric", values: random(numerics, samplesOfEach, func() string { return randomNumeric(r) })},
		{name: "numeric of scale", typ: "numeric(20,5)", values: random([]string{"0", "-1.5"}, 200, func() string { return fmt.Sprint(r.NormFloat64() * 1e6) })},
		{name: "money", typ: "money", values: random([]string{"0", "-0.01", "92233720368547758.07", "-92233720368547758.08", "999.99", "1000", "-100", "123456"}, 500,
			func() string {
				n := int64(r.Uint64()) >> r.IntN(64)
				return fmt.Sprintf("%d.%02d", n/100, max(n%100, -(n%100)))
			})},
	}
}

func randomNumeric(r *rand.Rand) string {
	n := randomBelow(r, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(1+r.IntN(60))), nil))
	s := n.String()
	if cut := r.IntN(len(s) + 5); cut < len(s) {
		s = s[:cut] + "." + s[cut:]
	}
	if r.IntN(2) == 0 {
		s = "-" + s
	}
	if r.IntN(4) == 0 {
		s += "e" + strconv.Itoa(r.IntN(200)-100)
	}
	return s
}

func float8Values(r *rand.Rand) []string {
	var floats []float64
	for e := range 2098 {
		floats = append(floats, math.Ldexp(1, e-1074))
	}
	for e := -20; e < 40; e++ {
		for _, m := range []float64{1, 9, 1.5, 1.2345678901234567, 9.999999999999999, 2.5} {
			floats = append(floats, m*math.Pow10(e), -m*math.Pow10(e))
		}
	}
	for range 3 * samplesOfEach {
		floats = append(floats, math.Float64frombits(r.Uint64()), float64(int64(r.Uint64())>>r.IntN(64)), r.NormFloat64()*100,
			math.Float64frombits(r.Uint64()&^(1<<r.IntN(52)-1)))
	}
	values := []string{"0", "-0", "NaN", "Infinity", "-Infinity", "1e15", "1e14", "999999999999999", "1e-4", "1e-5", "0.00012345", "5e-324", "1.7976931348623157e308", "2.2250738585072014e-308"}
	for _, n := range tieNumbers(r, 53, 23) {
		f, _ := new(big.Float).SetInt(n).Float64()
		floats = append(floats, f, math.Nextafter(f, 0), math.Nextafter(f, math.Inf(1)))
	}
	for _, f := range floats {
		if !math.IsNaN(f) && !math.IsInf(f, 0) {
			values = append(values, strconv.FormatFloat(f, 'e', 17, 64))
		}
	}
	return values
}

func float4Values(r *rand.Rand) []string {
	var floats []float32
	for e := range 277 {
		floats = append(floats, float32(math.Ldexp(1, e-149)))
	}
	for range 3 * samplesOfEach {
		floats = append(floats, math.Float32frombits(r.Uint32()), float32(int32(r.Uint32())>>r.IntN(32)), float32(r.NormFloat64()*100),
			math.Float32frombits(r.Uint32()&^(1<<r.IntN(23)-1)))
	}
	for _, n := range tieNumbers(r, 24, 10) {
		f, _ := new(big.Float).SetInt(n).Float32()
		floats = append(floats, f, math.Nextafter32(f, 0), math.Nextafter32(f, float32(math.Inf(1))))
	}
	values := []string{"0", "-0", "NaN", "Infinity", "-Infinity", "1e5", "1e6", "999999", "1000000", "100000", "123456.7", "1234567", "1e-4", "1e-5", "1.4e-45", "3.4028235e38"}
	for _, f := range floats {
		if f == f && !math.IsInf(float64(f), 0) {
			values = append(values, strconv.FormatFloat(float64(f), 'e', 9, 32))
		}
	}
	return values
}

// tieNumbers returns integers with few decimal digits that lie half way between two floating
// point numbers of so many bits: odd multiples of a power of 5, shifted.
func tieNumbers(r *rand.Rand, bits, fives int) []*big.Int {
	var found []*big.Int
	for q := 1; q <= fives; q++ {
		five := new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(q)), nil)
		low := new(big.Int).Lsh(big.NewInt(1), uint(bits))
		for range 40 {
			n := randomBelow(r, low)
			n.Add(n, low).Div(n, five)
			n.SetBit(n, 0, 1).Mul(n, five)
			found = append(found, n.Lsh(n, uint(q+r.IntN(8))))
		}
	}
	return found
}

// randomBelow returns a number below limit.
func randomBelow(r *rand.Rand, limit *big.Int) *big.Int {
	b := make([]byte, len(limit.Bytes())+8)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	n := new(big.Int).SetBytes(b)
	return n.Mod(n, limit)
}
