package pgops

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// healthySQL makes one table of every kind there is, in two schemas.
const healthySQL = `
create schema "we ird""name"; create schema other;
create table plain (id serial primary key, v text, n int);
insert into plain (v, n) select 'row ' || g, g % 7 from generate_series(1, 3000) g;
create index plain_n on plain (n); update plain set n = n + 1 where id % 10 = 0; delete from plain where id % 11 = 0;
create table "we ird""name"."we ird""name" ("sel ect" int primary key, "Ünïcode" text unique);
insert into "we ird""name"."we ird""name" select g, 'é' || g from generate_series(1, 100) g;
create table empty (id int primary key, v text);
create table nocolumns (); insert into nocolumns default values; insert into nocolumns default values;
create table parted (id int, at int, v text, primary key (id, at)) partition by range (at);
create table parted_1 partition of parted for values from (0) to (100);
create table parted_2 partition of parted for values from (100) to (200);
insert into parted select g, g % 200, 'p' from generate_series(1, 2000) g;
create table mother (id int primary key, v text); create table daughter (w text) inherits (mother);
insert into mother values (1, 'm'); insert into daughter values (1, 'd', 'w'), (2, 'd', 'w');
create table long (id int primary key, v text, w text);
alter table long alter v set storage external;
insert into long select g, repeat(md5(g::text), 400), repeat(md5(g::text), 900) from generate_series(1, 40) g;
create function lowered(text) returns text language sql immutable as 'select lower($1)';
create table exprs (id int, a text, b int, c int, d int unique deferrable initially deferred);
insert into exprs select g, 'Name' || g, case when g % 2 = 0 then g else 7 end, case when g % 3 = 0 then g end, g from generate_series(1, 500) g;
create unique index exprs_lower on exprs (public.lowered(a)); create unique index exprs_partial on exprs (b) where b % 2 = 0;
create unique index exprs_constant on exprs ((1)) where id = 1; create unique index exprs_include on exprs (id) include (b);
create unique index exprs_nulls on exprs (c); create unique index exprs_c on exprs (a collate "C" text_pattern_ops);
create type pair as (x int, y int); create table composite (p pair unique);
insert into composite values (row(1, null)), (row(1, 2)), (null), (null);
create domain email as text check (value like '%@%'); create table domains (id int generated always as identity, e email unique);
insert into domains (e) select 'u' || g || '@x' from generate_series(1, 50) g;
create table generated (id int primary key, twice int generated always as (id * 2) stored);
insert into generated select generate_series(1, 100);
create materialized view mv as select id, v from plain where n = 1; create unique index mv_id on mv (id);
create materialized view never as select 1 as x with no data;
create unlogged table fleeting (id int primary key); insert into fleeting select generate_series(1, 10);
create sequence lonely;
create table other.kinds (id int, j jsonb, p point, arr int[], r int4range, h text);
insert into other.kinds select g, jsonb_build_object('k', g), point(g, g), array[g, g + 1], int4range(g, g + 1), 'h' || g from generate_series(1, 200) g;
create index on other.kinds using gin (j); create index on other.kinds using gist (p); create index on other.kinds using brin (id);
create index on other.kinds using hash (h); create index on other.kinds using spgist (r);
alter table other.kinds add exclude using gist (r with &&);
create view looking as select pg_sleep(1000)::text;
select lo_from_bytea(0, repeat('large', 3000)::bytea);
`

// vacuumSQL sets the visibility map, so that index-only scans trust it.
const vacuumSQL = `vacuum analyze;`

// checkOptions dial the test server's socket through the mount.
func (s *server) checkOptions() CheckOptions {
	var major int
	if _, err := fmt.Sscanf(s.image, "postgres:%d", &major); err != nil {
		s.t.Fatal(err)
	}
	return CheckOptions{
		User: "postgres", Major: major, Workers: 2, StatementTimeout: 20 * time.Second,
		Dial: func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", filepath.Join(s.dir, "sock", ".s.PGSQL.5432"))
		},
	}
}

// verdicts runs the checks and collects what they hand out.
func (s *server) verdicts(o CheckOptions) []TableVerdict {
	s.t.Helper()
	var (
		list []TableVerdict
		mu   sync.Mutex
		last CheckProgress
	)
	err := CheckTables(context.Background(), o, func(v TableVerdict) error {
		list = append(list, v)
		return nil
	}, func(p CheckProgress) {
		mu.Lock()
		defer mu.Unlock()
		if p.Done < last.Done || p.Done > p.Total {
			s.t.Errorf("progress went from %+v to %+v", last, p)
		}
		last = p
	})
	must(s.t, err)
	if last.Done != int64(len(list)) {
		s.t.Errorf("progress ended at %+v after %d verdicts", last, len(list))
	}
	return list
}

// expectation is what a verdict must be: its result and words that its detail has.
type expectation struct{ result, detail string }

