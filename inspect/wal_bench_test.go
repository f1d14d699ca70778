package inspect

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// BenchmarkWAL reads some 200 MB of WAL of pgbench, and has the server's own pg_waldump read
// the same in turn, its output going to /dev/null as ours does. x-pg_waldump is how many
// times as fast ours is. All files are in the page cache.
func BenchmarkWAL(b *testing.B) {
	srv := truth.Start(b, 17)
	dir, start := benchWAL(b, srv)
	for _, bench := range []struct {
		name, theirs string
		opt          WALOptions
	}{
		{"text", "", WALOptions{}},
		{"stats", "--stats", WALOptions{Mode: WALStats}},
		{"json", "", WALOptions{JSON: true}},
	} {
		bench.opt.Start = start
		b.Run(bench.name, func(b *testing.B) {
			in := WALInput{FS: os.DirFS(dir)}
			benchOurs(b, in, bench.opt) // warm
			benchTheirs(b, srv, start, bench.theirs)
			var ours, theirs time.Duration
			for b.Loop() {
				ours += benchOurs(b, in, bench.opt)
				theirs += benchTheirs(b, srv, start, bench.theirs)
			}
			b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ms-ours")
			b.ReportMetric(float64(theirs.Milliseconds())/float64(b.N), "ms-pg_waldump")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x-pg_waldump")
		})
	}
	b.Run("scan on one core", func(b *testing.B) {
		src := pgdisk.WALSource{FS: os.DirFS(dir), SegSize: 16 << 20, Timeline: 1}
		for b.Loop() {
			end, err := pgdisk.FindWALEnd(b.Context(), src, start, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(end.LSN - start))
		}
	})
}

// benchWAL makes the WAL, leaves it in the container's /tmp/wal and copies it to this host.
func benchWAL(b *testing.B, srv *truth.Server) (dir string, start pgdisk.LSN) {
	b.Helper()
	srv.Sh(b, `initdb --no-sync --auth=trust --username=postgres >/dev/null
cat >>$PGDATA/postgresql.conf <<CONF
fsync = off
listen_addresses = ''
unix_socket_directories = '/tmp'
max_wal_size = '4GB'
wal_keep_size = '4GB'
checkpoint_timeout = '1h'
autovacuum = off
CONF
pg_ctl --silent --wait start >/dev/null
pgbench --initialize --quiet --scale=8 postgres 2>/dev/null
pgbench --client=4 --transactions=50000 postgres >/dev/null 2>&1
pg_ctl --silent --wait --mode=immediate stop
mkdir /tmp/wal && cp $PGDATA/pg_wal/0* /tmp/wal`)
	dir = filepath.Join(b.TempDir(), "wal")
	srv.Docker(b, nil, "cp", srv.Container+":/tmp/wal", dir)
	return dir, 0x1000028
}

func benchOurs(b *testing.B, in WALInput, opt WALOptions) time.Duration {
	b.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	began := time.Now()
	end, err := WAL(b.Context(), in, opt, null, null)
	if err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	if end.State != "clean" || end.Records < 500_000 {
		b.Fatalf("%s after %d records: %s", end.State, end.Records, end.Reason)
	}
	return took
}

// benchTheirs is timed inside the container: what docker exec costs is not counted.
func benchTheirs(b *testing.B, srv *truth.Server, start pgdisk.LSN, args string) time.Duration {
	b.Helper()
	out := srv.Sh(b, fmt.Sprintf(`s=$(date +%%s%%N); pg_waldump --path=/tmp/wal --start=%s %s >/dev/null 2>&1 || true; e=$(date +%%s%%N); echo $((e - s))`, start, args))
	ns, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(ns)
}
