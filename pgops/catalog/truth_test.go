package catalog

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// truthSetup makes a cluster with a tablespace directory beside it and starts it.
const truthSetup = `mkdir /tmp/space
initdb -N -k -A trust -E UTF8 --locale=C >/dev/null
echo "fsync=off
autovacuum=off
listen_addresses=''
unix_socket_directories='/tmp'
max_prepared_transactions=3" >> $PGDATA/postgresql.conf
pg_ctl -w -s -l /tmp/log start`

// truthDatabase is the name of the database that truthWorkload fills.
const truthDatabase = `My "Dätä|base"`

// truthWorkload makes relations, types and names of every kind, and leaves behind what a
// reader must not see: rolled back, dropped, renamed and rewritten relations.
const truthWorkload = `
create schema "Mixed ""Case""";
create schema a_schema_with_a_name_of_exactly_sixty_three_bytes_abcdefghijklmn;
create table "Mixed ""Case"""."täble | with
line" ("Col ""1""" int, "select" text, "ünï" numeric(10,2), a_column_with_a_name_of_exactly_sixty_three_bytes_abcdefghijklmno int);
create table modifiers (a varchar(20), b char(5), c char, d bpchar, e bit(8), f bit varying(9), g bit, h numeric(10,2), i numeric(5), j numeric,
	k timestamp(3) with time zone, l timestamp(0), m time(2), n time with time zone, o time(1) with time zone, p interval, q interval(3),
	r interval day to second, s interval year to month, t interval day to second(4), u varchar, v "char", w name, x varchar(7)[], y numeric(4,1)[][],
	z oidvector, aa int2vector, bb pg_catalog.bit[], cc interval second(2), dd interval hour, ee regclass, ff xid8, gg jsonb);
create type color as enum ('red', 'green', 'It''s "blue"');
alter type color add value 'yellow' before 'green';
create type pair as (x int, "Y" text, c color);
create type nested as (p pair, list pair[]);
create domain positive as int check (value > 0);
create domain evenmore as positive not null;
create domain words as text[];
create type floatrange as range (subtype = float8);
create type "Weird Type" as enum ();
create table typed (a color, b pair, c nested[], d positive, e evenmore, f words, g floatrange, h "Weird Type", i pair[], j int4range);
create type public.numeric as enum ('shadowed'); create table shadow (a public.numeric, b pg_catalog.numeric);
create table changed (id int primary key, gone text, kept text);
insert into changed select g, 'x', 'y' from generate_series(1, 100) g;
alter table changed drop column gone;
alter table changed add m1 int default 42, add m2 text default 'a "text"' not null, add m3 numeric default 3.14, add m4 text default repeat('long ', 300),
	add m5 int[] default '{1,null,3}', add m6 bool default true, add m7 timestamptz default '2024-01-02 03:04:05+00', add m8 "char" default 'c', add m9 bigint default -5,
	add m10 color default 'yellow', add m11 pair default row(1,'z','red'), add m12 name default 'nombre', add m13 int, add m14 uuid default '00000000-0000-0000-0000-0000000000ff';
alter table changed rename column kept to "Kept"; alter table changed drop column m13;
create unlogged table unlogged (id int generated always as identity primary key, twice int generated always as (3) stored);
create table parent (id int, at date, primary key (id, at)) partition by range (at);
create table part1 partition of parent for values from ('2024-01-01') to ('2025-01-01');
create table part2 partition of parent default partition by hash (id);
create table part20 partition of part2 for values with (modulus 2, remainder 0);
create table listed (k text) partition by list (lower(k)); create table listed1 partition of listed for values in ('a');
create table base1 (a int); create table base2 (b int); create table heir (c int) inherits (base1, base2);
create table constrained (id serial primary key, u int unique, c int check (c > 0), r int references changed (id) on delete cascade, e int4range, exclude using gist (e with &&), n int not null);
alter table constrained add constraint "later" check (u < 10) not valid;
create index "Partial Index" on constrained (c) include (u) where c > 5;
create index on constrained using hash (c); create index on constrained ((c + 1), u desc); create index on constrained using brin (id);
alter table constrained replica identity full; alter table changed replica identity using index changed_pkey;
create sequence seq start 7 increment 3 maxvalue 1000 cache 5 cycle; select nextval('seq'), nextval('seq');
create sequence fresh as smallint; create sequence down increment -1 minvalue -100; select setval('down', -50, false);
create materialized view mat as select * from changed; create materialized view empty_mat as select 1 as one with no data;
create view look as select * from changed;
create foreign data wrapper w; create server s foreign data wrapper w; create foreign table far (a int, b varchar(3)) server s;
create table doomed (a int); drop table doomed;
begin; create table rolled_back (a int); create type rolled_type as enum ('x'); alter table changed add rolled int; rollback;
create table old_name (a int); alter table old_name rename to "New Name";
create table rewritten (a int, b text); insert into rewritten select g, repeat('x', 50) from generate_series(1, 500) g; delete from rewritten where a % 2 = 0; vacuum full rewritten;
create table wide (a text, b text, c text) with (toast_tuple_target = 128); insert into wide select repeat(md5(g::text), 500), 'b', 'c' from generate_series(1, 20) g;
create tablespace space owner postgres location '/tmp/space';
create table moved (a int primary key, t text); insert into moved values (1); alter table moved set tablespace space;
create table in_space (a int) tablespace space; create index on in_space (a) tablespace space;
create extension pageinspect; create extension citext; create table cased (a citext);
create role "Weird Role"; create role plain login; alter table moved owner to "Weird Role";
create function over(int) returns int language sql as 'select 1'; create function over(text) returns int language sql as 'select 1';
create function public.lower(text) returns text language sql as 'select $1'; create function "Quoted Fn"(pair, int[]) returns int language sql as 'select 1';
create operator public.+# (leftarg = int, rightarg = int, function = int4pl);
begin; create table prepared_table (a int); prepare transaction 'prepared';
vacuum full pg_class; vacuum full pg_attribute; vacuum full pg_type; vacuum full pg_proc; vacuum full pg_index; vacuum full pg_database; vacuum full pg_authid;
create table after_the_move (a int, b text); alter table after_the_move add c int default 9;
vacuum analyze changed; analyze;
`

