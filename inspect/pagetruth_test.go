package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// pageWorkload makes rows in all states, all kinds of indexes, an unlogged table, a tablespace.
const pageWorkload = `
create extension pageinspect;
create tablespace side location '/tmp/side';
create table h (id int primary key, v text, n int) with (fillfactor = 50, autovacuum_enabled = off);
insert into h select g, repeat('x', 20), case when g % 4 > 0 then g end from generate_series(1, 3000) g;
update h set v = 'hot' where id % 3 = 0;
delete from h where id % 7 = 0;
vacuum h;
update h set v = null where id % 5 = 0;
update h set id = -id where id % 11 = 0;
begin; delete from h where id % 13 = 0; rollback;
select id from h where id % 17 = 0 for share;
create table moved (id int, a int[], p point, t text) tablespace side;
insert into moved select g, array[g, g % 7], point(g, g % 50), md5(g::text) from generate_series(1, 4000) g;
create index on moved using hash (id) tablespace side; create index on moved using gin (a);
create index on moved using gist (p); create index on moved using spgist (t); create index on moved using brin (id);
create index on moved ((id % 9)); vacuum moved;
create unlogged table u (id serial primary key); insert into u default values;
checkpoint;
`

const pageItemsQuery = `select n, lp, lp_off, lp_flags, lp_len, t_xmin, t_xmax, t_field3, replace(t_ctid::text, ' ', ''), t_infomask2, t_infomask, t_hoff,
	substr(t_bits, 1, t_infomask2 & 2047) from generate_series(0, (pg_relation_size('h') / 8192 - 1)::int) n, heap_page_items(get_raw_page('h', n)) order by n, lp`

// TestPageTruth compares with pg_checksums and with pageinspect of each major.
func TestPageTruth(t *testing.T) {
	for _, major := range truth.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			s := truth.Start(t, major)
			s.Sh(t, `mkdir /tmp/side; initdb -N -k -A trust >/dev/null
echo "fsync=off
autovacuum=off
listen_addresses=''
unix_socket_directories='/tmp'" >> $PGDATA/postgresql.conf
pg_ctl -w -s -l /tmp/log start`)
			s.SQL(t, "postgres", pageWorkload)
			table := strings.TrimSpace(s.SQL(t, "postgres", "select pg_relation_filepath('h')"))
			items := strings.Split(strings.TrimSpace(s.SQL(t, "postgres", pageItemsQuery)), "\n")
			space := strings.TrimSpace(s.SQL(t, "postgres", "select oid from pg_tablespace where spcname = 'side'"))
			s.Sh(t, "pg_ctl -w -s -m fast stop")
			p := pageTruth{Server: s, space: space, database: path.Dir(table)}
			p.fsys = p.files(t)
			t.Run("items", func(t *testing.T) { p.items(t, table, items) })
			t.Run("all pages", p.all)
			t.Run("pg_checksums", p.checksums)
		})
	}
}

type pageTruth struct {
	*truth.Server
	space string // OID of the tablespace
	fsys  fs.FS  // the cluster as it was shut down

	database string // directory of the database with the workload
}

// files copies the cluster and its tablespace.
func (p pageTruth) files(t *testing.T) fs.FS {
	t.Helper()
	pieces := pgops.Pieces{Data: os.DirFS(p.Files(t, "/tmp/d")), Links: map[string]fs.FS{"pg_tblspc/" + p.space: os.DirFS(p.Files(t, "/tmp/side"))}}
	return &withLink{pieces.FS(), p.space}
}

// withLink lists the tablespace, whose link the copy has not.
type withLink struct {
	fs.FS
	space string
}

func (w *withLink) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "pg_tblspc" {
		return fs.ReadDir(w.FS, name)
	}
	info, err := fs.Stat(w.FS, "pg_tblspc/"+w.space)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{linked{fs.FileInfoToDirEntry(info), w.space}}, nil
}

type linked struct {
	fs.DirEntry
	name string
}

func (l linked) Name() string { return l.name }

