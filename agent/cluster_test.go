package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fixture is a cluster of the host's own PostgreSQL, stopped uncleanly in the middle of
// work, with page checksums and a tablespace. It is made once and only ever read; tests
// that write copy it.
type fixture struct {
	data, ts string // directories
	oid      string // of the tablespace
	bin      string // of PostgreSQL's programs
	major    int
}

var theFixture = sync.OnceValues(makeFixture)

// fixtureDir is set by TestMain, which also removes it.
var fixtureDir string

func TestMain(m *testing.M) {
	if os.Getenv("PGRESCUE_TEST_AGENT") != "" {
		os.Exit(Serve(context.Background(), os.Stdin, os.Stdout, os.Stderr))
	}
	var err error
	if fixtureDir, err = os.MkdirTemp("", "pgrescue-agent-"); err == nil {
		err = os.Chmod(fixtureDir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(fixtureDir)
	os.Exit(code)
}

func cluster(t testing.TB) fixture {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIP-REASON: needs root to run PostgreSQL as its own user")
	}
	f, err := theFixture()
	if err != nil {
		t.Skipf("SKIP-REASON: no cluster could be made with PostgreSQL of this machine: %v", err)
	}
	return f
}

func makeFixture() (f fixture, err error) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(bins) == 0 {
		return f, fmt.Errorf("no /usr/lib/postgresql/*/bin")
	}
	sort.Strings(bins)
	f.bin = bins[len(bins)-1]
	f.major, _ = strconv.Atoi(filepath.Base(filepath.Dir(f.bin)))
	f.data, f.ts = filepath.Join(fixtureDir, "data"), filepath.Join(fixtureDir, "ts")
	script := fmt.Sprintf(`set -e
mkdir -p %[1]s/run %[1]s/ts; chown postgres %[1]s/run %[1]s/ts; install -d -o postgres -m 0700 %[1]s/data
cd %[1]s
PG() { su postgres -c "$1"; }
PG "%[2]s/initdb -k -N -D %[1]s/data -A trust" >/dev/null
PG "%[2]s/pg_ctl -s -w -D %[1]s/data -l %[1]s/run/log -o '-c listen_addresses= -k %[1]s/run -c autovacuum=off -c fsync=off' start"
PG "%[2]s/psql -q -h %[1]s/run -d postgres -v ON_ERROR_STOP=1" <<SQL
create tablespace side location '%[1]s/ts';
create table t (id int primary key, pad text) tablespace side;
insert into t select g, repeat('x', 200) from generate_series(1, 20000) g;
create table u as select g id, md5(g::text) m from generate_series(1, 30000) g;
checkpoint;
insert into t select g, repeat('y', 200) from generate_series(20001, 25000) g;
SQL
PG "%[2]s/pg_ctl -s -D %[1]s/data -m immediate stop"
`, fixtureDir, f.bin)
	out, err := exec.Command("bash", "-c", script).CombinedOutput()
	if err != nil {
		return f, fmt.Errorf("%w: %s", err, out)
	}
	links, err := filepath.Glob(filepath.Join(f.data, "pg_tblspc", "*"))
	if err != nil || len(links) != 1 {
		return f, fmt.Errorf("tablespace links: %v %v", links, err)
	}
	f.oid = filepath.Base(links[0])
	return f, nil
}

func (f fixture) source() []Piece {
	return []Piece{{Name: "data", Path: f.data}, {Name: "ts-" + f.oid, Path: f.ts}}
}

// emptyLike makes a destination for every piece.
func emptyLike(t testing.TB, pieces []Piece) []Piece {
	t.Helper()
	dir := t.TempDir()
	var out []Piece
	for _, p := range pieces {
		q := p
		q.Path = filepath.Join(dir, p.Name)
		if err := os.Mkdir(q.Path, 0o755); err != nil {
			t.Fatal(err)
		}
		out = append(out, q)
	}
	return out
}

// collect is a Stream that keeps records.
type collect struct {
	records  []Record
	progress []Progress
	mu       sync.Mutex
}

func (c *collect) stream(in iter.Seq2[Record, error]) *Stream {
	return &Stream{Input: in,
		OnProgress: func(p Progress) { c.mu.Lock(); c.progress = append(c.progress, p); c.mu.Unlock() },
		OnRecord: func(v any) error {
			c.records = append(c.records, v.(Record))
			return nil
		}}
}

func mustCopy(t testing.TB, req CopyRequest) (CopyResult, []Record) {
	t.Helper()
	var c collect
	res, err := Copy(context.Background(), req, c.stream(nil))
	if err != nil {
		t.Fatalf("copy: %v", err)
	}
	return res, c.records
}

// mustEqual fails when trees are not what records say.
func mustEqual(t testing.TB, pieces []Piece, records []Record) {
	t.Helper()
	res, err := Compare(context.Background(), CompareRequest{Pieces: pieces}, &Stream{Input: RecordsOf(records)})
	if err != nil {
		t.Fatalf("compare: %v", err)
	}
	if !res.Equal {
		t.Fatalf("%d differences, first: %+v", res.Count, res.Diffs[:min(5, len(res.Diffs))])
	}
}

// recordsOf describes a tree by the plain means of the test, not the copier's.
func treeState(t testing.TB, dir string) string {
	t.Helper()
	out, err := exec.Command("bash", "-c",
		`cd "$1" && find . -printf '%P %y %s %m %U %G %T@ %C@ %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 -r sha256sum`, "-", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// unchanged fails at the end of a test if a directory is not as it is now.
func unchanged(t testing.TB, dir string) {
	t.Helper()
	before := treeState(t, dir)
	t.Cleanup(func() {
		if after := treeState(t, dir); after != before {
			t.Errorf("%s changed", dir)
		}
	})
}

func kindIs(t testing.TB, err error, want Kind) *Error {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one of kind %s", want)
	}
	if got := KindOf(err); got != want {
		t.Fatalf("error of kind %s, want %s: %v", got, want, err)
	}
	return asError(err)
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func contains(t testing.TB, s, sub string) {
	t.Helper()
	if !strings.Contains(s, sub) {
		t.Fatalf("%q does not contain %q", s, sub)
	}
}

var pageOfX = bytes.Repeat([]byte{'x'}, 8192)
