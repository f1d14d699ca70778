package journal

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// secret is what must never be seen again.
const secret = "Hunter2secret"

// spilled are texts that hold the secret.
func spilled() []string {
	return []string{
		"PGPASSWORD=" + secret,
		"env PGPASSWORD=" + secret + " psql",
		"export POSTGRES_PASSWORD=" + secret,
		"POSTGRES_PASSWORD=with blanks " + secret,
		"POSTGRES_PASSWORD=a;b&c,d" + secret,
		"POSTGRES_PASSWORD='quoted " + secret + "'",
		"host=db user=u password=" + secret + " dbname=d",
		"host=db password = '" + secret + "'",
		`host=db password='it\'s ` + secret + `'`,
		"sslpassword=" + secret,
		"postgres://alice:" + secret + "@db:5432/shop",
		"postgresql://alice:p%40" + secret + "@db/shop?sslmode=off",
		"postgresql://db/shop?user=a&password=" + secret,
		"https://registry:" + secret + "@example.org/v2/",
		"Authorization: Bearer " + secret,
		"authorization: Basic " + secret,
		`{"Authorization": "Bearer ` + secret + `"}`,
		"curl -H 'bearer " + secret + "'",
		"AWS_SECRET_ACCESS_KEY=" + secret,
		"MY_API_TOKEN: x MY_API_TOKEN=" + secret,
		"-----BEGIN PRIVATE KEY-----\nMIIE" + secret + "\n-----END PRIVATE KEY-----\n",
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE" + secret + "\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN OPENSSH PRIVATE KEY-----\ncut off " + secret,
		"LOG:  statement: ALTER ROLE app PASSWORD '" + secret + "'",
		"LOG:  statement: CREATE USER app WITH ENCRYPTED PASSWORD 'it''s " + secret + "' LOGIN",
		"primary_conninfo = 'host=primary user=repl password=" + secret + "'",
		`{"db":{"password":"` + secret + `","port":5432}}`,
		`a log line with {\"password\": \"` + secret + `\"} in it`,
		"psql --password=" + secret,
		"SCRAM-SHA-256$4096:" + secret + "$" + secret + ":" + secret,
	}
}

func TestRedactText(t *testing.T) {
	r := newRedactor()
	for _, s := range spilled() {
		got := string(r.text([]byte("before\n" + s + "\nafter")))
		if strings.Contains(got, secret) {
			t.Errorf("%q became %q", s, got)
		}
		if again := string(r.text([]byte(got))); again != got {
			t.Errorf("%q, seen again, became %q", got, again)
		}
		if !strings.HasPrefix(got, "before\n") || !strings.Contains(s, "cut off") && !strings.HasSuffix(got, "\nafter") {
			t.Errorf("%q took its surroundings along: %q", s, got)
		}
	}
	for _, digest := range []string{"AKIAIOSFODNN7EXAMPLE", "md5900150983cd24fb0d6963f7d28e17f72", "ghp_0123456789abcdefABCDEF"} {
		if got := string(r.text([]byte("key " + digest + " end"))); got != "key [REDACTED] end" {
			t.Errorf("%s: %q", digest, got)
		}
	}
}

