package values

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// goldenValue is a line of testdata/compound.golden: a payload that a server of 18 stored (of
// aclitem one of 13, too) and what it printed. Those of pgvector and PostGIS are from a 17, of
// gtsvector made by hand.
type goldenValue struct {
	name    string
	oid     pgdisk.OID
	payload []byte
	text    string
}

func goldenValues(t testing.TB) []goldenValue {
	t.Helper()
	b, err := os.ReadFile("testdata/compound.golden")
	if err != nil {
		t.Fatal(err)
	}
	var found []goldenValue
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		oid, err := strconv.ParseUint(f[1], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		g := goldenValue{name: f[0], oid: pgdisk.OID(oid)}
		if g.payload, err = hex.DecodeString(f[2]); err != nil {
			t.Fatal(err)
		}
		if g.text, err = strconv.Unquote(f[3]); err != nil {
			t.Fatal(err)
		}
		found = append(found, g)
	}
	return found
}

// goldenTypes are the types of the golden values by name.
func goldenTypes() map[string]*Type {
	types := map[string]*Type{}
	add := func(oid pgdisk.OID, name string, length int16, align byte, output string) *Type {
		y := &Type{OID: oid, Name: name, Len: length, Align: align, Kind: KindBase, Delim: ',', Output: output}
		types[name] = y
		return y
	}
	add(16, "bool", 1, 'c', "boolout")
	add(19, "name", 64, 'c', "nameout")
	add(20, "int8", 8, 'd', "int8out")
	add(23, "int4", 4, 'i', "int4out")
	add(25, "text", -1, 'i', "textout")
	add(603, "box", 32, 'd', "box_out").Delim = ';'
	add(701, "float8", 8, 'd', "float8out")
	add(1082, "date", 4, 'i', "date_out")
	add(1114, "timestamp", 8, 'd', "timestamp_out")
	add(1700, "numeric", -1, 'i', "numeric_out")
	for _, s := range []string{"jsonb_out", "jsonpath_out", "tsvectorout", "tsqueryout", "txid_snapshot_out", "pg_snapshot_out", "oidvectorout", "int2vectorout",
		"pg_ndistinct_out", "pg_dependencies_out", "hstore_out", "ltree_out", "lquery_out", "cube_out", "vector_out", "halfvec_out", "sparsevec_out", "gtsvectorout", "geometry_out"} {
		add(0, strings.TrimSuffix(strings.TrimSuffix(s, "out"), "_"), -1, 'i', s)
	}
	add(1033, "aclitem", 16, 'd', "aclitemout")
	for name, oids := range map[string][3]pgdisk.OID{"int4range int4 int4multirange": {3904, 3905, 4451}, "int8range int8 int8multirange": {3926, 3927, 4536},
		"numrange numeric nummultirange": {3906, 3907, 4532}, "tsrange timestamp tsmultirange": {3908, 3909, 4533}, "daterange date datemultirange": {3912, 3913, 4535},
		"wordrange text wordmultirange": {18387, 0, 0}} {
		f := strings.Fields(name)
		y := add(oids[0], f[0], -1, types[f[1]].Align, "range_out")
		y.Kind, y.Range = KindRange, types[f[1]]
		m := add(oids[2], f[2], -1, y.Align, "multirange_out")
		m.Kind, m.Range = KindMultirange, y
	}
	for _, elem := range []string{"bool", "name", "int4", "text", "box", "float8", "numeric", "int4range"} {
		add(0, "_"+elem, -1, 'd', "array_out").Elem = types[elem]
	}
	mood := add(17190, "mood", 4, 'i', "enum_out")
	mood.Kind = KindEnum
	mood.Labels = map[pgdisk.OID]string{0x4328: "sad", 0x432a: "so so", 0x432c: "happy", 0x432e: "it's", 0x4330: "a b", 0x4332: `with "quotes"`,
		0x4334: "ünï", 0x4336: "", 0x4338: "NULL", 0x4339: "glum", 0x433b: "elated"}
	leaf := add(18372, "leaf", -1, 'd', "record_out")
	leaf.Kind = KindComposite
	for i, name := range []string{"text", "numeric", "bool", "_text", "int8"} {
		y := types[name]
		leaf.Fields = append(leaf.Fields, Column{Name: string("tnbal"[i]), Num: int16(i + 1), Type: y, TypeOID: y.OID, Len: y.Len, Align: y.Align})
	}
	return types
}

