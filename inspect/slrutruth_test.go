package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

const slruTruthSetup = `initdb -N -k -A trust >/dev/null
echo "fsync=off
autovacuum=off
listen_addresses=''
unix_socket_directories='/tmp'
track_commit_timestamp=on
max_prepared_transactions=3" >> $PGDATA/postgresql.conf
pg_ctl -w -s -l /tmp/log start`

// slruTruthWorkload makes subtransactions three deep that commit and abort, transactions of
// another origin, multixacts, and a table with versions of every fate, HOT chains of every
// shape, values in TOAST.
const slruTruthWorkload = `
create extension pageinspect; create extension pgstattuple; create extension pg_freespacemap; create extension pg_visibility;
create table sub (depth int, top bigint);
do $$ begin
  for i in 1..50 loop
    insert into sub values (0, txid_current());
    begin insert into sub values (1, txid_current());
      begin insert into sub values (2, txid_current()); exception when division_by_zero then null; end;
      begin insert into sub values (3, txid_current()); perform 1/0; exception when division_by_zero then null; end;
    exception when division_by_zero then null; end;
    commit;
  end loop;
end $$;
begin; insert into sub values (0, txid_current()); savepoint s; insert into sub values (1, txid_current()); rollback;
select pg_replication_origin_create('other');
select pg_replication_origin_session_setup('other');
begin; select pg_replication_origin_xact_setup('0/ABCD', '2020-02-03 04:05:06.789012+00'); insert into sub values (9, 0); commit;
select pg_replication_origin_session_reset();
create sequence s; select nextval('s') from generate_series(1, 40);
create table h (id int primary key, v text, w text) with (fillfactor = 60, autovacuum_enabled = off);
create index h_hash on h using hash (v);
insert into h select g, repeat('x', 20) from generate_series(1, 2000) g;
insert into h select g, 'toast', (select string_agg(md5(i::text || g), '') from generate_series(1, 300) i) from generate_series(2001, 2010) g;
update h set w = 'hot' where id % 3 = 0;
update h set w = 'hotter' where id % 6 = 0;
delete from h where id % 7 = 0;
vacuum (index_cleanup on) h;
update h set w = 'again' where id % 4 = 0;
update h set w = 'and again' where id % 12 = 0;
begin; update h set w = 'never' where id % 5 = 0; rollback;
begin; delete from h where id % 11 = 0; rollback;
begin; insert into h select g, 'never' from generate_series(3001, 3100) g; rollback;
delete from h where id % 13 = 0;
insert into h select g, 'late' from generate_series(4001, 4050) g;
begin; select count(*) from (select from h where id < 500 for key share) x; prepare transaction 'lockers';
update h set w = 'under lock' where id < 300 and id % 10 = 1;
begin; select count(*) from (select from h where id between 300 and 310 for share) x; rollback;
create table v as select g id from generate_series(1, 3000) g; vacuum freeze v; delete from v where id = 1;
create unlogged table u as select 1 id;
create table o as select g id from generate_series(1, 10) g;
update o set id = id; update o set id = id; update o set id = id;
begin; update o set id = id; rollback;
create table p as select * from o;
begin; update p set id = id; rollback;
select count(*) from o;
`

// slruTruth is a stopped cluster whose server was asked first.
type slruTruth struct {
	server *truth.Server
	root   string
	slru   SLRUSource
	says   map[string][]string // by the name of the question
}

