package formats

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/unload"
)

// endsWorkload does whatever makes a table shorter or leaves pages unused, in order.
const endsWorkload = `CREATE TABLE bulk (i int, t text);
COPY bulk FROM '/tmp/rows'; INSERT INTO bulk VALUES (0, 'x'); COPY bulk FROM '/tmp/rows';
CREATE TABLE plain AS SELECT * FROM bulk;
CREATE TABLE cut AS SELECT * FROM bulk; ANALYZE cut; TRUNCATE cut; INSERT INTO cut VALUES (1);
CREATE TABLE reused AS SELECT * FROM bulk; ANALYZE reused; BEGIN; TRUNCATE reused; COPY reused FROM '/tmp/few'; COMMIT;
CREATE TABLE shrunk AS SELECT * FROM bulk; VACUUM ANALYZE shrunk; DELETE FROM shrunk WHERE i > 500; VACUUM shrunk;
CREATE TABLE emptied AS SELECT * FROM bulk; VACUUM ANALYZE emptied; DELETE FROM emptied; VACUUM emptied;
CREATE TABLE packed AS SELECT * FROM bulk; VACUUM ANALYZE packed; DELETE FROM packed WHERE i > 500; VACUUM FULL packed;
CREATE TABLE sorted AS SELECT * FROM bulk; CREATE INDEX sorted_i ON sorted (i); ANALYZE sorted; DELETE FROM sorted WHERE i > 500; CLUSTER sorted USING sorted_i;
CREATE TABLE retyped AS SELECT * FROM bulk; VACUUM ANALYZE retyped; DELETE FROM retyped WHERE i > 500; ALTER TABLE retyped ALTER i TYPE bigint;
CREATE MATERIALIZED VIEW fresh AS SELECT * FROM shrunk; ANALYZE fresh; REFRESH MATERIALIZED VIEW fresh; VACUUM fresh;
BEGIN; CREATE TABLE frozen (i int, t text); COPY frozen FROM '/tmp/rows' (FREEZE); COMMIT;
CREATE TABLE grown AS SELECT * FROM bulk; VACUUM grown; INSERT INTO grown SELECT * FROM bulk; DELETE FROM grown WHERE i > 500;
CREATE UNLOGGED TABLE fleeting AS SELECT * FROM bulk; VACUUM ANALYZE fleeting;
CREATE TABLE wide (i int, t text); ALTER TABLE wide ALTER t SET STORAGE EXTERNAL;
INSERT INTO wide SELECT i, repeat('x', 5000) FROM generate_series(1, 500) i; VACUUM ANALYZE wide; DELETE FROM wide WHERE i > 5; VACUUM wide;
CREATE TABLE t0 (i int); DO $$BEGIN FOR i IN 1..200 LOOP EXECUTE 'CREATE TABLE x' || i || ' (i int, t text)'; END LOOP; END$$;
VACUUM ANALYZE; DO $$BEGIN FOR i IN 1..200 LOOP EXECUTE 'DROP TABLE x' || i; END LOOP; END$$;
VACUUM FULL pg_class; VACUUM FULL pg_attribute; VACUUM FULL pg_type; VACUUM FULL pg_shdepend; VACUUM pg_depend;`

