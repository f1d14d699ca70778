package pgdisk

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
)

// pageWorkload makes every kind of index, large and small, with what grows in them over
// time: levels, posting lists, deleted pages, null keys, a pending list, overflow pages.
const pageWorkload = `
create extension pageinspect; create extension pg_freespacemap; create extension pg_visibility;
set maintenance_work_mem = '64MB'; set client_min_messages = warning;

create table b (id int, dup int, wide text, txt text) with (autovacuum_enabled = off);
alter table b alter wide set storage external;
insert into b select g, g % 7, repeat('x', 500) || g % 1500, case when g % 9 > 0 then md5(g::text) end from generate_series(1, 12000) g;
create index b_id on b (id);
create index b_dup on b (dup);
create index b_wide on b (wide) where id <= 1500;
create index b_two on b (txt, id) include (dup);
create index b_none on b (id) where false;
delete from b where id between 3000 and 6000;
vacuum b;
insert into b select g, 3, repeat('y', 500), null from generate_series(1, 50) g;

create table fake (chunk_id oid, chunk_seq int) with (autovacuum_enabled = off);
insert into fake select g / 20 * 7, g % 20 - 4 from generate_series(1, 30000) g;
insert into fake select 5000000, g from generate_series(1, 500) g;
insert into fake select 7000, 1 from generate_series(1, 900) g;
create index fake_index on fake (chunk_id, chunk_seq) with (fillfactor = 10);
delete from fake where chunk_id between 2000 and 3000 or chunk_seq = 3;
vacuum fake;
insert into fake select 2500, g from generate_series(1, 30) g;
insert into fake select 4294967290, g from generate_series(-3, 40) g;
create table nothing (chunk_id oid, chunk_seq int);
create index nothing_index on nothing (chunk_id, chunk_seq);

create table h (v int) with (autovacuum_enabled = off);
create index h_hash on h using hash (v);
insert into h select case when g % 3 = 0 then 1 else g end from generate_series(1, 12000) g;
delete from h where v % 5 = 0;
vacuum h;

create table g (id serial, a int[], box box, p point, t text) with (autovacuum_enabled = off);
insert into g (a, box, p, t) select array[1, g, g % 50], box(point(g, g), point(g + 1, g % 100)), point(g % 100, g / 100), case when g % 11 > 0 then md5(g::text) end
  from generate_series(1, 12000) g;
create index g_gin on g using gin (a);
create index g_gist on g using gist (box);
create index g_sppoint on g using spgist (p);
create index g_sptext on g using spgist (t);
create index g_brin on g using brin (id) with (pages_per_range = 2);
delete from g where id between 2000 and 9000;
vacuum g;
insert into g (a, box, p, t) select array[g, g + 1, 1], box(point(g, g), point(g + 1, g % 100)), point(g % 90 + 0.5, g / 100), t.t
  from generate_series(1, 300) g, lateral (select null as t union all select 'text ' || g) t;

create table free (id int, filler text) with (fillfactor = 10, autovacuum_enabled = off);
alter table free alter filler set storage plain;
insert into free select g, repeat('f', 4200 + g % 3000) from generate_series(1, 4200) g;
delete from free where id % 3 = 0;
vacuum free;
vacuum freeze b;
delete from b where id = 10000;

create sequence s_new; create sequence s_used; create sequence s_down increment -5; create sequence s_set;
select nextval('s_used') from generate_series(1, 40); select nextval('s_down') from generate_series(1, 3);
select setval('s_set', 9223372036854775806, false);

create table toasted (id int, v text) with (autovacuum_enabled = off);
alter table toasted alter v set storage external;
insert into toasted select g, repeat(md5(g::text), 70 + g * 3) from generate_series(1, 300) g;
update toasted set v = v || 'x' where id % 5 = 0;
begin; insert into toasted select g, repeat('z', 9000) from generate_series(1, 50) g; rollback;
delete from toasted where id % 7 = 0;
vacuum toasted;
update toasted set v = v || 'y' where id % 11 = 0;
checkpoint;
`

