package values

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// TestCompoundTruth prints every column of every row that testdata/alltypes.sql and
// testdata/compound.sql make, and of some system catalogs, from the files of a stopped
// server, and compares that with what the server's COPY and to_json say.
func TestCompoundTruth(t *testing.T) {
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, major)
			for _, tab := range w.tables {
				w.compare(t, tab)
			}
		})
	}
}

// world is what a server said of a database, and its files.
type world struct {
	session
	tables []*worldTable
	types  map[pgdisk.OID]*Type
	names  map[NameKind]map[pgdisk.OID]string
	toast  map[pgdisk.OID]string // path of a TOAST table's file
	chunks map[pgdisk.OID]map[pgdisk.OID][]byte
}

type worldTable struct {
	oid, schema, name, path string
	file                    []byte
	cols                    []Column
	missing                 map[int]string // by index of a column, where its row in pg_attribute is
}

const worldSetup = `mkdir -p /tmp/out
initdb -N -E UTF8 --locale=C -A trust >/dev/null
echo "fsync=off
autovacuum=off
listen_addresses=''
max_prepared_transactions=10
unix_socket_directories='/tmp'" >> $PGDATA/postgresql.conf
pg_ctl -w -s -l /tmp/log start`

// worldCatalogs are the system catalogs whose rows are compared, for their types.
const worldCatalogs = `'pg_proc','pg_class','pg_attribute','pg_type','pg_index','pg_statistic','pg_statistic_ext_data','pg_rewrite','pg_constraint','pg_attrdef','pg_aggregate','pg_init_privs','pg_namespace'`

const worldSQL = `
CREATE TABLE fast AS SELECT c.oid, n.nspname, c.relname, pg_relation_filepath(c.oid) AS path FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND (n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('public', 'information_schema') AND c.reltablespace = 0 OR n.nspname = 'pg_catalog' AND c.relname IN (` + worldCatalogs + `));
COPY (SELECT * FROM fast ORDER BY 2, 3) TO '/tmp/out/tables';
COPY (SELECT a.attrelid, a.attname, a.attnum, a.atttypid, a.attlen, a.attalign, a.attisdropped, a.attgenerated, a.atthasmissing, a.ctid FROM pg_attribute a WHERE attnum > 0 ORDER BY 1, 3) TO '/tmp/out/columns';
COPY (SELECT t.oid, n.nspname, t.typname, t.typlen, t.typalign, t.typtype, t.typdelim, CASE WHEN t.typlen = -1 AND p.proname = 'array_out' THEN t.typelem ELSE 0 END, t.typbasetype, t.typrelid, p.proname
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_proc p ON p.oid = t.typoutput) TO '/tmp/out/types';
COPY (SELECT oid, enumtypid, enumlabel FROM pg_enum) TO '/tmp/out/labels';
COPY (SELECT oid, pg_relation_filepath(oid) FROM pg_class WHERE relkind = 't') TO '/tmp/out/toast';
COPY (SELECT 1, oid, oid::regproc::text FROM pg_proc UNION ALL SELECT 2, oid, oid::regprocedure::text FROM pg_proc) TO '/tmp/out/names1';
COPY (SELECT 3, oid, oid::regoper::text FROM pg_operator UNION ALL SELECT 4, oid, oid::regoperator::text FROM pg_operator) TO '/tmp/out/names2';
COPY (SELECT 5, oid, oid::regclass::text FROM pg_class UNION ALL SELECT 6, oid, oid::regtype::text FROM pg_type UNION ALL SELECT 7, oid, oid::regrole::text FROM pg_roles UNION ALL SELECT 8, oid, oid::regnamespace::text FROM pg_namespace
UNION ALL SELECT 9, oid, oid::regconfig::text FROM pg_ts_config UNION ALL SELECT 10, oid, oid::regdictionary::text FROM pg_ts_dict UNION ALL SELECT 11, oid, oid::regcollation::text FROM pg_collation) TO '/tmp/out/names3';
SELECT format('COPY (SELECT ctid, %s FROM ONLY %I.%I) TO %L', cols, nspname, relname, '/tmp/out/t' || oid || '.text') || ';' ||
	CASE WHEN nspname = 'pg_catalog' THEN '' ELSE format('COPY (SELECT ctid, %s FROM ONLY %I.%I) TO %L', jsons, nspname, relname, '/tmp/out/t' || oid || '.json') END
FROM (SELECT oid, nspname, relname, string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS cols, string_agg('to_json(' || quote_ident(attname) || ')', ', ' ORDER BY attnum) AS jsons
	FROM fast JOIN pg_attribute ON attrelid = oid WHERE attnum > 0 AND NOT attisdropped GROUP BY 1, 2, 3) s \gexec
CHECKPOINT;
SELECT oid FROM pg_database WHERE datname = current_database();
`