// Nothing that a server does to sound tables makes unload speak of a lost end or of lost
// pages: neither when it was shut down, nor when it crashed and recovered. After a crash pages
// that were never used are known to be new once VACUUM has seen them, and doubtful before.
func TestUnloadSoundEnds(t *testing.T) {
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			s := unloadServer(t, major, "--data-checksums")
			s.SQL(t, "postgres", "COPY (SELECT i, md5(i::text) FROM generate_series(1, 50000) i) TO '/tmp/rows'; COPY (SELECT 1, 'x') TO '/tmp/few'")
			s.SQL(t, "postgres", endsWorkload)
			s.Sh(t, `createdb -T postgres copied; pgbench -q -i -s 2 postgres 2>/dev/null; pgbench -n -c 4 -t 200 postgres >/dev/null 2>&1
for k in 1 2 3 4; do psql -qc "COPY bulk FROM '/tmp/rows'" postgres & done; wait
psql -qc "INSERT INTO bulk SELECT * FROM plain" postgres; pg_ctl -w stop >/dev/null`)
			soundEnds(t, s)
			s.Sh(t, `pg_ctl -w -l /tmp/log start >/dev/null; pgbench -n -c 4 -t 200 postgres >/dev/null 2>&1
psql -qc "DELETE FROM plain WHERE i > 500" -c "VACUUM plain" -c "INSERT INTO shrunk SELECT * FROM bulk" -c "VACUUM ANALYZE shrunk" -c "TRUNCATE grown" postgres
pg_ctl -w -m immediate stop >/dev/null; pg_ctl -w -l /tmp/log start >/dev/null; psql -qc "INSERT INTO plain SELECT * FROM bulk" -c "VACUUM pgbench_history" postgres; pg_ctl -w stop >/dev/null`)
			soundEnds(t, s)
		})
	}
}

func soundEnds(t *testing.T, s *truth.Server) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	data := s.Files(t, "/tmp/d")
	cmd := exec.CommandContext(t.Context(), binary, "unload", data, "-o", dir, "--system")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("pgrescue unload: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(unloadedFile(t, filepath.Join(dir, unload.NotesName)))) {
		if !strings.Contains(line, "it is unlogged") {
			t.Errorf("a note on a sound cluster: %s", line)
		}
	}
}

// An end that is missing is told by pg_class, and without it by either of the maps.
func TestUnloadLostEnd(t *testing.T) {
	c := newDamagedCluster(t, "--no-locale")
	perPage := len(c.tuples)
	blocks := len(unloadedFile(t, filepath.Join(c.data, c.table))) / pgdisk.BlockSize
	const kept = 10
	cut := func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { return b[:kept*pgdisk.BlockSize] })
	}
	lost := func(t *testing.T, want ...string) {
		t.Helper()
		r, missing, notes := c.unload(t, 3)
		if missing != len(c.rows)-kept*perPage || r.Counts.LostBlocks != int64(blocks-kept) || len(r.Bad) != 1 || r.Bad[0].First != kept || int(r.Bad[0].Count) != blocks-kept {
			t.Errorf("%d rows are missing, %d of %d blocks are there: %+v %+v", missing, kept, blocks, r.Counts, r.Bad)
		}
		for _, w := range want {
			if !strings.Contains(notes, w) {
				t.Errorf("the notes do not say %q:\n%s", w, notes)
			}
		}
	}
	t.Run("by pg_class and the visibility map", func(t *testing.T) {
		cut(t)
		lost(t, fmt.Sprintf("the table has %d blocks, but pg_class counted %d", kept, blocks), fmt.Sprintf("visibility map knows of rows on block %d", blocks-1))
	})
	t.Run("by pg_class", func(t *testing.T) {
		cut(t)
		c.hide(t, c.table+"_vm")
		c.hide(t, c.table+"_fsm")
		lost(t, fmt.Sprintf("pg_class counted %d", blocks))
	})
	t.Run("within a block", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { return b[:kept*pgdisk.BlockSize+100] })
		r, _, _ := c.unload(t, 3)
		if r.Counts.LostBlocks != int64(blocks-kept) {
			t.Errorf("%d blocks are missing: %+v %+v", blocks-kept, r.Counts, r.Bad)
		}
	})
	t.Run("the whole table", func(t *testing.T) {
		c.hide(t, c.table)
		if r, _, _ := c.unload(t, 3); r.Counts.LostBlocks != int64(blocks) {
			t.Errorf("%d blocks are missing: %+v %+v", blocks, r.Counts, r.Bad)
		}
	})
	t.Run("zeroes at the end", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { clear(b[kept*pgdisk.BlockSize:]); return b })
		lost(t, "the visibility map has it as a page in use")
	})
	t.Run("zeroes at the end without maps", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { clear(b[kept*pgdisk.BlockSize:]); return b })
		c.hide(t, c.table+"_vm")
		c.hide(t, c.table+"_fsm")
		lost(t, "all zeroes, and not among those")
	})
	t.Run("new pages at the end", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { return append(b, make([]byte, 5*pgdisk.BlockSize)...) })
		if r, missing, notes := c.unload(t, 0); missing != 0 || r.Counts.NewPages != 5 || notes != "" {
			t.Errorf("%d rows are missing: %+v\n%s", missing, r.Counts, notes)
		}
	})
}

