package values

import (
	"encoding/hex"
	"fmt"
	"math"
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
