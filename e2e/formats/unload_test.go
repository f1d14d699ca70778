package formats

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/unload"
)

// unloadServer starts a server with the settings that make a table be read in the order of
// its pages and nothing change it meanwhile.
func unloadServer(t *testing.T, major int, initdb string) *truth.Server {
	t.Helper()
	s := truth.Start(t, major)
	s.Sh(t, "initdb "+initdb+" --no-sync -E UTF8 --locale=C -U postgres -A trust >/dev/null")
	s.Sh(t, `cat >>$PGDATA/postgresql.conf <<.
listen_addresses = ''
unix_socket_directories = '/tmp'
synchronize_seqscans = off
autovacuum = off
max_prepared_transactions = 5
max_parallel_workers_per_gather = 0
.
pg_ctl -w -l /tmp/log start >/dev/null`)
	return s
}

// unloadCorpus fills the server with a value of every type, pgbench's tables, odd names, and a
// database of another encoding.
func unloadCorpus(t *testing.T, s *truth.Server) {
	t.Helper()
	all, err := os.ReadFile("../../pgops/values/testdata/alltypes.sql")
	if err != nil {
		t.Fatal(err)
	}
	s.SQL(t, "postgres", string(all))
	s.Sh(t, "pgbench -q -i -s 1 postgres 2>/dev/null; createdb -E LATIN1 -T template0 --locale=C latin; createdb -T template0 'a.b/c'")
	s.SQL(t, "postgres", `DROP TABLE IF EXISTS alltypes.of_brin_summaries; -- of which nothing can be read
CREATE SCHEMA "a.b"; CREATE SCHEMA a;
CREATE TABLE "a.b".c (i int); INSERT INTO "a.b".c VALUES (1);
CREATE TABLE a."b.c" (i int); INSERT INTO a."b.c" VALUES (2);
CREATE TABLE a."/../x" ("q""x" int, "comma,x" text); INSERT INTO a."/../x" VALUES (3, '');
CREATE TABLE a."dead" (i int); INSERT INTO a.dead SELECT generate_series(1, 10); DELETE FROM a.dead WHERE i > 7;`)
	s.SQL(t, "a.b/c", "CREATE TABLE lonely (i int)")
	s.SQL(t, "latin", `SET client_encoding = 'UTF8'; CREATE TABLE "größe" ("spalte ä" text, j json);
INSERT INTO "größe" VALUES ('ÄÖÜß àéîõ', '{"ä": "ö"}'), (NULL, E'{\n"a":\r\n1}');`)
}

// unloadTruth has the server COPY each table, and print its rows as JSON, into files named
// by the tables' OIDs. The directory has one directory for each database.
func unloadTruth(t *testing.T, s *truth.Server, zone string) string {
	t.Helper()
	s.Sh(t, "rm -rf /tmp/copy; mkdir /tmp/copy")
	for _, db := range strings.Fields(s.SQL(t, "postgres", "SELECT oid FROM pg_database WHERE datallowconn")) {
		s.Sh(t, "mkdir /tmp/copy/"+db)
		name := strings.TrimSuffix(s.SQL(t, "postgres", "SELECT datname FROM pg_database WHERE oid = "+db), "\n")
		script := s.SQL(t, name, fmt.Sprintf(`SET client_encoding = 'UTF8';
SELECT format(E'COPY %%1$s TO ''/tmp/copy/%[1]s/%%2$s.copy'' (ENCODING ''%%5$s'');
COPY %%1$s TO ''/tmp/copy/%[1]s/%%2$s.csv'' (FORMAT csv, HEADER, ENCODING ''%%5$s'');
\\o /tmp/copy/%[1]s/%%2$s.jsonl
SELECT translate(row_to_json(a_row)::text, E''\\n\\r'', ''  '') FROM (SELECT %%3$s FROM %%4$s) a_row;
\\o', w.copy, c.oid,
 (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute a WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''),
 CASE relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || c.oid::regclass, getdatabaseencoding())
FROM pg_class c, LATERAL (SELECT CASE relkind WHEN 'm' THEN format('(SELECT * FROM %%s)', c.oid::regclass) ELSE c.oid::regclass::text END AS copy) w
WHERE relkind IN ('r', 'm') AND relispopulated AND relpersistence <> 't' AND relnamespace <> 'pg_toast'::regnamespace
 AND (c.oid >= 16384 OR c.oid IN (2613, 2995) AND pg_relation_size(c.oid) > 0) ORDER BY c.oid`, db))
		s.SQL(t, name, "SET client_encoding = 'UTF8'; SET timezone = '"+zone+"';\n"+script)
	}
	return s.Files(t, "/tmp/copy")
}

