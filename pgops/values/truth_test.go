package values

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

const truthSetup = `mkdir -p /tmp/out
initdb -N -E UTF8 --locale=C -A trust >/dev/null
echo "fsync=off
autovacuum=off
full_page_writes=off
listen_addresses=''
unix_socket_directories='/tmp'" >> $PGDATA/postgresql.conf
pg_ctl -w -s -l /tmp/log start`

// TestTruth prints values that lie in the files of a stopped server, and compares that with
// what the server made of them.
func TestTruth(t *testing.T) {
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			s := &session{Server: truth.Start(t, major)}
			s.Sh(t, truthSetup)
			samples := typeSamples(major)
			s.loadSamples(t, samples)
			s.loadTuples(t)
			s.describe(t)
			s.Sh(t, "pg_ctl -w -s -m fast stop; chmod -R a+rX /tmp/out")
			s.fetchFiles(t)
			for _, sample := range samples {
				t.Run(sample.name, func(t *testing.T) { s.compareSample(t, sample) })
			}
			t.Run("tuples", s.compareTuples)
		})
	}
}

// session is a server with tables in it, and later their files.
type session struct {
	*truth.Server
	tables map[string]*table
	base   string // copy of the directory of the database
	said   string // copy of what the server said
}

// table is what the catalog says of one.
type table struct {
	name  string
	node  string // file name
	toast string // file name of the TOAST table
	cols  []Column
}

// put copies files into the container.
func (s *session) put(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: dir + "/" + name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.Docker(t, &archive, "cp", "-", s.Container+":/tmp")
}

// loadSamples makes a table of each sample and has the server print its values.
func (s *session) loadSamples(t *testing.T, samples []sample) {
	t.Helper()
	files := map[string][]byte{}
	var sql strings.Builder
	for _, x := range samples {
		fmt.Fprintf(&sql, "CREATE TABLE %s (v %s %s);\n%s\n", x.table(), x.typ, x.column, x.before)
		if x.values != nil {
			var in []byte
			for _, v := range x.values {
				in = append(copyEscape(in, v), '\n')
			}
			files[x.table()] = in
			fmt.Fprintf(&sql, "COPY %s FROM '/tmp/in/%s';\n", x.table(), x.table())
		}
		for i, zone := range x.zones() {
			fmt.Fprintf(&sql, "SET TimeZone = '%s';\n", zone)
			fmt.Fprintf(&sql, "COPY %s TO '/tmp/out/%s.%d.text';\n", x.table(), x.table(), i)
			fmt.Fprintf(&sql, "COPY (SELECT to_json(v) FROM %s) TO '/tmp/out/%s.%d.json';\n", x.table(), x.table(), i)
		}
		fmt.Fprintln(&sql, "RESET TimeZone;")
	}
	s.put(t, "in", files)
	s.SQL(t, "postgres", sql.String())
}

const describeSQL = `SELECT c.relname, c.relfilenode, coalesce(tc.relfilenode, 0), a.attname, a.attnum, a.attlen, a.attbyval,
	a.attalign, a.attisdropped, a.attnotnull, a.atttypid, coalesce(y.typname, ''), coalesce(y.typlen, 0), coalesce(y.typtype, ' '),
	coalesce(y.typoutput::text, '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 ORDER BY c.relname, a.attnum;`

// describe asks the server for what its catalog says of the tables.
func (s *session) describe(t *testing.T) {
	t.Helper()
	s.tables = map[string]*table{}
	for line := range strings.Lines(s.SQL(t, "postgres", describeSQL)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		if len(f) != 15 {
			t.Fatalf("catalog row %q", line)
		}
		y := &Type{OID: pgdisk.OID(number(t, f[10])), Name: f[11], Len: int16(number(t, f[12])), Kind: f[13][0], Output: f[14]}
		col := Column{Name: f[3], Num: int16(number(t, f[4])), Len: int16(number(t, f[5])), ByVal: f[6] == "t", Align: f[7][0],
			Dropped: f[8] == "t", NotNull: f[9] == "t", Type: y, TypeOID: y.OID}
		if s.tables[f[0]] == nil {
			s.tables[f[0]] = &table{name: f[0], node: f[1], toast: f[2]}
		}
		s.tables[f[0]].cols = append(s.tables[f[0]].cols, col)
	}
	s.said = s.SQL(t, "postgres", "SELECT oid FROM pg_database WHERE datname = current_database();\n")
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fetchFiles copies the files of the database and of what the server said.
func (s *session) fetchFiles(t *testing.T) {
	t.Helper()
	s.base = s.Files(t, "/tmp/d/base/"+strings.TrimSpace(s.said))
	s.said = s.Files(t, "/tmp/out")
}

// tuples returns the tuples of a relation file and its segments, in order.
func (s *session) tuples(t *testing.T, node string) []pgdisk.Tuple {
	t.Helper()
	var found []pgdisk.Tuple
	for segment := range 10 {
		name := filepath.Join(s.base, node)
		if segment > 0 {
			name = fmt.Sprintf("%s.%d", name, segment)
		}
		b, err := os.ReadFile(name)
		if segment > 0 && errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for page := range slices.Chunk(b, pgdisk.BlockSize) {
			h, err := pgdisk.DecodePageHeader(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range pgdisk.ItemIDs(page, h) {
				if id.Flags != pgdisk.ItemNormal {
					continue
				}
				tuple, err := pgdisk.DecodeTuple(pgdisk.Item(page, id))
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, tuple)
			}
		}
	}
	return found
}

// env returns what printing the values of a table needs.
func (s *session) env(t *testing.T, tab *table, location *time.Location) *Env {
	t.Helper()
	env := &Env{Major: s.Major, Location: location}
	if tab.toast == "0" {
		return env
	}
	d := NewDeformer([]Column{{Len: 4, Align: 'i'}, {Len: 4, Align: 'i'}, {Len: -1, Align: 'i'}})
	type chunk struct {
		seq  uint32
		data []byte
	}
	chunks := map[pgdisk.OID][]chunk{}
	out := make([][]byte, 3)
	for _, tuple := range s.tuples(t, tab.toast) {
		if err := d.Deform(tuple, out); err != nil {
			t.Fatal(err)
		}
		data, err := pgdisk.DecodeVarlena(out[2])
		if err != nil {
			t.Fatal(err)
		}
		id := pgdisk.OID(uint32Of(out[0]))
		chunks[id] = append(chunks[id], chunk{uint32Of(out[1]), data.Payload})
	}
	env.Fetch = func(p pgdisk.ToastPointer) ([]byte, error) {
		var b []byte
		found := chunks[p.ValueID]
		slices.SortFunc(found, func(a, b chunk) int { return cmp.Compare(a.seq, b.seq) })
		for _, c := range found {
			b = append(b, c.data...)
		}
		return b, nil
	}
	return env
}

func uint32Of(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
