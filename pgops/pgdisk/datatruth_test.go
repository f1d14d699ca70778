package pgdisk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
)

// truthWorkload makes what the readers have to read: 2500 multixacts of two members each and
// one of three, over the ends of pages; aborted and committed transactions; versions of rows
// in pg_database; a mapped catalog with a new file; HOT updates and line pointers of all kinds;
// more notifications than fit in memory.
const truthWorkload = `
create extension pageinspect;
create table t (id int primary key, v text);
insert into t select g, 'row ' || g from generate_series(1, 2500) g;
create table h (id int primary key, v text) with (fillfactor = 50, autovacuum_enabled = off);
insert into h select g, repeat('x', 20) from generate_series(1, 300) g;
update h set v = 'hot' where id % 3 = 0;
delete from h where id % 7 = 0;
vacuum h;
update h set v = null where id % 5 = 0;
begin; delete from h where id % 11 = 0; rollback;
begin; select from t for key share; prepare transaction 'lockers';
do $$ begin
  for i in 1..2500 loop
    begin
      if i % 100 = 0 then update t set v = 'new' where id = i;
      else perform from t where id = i for key share; end if;
    exception when others then raise;
    end;
  end loop;
end $$;
begin; select from t where id = 1 for share; prepare transaction 'more';
begin; select from t where id = 1 for key share; rollback;
create database kept; create database gone; drop database gone; alter database kept rename to renamed;
alter database renamed allow_connections false;
vacuum full pg_database;
select count(pg_notify('x', repeat('x', 7000) || g)) from generate_series(1, 100) g;
create database last; alter database last connection limit 5;
`

// answers are the server's own, one string per row with columns separated by '|'.
type answers struct {
	multixacts, xacts, databases, tuples, header []string
	relation                                     string
}

func askServer(t *testing.T, tr *truth.Server) answers {
	t.Helper()
	ask := func(q string) []string { return strings.Fields(tr.SQL(t, "postgres", q)) }
	a := answers{
		multixacts: ask(`select g, string_agg(xid || ':' || mode, ',' order by n) from generate_series(1, 2501) g,
			pg_get_multixact_members(g::text::xid) with ordinality m(xid, mode, n) group by g order by g`),
		xacts: ask(`select g, replace(txid_status(g), ' ', '') from generate_series(
			(select max(datfrozenxid::text::bigint) from pg_database), txid_snapshot_xmax(txid_current_snapshot()) - 1) g`),
		databases: ask(`select oid, datname, datallowconn, datfrozenxid, datminmxid, dattablespace from pg_database order by oid`),
	}
	ask("checkpoint")
	a.relation = ask("select pg_relation_filepath('h')")[0]
	a.tuples = ask(`select b, lp, lp_off, lp_flags, lp_len, t_xmin, t_xmax, t_field3, replace(t_ctid::text, ' ', ''), t_infomask2, t_infomask, t_hoff
		from generate_series(0, pg_relation_size('h')/8192 - 1) b, heap_page_items(get_raw_page('h', b::int)) order by b, lp`)
	a.header = ask(`select lsn, checksum, flags, lower, upper, special, pagesize, version, prune_xid from page_header(get_raw_page('h', 0))`)
	return a
}

// stopped is the data directory of a server that was asked first.
type stopped struct {
	root    string
	fsys    fs.FS
	control *Control
	said    answers
}

// pages wants every page of every relation to be sound, by checksum and by structure.
func (d *stopped) pages(t *testing.T) {
	var pages, unused int
	err := filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(d.root, path)
		r, ok := ParseRelFile(filepath.ToSlash(rel))
		if err != nil || !ok {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		first, ok := r.FirstBlock(d.control.RelSegSize)
		if !ok || len(b)%BlockSize != 0 {
			t.Errorf("%s: %d bytes", rel, len(b))
		}
		for i := 0; i+BlockSize <= len(b); i += BlockSize {
			page, blk := b[i:i+BlockSize], first+BlockNumber(i/BlockSize)
			verdict, stored, computed := VerifyPage(page, blk)
			pages++
			if verdict == PageNew {
				unused++
			} else if verdict != PageChecksumOK {
				t.Errorf("%s block %d: verdict %d, stored %04X, computed %04X", rel, blk, verdict, stored, computed)
			}
			if problems, err := CheckPage(page); err != nil || len(problems) > 0 {
				t.Errorf("%s block %d: %v, %v", rel, blk, problems, err)
			}
		}
		return nil
	})
	if err != nil || pages < 2000 || unused > pages/10 {
		t.Errorf("%d pages, %d of them unused, %v", pages, unused, err)
	}
}

func (d *stopped) multixacts(t *testing.T) {
	pages := NewSLRUFiles(d.fsys)
	p := d.control.CheckpointCopy
	if p.NextMulti < 2502 {
		t.Errorf("next multixact is %d", p.NextMulti)
	}
	var got []string
	for m := FirstMultiXactID; m <= 2501; m++ {
		members, err := ReadMultiXact(pages, m, p.NextMulti, p.NextMultiOffset)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, member := range members {
			words = append(words, fmt.Sprintf("%d:%s", member.XID, member.Status))
		}
		got = append(got, fmt.Sprintf("%d|%s", m, strings.Join(words, ",")))
	}
	diffRows(t, got, d.said.multixacts)
	if !strings.Contains(strings.Join(got, " "), "nokeyupd") {
		t.Error("no update among the members")
	}
}