// questions are what the server is asked, in this order: none of them changes a table after
// pgstattuple has read it.
func (d *slruTruth) ask(t *testing.T) {
	sql := func(q string) []string {
		return strings.Split(strings.TrimSuffix(d.server.SQL(t, "postgres", q), "\n"), "\n")
	}
	origin := "null"
	if d.server.Major >= 14 {
		origin = "(pg_xact_commit_timestamp_origin(g::text::xid)).roident"
	}
	d.says = map[string][]string{
		"xacts": sql(`select g, txid_status(g) from generate_series((select max(datfrozenxid::text::bigint) from pg_database), txid_snapshot_xmax(txid_current_snapshot()) - 1) g`),
		"times": sql(`select g, to_char(pg_xact_commit_timestamp(g::text::xid) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), ` + origin +
			` from generate_series((select max(datfrozenxid::text::bigint) from pg_database), txid_snapshot_xmax(txid_current_snapshot()) - 1) g`),
		"subs": sql(`select xmin, depth, top from sub where depth < 9 order by ctid`),
		"multis": sql(`select m, string_agg(x.xid || ' ' || x.mode, ',' order by n) from (select distinct t_xmax::text::bigint m from generate_series(0, pg_relation_size('h')/8192 - 1) b,
			heap_page_items(get_raw_page('h', b::int)) where t_infomask & 4096 > 0 and t_infomask & 2048 = 0) s,
			pg_get_multixact_members(m::text::xid) with ordinality x(xid, mode, n) group by m order by m`),
		"fsm":    sql(`select count(*) filter (where avail > 0), sum(avail) from pg_freespace('h')`),
		"vm":     sql(`select * from pg_visibility_map_summary('v')`),
		"tuples": sql(`select tuple_count, tuple_len, dead_tuple_count, dead_tuple_len from pgstattuple('h')`),
		"pkey":   sql(`select root_block_no, tree_level, internal_pages, leaf_pages from pgstatindex('h_pkey')`),
		"s":      sql(`select last_value, log_cnt, is_called from s`),
		"chains": sql(slruTruthChains),
		"counts": sql(`select count(*) filter (where lp_flags = 1), count(*) filter (where lp_flags = 2), count(*) filter (where lp_flags = 3), count(*) filter (where lp_flags = 0),
			count(*) filter (where t_infomask & 4 > 0), count(*) filter (where t_infomask & 4096 > 0 and t_infomask & 2048 = 0) from generate_series(0, pg_relation_size('h')/8192 - 1) b, heap_page_items(get_raw_page('h', b::int))`),
		"masks": sql(`select t_infomask, t_infomask2 & ~2047, count(*) from generate_series(0, pg_relation_size('h')/8192 - 1) b, heap_page_items(get_raw_page('h', b::int))
			where lp_flags = 1 group by 1, 2 order by 3 desc, 1, 2 limit 20`),
		"entries": sql(`select b || ',' || split_part(trim(both '()' from i.ctid::text), ',', 1) || ',' || split_part(trim(both '()' from i.ctid::text), ',', 2)
			from generate_series(1, pg_relation_size('h_pkey')/8192 - 1) b, bt_page_stats('h_pkey', b::int) p, bt_page_items('h_pkey', b::int) i
			where p.type = 'l' and (p.btpo_next = 0 or i.itemoffset > 1)`),
		"paths": sql(`select relname, pg_relation_filepath(oid) from pg_class where relname in ('h', 'h_pkey', 'h_hash', 's', 'v', 'u', 'o', 'p', 'pg_class')`),
	}
}

// slruTruthChains follows the HOT chains in SQL: block, root, members.
const slruTruthChains = `with recursive items as (select b, lp, lp_off, lp_flags, t_xmin, t_xmax, split_part(trim(both '()' from t_ctid::text), ',', 2)::int leads,
  t_infomask2 & 16384 > 0 and t_infomask & 2048 = 0 and t_infomask & 768 <> 512 hot, t_infomask2 & 32768 > 0 heaponly, t_infomask & 4096 > 0 multi
  from generate_series(0, pg_relation_size('h')/8192 - 1) b, heap_page_items(get_raw_page('h', b::int))),
chain as (select b, lp root, case when lp_flags = 2 then lp_off::int else lp::int end lp, array[case when lp_flags = 2 then lp_off::int else lp::int end] members
    from items where lp_flags = 2 or lp_flags = 1 and hot and not heaponly
  union all select c.b, c.root, n.lp::int, members || n.lp::int from chain c join items i on i.b = c.b and i.lp = c.lp join items n on n.b = c.b and n.lp = i.leads
    where i.hot and n.lp_flags = 1 and n.heaponly and (i.multi or n.t_xmin = i.t_xmax))
select distinct on (b, root) b, root, array_to_string(members, ',') from chain order by b, root, array_length(members, 1) desc`