// goldenEnv names the roles of the golden aclitems.
func goldenEnv() *Env {
	return &Env{Names: func(kind NameKind, oid pgdisk.OID) (string, bool) {
		name, ok := map[pgdisk.OID]string{10: "postgres", 3373: "pg_monitor"}[oid]
		return name, ok && kind == NameRole
	}}
}

func TestCompoundGolden(t *testing.T) {
	types, seen := goldenTypes(), map[string]bool{}
	for _, g := range goldenValues(t) {
		y := types[g.name]
		if y == nil {
			t.Fatalf("no type %s", g.name)
		}
		if y.OID != g.oid && y.OID != 0 {
			t.Errorf("type %s has OID %d, want %d", g.name, y.OID, g.oid)
		}
		seen[g.name] = true
		got, err := codecOf(y)([]byte("before"), y, g.payload, goldenEnv())
		if err != nil || string(got) != "before"+g.text {
			t.Errorf("%s %x:\n got %q, %v\nwant %q", g.name, g.payload, got, err, g.text)
		}
		js, err := jsonCodecOf(y)(nil, y, g.payload, goldenEnv())
		if err != nil || !json.Valid(js) {
			t.Errorf("%s %x as JSON: %q, %v", g.name, g.payload, js, err)
		}
	}
	if len(seen) < 35 {
		t.Errorf("values of %d types", len(seen))
	}
}

// TestCompoundCut reads every golden value with its end cut off: what is missing must be an
// error, or have been of no use.
func TestCompoundCut(t *testing.T) {
	types := goldenTypes()
	for _, g := range goldenValues(t) {
		y := types[g.name]
		for n := range len(g.payload) {
			got, err := codecOf(y)(nil, y, g.payload[:n:n], goldenEnv())
			if bad := (*ValueError)(nil); err != nil && !errors.As(err, &bad) {
				t.Errorf("%s %x: an error of type %T", g.name, g.payload[:n], err)
			}
			if err == nil && len(got) > len(g.text)+8 {
				t.Errorf("%s %x: got %q from a part of %q", g.name, g.payload[:n], got, g.text)
			}
		}
	}
}

func TestCompoundJSON(t *testing.T) {
	types := goldenTypes()
	tests := []struct{ name, payload, want string }{
		{"_int4", "000000000000000017000000", "[]"},
		{"_int4", "0200000028000000170000000200000001000000ffffffff07000000010000000000000005000000", "[[5],[null]]"},
		{"leaf", "ffffffffc4470000ffffffff0000050003001805056101", `{"t":"a","n":null,"b":true,"a":null,"l":null}`},
		{"hstore", "0200008001000080020000800300008003000040" + "616263", `{"a": "b", "c": null}`},
		{"oidvector", "01000000000000001a000000030000000000000000000000ffffffff17000000", `["0","4294967295","23"]`},
		{"int2vector", "0100000000000000150000000300000000000000010002000300", "[1,2,3]"},
		{"int4range", "400f000001", `"empty"`},
		{"tsvector", "010000000200000027", `"''''"`},
	}
	for _, tt := range tests {
		payload, err := hex.DecodeString(tt.payload)
		if err != nil {
			t.Fatal(err)
		}
		y := types[tt.name]
		got, err := jsonCodecOf(y)(nil, y, payload, goldenEnv())
		if err != nil || string(got) != tt.want {
			t.Errorf("%s %s: got %s, %v, want %s", tt.name, tt.payload, got, err, tt.want)
		}
	}
}
