package pgops

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A value whose length is damaged makes the server read past the end of its memory: the process
// dies, and takes all connections with it.
func TestServerDiesWhileReading(t *testing.T) {
	onServers(t, serverImages, func(t *testing.T, image string) {
		s := newServer(t, image, "-E", "UTF8")
		if image == "postgres:18" {
			s.sh("pg_checksums -D /work/data --disable")
		}
		s.start()
		s.query(`create table a_before as select g as id from generate_series(1, 200000) g; create table deadly (id int primary key, v text); alter table deadly alter v set storage plain;
insert into deadly select g, repeat('z', 300) from generate_series(1, 5) g;
create table e_after as select g as id from generate_series(1, 200000) g; create table f_after (id int primary key); create table zz (id serial primary key)`)
		path := filepath.Join(s.data, s.query("select pg_relation_filepath('deadly')"))
		s.stop("fast")
		s.page(path, 0, func(p []byte) {
			at := bytes.Index(p, []byte("zzz"))
			binary.LittleEndian.PutUint32(p[at-4:], 700<<20<<2)
		})
		s.start()
		began := s.query("select pg_postmaster_start_time()")
		o := s.checkOptions()
		o.Workers = 3
		list := s.userVerdicts(o)
		s.expect(list, map[string]expectation{"postgres.public.deadly": {checkFailed, "read every column: the server process died"}})
		if !strings.Contains(evidence(find(list, "postgres.public.deadly")), "the remaining checks: COULD NOT CHECK") {
			t.Errorf("the remaining checks are not mentioned:\n%s", evidence(find(list, "postgres.public.deadly")))
		}
		if s.query("select pg_postmaster_start_time()") != began {
			t.Error("the server was started anew, which is not what this test is about")
		}
	})
}

// One kill must not blame the tables that were being read.
func TestKilledOnceIsNotDamage(t *testing.T) {
	onServers(t, []string{"postgres:18"}, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.query("create table big as select g as id, repeat('b', 200) as v from generate_series(1, 1000000) g; create table other (id int primary key)")
		done := make(chan string, 1)
		go func() {
			out, _ := s.try(`psql -X -d template1 <<'X'
do $$ declare p int; begin loop perform pg_stat_clear_snapshot();
select pid into p from pg_stat_activity where application_name = 'pgrescue' and query like '%public%big%' and state = 'active' limit 1;
if found then execute format('copy (select 1) to program %L', 'kill -SEGV ' || p); exit; end if; end loop; end $$
X`)
			done <- out // this session falls too
		}()
		for deadline := time.Now().Add(time.Minute); s.query("select count(*) from pg_stat_activity where query like 'do $$ declare%' and state = 'active'") == "0"; {
			if time.Now().After(deadline) {
				t.Fatal("the session that is to kill does not get to work")
			}
			time.Sleep(50 * time.Millisecond)
		}
		list := s.userVerdicts(s.checkOptions())
		out := <-done
		if log := s.sh("cat /work/log"); !strings.Contains(log, "was terminated by signal 11") {
			t.Fatalf("nothing was killed: %s\n%s", out, log)
		}
		s.expect(list, nil)
		if v := find(list, "postgres.public.big"); !strings.Contains(v.Detail, "the server died once during") || v.Rows != 1000000 {
			t.Errorf("%+v", v)
		}
	})
}

func TestLockedTableCouldNotBeChecked(t *testing.T) {
	onServers(t, []string{"postgres:13", "postgres:18"}, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.sh("echo max_prepared_transactions=5 >> /work/data/postgresql.conf")
		s.start()
		s.query("create table locked (id int primary key); create table free (id int)")
		s.query("begin; lock table locked; prepare transaction 'left behind'")
		s.expect(s.userVerdicts(s.checkOptions()), map[string]expectation{"postgres.public.locked": {checkUnknown, "'left behind'"}})
	})
}

// A long check is no hang as long as it works.
func TestSlowIsNotAHang(t *testing.T) {
	onServers(t, []string{"postgres:15"}, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.query("create table big as select g as id, repeat('b', 200) as v from generate_series(1, 300000) g")
		o := s.checkOptions()
		o.StatementTimeout = 50 * time.Millisecond
		s.expect(s.userVerdicts(o), map[string]expectation{"postgres.public.big": {checkUnknown, "did not end in 50ms"}})
	})
}

func TestDamagedCatalogAndDatabase(t *testing.T) {
	onServers(t, []string{"postgres:13", "postgres:17"}, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.query("create table fine (id int primary key)")
		s.query("create database broken")
		s.query("create database unused allow_connections false")
		s.query("checkpoint")
		described := s.query("select pg_relation_filepath('pg_description_o_c_o_index')")
		operators := s.query("select pg_relation_filepath('pg_operator_oprname_l_r_n_index')")
		broken := s.query("select 'base/' || oid from pg_database where datname = 'broken'")
		s.stop("fast")
		junk := func(p []byte) { copy(p[24:], strings.Repeat("junk", 1000)) }
		s.page(filepath.Join(s.data, described), 3, junk)
		s.page(filepath.Join(s.data, operators), 2, junk)
		must(t, os.Remove(filepath.Join(s.data, broken, "pg_filenode.map")))
		s.start()
		o := s.checkOptions()
		o.RebuildIndexes = true
		list := s.verdicts(o)
		want := notOpened()
		want["broken.*.*"] = expectation{checkFailed, "pg_filenode.map"}
		want["unused.*.*"] = expectation{checkUnknown, "datallowconn"}
		want["postgres.pg_catalog.pg_description"] = expectation{checkPassed, "index pg_description_o_c_o_index rebuilt, it was damaged"}
		want["postgres.pg_catalog.pg_operator"] = expectation{checkPassed, "index pg_operator_oprname_l_r_n_index rebuilt, it was damaged"}
		s.expect(list, want)
	})
}
