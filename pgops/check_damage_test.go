package pgops

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// damagedSQL makes a table for every kind of damage, and some that stay whole.
const damagedSQL = `
create table whole (id int primary key, v text); insert into whole select g, 'w' || g from generate_series(1, 2000) g;
create table header (id int primary key, v text); insert into header select g, repeat('h', 100) || g from generate_series(1, 500) g;
create table chunks (id int primary key, v text); alter table chunks alter v set storage external;
insert into chunks select g, repeat(md5(g::text), 200) from generate_series(1, 20) g;
create table toastindex (id int primary key, v text); alter table toastindex alter v set storage external;
insert into toastindex select g, repeat(md5(g::text), 200) from generate_series(1, 20) g;
create table doubled (id int primary key, v text); insert into doubled select g, 'd' from generate_series(1, 300) g;
create table nulled (a int, b int); insert into nulled values (1, 1), (null, 2), (null, 2), (3, null), (3, null);
create unique index nulled_key on nulled (a, b);
create table flagged (id int, v text); insert into flagged select g % 90, 'f' || g from generate_series(1, 100) g; create index flagged_key on flagged (id);
create table wiped (id int primary key, v text); insert into wiped select g, repeat('x', 100) || g from generate_series(1, 500) g; create index wiped_v on wiped (v);
create table short (id int primary key, v text); insert into short select g, repeat('s', 100) || g from generate_series(1, 500) g;
create table wrecked (id int primary key, v text); insert into wrecked select g, 'i' || g from generate_series(1, 2000) g;
create table noindex (id int primary key, v text); insert into noindex select g, 'i' || g from generate_series(1, 100) g;
create table metapage (id int primary key, v text); insert into metapage select g, 'i' || g from generate_series(1, 100) g;
create table nofile (id int primary key, v text); insert into nofile select g, 'i' || g from generate_series(1, 100) g;
create table texts (id int primary key, v text); insert into texts select g, 'text' || g from generate_series(1, 100) g;
create table mapped (id int primary key, v text); insert into mapped select g, 'm' || g from generate_series(1, 100) g;
create table hashed (id int, v text); insert into hashed select g, 'm' || g from generate_series(1, 100) g; create index hashed_h on hashed using hash (v);
vacuum analyze;
checkpoint;
`

// wreck is a cluster with damaged files, whose paths are below the data directory.
type wreck struct {
	s     *server
	paths map[string]string
}

// path is a relation's file; it must have been asked for while the server ran.
func (d *wreck) path(relation string) string {
	p, ok := d.paths[relation]
	if !ok {
		d.s.t.Fatalf("no path of %s", relation)
	}
	return filepath.Join(d.s.data, p)
}

// page changes a page of a file.
func (s *server) page(path string, block int64, change func(page []byte)) {
	s.t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(s.t, err)
	page := make([]byte, pgdisk.BlockSize)
	if _, err := f.ReadAt(page, block*pgdisk.BlockSize); err != nil {
		s.t.Fatal(err)
	}
	change(page)
	if _, err := f.WriteAt(page, block*pgdisk.BlockSize); err != nil {
		s.t.Fatal(err)
	}
	must(s.t, f.Close())
}

// wipeLinePointers leaves a page whose rows nothing leads to (pd_lower at its least).
func wipeLinePointers(page []byte) { binary.LittleEndian.PutUint16(page[12:], 24) }

// newWreck makes the cluster and stops it, with all paths known.
func newWreck(t *testing.T, image string) *wreck {
	t.Helper()
	initdb := []string{"-E", "UTF8"}
	if image == "postgres:18" {
		initdb = append(initdb, "--no-data-checksums") // the checks must find it without them
	}
	s := newServer(t, image, initdb...)
	s.sh("echo max_prepared_transactions=5 >> /work/data/postgresql.conf")
	s.start()
	s.query(damagedSQL)
	d := &wreck{s: s, paths: map[string]string{}}
	for _, line := range strings.Split(s.query(`select relname || '=' || pg_relation_filepath(oid) from pg_class where oid >= 16384 and relkind in ('r', 'i');
select 'toast of chunks=' || pg_relation_filepath(reltoastrelid) from pg_class where relname = 'chunks';
select 'toast index of toastindex=' || pg_relation_filepath(indexrelid) from pg_index where indrelid = (select reltoastrelid from pg_class where relname = 'toastindex')`), "\n") {
		name, path, _ := strings.Cut(line, "=")
		d.paths[name] = path
	}
	return d
}

