package catalog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/catalog"
)

// TestUnreplayedWAL asks after a crash, after the recovery from it, and after an orderly stop.
func TestUnreplayedWAL(t *testing.T) {
	for _, major := range []int{13, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			tr := truth.Start(t, major)
			tr.Sh(t, `initdb -N -A trust --wal-segsize=1 >/dev/null
				echo "autovacuum=off
				fsync=off
				listen_addresses=''
				unix_socket_directories='/tmp'" >>$PGDATA/postgresql.conf
				pg_ctl -w -s -l /tmp/log start
				psql -qc 'CREATE TABLE t (a int)' -c checkpoint
				psql -qc 'INSERT INTO t VALUES (1)'; psql -qc 'INSERT INTO t VALUES (2)'; psql -qc 'BEGIN; DELETE FROM t; ROLLBACK'
				pg_ctl -w -s -m immediate stop`)
			crashed := tr.Files(t, "/tmp/d")
			if left := unreplayed(t, crashed); left.Nothing() || left.Commits != 2 || left.Changes < 4 || left.Doubt != "" || left.LastCommit.IsZero() {
				t.Errorf("after the crash: %s", left)
			}
			tr.Sh(t, "pg_ctl -w -s -l /tmp/log start; psql -qc checkpoint; pg_ctl -w -s -m immediate stop")
			if left := unreplayed(t, tr.Files(t, "/tmp/d")); !left.Nothing() {
				t.Errorf("after recovery: %s", left)
			}
			tr.Sh(t, "pg_ctl -w -s -l /tmp/log start; pg_ctl -w -s -m fast stop")
			if left := unreplayed(t, tr.Files(t, "/tmp/d")); !left.Nothing() {
				t.Errorf("after a stop: %s", left)
			}
			tr.Sh(t, `cp $PGDATA/global/pg_control /tmp/old; pg_ctl -w -s -l /tmp/log start
				psql -qc 'INSERT INTO t VALUES (3)'; pg_ctl -w -s -m immediate stop; cp /tmp/old $PGDATA/global/pg_control`)
			if left := unreplayed(t, tr.Files(t, "/tmp/d")); left.Commits != 1 || !strings.Contains(left.Doubt, "older than the other files") {
				t.Errorf("with an old pg_control: %s", left)
			}
			names, err := filepath.Glob(filepath.Join(crashed, "pg_wal", "0*"))
			if err != nil || len(names) == 0 {
				t.Fatal(names, err)
			}
			for _, name := range names {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
			if left := unreplayed(t, crashed); left.Doubt == "" {
				t.Errorf("without WAL: %s", left)
			}
		})
	}
}

func unreplayed(t *testing.T, dir string) *catalog.WALLeft {
	t.Helper()
	c, err := catalog.Open(t.Context(), os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	left, err := c.UnreplayedWAL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return left
}