// TestTruth compares the dictionary of a cluster with what its live server says, for each
// major of which there is an image: after a crash with all data on disk, and after a clean stop.
func TestTruth(t *testing.T) {
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			tr := truth.Start(t, major)
			tr.Sh(t, truthSetup)
			tr.SQL(t, "postgres", `create database "My ""Dätä|base"""`)
			tr.SQL(t, truthDatabase, truthWorkload)
			tr.SQL(t, "postgres", "create database spaced tablespace space")
			tr.Sh(t, `echo "create temp table tempo (a int, b text); begin; create table lost (a int); insert into lost values (1); select pg_sleep(100)" | psql -q 'My "Dätä|base"' >/dev/null 2>&1 &
				while ! psql -qAtc "select 1 from pg_stat_activity where wait_event = 'PgSleep'" | grep -q 1; do sleep 0.05; done`)
			said := askAll(t, tr)
			tr.Sh(t, "psql -qc checkpoint; pg_ctl -w -s -m immediate stop")
			t.Run("crashed", func(t *testing.T) { compareAll(t, openCopy(t, tr), said, major) })
			tr.Sh(t, "pg_ctl -w -s -l /tmp/log start; psql -qc 'create database last'; psql -qc 'drop database last'")
			said = askAll(t, tr)
			tr.Sh(t, "pg_ctl -w -s -m fast stop")
			fsys := openCopy(t, tr)
			t.Run("stopped", func(t *testing.T) { compareAll(t, fsys, said, major) })
			t.Run("lost maps", func(t *testing.T) { lostMaps(t, fsys, said, major) })
			t.Run("lost fates", func(t *testing.T) { lostFates(t, fsys, said, major) })
		})
	}
}

// openCopy returns the part of the data directory that the dictionary needs, with the
// tablespace in place of its link.
func openCopy(t *testing.T, tr *truth.Server) fs.FS {
	t.Helper()
	tr.Sh(t, `rm -rf /tmp/copy; mkdir -p /tmp/copy/base; cd $PGDATA; cp -a PG_VERSION global pg_xact pg_multixact pg_tblspc /tmp/copy
		cp -a $(ls -d base/* | sort -V | tail -1) /tmp/copy/base
		cd /tmp/copy/pg_tblspc; for l in *; do d=$(readlink $l); rm $l; cp -a $d $l; done`)
	return os.DirFS(tr.Files(t, "/tmp/copy"))
}

// answers are the server's own, by question; each row is a list of texts, null is "".
type answers map[string][][]string

// askAll asks everything in truthQuestions.
func askAll(t *testing.T, tr *truth.Server) answers {
	t.Helper()
	questions := truthQuestions(tr.Major)
	questions["states"] = tr.SQL(t, truthDatabase, `select string_agg(format('select %s, last_value::text, log_cnt, is_called from %s', oid, oid::regclass), ' union all ')
		from pg_class where relkind = 'S' and relpersistence = 'p'`)
	return ask(t, tr, questions)
}

// ask runs queries whose rows are turned into JSON, so that names may hold anything.
func ask(t *testing.T, tr *truth.Server, queries map[string]string) answers {
	t.Helper()
	var script strings.Builder
	for name, q := range queries {
		fmt.Fprintf(&script, "select to_json(array['%s'] || array(select coalesce(v, '') from json_each_text(to_json(q)) with ordinality e(k, v, n) order by n)) from (%s) q;\n", name, q)
	}
	a := answers{}
	for _, line := range strings.Split(strings.TrimSpace(tr.SQL(t, truthDatabase, script.String())), "\n") {
		var row []string
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		a[row[0]] = append(a[row[0]], row[1:])
	}
	return a
}