// expect compares verdicts with what is expected of some tables of a database; all others pass.
func (s *server) expect(list []TableVerdict, want map[string]expectation) {
	s.t.Helper()
	seen := map[string]bool{}
	for _, v := range list {
		w, special := want[v.Subject()]
		seen[v.Subject()] = true
		switch {
		case !special:
			w = expectation{result: checkPassed}
		}
		if v.Result != w.result || !strings.Contains(v.Detail, w.detail) {
			s.t.Errorf("%s (%s): %s %q, want %s %q\n%s", v.Subject(), v.Kind, v.Result, v.Detail, w.result, w.detail, evidence(v))
		}
	}
	for subject := range want {
		if !seen[subject] {
			s.t.Errorf("%s: no verdict", subject)
		}
	}
}

func evidence(v TableVerdict) string {
	var b strings.Builder
	for _, c := range v.Checks {
		fmt.Fprintf(&b, "    %s [%d ms]\n", c, c.Millis)
	}
	return b.String()
}

func find(list []TableVerdict, subject string) TableVerdict {
	for _, v := range list {
		if v.Subject() == subject {
			return v
		}
	}
	return TableVerdict{}
}

// traces is what the checks might have left behind in a database.
func (s *server) traces() string {
	s.t.Helper()
	return s.query(`select string_agg(extname, ',' order by extname) from pg_extension;
select string_agg(nspname, ',' order by nspname) from pg_namespace;
select count(*), max(oid::bigint) from pg_proc; select count(*), max(oid::bigint) from pg_class;
select string_agg(relname || ' ' || pg_relation_filenode(oid), ',' order by relname) from pg_class where relkind in ('r', 'm', 'i') and oid >= 16384;
select string_agg(last_value || ',' || is_called::text, ' ') from lonely`)
}

// notOpened is the verdict on template0 in every run.
func notOpened() map[string]expectation {
	return map[string]expectation{"template0.*.*": {checkUnknown, "datallowconn"}}
}

func TestHealthyClusterPasses(t *testing.T) {
	onServers(t, serverImages, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.query(healthySQL)
		s.query(vacuumSQL)
		before := s.traces()
		o := s.checkOptions()
		want := notOpened()
		// Without leave to rebuild, an index that nothing can check stays unchecked.
		want["postgres.other.kinds"] = expectation{checkUnknown, "no checker for access method brin"}
		list := s.verdicts(o)
		s.expect(list, want)
		if after := s.traces(); after != before {
			t.Errorf("the checks left traces:\nbefore %s\nafter  %s", before, after)
		}
		checkHealthyRows(t, list)
		o.Workers, o.RebuildIndexes = 3, true
		again := s.verdicts(o)
		s.expect(again, notOpened())
		if a, b := subjects(list), subjects(again); !slices.Equal(a, b) {
			t.Errorf("the order depends on the workers:\n%v\n%v", a, b)
		}
	})
}

func subjects(list []TableVerdict) []string {
	var s []string
	for _, v := range list {
		s = append(s, v.Subject())
	}
	return s
}

// checkHealthyRows compares counts and kinds.
func checkHealthyRows(t *testing.T, list []TableVerdict) {
	t.Helper()
	for subject, want := range map[string]struct {
		kind string
		rows int64
	}{
		`postgres.we ird"name.we ird"name`:   {"table", 100},
		"postgres.public.nocolumns":          {"table", 2},
		"postgres.public.mother":             {"table", 1},
		"postgres.public.daughter":           {"table", 2},
		"postgres.public.parted_1":           {"partition", 1000},
		"postgres.public.long":               {"table", 40},
		"postgres.public.never":              {"materialized view", 0},
		"postgres.public.lonely":             {"sequence", 1},
		"postgres.public.empty":              {"table", 0},
		"postgres.pg_catalog.pg_largeobject": {"catalog", 8},
	} {
		v := find(list, subject)
		if v.Kind != want.kind || v.Rows != want.rows {
			t.Errorf("%s is a %s of %d rows, want a %s of %d", subject, v.Kind, v.Rows, want.kind, want.rows)
		}
	}
	v := find(list, "postgres.public.long")
	if !strings.Contains(evidence(v), "toast table: PASS (") {
		t.Errorf("nothing is said of the toast table:\n%s", evidence(v))
	}
}

func TestControlThroughSQL(t *testing.T) {
	onServers(t, serverImages, func(t *testing.T, image string) {
		s := newServer(t, image, "--data-checksums")
		s.start()
		ctx := context.Background()
		conn, err := Connect(ctx, s.checkOptions(), "postgres")
		must(t, err)
		s.query("checkpoint")
		got, err := ControlThroughSQL(ctx, conn)
		must(t, err)
		must(t, conn.Close(ctx))
		want := s.control()
		if got.Checkpoint != want.Checkpoint || got.SystemIdentifier != want.SystemIdentifier || got.CheckpointCopy.NextXID != want.CheckpointCopy.NextXID {
			t.Errorf("got %+v, want %+v", got, want)
		}
		// What cannot be asked for.
		got.UnloggedLSN, got.FloatFormat, got.MockAuthNonce, got.CheckpointCopy.Level = want.UnloggedLSN, want.FloatFormat, want.MockAuthNonce, want.CheckpointCopy.Level
		if g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", *want); cutFile(g) != cutFile(w) {
			t.Errorf("got  %s\nwant %s", cutFile(g), cutFile(w))
		}
	})
}

// cutFile drops what describes the file and not the cluster.
func cutFile(s string) string { s, _, _ = strings.Cut(s, " CRC:"); return s }
