package unload

import (
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

func TestSafeName(t *testing.T) {
	for in, want := range map[string]string{
		"accounts":              "accounts",
		"Ab_9$-":                "Ab_9$-",
		"a.b":                   "a%2Eb",
		"a/b":                   "a%2Fb",
		"..":                    "%2E%2E",
		"100%":                  "100%25",
		"a b\n":                 "a%20b%0A",
		"größe":                 "größe",
		"\xe9":                  "%E9",
		"e\u0301":               "e%CC%81",
		"x~1":                   "x%7E1",
		strings.Repeat("a", 63): strings.Repeat("a", 63),
		strings.Repeat(".", 63): strings.Repeat("%2E", 30) + "~7",
	} {
		if got := safeName(in, 7); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Two names never become one, and every name is a file name of its own.
func FuzzSafeName(f *testing.F) {
	f.Add("a", "A", uint32(1), uint32(2))
	f.Add("a.b", "a%2Eb", uint32(1), uint32(2))
	f.Add(strings.Repeat(".", 63), strings.Repeat(".", 62), uint32(1), uint32(12))
	f.Fuzz(func(t *testing.T, a, b string, oidA, oidB uint32) {
		x, y := safeName(a, pgdisk.OID(oidA)), safeName(b, pgdisk.OID(oidB))
		if x == y && a != b && (oidA != oidB || !strings.Contains(x, "~")) {
			t.Fatalf("%q (%d) and %q (%d) are both %q", a, oidA, b, oidB, x)
		}
		if strings.ContainsAny(x, "/.\x00\n") || len(x) > maxNameBytes+12 {
			t.Fatalf("%q is no part of a file name: %q", a, x)
		}
	})
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, schema, name string
		want                  bool
	}{
		{"accounts", "public", "accounts", true},
		{"accounts", "other", "accounts", true},
		{"accounts", "public", "accounts2", false},
		{"public.accounts", "public", "accounts", true},
		{"public.accounts", "other", "accounts", false},
		{"public.*", "public", "x", true},
		{"*.x", "any", "x", true},
		{"pgbench_*", "public", "pgbench_tellers", true},
		{"*_a*_b", "s", "x_aa_b_b", true},
		{"*_a*_b", "s", "x_b_a", false},
		{"a*a", "s", "a", false},
		{"a*a", "s", "aa", true},
		{"*", "s", "", true},
		{"Accounts", "s", "accounts", false},
		{`"a.b"."c*d"`, "a.b", "c*d", true},
		{`"a.b"."c*d"`, "a.b", "cxd", false},
		{`"say ""x"""`, "s", `say "x"`, true},
		{`pre"fix*"*`, "s", "prefix*abc", true},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
		} else if got := p.Match(c.schema, c.name); got != c.want {
			t.Errorf("%s fits %s.%s: %v, want %v", c.pattern, c.schema, c.name, got, c.want)
		}
	}
	for _, bad := range []string{"", ".", "a.", ".a", "a.b.c", `"a`, `a"b`} {
		if _, err := ParsePattern(bad); err == nil {
			t.Errorf("%q is taken as a pattern", bad)
		}
	}
}