// newWorld starts a server, makes the tables and asks for everything.
func newWorld(t *testing.T, major int) *world {
	t.Helper()
	w := &world{session: session{Server: truth.Start(t, major)}, types: map[pgdisk.OID]*Type{}, names: map[NameKind]map[pgdisk.OID]string{},
		toast: map[pgdisk.OID]string{}, chunks: map[pgdisk.OID]map[pgdisk.OID][]byte{}}
	w.Sh(t, worldSetup)
	for _, name := range []string{"alltypes", "compound"} {
		b, err := os.ReadFile("testdata/" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		w.SQL(t, "postgres", string(b))
	}
	ranges := "COPY (SELECT rngtypid, rngsubtype, 0 FROM pg_range) TO '/tmp/out/ranges';"
	if major >= 14 {
		ranges = "COPY (SELECT rngtypid, rngsubtype, rngmultitypid FROM pg_range) TO '/tmp/out/ranges';"
	}
	w.said = w.SQL(t, "postgres", ranges+worldSQL)
	w.Sh(t, "pg_ctl -w -s -m fast stop; chmod -R a+rX /tmp/out")
	w.fetchFiles(t)
	w.readTypes(t)
	w.readTables(t)
	return w
}

// compare prints the rows of a table as text and as JSON.
func (w *world) compare(t *testing.T, tab *worldTable) {
	t.Helper()
	env, d := w.environment(t), NewDeformer(tab.cols)
	values := make([][]byte, len(tab.cols))
	for _, kind := range []string{"text", "json"} {
		name := fmt.Sprintf("%s.%s as %s", tab.schema, tab.name, kind)
		if _, err := os.Stat(filepath.Join(w.said, "t"+tab.oid+"."+kind)); err != nil && (kind == "json" && tab.schema == "pg_catalog" || len(tab.cols) == 0 || tab.name == "dropped_all") {
			continue // the server was not asked
		}
		printers := make([]Printer, len(tab.cols))
		for i, c := range tab.cols {
			if !c.Dropped && kind == "text" {
				printers[i] = NewText(c.Type, env)
			} else if !c.Dropped {
				printers[i] = NewJSON(c.Type, env)
			}
		}
		bad := 0
		for _, row := range w.rows(t, "t"+tab.oid+"."+kind) {
			if err := d.Deform(w.tupleAt(t, tab, row[0]), values); err != nil {
				t.Fatalf("%s %s: %v", name, row[0], err)
			}
			at := 0
			for i, c := range tab.cols {
				if c.Dropped {
					continue
				}
				at++
				if c.Generated == 'v' {
					continue
				}
				if got := printOne(printers[i], values[i]); got != row[at] && bad < 5 {
					bad++
					t.Errorf("%s, row %s, column %q of type %s (%s), value %.200x:\n got %.300q\nwant %.300q", name, row[0], c.Name, c.Type.Name, c.Type.Output, values[i], got, row[at])
				}
			}
		}
	}
}

// printOne prints a value, null as COPY does and an error as itself.
func printOne(p Printer, value []byte) string {
	if value == nil {
		return copyNull
	}
	text, err := p(nil, value)
	if err != nil {
		return "ERROR " + strings.TrimSpace(err.Error())
	}
	return string(text)
}
