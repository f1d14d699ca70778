package pgdisk

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// truthSetup makes a cluster and starts it. The control file is taken twice on the way.
const truthSetup = `mkdir /tmp/taken
initdb -N -k -A trust >/dev/null
cat $PGDATA/global/pg_control >/tmp/taken/fresh
echo "fsync=off
autovacuum=off
listen_addresses=''
unix_socket_directories='/tmp'
wal_log_hints=on
track_commit_timestamp=on
max_connections=37
max_prepared_transactions=3" >> $PGDATA/postgresql.conf
pg_ctl -w -s -l /tmp/log start
psql -qc checkpoint
cat $PGDATA/global/pg_control >/tmp/taken/running`

// TestTruth compares what is read from the files of a stopped cluster with what its server
// and its programs say of them, for each major of which there is an image.
func TestTruth(t *testing.T) {
	for _, major := range truthMajors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			tr := startTruth(t, major)
			tr.sh(t, truthSetup)
			tr.sql(t, "postgres", truthWorkload)
			said := askServer(t, tr)
			tr.sh(t, "pg_ctl -w -s -m fast stop")
			root := tr.files(t, "/tmp/d")
			t.Run("control", func(t *testing.T) { controlTruth(t, tr, root) })
			b, err := os.ReadFile(filepath.Join(root, ControlFilePath))
			if err != nil {
				t.Fatal(err)
			}
			c, err := DecodeControl(b)
			if err != nil {
				t.Fatal(err)
			}
			d := &stopped{root: root, fsys: os.DirFS(root), control: c, said: said}
			t.Run("pages", d.pages)
			t.Run("multixacts", d.multixacts)
			t.Run("transactions", d.transactions)
			t.Run("databases", d.databases)
			t.Run("tuples", d.tuples)
			t.Run("page header", d.pageHeader)
			t.Run("spans", d.spans)
			if *writeControlFixtures {
				writeDatabaseFixture(t, root, major)
			}
		})
	}
}

// A truth is a throw-away PostgreSQL server in a container, which says what is right.
type truth struct {
	major     int
	container string
}

// truthMajors are those of which the tests can have an image.
func truthMajors() []int { return []int{13, 15, 17, 18} }

// startTruth starts a container that idles; it goes away with the test. Without Docker or
// without the image the test is skipped.
func startTruth(t *testing.T, major int) *truth {
	t.Helper()
	image := fmt.Sprintf("postgres:%d", major)
	if out, err := exec.Command("docker", "image", "inspect", "--format", "ok", image).CombinedOutput(); err != nil {
		t.Skipf("SKIP-REASON: no image %s to compare with: %v: %s", image, err, bytes.TrimSpace(out))
	}
	tr := &truth{major: major, container: fmt.Sprintf("pgrescue-pgdisk-truth-%d-%d", major, os.Getpid())}
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "rm", "--force", "--volumes", tr.container).CombinedOutput(); err != nil {
			t.Errorf("remove %s: %v: %s", tr.container, err, out)
		}
	})
	tr.docker(t, nil, "run", "--detach", "--network", "none", "--name", tr.container, "--entrypoint", "sleep", image, "600")
	return tr
}

func (tr *truth) docker(t *testing.T, stdin io.Reader, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("docker", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("docker %s: %v\n%s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// sh runs a script as the user postgres, with the server's programs in the path and the
// data directory in PGDATA.
func (tr *truth) sh(t *testing.T, script string) string {
	t.Helper()
	env := fmt.Sprintf("export PATH=/usr/lib/postgresql/%d/bin:$PATH PGDATA=/tmp/d PGHOST=/tmp PGUSER=postgres LC_ALL=C; set -e; ", tr.major)
	return tr.docker(t, nil, "exec", "--user", "postgres", tr.container, "sh", "-c", env+script)
}

// sql runs statements and returns the rows, columns separated by '|'.
func (tr *truth) sql(t *testing.T, db, statements string) []string {
	t.Helper()
	out := tr.docker(t, strings.NewReader(statements), "exec", "--interactive", "--user", "postgres", tr.container,
		fmt.Sprintf("/usr/lib/postgresql/%d/bin/psql", tr.major), "--host=/tmp", "--no-psqlrc", "--quiet", "--tuples-only",
		"--no-align", "--set=ON_ERROR_STOP=1", "--username=postgres", db)
	return strings.Fields(out)
}

// files copies a path of the container into a new directory and returns that.
func (tr *truth) files(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	archive := tr.docker(t, nil, "cp", tr.container+":"+path, "-")
	for r := tar.NewReader(strings.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(h.Name, "/")
		name := filepath.Join(dir, filepath.FromSlash(rest))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(name, 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// controldata runs the image's pg_controldata over each of the given control files and
// returns its standard output.
func (tr *truth) controldata(t *testing.T, tz string, files ...[]byte) []string {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for i, b := range files {
		h := &tar.Header{Name: fmt.Sprintf("c/%d/global/pg_control", i), Mode: 0o644, Size: int64(len(b)), Typeflag: tar.TypeReg}
		if err := errors.Join(w.WriteHeader(h), second(w.Write(b))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tr.docker(t, &archive, "cp", "-", tr.container+":/tmp")
	const cut = "----8<----"
	out := tr.sh(t, fmt.Sprintf("export TZ='%s'; for i in $(seq 0 %d); do pg_controldata -D /tmp/c/$i 2>/dev/null; echo '%s'; done", tz, len(files)-1, cut))
	texts := strings.Split(out, cut+"\n")
	if len(texts) != len(files)+1 {
		t.Fatalf("pg_controldata: %d answers for %d files", len(texts)-1, len(files))
	}
	return texts[:len(files)]
}

func second[T any](_ T, err error) error { return err }

// diffRows reports the first rows that differ.
func diffRows(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	bad := 0
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("row %d:\n got %s\nwant %s", i, got[i], want[i])
			if bad++; bad == 5 {
				return
			}
		}
	}
}