// A page that a bulk load allocated and never used is no loss, a page of zeroes that was used
// is, also in a table that VACUUM has not seen.
func TestUnloadUnusedPages(t *testing.T) {
	for _, major := range []int{13, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			s := unloadServer(t, major, "--data-checksums")
			s.SQL(t, "postgres", "CREATE EXTENSION pageinspect; CREATE TABLE d (i int, t text); COPY (SELECT i, md5(i::text) FROM generate_series(1, 200000) i) TO '/tmp/rows'")
			// A crash in the middle of loads leaves pages behind that were never written.
			s.Sh(t, `zeroes() { psql -qAtc "SELECT count(*) FILTER (WHERE upper = 0 AND blkno < last) FROM (SELECT blkno, upper, max(blkno) FILTER (WHERE upper <> 0) OVER () AS last
FROM generate_series(0, pg_relation_size('d') / 8192 - 1) blkno, LATERAL page_header(get_raw_page('d', blkno::int))) p" postgres; }
for try in 1 2 3 4 5 6 7 8; do
 for k in 1 2 3 4 5 6; do psql -qc "COPY d FROM '/tmp/rows'" postgres >/dev/null 2>&1 & done
 sleep 0.$try; pg_ctl -w -m immediate stop >/dev/null; wait; pg_ctl -w -l /tmp/log start >/dev/null
 psql -qc "INSERT INTO d SELECT i, md5(i::text) FROM generate_series(1, 5000) i" postgres
 if [ $(zeroes) -gt 0 ]; then break; fi
done; if [ $(zeroes) = 0 ]; then echo no unused pages; exit 1; fi; psql -qc "VACUUM d" postgres; pg_ctl -w stop >/dev/null`)
			data, out := s.Files(t, "/tmp/d"), filepath.Join(t.TempDir(), "out")
			run(t, 0, "unload", data, "-o", out, "--table", "d")
			r := unloadManifest(t, out).Tables[0]
			if !r.Counts.Clean() || r.Counts.NewPages == 0 {
				t.Errorf("%+v", r.Counts)
			}
			path := filepath.Join(data, r.Source)
			b := unloadedFile(t, path)
			clear(firstUsedPage(t, b))
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			out = filepath.Join(t.TempDir(), "out")
			run(t, 3, "unload", data, "-o", out, "--table", "d")
			if bad := unloadManifest(t, out).Tables[0]; bad.Counts.LostBlocks != 1 || bad.Counts.NewPages != r.Counts.NewPages {
				t.Errorf("with a page lost: %+v", bad.Counts)
			}
		})
	}
}

// firstUsedPage finds a page with rows.
func firstUsedPage(t *testing.T, b []byte) []byte {
	t.Helper()
	for ; len(b) > 0; b = b[pgdisk.BlockSize:] {
		h, err := pgdisk.DecodePageHeader(b[:pgdisk.BlockSize])
		if err != nil {
			t.Fatal(err)
		}
		if !h.IsNew() && h.Upper < pgdisk.BlockSize {
			return b[:pgdisk.BlockSize]
		}
	}
	t.Fatal("no page has rows")
	return nil
}