// pageTruth is a cluster that was asked about its pages, and the files of its relations.
type pageTruth struct {
	*truth.Server
	root  string            // of the copied files
	paths map[string]string // relation to path under the data directory
}

// TestPageTruth compares what is read from index pages, maps and sequences with what the
// extensions of each server say of them.
func TestPageTruth(t *testing.T) {
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			p := startPageTruth(t, major)
			t.Run("btree", p.btree)
			t.Run("hash", p.hash)
			t.Run("gin", p.gin)
			t.Run("gist", p.gist)
			t.Run("spgist", p.spgist)
			t.Run("brin", p.brin)
			t.Run("free space", p.freeSpace)
			t.Run("visibility", p.visibility)
			t.Run("sequences", p.sequences)
			t.Run("toast", p.toast)
			t.Run("toast search", p.toastSearch)
			t.Run("kinds", p.kinds)
		})
	}
}

func startPageTruth(t *testing.T, major int) *pageTruth {
	t.Helper()
	p := &pageTruth{Server: truth.Start(t, major), paths: map[string]string{}}
	p.Sh(t, `initdb -N -k -A trust >/dev/null
echo "fsync=off
autovacuum=off
listen_addresses=''
unix_socket_directories='/tmp'" >> $PGDATA/postgresql.conf
pg_ctl -w -s -l /tmp/log start`)
	p.Server.SQL(t, "postgres", pageWorkload)
	list := p.ask(t, `select relname, pg_relation_filepath(oid) from pg_class where relkind in ('r', 'i', 'S') and relnamespace = 'public'::regnamespace
		union all select 'toast', pg_relation_filepath(reltoastrelid) from pg_class where relname = 'toasted'
		union all select 'toast_index', pg_relation_filepath(i.indexrelid) from pg_class c join pg_index i on i.indrelid = c.reltoastrelid where relname = 'toasted'`)
	var files []string
	for _, line := range list {
		name, path, _ := strings.Cut(line, "|")
		p.paths[name] = path
		files = append(files, path+"*") // further digits do no harm
	}
	p.Sh(t, "mkdir /tmp/taken; cd $PGDATA; cp --parents "+strings.Join(files, " ")+" /tmp/taken")
	p.root = p.Files(t, "/tmp/taken")
	return p
}

// ask returns the rows of a query without their blanks.
func (p *pageTruth) ask(t *testing.T, query string) []string {
	t.Helper()
	return strings.Fields(strings.ReplaceAll(p.Server.SQL(t, "postgres", query), " ", ""))
}

// each calls f with every page of a fork and returns what f wrote, a row per line.
func (p *pageTruth) each(t *testing.T, relation, suffix string, f func(page []byte, blk BlockNumber) []string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.root, p.paths[relation]+suffix))
	if err != nil || p.paths[relation] == "" || len(b) == 0 || len(b)%BlockSize != 0 {
		t.Fatalf("%s%s: %d bytes, %v", relation, suffix, len(b), err)
	}
	var rows []string
	for i := 0; i < len(b); i += BlockSize {
		rows = append(rows, f(b[i:i+BlockSize], BlockNumber(i/BlockSize))...)
	}
	return rows
}

// blocks is SQL's list of the pages of a relation from the given one on.
func blocks(relation string, from int) string {
	return fmt.Sprintf("generate_series(%d, (pg_relation_size('%s') / 8192 - 1)::int) n", from, relation)
}

// row joins values as psql does.
func row(values ...any) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte('|')
		}
		switch v := v.(type) {
		case bool:
			b.WriteString(strconv.FormatBool(v)[:1])
		case TID:
			b.WriteString(v.String())
		default:
			fmt.Fprint(&b, v)
		}
	}
	return b.String()
}

// must fails the test on an error of a decoder.
func must[T any](t *testing.T, blk BlockNumber) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("block %d: %v", blk, err)
		}
		return v
	}
}