// TestSLRUTruth compares the SLRU and the relation face with what the server of the files said.
func TestSLRUTruth(t *testing.T) {
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			d := &slruTruth{server: truth.Start(t, major)}
			d.server.Sh(t, slruTruthSetup)
			d.server.SQL(t, "postgres", slruTruthWorkload)
			d.ask(t)
			d.server.Sh(t, "pg_ctl -w -s -m fast stop")
			d.root = d.server.Files(t, "/tmp/d")
			b, err := os.ReadFile(filepath.Join(d.root, pgdisk.ControlFilePath))
			if err != nil {
				t.Fatal(err)
			}
			c, err := pgdisk.DecodeControl(b)
			if err != nil {
				t.Fatal(err)
			}
			d.slru = SLRUSource{FS: os.DirFS(d.root), Layout: c.Layout(), Control: c, Dirs: pgdisk.Geometries(c.Layout())}
			t.Run("survey", d.survey)
			t.Run("transactions", d.transactions)
			t.Run("subtransactions", d.subtransactions)
			t.Run("ranges", d.ranges)
			t.Run("multixacts", d.multixacts)
			t.Run("table", d.table)
			t.Run("chains", d.chains)
			t.Run("others", d.others)
			t.Run("everything", d.everything)
		})
	}
}

func (d *slruTruth) survey(t *testing.T) {
	var out bytes.Buffer
	findings, err := SLRU(t.Context(), d.slru, false, &out)
	if err != nil || findings != 0 || strings.Contains(out.String(), "note") {
		t.Errorf("%d findings, %v\n%s", findings, err, &out)
	}
}

