package pgops

import (
	"bytes"
	"encoding/binary"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lockTogether has two sessions lock the same rows, so that their xmax is a multixact of locks.
func (s *server) lockTogether(table string, rows string) {
	s.t.Helper()
	s.sh(strings.NewReplacer("TABLE", table, "ROWS", rows).Replace(`
mkfifo /tmp/hold; psql -X -q -At -d postgres < /tmp/hold > /dev/null & exec 3>/tmp/hold
echo "begin; select from TABLE for key share; \\! touch /tmp/held" >&3
while [ ! -e /tmp/held ]; do sleep 0.01; done
for i in ROWS; do psql -X -q -v ON_ERROR_STOP=1 -d postgres -c "select from TABLE where id = $i for key share"; done
echo "commit;" >&3; exec 3>&-; wait; rm -f /tmp/hold /tmp/held`))
}

func TestRowLockMultixacts(t *testing.T) {
	onServers(t, serverImages, func(t *testing.T, image string) {
		s := newServer(t, image, "-E", "UTF8")
		if image == "postgres:18" {
			s.sh("pg_checksums -D /work/data --disable")
		}
		s.start()
		s.query("create table locked (id int primary key, v text); insert into locked select g, 'lock me ' || g from generate_series(1, 9) g; create table other (id int)")
		s.lockTogether("locked", "1 2 3 4 5 6 7")
		path := filepath.Join(s.data, s.query("select pg_relation_filepath('locked')"))
		s.stop("fast")
		// Without its members a lock of a session that is gone is still only that.
		s.page(filepath.Join(s.data, "pg_multixact/offsets/0000"), 0, func(p []byte) { binary.LittleEndian.PutUint32(p[3*4:], 0) })
		s.start()
		list := s.userVerdicts(s.checkOptions())
		s.expect(list, nil)
		e := evidence(find(list, "postgres.public.locked"))
		if !strings.Contains(e, "row locks: PASS (7 multixacts of row locks, 0 with an update; of those of row locks ") || !strings.Contains(e, "cannot be read (the first is ") {
			t.Error(e)
		}
		if n := s.number("with l as (select id from locked where id < 5 for update) select count(*) from l"); n != 4 {
			t.Errorf("%d rows can be locked, want 4", n)
		}

		// An id of the future is no lock but damage.
		s.stop("fast")
		s.page(path, 0, func(p []byte) {
			at := bytes.Index(p, []byte("lock me 7")) - 1 - 4 - 24 // length byte, id, header
			binary.LittleEndian.PutUint32(p[at+4:], 1_000_000)
			p[at+21] &^= 0x08 // HEAP_XMAX_INVALID, which a look at the row may have set
		})
		s.start()
		s.expect(s.userVerdicts(s.checkOptions()), map[string]expectation{"postgres.public.locked": {checkFailed, " multixacts of row locks cannot be read, the first is 1000000"}})
	})
}

// A table whose index needs a library that this image lacks is readable all the same.
func TestMissingLibraryIsNoDamage(t *testing.T) {
	onServers(t, []string{"postgres:15", "postgres:18"}, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.query("create extension bloom; create table flowers (id int primary key, n int); insert into flowers select g, g from generate_series(1, 100) g; create index flowers_bloom on flowers using bloom (n); create table other (id int)")
		s.stop("fast")
		if out, err := exec.Command("docker", "exec", "-u", "root", s.container, "sh", "-c", "rm /usr/lib/postgresql/*/lib/bloom.so").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		s.start()
		o := s.checkOptions()
		o.RebuildIndexes = true
		list := s.userVerdicts(o)
		want := map[string]expectation{"postgres.public.flowers": {checkUnknown, "bloom\""}}
		if image == "postgres:18" { // its planner asks every access method what its operators mean
			want["postgres.public.other"] = want["postgres.public.flowers"]
		}
		s.expect(list, want)
		if v := find(list, "postgres.public.flowers"); v.Rows != 100 {
			t.Errorf("%d rows, want 100", v.Rows)
		}
	})
}
