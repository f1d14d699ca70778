package values

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// sample is a column of one type and what to store in it.
type sample struct {
	name   string
	typ    string   // SQL type
	column string   // what follows it in CREATE TABLE
	before string   // SQL that makes values
	values []string // values to load
	tz     []string // time zones to print in, else UTC
}

func (s sample) table() string { return "s_" + strings.ReplaceAll(s.name, " ", "_") }

func (s sample) zones() []string {
	if s.tz == nil {
		return []string{"UTC"}
	}
	return s.tz
}

const samplesOfEach = 2000

// typeSamples returns edge cases and as many random values of each scalar type.
func typeSamples(major int) []sample {
	r := rand.New(rand.NewPCG(1, uint64(major)))
	return slices.Concat(numberSamples(r, major), stringSamples(r), timeSamples(r, major), systemSamples(r), geometricSamples(r), storageSamples(major))
}

// random appends n random values to the edge cases.
func random(edges []string, n int, value func() string) []string {
	for range n {
		edges = append(edges, value())
	}
	return edges
}

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

func stringSamples(r *rand.Rand) []sample {
	texts := []string{"", "a", "äöü€𝄞", `"quoted"\back/slash`, "tab\tnew\nline\rcr\b\f\v\x01\x1f\x7f", strings.Repeat("x", 126), strings.Repeat("y", 127), strings.Repeat("z", 128), `\N`, `\.`, "  padded  "}
	random := func(n int) []string {
		return random(slices.Clone(texts), n, func() string { return randomText(r, 300) })
	}
	xml := []string{"", "<a/>", "text only", "<a>\n</a>", "\n<a/>", `<?xml version="1.0"?><a/>`, "<?xml version='1.0' encoding='UTF-8'?>\n<a/>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n<a/>",
		`<?xml version="1.0" standalone="yes"?><a/>`, `<?xml version = "1.0"  encoding = 'utf8' standalone = 'no' ?><a/>`, `<?xml version="1.1"?><a/>`,
		`<?xml-stylesheet href="a"?><a/>`, "<?xml version=\"1.0\" standalone='yes' ?>\n<ä>€</ä>"}
	return []sample{
		{name: "text", typ: "text", values: random(samplesOfEach)},
		{name: "varchar", typ: "varchar", values: random(100)},
		{name: "bpchar", typ: "char(20)", values: []string{"", "a", "ä", "exactly twenty bytes", "trailing  "}},
		{name: "name", typ: "name", values: []string{"", "a", "pg_class", strings.Repeat("n", 63), "ä€ \"x\""}},
		{name: "char", typ: `"char"`, before: `INSERT INTO s_char SELECT i::"char" FROM generate_series(-128, 127) i;`},
		{name: "json", typ: "json", values: []string{`{"a" : [1, 2.50,  null]}`, `"x"`, " 1 ", "{}", "[\n]", `"ä\u00e4\\"`}},
		{name: "xml", typ: "xml", values: xml},
		{name: "refcursor", typ: "refcursor", values: []string{"c1"}},
		{name: "bytea", typ: "bytea", values: random2(r, 500, func(b []byte) string { return `\x` + hex.EncodeToString(b) })},
		{name: "bit", typ: "bit(13)", values: random3(r, 100, 13)},
		{name: "varbit", typ: "varbit", values: append(random3(r, 300, -1), "")},
		{name: "uuid", typ: "uuid", values: random2(r, 300, func([]byte) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) })},
	}
}