// unloadManifest reads what a run wrote about itself.
func unloadManifest(t *testing.T, dir string) *unload.Manifest {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, unload.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	m := &unload.Manifest{}
	decode(t, b, m)
	return m
}

// compareUnload holds a run's files against the server's, all of both.
func compareUnload(t *testing.T, dir, truth string, format string) {
	t.Helper()
	m := unloadManifest(t, dir)
	oids := map[string]int{}
	for _, d := range m.Databases {
		oids[d.Name] = int(d.OID)
	}
	seen := 0
	for _, table := range m.Tables {
		got := unloadedFile(t, filepath.Join(dir, table.RowsFile.Name))
		if sum := fmt.Sprintf("%x", sha256.Sum256(got)); sum != table.RowsFile.SHA256 || int64(len(got)) != table.RowsFile.Bytes {
			t.Errorf("%s: the manifest says %d bytes, %s", table.RowsFile.Name, table.RowsFile.Bytes, table.RowsFile.SHA256)
		}
		name := filepath.Join(truth, fmt.Sprint(oids[table.Database]), fmt.Sprintf("%d.%s", table.OID, format))
		if table.Kind == "materialized view" && table.Name == "mat_empty" {
			continue
		}
		seen++
		want := unloadedFile(t, name)
		if !bytes.Equal(got, want) {
			t.Errorf("%s %s.%s: %s", table.Database, table.Schema, table.Name, firstDifference(got, want))
		}
	}
	files, err := filepath.Glob(filepath.Join(truth, "*", "*."+format))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != seen || seen < 100 {
		t.Errorf("%d tables were unloaded, the server has %d", seen, len(files))
	}
}