// cause does the damage; the server is stopped.
func (d *wreck) cause() {
	s := d.s
	s.page(d.path("header"), 1, func(p []byte) { copy(p[12:], "\xff\xff\xff\xff") })
	s.page(d.path("toast of chunks"), 1, wipeLinePointers)
	s.page(d.path("toast index of toastindex"), 1, func(p []byte) { copy(p[100:], strings.Repeat("junk", 500)) })
	s.page(d.path("wiped"), 2, wipeLinePointers)
	must(s.t, os.Truncate(d.path("short"), 3*pgdisk.BlockSize))
	s.page(d.path("wrecked_pkey"), 2, func(p []byte) { copy(p, strings.Repeat("junk", 2048)) })
	s.page(d.path("metapage_pkey"), 0, func(p []byte) { copy(p[24:], strings.Repeat("junk", 10)) })
	must(s.t, os.Remove(d.path("noindex_pkey")))
	must(s.t, os.Remove(d.path("nofile")))
	s.page(d.path("texts"), 0, func(p []byte) { p[strings.Index(string(p), "text50")] = 0xff })
	s.page(d.path("hashed_h"), 0, func(p []byte) { copy(p[24:], strings.Repeat("junk", 10)) })
}

// userVerdicts checks the tables of one database without its catalogs.
func (s *server) userVerdicts(o CheckOptions) []TableVerdict {
	s.t.Helper()
	var list []TableVerdict
	c := newChecker(o, func(v TableVerdict) error { list = append(list, v); return nil }, nil)
	defer c.monitor.close()
	c.monitor.use("postgres")
	ctx := context.Background()
	must(s.t, c.checkAll(ctx, "postgres", o.Workers, func(ctx context.Context, yield func(relation) error) error {
		return c.list(ctx, "postgres", listPart{}, yield)
	}))
	return list
}

func TestDamagedTables(t *testing.T) {
	onServers(t, serverImages, func(t *testing.T, image string) {
		d := newWreck(t, image)
		s := d.s
		s.query(`insert into doubled select g, 'again' from generate_series(400, 410) g;
update pg_index set indisunique = true where indexrelid in ('flagged_key'::regclass);
update pg_index set indisunique = false where indexrelid = 'doubled_pkey'::regclass;`)
		s.query(`insert into doubled values (7, 'twice')`)
		s.query(`update pg_index set indisunique = true where indexrelid = 'doubled_pkey'::regclass; checkpoint`)
		s.sh("cp /work/data/" + d.paths["mapped"] + "_vm /work/vm")
		s.query("delete from mapped where id < 10")
		s.stop("fast")
		s.sh("cp /work/vm /work/data/" + d.paths["mapped"] + "_vm")
		d.cause()
		s.start()
		o := s.checkOptions()
		s.expect(s.userVerdicts(o), damagedTables(false))
		o.RebuildIndexes = true
		list := s.userVerdicts(o)
		s.expect(list, damagedTables(true))
		for _, v := range list {
			if strings.Contains(evidence(v), "twice") {
				t.Errorf("a value of a row is in the verdict:\n%s", evidence(v))
			}
		}
		if n := s.number("set enable_seqscan = off; select count(*) from wrecked where id between 1 and 2000"); n != 2000 {
			t.Errorf("the rebuilt index finds %d rows, want 2000", n)
		}
		o.RebuildIndexes = false // what was rebuilt is sound
		after := damagedTables(true)
		after["postgres.public.hashed"] = expectation{checkUnknown, "no checker"}
		s.expect(s.userVerdicts(o), after)
	})
}