// TestRedactLeaves what only looks similar: an incident must stay readable.
func TestRedactLeaves(t *testing.T) {
	r := newRedactor()
	for _, s := range []string{
		"password_encryption = scram-sha-256", "FATAL:  password authentication failed for user \"app\"", "pg_hba.conf: host all all 0.0.0.0/0 md5",
		"pg_resetwal --force -l 000000010000000000000004 -x 32768", "system identifier 7710493066820132894",
		"sha256:cfcb7304412def2a1b828f7132f90726174f31f1ae3e4f8de4c2066b0d27c848", "https://www.postgresql.org/docs/15/app-pgresetwal.html",
		"WAL redo at 0/23408F8 for Heap/LOCK: xmax: 3807, off: 1", "typed vm/2894", "ssl_passphrase_command = ''", "token bucket", "12:30:45@host",
		"postgres://alice@db:5432/shop", "2026-11-21 05:31:11.998 UTC [18] PANIC:  invalid lp",
	} {
		if got := string(r.text([]byte(s))); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

// TestRedactJSON: each text as a value, as a key's value, in a list and nested as JSON in a
// string; the document stays what it was around it.
func TestRedactJSON(t *testing.T) {
	r := newRedactor()
	for _, s := range spilled() {
		nested, _ := json.Marshal(map[string]string{"inner": s})
		doc, _ := json.Marshal(map[string]any{"a": s, "n": 1.5, "list": []any{"x", s, nil, true}, "env": map[string]string{"POSTGRES_PASSWORD": secret, "PGDATA": "/d"}, "json": string(nested)})
		got := r.json(doc)
		if strings.Contains(string(got), secret) {
			t.Errorf("%s became %s", doc, got)
		}
		var v map[string]any
		if err := json.Unmarshal(got, &v); err != nil {
			t.Fatalf("%s became no JSON: %s", doc, got)
		}
		if v["n"] != 1.5 || v["env"].(map[string]any)["PGDATA"] != "/d" || v["env"].(map[string]any)["POSTGRES_PASSWORD"] != redacted || len(v["list"].([]any)) != 4 {
			t.Errorf("%s became %s", doc, got)
		}
	}
	clean := []byte(`{"a":"<b>", "c" : [1e3,"x\u0001"]}`)
	if got := r.json(clean); string(got) != string(clean) {
		t.Errorf("%s became %s", clean, got)
	}
}

// shape replaces every string value, so that documents can be compared but for those.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = shape(v[k])
		}
	case []any:
		for i := range v {
			v[i] = shape(v[i])
		}
	case string:
		return ""
	}
	return v
}

// FuzzRedact: JSON stays JSON of the same shape, and a planted secret is gone.
func FuzzRedact(f *testing.F) {
	for _, s := range spilled() {
		f.Add(s, "x")
	}
	f.Add(`password=\`, `\`)
	f.Add("password=\n", `\"`)
	f.Add(`{"password":"`, `":"`)
	f.Fuzz(func(t *testing.T, a, b string) {
		r := newRedactor()
		doc, err := json.Marshal(map[string]any{"k": a, b: []any{b, a + b, 1}, "plant": "postgres://u:" + secret + "@h"})
		if err != nil {
			return
		}
		got := r.json(doc)
		var before, after any
		if json.Unmarshal(doc, &before) != nil {
			t.Fatal("the test made no JSON")
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%s became %s", doc, got)
		}
		planted := after.(map[string]any)["plant"]
		if !reflect.DeepEqual(shape(before), shape(after)) {
			t.Errorf("%s changed its shape: %s", doc, got)
		}
		if b != "plant" && planted != "postgres://u:[REDACTED]@h" {
			t.Errorf("planted: %v", planted)
		}
		r.json([]byte(a)) // no JSON: no panic
		r.text([]byte(a + b))
	})
}

// TestNoSecretReachesTheDisk: neither the journal nor the kept output of a command.
func TestNoSecretReachesTheDisk(t *testing.T) {
	d := newDir(t)
	j, _ := openDir(t, d)
	e := note(1, "PGPASSWORD="+secret)
	e.Act, e.Step = engine.Prepare, "s"
	back, err := j.Append(e)
	if err != nil || strings.Contains(string(back.Data), secret) {
		t.Errorf("what was written comes back as %s, %v", back.Data, err)
	}
	name, err := j.Keep("0001", "psql on x", []string{"/usr/bin/psql", "postgres://u:" + secret + "@h"}, engine.Output{Stdout: []byte("password=" + secret + "\n"), Stderr: []byte("PGPASSWORD=" + secret)})
	if err != nil || name != "commands/0001-psql.stdout" {
		t.Fatalf("%s, %v", name, err)
	}
	for _, file := range []string{journalName, "commands/0001-psql.argv", "commands/0001-psql.stdout", "commands/0001-psql.stderr"} {
		b, err := os.ReadFile(d.Path(file))
		if err != nil || strings.Contains(string(b), secret) || !strings.Contains(string(b), redacted) {
			t.Errorf("%s: %q, %v", file, b, err)
		}
	}
	if rep := mustRead(t, d); len(rep.Events) != 1 {
		t.Error("the chain does not hold")
	}
}