// diffRows wants two lists of rows to be equal.
func diffRows(t *testing.T, what string, got, want [][]string) {
	t.Helper()
	key := func(r []string) string { return strings.Join(r, "\x00") }
	gotSet, wantSet := map[string]bool{}, map[string]bool{}
	for _, r := range got {
		gotSet[key(r)] = true
	}
	for _, r := range want {
		wantSet[key(r)] = true
	}
	shown := 0
	report := func(side string, rows [][]string, other map[string]bool) {
		for _, r := range rows {
			if !other[key(r)] && shown < 20 {
				shown++
				t.Errorf("%s: only %s: %q", what, side, r)
			}
		}
	}
	report("read", got, wantSet)
	report("said by the server", want, gotSet)
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: %d rows read, %d said by the server", what, len(got), len(want))
	}
}

// without is a file system that lacks some files.
type without struct {
	fs.FS
	gone func(name string) bool
}

func (w without) Open(name string) (fs.File, error) {
	if w.gone(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return w.FS.Open(name)
}

func (w without) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(w.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return w.gone(name + "/" + e.Name()) }), err
}

func openTruth(t *testing.T, fsys fs.FS) (*Cluster, *Database) {
	t.Helper()
	c, err := Open(t.Context(), fsys)
	if err != nil {
		t.Fatal(err)
	}
	info, ok := c.DatabaseByName(truthDatabase)
	if !ok {
		t.Fatalf("no database %q among %v", truthDatabase, c.Databases)
	}
	d, err := c.Database(t.Context(), info.OID)
	if err != nil {
		t.Fatal(err)
	}
	return c, d
}

// compareAll wants the dictionary to be what the server said, without a problem or a doubt.
func compareAll(t *testing.T, fsys fs.FS, said answers, major int) {
	c, d := openTruth(t, fsys)
	for _, p := range slices.Concat(c.Problems, d.Problems) {
		t.Errorf("problem: %s", p)
	}
	for _, r := range d.Relations {
		if r.Doubt != "" {
			t.Errorf("%s.%s is doubtful: %s", r.Schema, r.Name, r.Doubt)
		}
	}
	for name, rows := range readAll(t, c, d, major) {
		diffRows(t, name, rows, said[name])
	}
	for _, row := range said["quoted"] {
		if got := QuoteIdentifier(row[0], major); got != row[1] {
			t.Errorf("%s is quoted %s, want %s", row[0], got, row[1])
		}
	}
	ownSpace(t, c)
	if len(d.Orphans) == 0 {
		t.Error("no orphan, though a crash left the file of a table behind")
	}
	for _, f := range d.Orphans {
		if f.Number < 16384 {
			t.Errorf("orphan %s", f.Path())
		}
	}
}

// ownSpace reads a database that lies in a tablespace of its own.
func ownSpace(t *testing.T, c *Cluster) {
	info, ok := c.DatabaseByName("spaced")
	if !ok || !strings.HasPrefix(info.Dir, "pg_tblspc/") {
		t.Fatalf("database in a tablespace: %+v", info)
	}
	d, err := c.Database(t.Context(), info.OID)
	if err != nil || len(d.Problems) > 0 || len(d.Orphans) > 0 || len(d.Relations) < 300 {
		t.Errorf("database in a tablespace: %d relations, %v, %v", len(d.Relations), d.Problems, err)
	}
}

// lostMaps: without any pg_filenode.map the mapped catalogs are found by content, though
// VACUUM FULL has given them other files.
func lostMaps(t *testing.T, fsys fs.FS, said answers, major int) {
	c, d := openTruth(t, without{fsys, func(name string) bool { return strings.HasSuffix(name, pgdisk.RelMapName) }})
	if len(c.Problems) == 0 || len(d.Problems) == 0 {
		t.Error("nothing is said of the lost maps")
	}
	got := readAll(t, c, d, major)
	for _, name := range []string{"columns", "types", "databases", "roles", "indexes", "constraints"} {
		diffRows(t, name, got[name], said[name])
	}
}

// lostFates: without pg_xact hint bits tell most; the rest is doubtful, and nothing that the
// server knows is missing.
func lostFates(t *testing.T, fsys fs.FS, said answers, major int) {
	c, d := openTruth(t, without{fsys, func(name string) bool { return strings.HasPrefix(name, "pg_xact/") }})
	if !slices.ContainsFunc(c.Problems, func(p Problem) bool { return p.File == "pg_xact" }) {
		t.Errorf("pg_xact is lost, and the problems are %v", c.Problems)
	}
	have := map[string]bool{}
	for _, r := range readAll(t, c, d, major)["columns"] {
		have[r[0]+" "+r[1]+" "+r[2]+" "+r[3]] = true
	}
	for _, r := range said["columns"] {
		if !have[r[0]+" "+r[1]+" "+r[2]+" "+r[3]] {
			t.Errorf("column %q is missing", r)
		}
	}
}

func oidText[T ~uint32](n T) string { return strconv.FormatUint(uint64(n), 10) }
