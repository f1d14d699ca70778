package unload

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/catalog"
)

// filedump is pg_filedump of the postgresql-filedump packages.
const filedump = "pg_filedump"

// BenchmarkUnload writes tables of a cluster in the page cache to memory, and says how many
// times as fast that is as the server's COPY TO '/dev/null' and as pg_filedump -D of the same
// file, written to memory too, each at its best of three.
func BenchmarkUnload(b *testing.B) {
	s := truth.Start(b, 17)
	s.Sh(b, `initdb --no-sync -E UTF8 --locale=C -U postgres -A trust >/dev/null
printf "listen_addresses = ''\nunix_socket_directories = '/tmp'\nautovacuum = off\nmax_wal_size = 8GB\n" >>$PGDATA/postgresql.conf
pg_ctl -w -l /tmp/log start >/dev/null; pgbench -q -i -s 30 postgres 2>/dev/null`)
	s.SQL(b, "postgres", `CREATE TABLE mixed AS SELECT i AS id, (i * 7919::bigint) % 100003 AS k, md5(i::text) AS h, '2024-01-01'::timestamptz + i * interval '1 second' AS at,
 (i / 7.0)::numeric(20,6) AS n, i % 3 = 0 AS b, repeat(chr(97 + i % 26), i % 80) AS t FROM generate_series(1, 2000000) i;
VACUUM (FREEZE, ANALYZE) mixed; CHECKPOINT;`)
	tables := []struct{ name, types string }{
		{"pgbench_accounts", "int,int,int,charn"},
		{"mixed", "int,bigint,text,timestamptz,numeric,bool,text"},
	}
	copies, files := map[string]time.Duration{}, map[string]string{}
	for _, t := range tables {
		copies[t.name] = best(b, func() time.Duration { return timeCopy(b, s, t.name) })
		files[t.name] = strings.TrimSpace(s.SQL(b, "postgres", "SELECT pg_relation_filepath('"+t.name+"')"))
	}
	s.Sh(b, "pg_ctl -w stop >/dev/null")
	data := s.Files(b, "/tmp/d")
	for _, t := range tables {
		b.Run(t.name, func(b *testing.B) {
			source := filepath.Join(data, files[t.name])
			took := benchmarkTable(b, data, t.name, source)
			b.ReportMetric(copies[t.name].Seconds()/took.Seconds(), "x-copy")
			if _, err := exec.LookPath(filedump); err != nil {
				b.Logf("SKIP-REASON: no %s to compare with: %v", filedump, err)
				return
			}
			out, err := os.CreateTemp(memory(), "pgrescue-bench-")
			if err != nil {
				b.Fatal(err)
			}
			defer os.Remove(out.Name())
			defer out.Close()
			dumped := best(b, func() time.Duration {
				begun := time.Now()
				cmd := exec.Command(filedump, "-D", t.types, source)
				cmd.Stdout = out
				if _, err := out.Seek(0, io.SeekStart); err != nil {
					b.Fatal(err)
				}
				if err := cmd.Run(); err != nil {
					b.Fatalf("%s: %v", filedump, err)
				}
				return time.Since(begun)
			})
			b.ReportMetric(dumped.Seconds()/took.Seconds(), "x-filedump")
		})
	}
}

// benchmarkTable returns the time of one run.
func benchmarkTable(b *testing.B, data, name, source string) time.Duration {
	fsys := os.DirFS(data)
	c, err := catalog.Open(b.Context(), fsys)
	if err != nil {
		b.Fatal(err)
	}
	pattern, err := ParsePattern(name)
	if err != nil {
		b.Fatal(err)
	}
	database, err := ParsePattern("postgres")
	if err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(source)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	quickest := time.Duration(1<<63 - 1)
	var rows int64
	for b.Loop() {
		dir, err := os.MkdirTemp(memory(), "pgrescue-bench-")
		if err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		m, err := Run(b.Context(), fsys, c, Options{Dir: dir, Format: FormatCopy, Databases: []Pattern{database}, Tables: []Pattern{pattern}})
		took := time.Since(begun)
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
		if err != nil || !m.Clean() {
			b.Fatalf("%v, %+v", err, m)
		}
		quickest, rows = min(quickest, took), m.Totals.Rows
	}
	b.ReportMetric(float64(rows)/quickest.Seconds(), "rows/s")
	return quickest
}

// memory is a directory in memory, if the system has the usual one.
func memory() string {
	if _, err := os.Stat("/dev/shm"); err != nil {
		return ""
	}
	return "/dev/shm"
}

// best is the shortest of three.
func best(b *testing.B, run func() time.Duration) time.Duration {
	b.Helper()
	return min(run(), run(), run())
}

// timeCopy asks psql how long a COPY took.
func timeCopy(b *testing.B, s *truth.Server, table string) time.Duration {
	b.Helper()
	out := s.SQL(b, "postgres", fmt.Sprintf("\\timing on\nCOPY %s TO '/dev/null';", table))
	_, after, ok := strings.Cut(out, "Time: ")
	ms, _, found := strings.Cut(after, " ms")
	v, err := strconv.ParseFloat(ms, 64)
	if !ok || !found || err != nil {
		b.Fatalf("psql said %q", out)
	}
	return time.Duration(v * float64(time.Millisecond))
}