// damagedTables are the verdicts on what cause and the test did, before and after the indexes
// have been rebuilt.
func damagedTables(rebuilt bool) map[string]expectation {
	want := map[string]expectation{
		"header":     {checkFailed, "invalid page in block 1 of relation"},
		"chunks":     {checkFailed, "missing chunk number 0 for toast value"},
		"doubled":    {checkFailed, "unique key doubled_pkey: 1 keys occur more than once, the first in the rows at ctid (0,7),(1,"},
		"flagged":    {checkFailed, "unique key flagged_key: 10 keys occur more than once"},
		"nofile":     {checkFailed, "is missing"},
		"texts":      {checkFailed, "not valid UTF8"},
		"mapped":     {checkFailed, "9 row versions are not visible to all"},
		"toastindex": {checkFailed, ""},
		"wiped":      {checkFailed, "entries lead to no row"},
		"short":      {checkFailed, "entries lead to no row"},
		"wrecked":    {checkFailed, "index wrecked_pkey"},
		"noindex":    {checkFailed, "index noindex_pkey: its file"},
		"metapage":   {checkFailed, "index metapage_pkey"},
		"hashed":     {checkUnknown, "no checker for access method hash"},
	}
	if rebuilt {
		for _, name := range []string{"toastindex", "wiped", "short", "wrecked", "noindex", "metapage", "hashed"} {
			want[name] = expectation{checkPassed, ""}
		}
	}
	full := map[string]expectation{}
	for name, e := range want {
		full["postgres.public."+name] = e
	}
	return full
}

// A zero-filled members page makes every update that a multixact recorded undone: old and new
// version of the row are both there.
func TestZeroedMembersShowAsDuplicates(t *testing.T) {
	onServers(t, serverImages, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.query("create table rows (id int primary key, v int); insert into rows select g, g from generate_series(1, 20) g; create table other (id int primary key)")
		s.updateUnderLocks("rows", 5)
		s.stop("fast")
		must(t, os.WriteFile(filepath.Join(s.data, "pg_multixact/members/0000"), make([]byte, pgdisk.BlockSize), 0o600))
		s.start()
		list := s.userVerdicts(s.checkOptions())
		s.expect(list, map[string]expectation{"postgres.public.rows": {checkFailed, "unique key rows_pkey: 5 keys occur more than once"}})
	})
}

// updateUnderLocks updates the first rows of a table while another session holds a lock on
// them, so that their xmax is a multixact with an update.
func (s *server) updateUnderLocks(table string, rows int) {
	s.t.Helper()
	s.sh(strings.NewReplacer("TABLE", table, "ROWS", strings.Repeat("x", rows)).Replace(`
mkfifo /tmp/hold; psql -X -q -d postgres < /tmp/hold & exec 3>/tmp/hold
n=$(echo -n ROWS | wc -c)
for i in $(seq $n); do
 echo "begin; select from TABLE where id = $i for key share; \\! touch /tmp/held$i" >&3
 while [ ! -e /tmp/held$i ]; do sleep 0.01; done
 psql -X -q -v ON_ERROR_STOP=1 -d postgres -c "update TABLE set v = v + 100 where id = $i"
done
echo "commit;" >&3; exec 3>&-; wait; rm -f /tmp/hold /tmp/held*`))
}

func TestUnreadableMultixact(t *testing.T) {
	onServers(t, serverImages, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.query("create table rows (id int primary key, v int); insert into rows select g, g from generate_series(1, 20) g; create table other (id int primary key)")
		s.updateUnderLocks("rows", 4)
		s.stop("fast")
		// The second multixact loses its end, which is where the third one begins.
		s.page(filepath.Join(s.data, "pg_multixact/offsets/0000"), 0, func(p []byte) { binary.LittleEndian.PutUint32(p[3*4:], 0) })
		s.start()
		o := s.checkOptions()
		o.StatementTimeout = 500 * time.Millisecond
		want := expectation{checkFailed, "invalid next offset"}
		if image == "postgres:13" { // waits without end, holding the page
			want = expectation{checkFailed, "hang: "}
		}
		s.expect(s.userVerdicts(o), map[string]expectation{"postgres.public.rows": want})
	})
}