func firstDifference(got, want []byte) string {
	g, w := bytes.SplitAfter(got, []byte("\n")), bytes.SplitAfter(want, []byte("\n"))
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			return fmt.Sprintf("line %d is\n%.400q, want\n%.400q", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

func unloadedFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// treeSum is a digest of every name, mode, time and byte of a tree.
func treeSum(t *testing.T, root string) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(sum, path, info.Mode(), info.ModTime().UnixNano())
		if info.Mode().IsRegular() {
			sum.Write(unloadedFile(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// Unload writes what COPY of the live server writes, byte for byte and in the same order: of
// a cluster that was shut down, and of one that crashed after a checkpoint.
func TestUnloadEqualsCopy(t *testing.T) {
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			initdb := "--data-checksums"
			if major == 17 {
				initdb = ""
			}
			s := unloadServer(t, major, initdb)
			unloadCorpus(t, s)
			want := unloadTruth(t, s, "UTC")
			s.Sh(t, "pg_ctl -w stop >/dev/null")
			data := s.Files(t, "/tmp/d")
			before := treeSum(t, data)
			for _, format := range []string{"copy", "csv", "jsonl"} {
				dir := filepath.Join(t.TempDir(), "out")
				r := run(t, 0, "unload", data, "-o", dir, "--format", format)
				pending := "warning: 1 prepared transactions wait" // all that is to be said of this cluster
				if n := bytes.Count(r.stderr, []byte("\n")); n > 1 || n == 1 && !bytes.HasPrefix(r.stderr, []byte(pending)) {
					t.Errorf("it complains of a sound cluster: %s", r.stderr)
				}
				compareUnload(t, dir, want, format)
				checkUnloadExtras(t, dir)
			}
			if treeSum(t, data) != before {
				t.Error("the data directory has changed")
			}

			s.Sh(t, "pg_ctl -w -l /tmp/log start >/dev/null; pgbench -n -c 2 -t 100 postgres >/dev/null 2>&1; pg_ctl -w -m immediate stop >/dev/null; pg_ctl -w -l /tmp/log start >/dev/null")
			want = unloadTruth(t, s, "America/New_York")
			s.Sh(t, "psql -qc CHECKPOINT postgres; pg_ctl -w -m immediate stop >/dev/null")
			data = s.Files(t, "/tmp/d")
			dir := filepath.Join(t.TempDir(), "out")
			r := run(t, 0, "unload", data, "-o", dir, "--timezone", "America/New_York")
			if !bytes.Contains(r.stderr, []byte("not shut down cleanly")) {
				t.Errorf("it does not warn of a cluster that crashed: %q", r.stderr)
			}
			compareUnload(t, dir, want, "copy")
		})
	}
}

// checkUnloadExtras looks at what stands beside the tables' files.
func checkUnloadExtras(t *testing.T, dir string) {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() && info.Mode().Perm() != 0o700 || !d.IsDir() && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		rel, err := filepath.Rel(dir, path)
		names = append(names, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := "\n" + strings.Join(names, "\n") + "\n"
	for _, name := range []string{"postgres/a%2Eb.c.", "postgres/a.b%2Ec.", "postgres/a.%2F%2E%2E%2Fx.", "latin/public.größe.", "a%2Eb%2Fc\n", "postgres/pg_catalog.pg_largeobject."} {
		if !strings.Contains(all, "\n"+name) {
			t.Errorf("there is no file %s", name)
		}
	}
	sequences := string(unloadedFile(t, filepath.Join(dir, "postgres", unload.SequencesName)))
	if want := `"schema":"alltypes","sequence":"a_sequence",`; !strings.Contains(sequences, want) {
		t.Errorf("%q is not among the sequences:\n%s", want, sequences)
	}
	for line := range strings.Lines(sequences) {
		if strings.Contains(line, `"a_sequence"`) && !strings.Contains(line, `"last_value":95,`) {
			t.Errorf("100 and then 95 were taken, but: %s", line)
		}
	}
}

// A run that is killed again and again comes to what an undisturbed one does.
func TestUnloadSurvivesKills(t *testing.T) {
	s := unloadServer(t, 17, "--data-checksums")
	s.SQL(t, "postgres", `CREATE TABLE big AS SELECT i, md5(i::text) AS h, repeat(chr(97 + i % 26), i % 300) AS t FROM generate_series(1, 300000) i;
DELETE FROM big WHERE i % 10 = 0;
CREATE TABLE long AS SELECT i, string_agg(md5((i * j)::text), '') AS t FROM generate_series(1, 300) i, generate_series(1, 1500) j GROUP BY i;
SELECT format('CREATE TABLE small_%s AS SELECT %1$s AS n', i) FROM generate_series(1, 150) i \gexec`)
	s.Sh(t, "pg_ctl -w stop >/dev/null")
	data := s.Files(t, "/tmp/d")
	whole, killed := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "out")
	options := []string{"--dead", "--format", "csv"}
	begun := time.Now()
	run(t, 0, append([]string{"unload", data, "-o", whole}, options...)...)
	took := time.Since(begun)
	kills := 0
	for i := range 60 {
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"unload", data, "-o", killed, "--jobs", fmt.Sprint(1 + i%4)}, options...)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(took*time.Duration(10+i*7%90)/100, func() { cmd.Process.Kill() })
		if cmd.Wait() == nil {
			break
		}
		kills++
	}
	if kills < 3 {
		t.Errorf("the program was killed only %d times", kills)
	}
	t.Logf("killed %d times, of a run of %s", kills, took)
	run(t, 0, append([]string{"unload", data, "-o", killed}, options...)...)
	run(t, 0, append([]string{"unload", data, "-o", killed}, options...)...) // once more, of what is finished
	compareTrees(t, killed, whole)
}

// compareTrees wants the same files with the same bytes, but for the times in the manifest
// and the state.
func compareTrees(t *testing.T, got, want string) {
	t.Helper()
	list := func(root string) map[string]string {
		files := map[string]string{}
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			b := unloadedFile(t, path)
			if rel == unload.ManifestName || rel == unload.StateName {
				b = withoutTimes(t, b)
			}
			files[rel] = fmt.Sprintf("%d bytes, %x", len(b), sha256.Sum256(b))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	g, w := list(got), list(want)
	for name, sum := range w {
		if g[name] != sum {
			t.Errorf("%s: %s, want %s", name, g[name], sum)
		}
	}
	for name := range g {
		if _, ok := w[name]; !ok {
			t.Errorf("%s should not be there", name)
		}
	}
}

func withoutTimes(t *testing.T, b []byte) []byte {
	t.Helper()
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "started")
	delete(members, "finished")
	b, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