func (d *stopped) transactions(t *testing.T) {
	pages := NewSLRUFiles(d.fsys)
	kinds := make(map[string]int)
	for _, row := range d.said.xacts {
		id, want, _ := strings.Cut(row, "|")
		x, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadXactStatus(pages, XID(x))
		kinds[want]++
		// A prepared transaction is still in progress when the server stops.
		if err != nil || strings.ReplaceAll(got.String(), " ", "") != want {
			t.Errorf("transaction %d: got %s, %v; want %s", x, got, err, want)
		}
	}
	if kinds["committed"] < 2000 || kinds["aborted"] < 1 || kinds["inprogress"] != 2 {
		t.Errorf("of each kind: %v", kinds)
	}
}

func (d *stopped) databases(t *testing.T) {
	pages := NewSLRUFiles(d.fsys)
	for _, status := range []XactStatusFunc{nil, func(x XID) (XactStatus, error) { return ReadXactStatus(pages, x) }} {
		dbs, bad, err := ReadDatabases(d.fsys, d.control.Layout(), status)
		if err != nil || bad != 0 {
			t.Fatalf("%v, %d bad pages", err, bad)
		}
		var got []string
		for _, db := range dbs {
			got = append(got, fmt.Sprintf("%d|%s|%t|%d|%d|%d", db.OID, db.Name, db.AllowConn, db.FrozenXID, db.MinMultiXact, db.Tablespace))
			if status != nil && db.Doubtful {
				t.Errorf("%s is doubtful", db.Name)
			}
		}
		want := slices.Clone(d.said.databases)
		for i := range want {
			want[i] = strings.NewReplacer("|t|", "|true|", "|f|", "|false|").Replace(want[i])
		}
		diffRows(t, got, want)
	}
}

func (d *stopped) tuples(t *testing.T) {
	var got []string
	d.eachHeapPage(t, func(blk int, page []byte, h PageHeader) {
		for i, id := range ItemIDs(page, h) {
			row := fmt.Sprintf("%d|%d|%d|%d|%d", blk, i+1, id.Off, id.Flags, id.Len)
			if id.Flags != ItemNormal {
				got = append(got, row+"|||||||")
				continue
			}
			tuple, err := DecodeTuple(Item(page, id))
			if err != nil {
				t.Fatal(err)
			}
			if p := tuple.Problems(int(id.Len)); len(p) > 0 {
				t.Errorf("block %d item %d: %v", blk, i+1, p)
			}
			got = append(got, fmt.Sprintf("%s|%d|%d|%d|%s|%d|%d|%d", row, tuple.Xmin, tuple.Xmax, tuple.Field3, tuple.CTID,
				tuple.Infomask2, tuple.Infomask, tuple.Hoff))
		}
	})
	diffRows(t, got, d.said.tuples)
}

func (d *stopped) pageHeader(t *testing.T) {
	var got []string
	d.eachHeapPage(t, func(blk int, page []byte, h PageHeader) {
		if blk == 0 { // the checksum is of the page on disk, which the server had not computed yet
			asked := strings.Split(d.said.header[0], "|")
			got = []string{fmt.Sprintf("%s|%s|%d|%d|%d|%d|%d|%d|%d", h.LSN, asked[1], h.Flags, h.Lower, h.Upper, h.Special, h.Size, h.LayoutVersion, h.PruneXID)}
		}
	})
	diffRows(t, got, d.said.header)
}

func (d *stopped) eachHeapPage(t *testing.T, f func(blk int, page []byte, h PageHeader)) {
	t.Helper()
	b, err := fs.ReadFile(d.fsys, d.said.relation)
	if err != nil {
		t.Fatal(err)
	}
	for blk := range len(b) / BlockSize {
		page := b[blk*BlockSize:][:BlockSize]
		h, err := DecodePageHeader(page)
		if err != nil {
			t.Fatal(err)
		}
		f(blk, page, h)
	}
}

// spans wants every SLRU directory to be readable by its geometry, and the ids of pg_control
// to lie in the files.
func (d *stopped) spans(t *testing.T) {
	p := d.control.CheckpointCopy
	for _, g := range Geometries(d.control.Layout()) {
		segments, strays, err := Segments(d.fsys, g)
		empty := g.Dir == "pg_serial" // nothing in the workload is serializable
		if err != nil || len(strays) > 0 || (len(segments) == 0) != empty {
			t.Errorf("%s: %v, strays %v, %v", g.Dir, segments, strays, err)
		}
	}
	for _, next := range []struct {
		g  Geometry
		id uint64
	}{{XactGeometry(), uint64(p.NextXID.XID()) - 1}, {OffsetsGeometry(), uint64(p.NextMulti) - 1}, {MembersGeometry(), uint64(p.NextMultiOffset) - 1}} {
		segments, _, err := Segments(d.fsys, next.g)
		last := next.g.Locate(next.id)
		if holes := Holes(next.g, segments, 0, last.Page); err != nil || len(holes) > 0 {
			t.Errorf("%s: holes %v, %v", next.g.Dir, holes, err)
		}
		b, err := fs.ReadFile(d.fsys, last.Path())
		if err != nil {
			t.Fatal(err)
		}
		used, _ := map[string]func([]byte) (uint64, bool){"pg_xact": LastUsedXact, "pg_multixact/offsets": LastUsedOffset, "pg_multixact/members": LastUsedMember}[next.g.Dir](b)
		if used > next.id+1 || used+5 < next.id {
			t.Errorf("%s: last used %d, pg_control has %d", next.g.Dir, used, next.id)
		}
	}
}