// ask1 decodes the one object that a question is answered with.
func ask1[T any](t *testing.T, f func(*bytes.Buffer) (int, error)) (a T) {
	t.Helper()
	var out bytes.Buffer
	findings, err := f(&out)
	if err != nil || findings != 0 {
		t.Fatalf("%d findings, %v: %s", findings, err, &out)
	}
	if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (d *slruTruth) xid(t *testing.T, x pgdisk.XID) slruXID {
	t.Helper()
	return ask1[slruXID](t, func(w *bytes.Buffer) (int, error) { return SLRUTransaction(d.slru, x, true, w) })
}

func (d *slruTruth) transactions(t *testing.T) {
	kinds := make(map[string]int)
	for i, row := range d.says["xacts"] {
		var x pgdisk.XID
		id, status, _ := strings.Cut(row, "|")
		fmt.Sscan(id, &x)
		a := d.xid(t, x)
		kinds[status]++
		if a.Status != status || a.Prepared != (status == "in progress") {
			t.Fatalf("%d: %+v, the server says %s", x, a, status)
		}
		time := strings.Split(d.says["times"][i], "|")
		if a.CommitTime != "" { // without the zeroes that end a fraction
			whole, part, _ := strings.Cut(strings.TrimSuffix(a.CommitTime, "Z"), ".")
			a.CommitTime = whole + "." + (part + "000000")[:6]
		}
		if a.CommitTime != time[1] || d.server.Major >= 14 && a.CommitTime != "" && fmt.Sprint(a.Origin) != time[2] {
			t.Fatalf("%d: committed %s, origin %d; the server says %v", x, a.CommitTime, a.Origin, time)
		}
		if a.Origin != 0 {
			kinds["origin"]++
		}
	}
	if kinds["committed"] < 50 || kinds["aborted"] < 50 || kinds["in progress"] != 1 || kinds["origin"] != 1 {
		t.Errorf("of each kind: %v", kinds)
	}
}

func (d *slruTruth) subtransactions(t *testing.T) {
	var parents [2]pgdisk.XID
	for _, row := range d.says["subs"] {
		var x, top pgdisk.XID
		var depth int
		fmt.Sscanf(row, "%d|%d|%d", &x, &depth, &top)
		a := d.xid(t, x)
		var want []pgdisk.XID
		for i := depth - 1; i >= 0; i-- {
			want = append(want, parents[i])
		}
		if fmt.Sprint(a.Ancestors) != fmt.Sprint(want) || depth > 0 && want[len(want)-1] != top {
			t.Fatalf("%s: ancestors %v, want %v", row, a.Ancestors, want)
		}
		if depth < 2 {
			parents[depth] = x
		}
	}
	if len(d.says["subs"]) != 150 {
		t.Errorf("%d rows", len(d.says["subs"]))
	}
}

// ranges wants the runs of --range, the lines of --counts and the whole of --dump to add up to
// what the server says.
func (d *slruTruth) ranges(t *testing.T) {
	var want []string // runs
	var first, last, run string
	for _, row := range d.says["xacts"] {
		id, status, _ := strings.Cut(row, "|")
		if n := len(want) - 1; n >= 0 && status == run {
			want[n] = want[n][:strings.IndexAny(want[n], "- ")] + "-" + id + " " + status
		} else {
			want = append(want, id+" "+status)
		}
		run, last = status, id
		if first == "" {
			first = id
		}
	}
	var a, b pgdisk.XID
	fmt.Sscan(first, &a)
	fmt.Sscan(last, &b)
	var out bytes.Buffer
	findings, err := SLRURange(t.Context(), d.slru, a, b, false, &out)
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err != nil || findings != 0 || !slices.Equal(got[:len(got)-1], want) {
		t.Errorf("%v, %d findings\n got %v\nwant %v", err, findings, got, want)
	}
	for _, kind := range []string{"commit_ts", "subtrans", "members", "offsets"} {
		src := d.slru
		g, _ := SLRUGeometry(src.Layout, kind)
		src.Dirs = []pgdisk.Geometry{g}
		out.Reset()
		if _, err := SLRUDump(t.Context(), src, false, &out); err != nil || out.Len() == 0 {
			t.Errorf("dump of %s: %v, %d bytes", kind, err, out.Len())
		}
		if kind == "commit_ts" {
			times := 0
			for _, row := range d.says["times"] {
				id, rest, _ := strings.Cut(row, "|")
				if !strings.HasPrefix(rest, "|") {
					times++
					if !strings.Contains(out.String(), id+" "+rest[:19]) {
						t.Fatalf("dump has no %s", row)
					}
				}
			}
			if n := strings.Count(out.String(), "\n"); n < times || times < 50 {
				t.Errorf("%d lines of dump, %d times", n, times)
			}
		}
	}
}

func (d *slruTruth) multixacts(t *testing.T) {
	var got []string
	for _, row := range d.says["multis"] {
		var m pgdisk.MultiXactID
		fmt.Sscan(strings.Split(row, "|")[0], &m)
		a := ask1[slruMulti](t, func(w *bytes.Buffer) (int, error) { return SLRUMultiXact(t.Context(), d.slru, m, true, w) })
		var words []string
		for _, member := range a.Members {
			words = append(words, fmt.Sprintf("%d %s", member.XID, member.Status))
			file, err := os.ReadFile(filepath.Join(d.root, member.File))
			if err != nil || fmt.Sprint(file[member.XIDByte:][:4]) != fmt.Sprint([]byte{byte(member.XID), byte(member.XID >> 8), 0, 0}) {
				t.Errorf("%d: no id %d at byte %d, %v", m, member.XID, member.XIDByte, err)
			}
		}
		got = append(got, fmt.Sprintf("%d|%s", m, strings.Join(words, ",")))
	}
	if !slices.Equal(got, d.says["multis"]) || len(got) == 0 || !strings.Contains(strings.Join(got, " "), "upd") {
		t.Errorf("got %v\nwant %v", got, d.says["multis"])
	}
	// Without pg_control the ends come from the files.
	src := d.slru
	src.Control = nil
	next, nextOffset, err := slruMultiEnds(t.Context(), src)
	if c := d.slru.Control.CheckpointCopy; err != nil || next != c.NextMulti || nextOffset != c.NextMultiOffset {
		t.Errorf("from the files %d and %d, pg_control has %d and %d; %v", next, nextOffset, c.NextMulti, c.NextMultiOffset, err)
	}
}