func randomText(r *rand.Rand, most int) string {
	var b strings.Builder
	for range r.IntN(most) {
		switch r.IntN(12) {
		case 0:
			b.WriteRune(rune(1 + r.IntN(0xD7FE)))
		case 1:
			b.WriteString([]string{`"`, `\`, "\n", "\t", "\x01", "'", "/", "€"}[r.IntN(8)])
		default:
			b.WriteByte(byte(' ' + r.IntN(95)))
		}
	}
	return b.String()
}

// random2 makes values of random bytes.
func random2(r *rand.Rand, n int, value func([]byte) string) []string {
	return random(nil, n, func() string {
		b := make([]byte, r.IntN(100))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return value(b)
	})
}

// random3 makes bit strings.
func random3(r *rand.Rand, n, bits int) []string {
	return random(nil, n, func() string {
		b := make([]byte, bits&0xFF)
		if bits < 0 {
			b = make([]byte, r.IntN(200))
		}
		for i := range b {
			b[i] = '0' + byte(r.IntN(2))
		}
		return string(b)
	})
}

func timeSamples(r *rand.Rand, major int) []sample {
	dates := []string{"infinity", "-infinity", "2000-01-01", "1999-12-31", "2000-02-29", "1900-03-01", "4713-01-01 BC", "4714-11-24 BC", "0001-01-01", "0001-12-31 BC", "0005-02-29 BC",
		"5874897-12-31", "10000-01-01", "9999-12-31", "1582-10-15", "0100-03-01"}
	stamps := []string{"infinity", "-infinity", "2000-01-01", "1999-12-31 23:59:59.999999", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999", "0001-01-01 00:00:00.000001", "0001-12-31 23:59:59.5 BC",
		"10000-01-01 12:00:00", "2024-02-29 12:34:56.789", "1970-01-01", "1883-11-18 12:00:00", "1900-01-01", "2021-03-14 02:30:00", "2021-11-07 01:30:00"}
	zoned := []string{"infinity", "-infinity", "2000-01-01 00:00:00+00", "1850-01-01 00:00:00+00", "0001-01-01 00:00:00+00", "4714-11-24 12:00:00+00 BC", "294276-12-30 00:00:00+00", "2500-07-01 00:00:00+00",
		"1937-06-30 23:59:59.5+00", "2021-03-28 00:59:59+00", "2021-03-28 01:00:00+00", "2011-12-30 09:59:59+00"}
	intervals := []string{"0", "1 year", "-1 year", "1 mon", "-1 mon", "1 day", "-1 day", "1 sec", "-1 sec", "1 year -1 mon", "-1 year 1 day", "-1 day 00:00:01", "1 day -00:00:01", "-00:00:00.000001", "-1 mon +1 day -1 sec",
		"178956970 years 7 mons", "-178956970 years -8 mons", "2147483647 days", "-2147483648 days", "100:00:00", "1000000:59:59.999999", "11 mons -2 years +12:00", "-1 year -2 mons +3 days -04:05:06.7"}
	if major >= 15 {
		intervals = append(intervals, "2562047788:00:54.775807", "-2562047788:00:54.775807", "178956970 years 7 mons 2147483647 days 2562047788:00:54.775806")
	}
	if major >= 17 {
		intervals = append(intervals, "infinity", "-infinity")
	}
	times := []string{"00:00:00", "24:00:00", "23:59:59.999999", "12:00:00.1", "01:02:03.000010"}
	clock := func() string {
		return fmt.Sprintf("%02d:%02d:%02d.%06d", r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e6)/int(math.Pow10(r.IntN(6)))*int(math.Pow10(r.IntN(2))))[:8+r.IntN(8)]
	}
	clock = cleanClock(clock)
	date := func() string {
		year, era := 1+r.IntN(9999)>>r.IntN(3), ""
		switch r.IntN(8) {
		case 0:
			year, era = 1+r.IntN(4712), " BC"
		case 1:
			year = 1 + r.IntN(294000)
		}
		return fmt.Sprintf("%04d-%02d-%02d%s", year, 1+r.IntN(12), 1+r.IntN(28), era)
	}
	stamp := func(zone string) func() string {
		return func() string {
			d, bc := strings.CutSuffix(date(), " BC")
			s := d + " " + clock() + zone
			if bc {
				s += " BC"
			}
			return s
		}
	}
	part := func(n int) int { return (r.IntN(2*n+1) - n) * r.IntN(2) }
	return []sample{
		{name: "date", typ: "date", values: random(dates, samplesOfEach, date)},
		{name: "time", typ: "time", values: random(times, 500, clock)},
		{name: "timetz", typ: "timetz", values: random([]string{"00:00:00+00", "24:00:00-15:59:59", "12:00:00+15:59:59", "01:00:00+05:30", "01:00:00-00:00:01", "01:00:00-03:30"}, 500,
			func() string {
				return fmt.Sprintf("%s%c%02d:%02d", clock(), "+-"[r.IntN(2)], r.IntN(15), r.IntN(60)*r.IntN(2))
			})},
		{name: "timestamp", typ: "timestamp", values: random(stamps, samplesOfEach, stamp(""))},
		{name: "timestamptz", typ: "timestamptz", values: random(zoned, samplesOfEach, stamp("+00")),
			tz: []string{"UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Europe/Amsterdam", "Pacific/Apia", "Africa/Monrovia", "Australia/Lord_Howe", "Etc/GMT+12"}},
		{name: "interval", typ: "interval", values: random(intervals, samplesOfEach, func() string {
			return fmt.Sprintf("%d years %d mons %d days %d hours %d mins %d.%06d secs", part(300), part(20), part(100), part(50), part(100), part(100), r.IntN(1e6)*r.IntN(2))
		})},
	}
}

// cleanClock drops a point at the end.
func cleanClock(clock func() string) func() string {
	return func() string { return strings.TrimSuffix(clock(), ".") }
}

// systemSamples are numbers that name things.
func systemSamples(r *rand.Rand) []sample {
	u32 := func() string { return fmt.Sprint(r.Uint32() >> r.IntN(32)) }
	return []sample{
		{name: "oid", typ: "oid", values: random([]string{"0", "4294967295"}, 100, u32)},
		{name: "xid", typ: "xid", values: random([]string{"0", "4294967295"}, 100, u32)},
		{name: "cid", typ: "cid", values: random([]string{"0", "4294967295"}, 100, u32)},
		{name: "xid8", typ: "xid8", values: random([]string{"0", "18446744073709551615"}, 100, u32)},
		{name: "tid", typ: "tid", values: random([]string{"(0,0)", "(4294967295,65535)"}, 100, func() string { return fmt.Sprintf("(%s,%d)", u32(), r.IntN(65536)) })},
		{name: "pg_lsn", typ: "pg_lsn", values: random([]string{"0/0", "FFFFFFFF/FFFFFFFF", "0/F", "A/10"}, 300, func() string { return fmt.Sprintf("%X/%X", r.Uint32()>>r.IntN(32), r.Uint32()>>r.IntN(32)) })},
		{name: "macaddr", typ: "macaddr", values: random([]string{"00:00:00:00:00:00"}, 100, func() string { return fmt.Sprintf("%012x", r.Uint64()>>16) })},
		{name: "macaddr8", typ: "macaddr8", values: random([]string{"ff:ff:ff:ff:ff:ff:ff:ff"}, 100, func() string { return fmt.Sprintf("%016x", r.Uint64()) })},
		{name: "inet", typ: "inet", values: random([]string{"0.0.0.0", "255.255.255.255", "10.1.2.3/8", "0.0.0.0/0", "::", "::1", "::/0", "1::", "::ffff:1.2.3.4", "::1.2.3.4", "::ffff:0:1.2.3.4", "64:ff9b::1.2.3.4", "1:0:0:2::", "1:0:2:0:3:0:4:0",
			"::0:ffff", "::1:0", "::ffff:0:0", "0:0:0:0:0:1::", "::1:2", "fe80::1/64", "0:1::", "1::2/127", "::ffff:0:0/96"}, samplesOfEach, func() string { return randomInet(r) })},
		{name: "cidr", typ: "cidr", values: []string{"10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "192.168.100.128/25", "::/0", "2001:db8::/32", "::1/128", "::ffff:1.2.3.0/120", "::1.2.3.4/128"}},
	}
}

func randomInet(r *rand.Rand) string {
	if r.IntN(4) == 0 {
		return fmt.Sprintf("%d.%d.%d.%d/%d", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(33))
	}
	var words []string
	for range 8 {
		words = append(words, fmt.Sprintf("%x", []uint32{0, 0, 0, 1, 0xFFFF, r.Uint32() & 0xFFFF}[r.IntN(6)]))
	}
	return strings.Join(words, ":") + fmt.Sprintf("/%d", r.IntN(129))
}

func geometricSamples(r *rand.Rand) []sample {
	number := func() string {
		switch r.IntN(10) {
		case 0:
			return []string{"0", "-0", "Infinity", "-Infinity", "1e300", "1e-7", "NaN"}[r.IntN(7)]
		case 1:
			return strconv.FormatFloat(math.Ldexp(r.NormFloat64(), r.IntN(100)-50), 'g', -1, 64)
		}
		return strconv.Itoa(r.IntN(100))
	}
	points := func(n int) string {
		var list []string
		for range n {
			list = append(list, "("+number()+","+number()+")")
		}
		return strings.Join(list, ",")
	}
	several := func() int { return 1 + r.IntN(6) }
	return []sample{
		{name: "point", typ: "point", values: random(nil, 300, func() string { return points(1) })},
		{name: "lseg", typ: "lseg", values: random(nil, 100, func() string { return "[" + points(2) + "]" })},
		{name: "box", typ: "box", values: random(nil, 100, func() string { return points(2) })},
		{name: "line", typ: "line", values: random([]string{"{1,-0,3}"}, 100, func() string { return "{1," + number() + "," + number() + "}" })},
		{name: "circle", typ: "circle", values: random(nil, 100, func() string { return fmt.Sprintf("<%s,%d>", points(1), r.IntN(9)) })},
		{name: "path", typ: "path", values: random(nil, 200, func() string {
			if r.IntN(2) == 0 {
				return "[" + points(several()) + "]"
			}
			return "(" + points(several()) + ")"
		})},
		{name: "polygon", typ: "polygon", values: random(nil, 200, func() string { return "(" + points(several()) + ")" })},
	}
}

// storageSamples are values of all the forms in which a tuple and a TOAST table can hold them.
func storageSamples(major int) []sample {
	const fill = `INSERT INTO %[1]s SELECT repeat(md5(i::text), i) FROM generate_series(1, 300) i;
		INSERT INTO %[1]s SELECT string_agg(md5((i * j)::text), '') FROM generate_series(1, 40) i, generate_series(1, i * 10) j GROUP BY i;
		INSERT INTO %[1]s SELECT repeat('x', 3000000);`
	forms := []sample{{name: "pglz", typ: "text"}}
	for _, storage := range []string{"EXTERNAL", "PLAIN", "MAIN"} {
		s := sample{name: strings.ToLower(storage), typ: "text", before: "ALTER TABLE s_" + strings.ToLower(storage) + " ALTER v SET STORAGE " + storage + ";"}
		forms = append(forms, s)
	}
	if major >= 14 {
		forms = append(forms, sample{name: "lz4", typ: "text", column: "COMPRESSION lz4"})
	}
	for i := range forms {
		s := &forms[i]
		s.before += fmt.Sprintf(fill, s.table())
		if s.name == "plain" {
			s.before = "ALTER TABLE s_plain ALTER v SET STORAGE PLAIN; INSERT INTO s_plain SELECT repeat(md5(i::text), i) FROM generate_series(1, 200) i;"
		}
	}
	return append(forms, sample{name: "large numeric", typ: "numeric", before: "INSERT INTO s_large_numeric SELECT ('1' || repeat('234567891', 5000) || '.' || repeat('1', i))::numeric FROM generate_series(1, 5000, 500) i;"})
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
