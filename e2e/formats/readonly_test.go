package formats

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
)

// stoppedCluster makes a small cluster of rows and stops it in order. It returns its data
// directory, with user and group that may read it, and the path of table t's file in it.
func stoppedCluster(t *testing.T, major int) (dir, table string) {
	t.Helper()
	tr := truth.Start(t, major)
	tr.Sh(t, `initdb -N -A trust >/dev/null
		echo "autovacuum=off
		fsync=off
		listen_addresses=''
		unix_socket_directories='/tmp'" >>$PGDATA/postgresql.conf
		pg_ctl -w -s -l /tmp/log start`)
	path := strings.TrimSpace(tr.SQL(t, "postgres", `CREATE TABLE t AS SELECT i, md5(i::text) v FROM generate_series(1, 400000) i;
		VACUUM FREEZE t; SELECT pg_relation_filepath('t')`))
	tr.Sh(t, "pg_ctl -w -s -m fast stop")
	return tr.Files(t, "/tmp/d"), path
}

// TestReadOnly runs every face in a container of which the kernel lets nothing be written but
// the output: whatever opened a file of the cluster for writing would fail.
func TestReadOnly(t *testing.T) {
	dir, table := stoppedCluster(t, 18)
	out := t.TempDir()
	for _, args := range []string{
		"inspect control /d", "inspect wal /d", "inspect wal /d --stats --json", "inspect slru /d", "inspect page --check /d",
		"inspect page --full /d/" + table, "inspect relation /d/" + table, "inspect catalog /d --files", "params /d",
		"unload /d -o /out/copy", "unload /d -o /out/json --format jsonl --dead --system",
	} {
		cmd := exec.CommandContext(t.Context(), "docker", append([]string{"run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE",
			"--volume", binary + ":/pgrescue:ro", "--volume", dir + ":/d:ro", "--volume", out + ":/out", "--entrypoint", "/pgrescue", "postgres:18"}, strings.Fields(args)...)...)
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", args, err, b[max(0, len(b)-2000):])
		}
	}
	rows, err := os.ReadFile(filepath.Join(out, "copy", "postgres", "public.t.copy"))
	if n := bytes.Count(rows, []byte("\n")); err != nil || n != 400000 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// TestMemoryFlat gives the readers a table ten times the size, and wants about the same memory.
func TestMemoryFlat(t *testing.T) {
	dir, table := stoppedCluster(t, 17)
	name := filepath.Join(dir, table)
	once, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	faces := []struct{ name, args string }{
		{"unload", "unload %[1]s --table t -o %[2]s"},
		{"inspect relation", "inspect relation %[1]s/%[3]s"},
		{"inspect page", "inspect page %[1]s/%[3]s"},
		{"inspect page --check", "inspect page --check %[1]s"},
	}
	peak := func(i int, round string) int64 {
		out := filepath.Join(t.TempDir(), round)
		args := strings.Fields(fmt.Sprintf(faces[i].args, dir, out, table))
		cmd := exec.CommandContext(t.Context(), binary, args...)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = io.Discard, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s", faces[i].name, err, stderr.Bytes())
		}
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			t.Fatal("no resource usage")
		}
		return usage.Maxrss // kB
	}
	small := make([]int64, len(faces))
	for i := range faces {
		small[i] = peak(i, "small")
	}
	// The same blocks again and again: without checksums, and with frozen rows, nothing in them
	// tells their number.
	// New pages at the end would be lost pages in the middle.
	once = once[:(len(bytes.TrimRight(once, "\x00"))+8191)/8192*8192]
	if err := os.Truncate(name, int64(len(once))); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 9 {
		if _, err := f.Write(once); err != nil {
			t.Fatal(err)
		}
	}
	for i, face := range faces {
		if large := peak(i, "large"); large > small[i]*3/2+16<<10 {
			t.Errorf("%s: %d kB for ten times the table, %d kB for the table", face.name, large, small[i])
		}
	}
}
