package values

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"
)

// tuplesSQL makes tables whose tuples are hard to take apart.
const tuplesSQL = `
CREATE TABLE mixed (a int2, b "char", c int8 NOT NULL, d text, e int4, f name, g varchar(20), h bool, i float8, j text, k timetz, l tid, m bytea, n char(3));
INSERT INTO mixed SELECT CASE WHEN i % 3 > 0 THEN i END, CASE WHEN i % 5 > 0 THEN 'x' END, i,
	CASE WHEN i % 7 > 0 THEN repeat(chr(97 + i % 26), i * 37 % 400) END, CASE WHEN i % 2 > 0 THEN i END,
	CASE WHEN i % 11 > 0 THEN 'name' || i END, CASE i % 13 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE i::text END,
	CASE WHEN i % 17 > 0 THEN i % 2 = 0 END, CASE WHEN i % 4 > 0 THEN i / 8.0 END,
	CASE i % 19 WHEN 0 THEN NULL ELSE repeat(md5(i::text), i % 150) END, CASE WHEN i % 6 > 0 THEN '12:34:56+01'::timetz END,
	CASE WHEN i % 8 > 0 THEN '(1,2)'::tid END, CASE WHEN i % 9 > 0 THEN decode(md5(i::text), 'hex') END,
	CASE WHEN i % 10 > 0 THEN 'ab' END
FROM generate_series(1, 3000) i;
INSERT INTO mixed (c) SELECT i FROM generate_series(1, 50) i;
CREATE TABLE fixed (a int4, b int8, c int2, d float8, e date);
INSERT INTO fixed SELECT i, i, i, i, '2000-01-01'::date + i FROM generate_series(1, 500) i;
INSERT INTO fixed SELECT i, CASE WHEN i % 2 > 0 THEN i END, CASE WHEN i % 3 > 0 THEN i END, i, CASE WHEN i % 5 > 0 THEN '2000-01-01'::date END FROM generate_series(1, 500) i;
CREATE TABLE altered (a int4, b text, c int8, d numeric, e text);
INSERT INTO altered SELECT i, 'old ' || i, i, i, repeat('x', i) FROM generate_series(1, 200) i;
ALTER TABLE altered DROP COLUMN b;
ALTER TABLE altered ADD COLUMN f int8 DEFAULT 42, ADD COLUMN g text, ADD COLUMN h text DEFAULT 'missing', ADD COLUMN gone text DEFAULT 'gone';
INSERT INTO altered SELECT i, i, i, 'new', NULL, 'g' || i, NULL, 'was' FROM generate_series(1, 200) i;
ALTER TABLE altered DROP COLUMN d, DROP COLUMN gone;
INSERT INTO altered SELECT i, i, 'newest', i, 'g' || i, NULL FROM generate_series(1, 200) i;
COPY mixed TO '/tmp/out/mixed';
COPY fixed TO '/tmp/out/fixed';
COPY altered TO '/tmp/out/altered';
`

func (s *session) loadTuples(t *testing.T) {
	t.Helper()
	var wide strings.Builder
	wide.WriteString("CREATE TABLE wide (c1 int2")
	for i := 2; i <= 1600; i++ {
		wide.WriteString(", c" + string(binaryDigits(i)) + " int2")
	}
	wide.WriteString(");\nINSERT INTO wide SELECT i FROM generate_series(1, 5) i;\nINSERT INTO wide (c1600) VALUES (7), (NULL);\nCOPY wide TO '/tmp/out/wide';\n")
	s.SQL(t, "postgres", tuplesSQL+wide.String())
}

func binaryDigits(i int) []byte { return appendUint(nil, uint64(i)) }

// compareTuples takes whole rows apart.
func (s *session) compareTuples(t *testing.T) {
	for _, name := range []string{"mixed", "fixed", "altered", "wide"} {
		t.Run(name, func(t *testing.T) {
			tab := s.tables[name]
			if name == "altered" {
				setMissing(t, tab)
			}
			env := s.env(t, tab, nil)
			printers := make([]Printer, len(tab.cols))
			for i, c := range tab.cols {
				printers[i] = NewText(c.Type, env)
			}
			d, tuples := NewDeformer(tab.cols), s.tuples(t, tab.node)
			compareRows(t, name, copyRows(t, filepath.Join(s.said, name)), func(n int) []string {
				return printRow(t, d, tuples[n], printers)
			}, len(tuples))
		})
	}
}

// setMissing gives the columns of altered what pg_attribute has as attmissingval.
func setMissing(t *testing.T, tab *table) {
	t.Helper()
	set := 0
	for i := range tab.cols {
		switch c := &tab.cols[i]; {
		case c.Dropped:
			c.Missing = []byte("to be left alone")
		case c.Name == "f":
			c.Missing = binary.LittleEndian.AppendUint64(nil, 42)
			set++
		case c.Name == "h":
			c.Missing = varlena([]byte("missing"))
			set++
		}
	}
	if set != 2 {
		t.Fatalf("%d columns with defaults, want 2", set)
	}
}

// varlena puts a 4-byte header before a payload.
func varlena(payload []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(payload)+4)<<2), payload...)
}
