package pgdisk_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// accountWorkload makes pages of every history: pruned, vacuumed, frozen after an aborted
// update, rewritten, toasted.
const accountWorkload = `
create table hot (id int primary key, n int, t text) with (fillfactor = 60, autovacuum_enabled = off);
insert into hot select g, 0, repeat('h', g % 90) from generate_series(1, 3000) g;
update hot set n = n + 1 where id % 3 = 0; update hot set t = t || 'x' where id % 5 = 0; delete from hot where id % 7 = 0;
vacuum hot; update hot set n = n + 2 where id % 2 = 0; select sum(n) from hot; delete from hot where id % 11 = 0; vacuum freeze hot;
create table thawed as select * from hot; begin; update thawed set n = -1; rollback; vacuum freeze thawed;
begin; update thawed set n = -2; savepoint a; delete from thawed where id % 4 = 0; rollback to a; commit;
create table toasted as select g id, (select string_agg(md5((g * x)::text), '') from generate_series(1, 400) x) t from generate_series(1, 100) g;
update toasted set t = t || 'more' where id % 2 = 0; vacuum toasted; update toasted set t = 'less' || t where id % 3 = 0;
create table rewritten as select * from hot; update rewritten set n = 5; vacuum full rewritten; insert into rewritten select * from hot;
checkpoint;`

func TestTruthHeapAccount(t *testing.T) {
	for _, major := range []int{13, 18} {
		s := truth.Start(t, major)
		s.Sh(t, `initdb -N -k -A trust >/dev/null
echo "fsync=off
autovacuum=off
listen_addresses=''
unix_socket_directories='/tmp'" >> $PGDATA/postgresql.conf
pg_ctl -w -s -l /tmp/log start`)
		s.SQL(t, "postgres", accountWorkload)
		s.Sh(t, "cp -r $PGDATA/base /tmp/taken")
		pages := 0
		err := filepath.WalkDir(s.Files(t, "/tmp/taken"), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.Trim(d.Name(), "0123456789") != "" {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for blk := 0; (blk+1)*pgdisk.BlockSize <= len(b); blk++ {
				page := b[blk*pgdisk.BlockSize : (blk+1)*pgdisk.BlockSize]
				h, err := pgdisk.DecodePageHeader(page)
				if err != nil || h.IsNew() || h.Special != pgdisk.BlockSize {
					continue // another access method's
				}
				pages++
				if n := pgdisk.UnclaimedBytes(page, h); n != 0 {
					t.Errorf("%d: %s, block %d: %d bytes are unclaimed", major, path, blk, n)
				}
				if n, home := pgdisk.ForeignRows(page, h, pgdisk.BlockNumber(blk)); n != 0 {
					t.Errorf("%d: %s, block %d: %d rows of block %d", major, path, blk, n, home)
				}
			}
			return nil
		})
		if err != nil || pages < 1000 {
			t.Fatalf("%d: %d pages of tables, %v", major, pages, err)
		}
	}
}
