package formats

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
)

// deadWorkload leaves versions of rows behind that nobody sees: deleted, updated with and
// without a new place, inserted by what was rolled back, whole or in part; and locked ones,
// which all see.
//
// The prepared transaction keeps the server from pruning them.
const deadWorkload = `CREATE EXTENSION pageinspect; CREATE TABLE hold (i int);
BEGIN; INSERT INTO hold VALUES (1); PREPARE TRANSACTION 'hold';
CREATE TABLE d (i int PRIMARY KEY, t text, n int) WITH (fillfactor = 60);
INSERT INTO d SELECT i, 'row ' || i, i FROM generate_series(1, 3000) i;
INSERT INTO d VALUES (9001, E'tab\there', NULL), (9002, NULL, 5), (9003, 'größe \ here', 7), (9004, repeat('long ', 300), 8);
DELETE FROM d WHERE i % 10 = 1 OR i > 9000;
UPDATE d SET t = t || ' hot' WHERE i % 10 = 2;
UPDATE d SET i = i + 10000 WHERE i % 10 = 3;
UPDATE d SET n = NULL WHERE i % 100 = 4; UPDATE d SET n = 1 WHERE i % 100 = 4;
BEGIN; INSERT INTO d SELECT i, 'rolled back ' || i, 0 FROM generate_series(30001, 30100) i; DELETE FROM d WHERE i % 10 = 5; UPDATE d SET t = 'never' WHERE i % 10 = 6; ROLLBACK;
BEGIN; INSERT INTO d VALUES (40001, 'kept', 1); SAVEPOINT s; INSERT INTO d VALUES (40002, 'part', 2); DELETE FROM d WHERE i = 17; ROLLBACK TO s; SAVEPOINT u; DELETE FROM d WHERE i = 27; RELEASE u; COMMIT;
BEGIN; INSERT INTO d VALUES (40003, 'there and gone', 3); DELETE FROM d WHERE i = 40003; COMMIT;
BEGIN; SELECT count(*) FROM (SELECT FROM d WHERE i % 10 = 7 FOR UPDATE) x; COMMIT;
BEGIN; SELECT count(*) FROM (SELECT FROM d WHERE i % 10 = 8 FOR KEY SHARE) x; SAVEPOINT s; UPDATE d SET n = -n WHERE i % 10 = 8; COMMIT;`

// deadTruth is what pageinspect has of the tuples whose place no query gives: place, xmin,
// xmax, fate and values. The values are taken from the tuple's bytes by the server.
const deadTruth = `CREATE FUNCTION int4of(b bytea) RETURNS int LANGUAGE sql AS 'SELECT (get_byte(b, 0) + (get_byte(b, 1) << 8) + (get_byte(b, 2) << 16) + (get_byte(b, 3) << 24))';
CREATE FUNCTION textof(b bytea) RETURNS text LANGUAGE sql AS 'SELECT convert_from(substr(b, CASE get_byte(b, 0) & 1 WHEN 1 THEN 2 ELSE 5 END), ''UTF8'')';
CREATE TABLE seen AS SELECT ctid AS tid FROM d;
CHECKPOINT;
COPY (SELECT blk, lp, t_xmin, t_xmax, CASE pg_xact_status(t_xmin::text::xid8) WHEN 'committed' THEN 'deleted' ELSE 'not inserted' END, int4of(a[1]), textof(a[2]), int4of(a[3])
 FROM generate_series(0, pg_relation_size('d')::int / 8192 - 1) blk, LATERAL heap_page_items(get_raw_page('d', blk)),
  LATERAL tuple_data_split('d'::regclass, t_data, t_infomask, t_infomask2, t_bits) a
 WHERE lp_flags = 1 AND NOT EXISTS (SELECT FROM seen WHERE tid = format('(%s,%s)', blk, lp)::tid) ORDER BY blk, lp) TO '/tmp/dead/rows'`

// With --dead, the rows that are not visible are those that pageinspect has and no query,
// value by value, of a server that was shut down and of one that crashed.
func TestUnloadDead(t *testing.T) {
	for _, major := range []int{13, 18} {
		for _, stop := range []string{"fast", "immediate"} {
			t.Run(fmt.Sprintf("%d %s", major, stop), func(t *testing.T) {
				t.Parallel()
				s := unloadServer(t, major, "--data-checksums")
				checkDead(t, s, stop)
			})
		}
	}
}

func checkDead(t *testing.T, s *truth.Server, stop string) {
	t.Helper()
	s.Sh(t, "mkdir /tmp/dead")
	s.SQL(t, "postgres", deadWorkload)
	s.SQL(t, "postgres", "DELETE FROM d WHERE i % 10 = 9") // another session's, whose hint bits nobody sets
	s.SQL(t, "postgres", deadTruth)
	live := s.SQL(t, "postgres", "SELECT count(*) FROM seen")
	s.Sh(t, "psql -qc CHECKPOINT postgres; pg_ctl -w -m "+stop+" stop >/dev/null")
	want := string(unloadedFile(t, filepath.Join(s.Files(t, "/tmp/dead"), "rows")))
	dir := filepath.Join(t.TempDir(), "out")
	run(t, 0, "unload", s.Files(t, "/tmp/d"), "-o", dir, "--table", "d", "--dead")
	r := unloadManifest(t, dir).Tables[0]
	if r.DeadFile == nil {
		t.Fatal("there are no dead rows")
	}
	got := string(unloadedFile(t, filepath.Join(dir, r.DeadFile.Name)))
	if got != want {
		t.Errorf("the dead rows: %s", firstDifference([]byte(got), []byte(want)))
	}
	n := int64(strings.Count(want, "\n"))
	gone := int64(strings.Count(want, "\tnot inserted\t"))
	if n < 1500 || gone < 100 || r.Counts.Dead != n || r.Counts.NotInserted != gone || r.Counts.Deleted != n-gone || fmt.Sprintln(r.Counts.Rows) != live {
		t.Errorf("%d dead rows, %d of them never inserted, and %s live ones: %+v", n, gone, strings.TrimSpace(live), r.Counts)
	}
	for _, value := range []string{"\t9001\ttab\\there\t\\N\n", "\t9003\tgröße \\\\ here\t7\n", "\tnot inserted\t30050\t", "\t40003\tthere and gone\t3\n", "\t9002\t\\N\t5\n"} {
		if strings.Count(got, value) != 1 {
			t.Errorf("%q is not among the dead rows", value)
		}
	}
}