// items wants the JSON of a table to say what heap_page_items says.
func (p pageTruth) items(t *testing.T, table string, want []string) {
	b, err := fs.ReadFile(p.fsys, table)
	if err != nil {
		t.Fatal(err)
	}
	text, damaged := show(t, b, PageFile{Checksums: ChecksumsOn}, PageOptions{Full: true, JSON: true})
	states := []string{"unused", "normal", "redirect", "dead"}
	var got []string
	for line := range strings.Lines(text) {
		var r pageReport
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		for _, i := range r.Entries {
			row := fmt.Sprintf("%d|%d|%d|%d|%d|", r.Block, i.Number, i.Off, slices.Index(states, i.Flags), i.Len)
			if h := i.Heap; h != nil {
				row += fmt.Sprintf("%d|%d|%d|%s|%d|%d|%d|%s", h.Xmin, h.Xmax, h.Field3, h.CTID, h.Infomask2, h.Infomask, h.Hoff, h.NullBitmap)
			} else {
				row += "|||||||"
			}
			got = append(got, row)
		}
	}
	if damaged > 0 || len(got) != len(want) || len(got) < 3000 {
		t.Errorf("%d items, the server has %d; %d damaged", len(got), len(want), damaged)
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("row %d:\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

// all prints every page in full, but for those of the other databases: none may be damaged.
func (p pageTruth) all(t *testing.T) {
	fsys := p.fsys
	dirs, failed := relationDirs(fsys, "")
	if len(failed) > 0 {
		t.Fatal(failed)
	}
	kinds := map[string]int{}
	for _, dir := range dirs {
		if strings.HasPrefix(dir, "base/") && dir != p.database {
			continue
		}
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			rel, ok := pgdisk.ParseRelFile(dir + "/" + e.Name())
			if !ok {
				continue
			}
			b, err := fs.ReadFile(fsys, dir+"/"+e.Name())
			if err != nil {
				t.Fatal(err)
			}
			f := PageFile{Name: e.Name(), R: bytes.NewReader(b), Size: int64(len(b)), Fork: rel.Fork, Checksums: ChecksumsOn}
			var text bytes.Buffer
			if damaged, err := Pages(context.Background(), f, PageOptions{Full: true}, &text); damaged > 0 || err != nil {
				_, first, _ := strings.Cut(text.String(), "DAMAGED")
				t.Errorf("%s/%s: %d damaged, %v: %.200s", dir, e.Name(), damaged, err, first)
			}
			for line := range strings.Lines(text.String()) {
				if _, kind, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(line, "block ") {
					kind, _, _ = strings.Cut(strings.TrimSpace(kind), " ")
					kinds[kind]++
				}
			}
		}
	}
	for _, kind := range []string{"heap", "btree", "hash", "gin", "gist", "spgist", "brin", "sequence", "fsm", "vm"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s page among %v", kind, kinds)
		}
	}
}

// checksums damages pages and wants the same ones found, and as many files and blocks
// scanned, before and after.
func (p pageTruth) checksums(t *testing.T) {
	for _, rounds := range []int{0, 25} {
		fsys := p.fsys
		if rounds > 0 {
			p.damage(t, fsys, rounds)
			fsys = p.files(t)
		}
		out := p.Sh(t, "pg_checksums --check -D /tmp/d 2>&1 || true")
		var want []string
		for _, m := range badChecksumLine.FindAllStringSubmatch(out, -1) {
			want = append(want, fmt.Sprintf("%s block %s: %s computed, %s stored", strings.TrimPrefix(m[1], "/tmp/d/"), m[2], m[3], m[4]))
		}
		var text bytes.Buffer
		sum, err := PageCheck(context.Background(), PageCheckSource{FS: fsys, Checksums: ChecksumsOn}, true, &text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for dec := json.NewDecoder(&text); ; {
			var b badPage
			if err := dec.Decode(&b); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if b.File != "" {
				got = append(got, fmt.Sprintf("%s block %d: %X computed, %X stored", b.File, b.InFile, b.Computed, b.Stored))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || len(want) < rounds*3/4 {
			t.Errorf("%d bad blocks\n got %s\nwant %s", len(want), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		said := strings.Join(strings.Fields(out), " ")
		for name, n := range map[string]int64{"Files scanned": sum.Files, "Blocks scanned": sum.Blocks, "Bad checksums": sum.Bad} {
			if !strings.Contains(said, fmt.Sprintf("%s: %d ", name, n)) {
				t.Errorf("%s: got %d, pg_checksums says %s", name, n, said)
			}
		}
	}
}

var badChecksumLine = regexp.MustCompile(`checksum verification failed in file "([^"]+)", block (\d+): calculated checksum ([0-9A-F]+) but block contains ([0-9A-F]+)`)

// damage overwrites bytes of random pages in the container, those of the tablespace among them.
// The bytes that make a page new are left alone: pg_checksums passes such pages by, and we do not.
func (p pageTruth) damage(t *testing.T, fsys fs.FS, n int) {
	t.Helper()
	dirs, _ := relationDirs(fsys, "")
	r := rand.New(rand.NewPCG(uint64(p.Major), 7))
	var script strings.Builder
	for i := 0; i < n; {
		dir := dirs[r.IntN(len(dirs))]
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil {
			t.Fatal(err)
		}
		e := entries[r.IntN(len(entries))]
		info, err := e.Info()
		if _, ok := pgdisk.ParseRelFile(dir + "/" + e.Name()); !ok || err != nil || info.Size() == 0 {
			continue
		}
		off := r.Int64N(info.Size()/pgdisk.BlockSize)*pgdisk.BlockSize + 16 + r.Int64N(pgdisk.BlockSize-20)
		fmt.Fprintf(&script, "printf '\\%03o\\%03o' | dd of=/tmp/d/%s/%s bs=1 seek=%d conv=notrunc status=none\n", r.IntN(256), r.IntN(256), dir, e.Name(), off)
		i++
	}
	p.Sh(t, script.String())
}
