package pgdisk

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
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
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			tr := truth.Start(t, major)
			tr.Sh(t, truthSetup)
			tr.SQL(t, "postgres", truthWorkload)
			said := askServer(t, tr)
			tr.Sh(t, "pg_ctl -w -s -m fast stop")
			root := tr.Files(t, "/tmp/d")
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

// controldata runs the image's pg_controldata over each of the given control files and
// returns its standard output.
func controldata(t *testing.T, tr *truth.Server, tz string, files ...[]byte) []string {
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
	tr.Docker(t, &archive, "cp", "-", tr.Container+":/tmp")
	const cut = "----8<----"
	out := tr.Sh(t, fmt.Sprintf("export TZ='%s'; for i in $(seq 0 %d); do pg_controldata -D /tmp/c/$i 2>/dev/null; echo '%s'; done", tz, len(files)-1, cut))
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
