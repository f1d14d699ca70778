package values

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// fuzzTypes fuzzes the codecs of the named golden types with the golden values as seeds. A
// payload may be anything: it is printed, or a *ValueError says why not. What is printed as
// JSON is JSON, and nothing grows out of proportion.
func fuzzTypes(f *testing.F, names ...string) {
	types, env := goldenTypes(), goldenEnv()
	types["leaf"].Fields[3].Type = types["_text"]
	for _, g := range goldenValues(f) {
		for i, name := range names {
			if g.name == name {
				f.Add(byte(i), g.payload)
			}
		}
	}
	f.Fuzz(func(t *testing.T, which byte, payload []byte) {
		y := types[names[int(which)%len(names)]]
		if y.Len > 0 && len(payload) != int(y.Len) {
			return
		}
		for _, c := range []codec{codecOf(y), jsonCodecOf(y)} {
			got, err := c(nil, y, payload, env)
			if bad := (*ValueError)(nil); err != nil && !errors.As(err, &bad) {
				t.Fatalf("an error of type %T: %v", err, err)
			}
			if limit := 64*len(payload) + 1024; len(got) > limit && !holdsNumeric(y) {
				t.Fatalf("%d bytes from %d", len(got), len(payload))
			}
		}
		if got, err := jsonCodecOf(y)(nil, y, payload, env); err == nil && !json.Valid(got) && !isOddNumber(got) {
			t.Fatalf("not JSON: %q", got)
		}
	})
}

// holdsNumeric tells the types in which two bytes can be a number of 130000 digits.
func holdsNumeric(y *Type) bool {
	return strings.Contains(y.Name, "num") || y.Name == "leaf" || strings.HasPrefix(y.Name, "json")
}

// isOddNumber tells numbers that no jsonb of a server has, but whose bytes can be found.
func isOddNumber(s []byte) bool {
	return strings.Contains(string(s), "NaN") || strings.Contains(string(s), "Infinity")
}

func FuzzArray(f *testing.F) {
	fuzzTypes(f, "_int4", "_text", "_numeric", "_bool", "_name", "_box", "_float8", "_int4range")
}

func FuzzRange(f *testing.F) {
	fuzzTypes(f, "int4range", "int8range", "numrange", "tsrange", "daterange", "wordrange")
}

func FuzzMultirange(f *testing.F) {
	fuzzTypes(f, "int4multirange", "int8multirange", "nummultirange", "datemultirange")
}

func FuzzRecord(f *testing.F)   { fuzzTypes(f, "leaf") }
func FuzzJSONB(f *testing.F)    { fuzzTypes(f, "jsonb") }
func FuzzJSONPath(f *testing.F) { fuzzTypes(f, "jsonpath") }
func FuzzTSVector(f *testing.F) { fuzzTypes(f, "tsvector", "gtsvector") }
func FuzzTSQuery(f *testing.F)  { fuzzTypes(f, "tsquery") }

func FuzzSystem(f *testing.F) {
	fuzzTypes(f, "txid_snapshot", "pg_snapshot", "aclitem", "oidvector", "int2vector", "pg_ndistinct", "pg_dependencies", "mood")
}

func FuzzExtension(f *testing.F) {
	fuzzTypes(f, "hstore", "ltree", "lquery", "cube", "vector", "halfvec", "sparsevec", "geometry")
}
