package catalog

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// openSmall reads the small cluster and its database.
func openSmall(t *testing.T, fsys fs.FS) (*Cluster, *Database) {
	t.Helper()
	c, err := Open(t.Context(), fsys)
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Database(t.Context(), smallDatabase)
	if err != nil {
		t.Fatal(err)
	}
	return c, d
}

// wantProblem wants exactly the problems that contain each of words, in order.
func wantProblems(t *testing.T, got []Problem, words ...string) {
	t.Helper()
	if len(got) != len(words) {
		t.Errorf("got %d problems, want %d: %v", len(got), len(words), got)
		return
	}
	for i, w := range words {
		if !strings.Contains(got[i].String(), w) {
			t.Errorf("problem %d is %q, want one with %q", i, got[i], w)
		}
	}
}

func TestSmall(t *testing.T) {
	c, d := openSmall(t, newSmall().build(t))
	wantProblems(t, slices.Concat(c.Problems, d.Problems))
	r, ok := d.Lookup("public", "t")
	if !ok || len(r.Columns) != 2 || r.File.Path() != "base/5/16384" || r.AccessMethod != "heap" || r.Owner != "postgres" || r.Doubt != "" {
		t.Fatalf("got %+v", r)
	}
	if name := r.Columns[0]; name.Type == nil || name.Type.Output != "int4out" || d.FormatType(name.TypeOID, name.Typmod) != "integer" {
		t.Errorf("column %+v", name)
	}
	if same, ok := d.ByFile(pgdisk.RelFile{Tablespace: pgdisk.DefaultTablespace, Number: smallTable, Segment: 3}); !ok || same != r {
		t.Errorf("by file: %v", same)
	}
	if _, err := c.Database(t.Context(), 99); err == nil {
		t.Error("a database that is not there")
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, version := range []string{"12\n", "9.6\n", "19\n"} {
		var e *VersionError
		if _, err := Open(t.Context(), fstest.MapFS{"PG_VERSION": {Data: []byte(version)}}); !errors.As(err, &e) || !strings.Contains(err.Error(), "13 to 18") {
			t.Errorf("version %q: %v", version, err)
		}
	}
	if _, err := Open(t.Context(), fstest.MapFS{"x": {}}); !errors.Is(err, ErrNotCluster) {
		t.Errorf("empty directory: %v", err)
	}
}

// TestDamage: what is broken costs itself, and is named by file and block.
func TestDamage(t *testing.T) {
	const classes, attributes = "base/5/1259", "base/5/1249"
	tests := []struct {
		name    string
		rows    func(*small)
		files   func(fstest.MapFS)
		cluster []string // problems
		base    []string
		lost    bool   // public.t is not there
		doubt   string // of public.t
	}{
		{name: "page header", files: func(f fstest.MapFS) { f[classes].Data[pgdisk.BlockSize+18] ^= 0xFF },
			base: []string{classes + ", block 1: pg_class: the page is damaged", "of relation 16384, of which pg_class has no row", "taken as pg_partitioned_table"}, lost: true},
		{name: "checksum", files: func(f fstest.MapFS) { f[classes].Data[pgdisk.BlockSize+8] ^= 0xFF },
			base: []string{classes + ", block 1: pg_class: checksum"}, doubt: "the checksum of its page does not match"},
		{name: "line pointer", rows: func(s *small) { s.per = 100 }, files: func(f fstest.MapFS) {
			f[attributes].Data[pgdisk.PageHeaderSize+4*2] = 1
			pgdisk.PutPageChecksum(f[attributes].Data, 0)
		}, base: []string{attributes + ", block 0, item 3: pg_attribute: ", "pg_attribute has 1 of 2 columns"}},
		{name: "line pointer of zeroes", rows: func(s *small) { s.per = 100 }, files: func(f fstest.MapFS) {
			clear(f[attributes].Data[pgdisk.PageHeaderSize+4*2:][:4])
			pgdisk.PutPageChecksum(f[attributes].Data, 0)
		}, base: []string{attributes + ", block 0: pg_attribute: 144 bytes of rows belong to no line pointer", "pg_attribute has 1 of 2 columns"}},
		{name: "wiped page", rows: func(s *small) { s.per = 1 }, files: func(f fstest.MapFS) { clear(f[attributes].Data[:pgdisk.BlockSize]) },
			base: []string{attributes + ", block 0: pg_attribute: 1 pages of zeroes before others", "pg_attribute has none of its 1 columns"}},
		{name: "new pages", files: func(f fstest.MapFS) { f[classes].Data = append(f[classes].Data, make([]byte, 2*pgdisk.BlockSize)...) }},
		{name: "page of another block", rows: func(s *small) {
			for i := range s.rows[attributeRelation] {
				s.edit(attributeRelation, i, func(r *tuple) { r.Infomask = pgdisk.HeapXminCommitted | pgdisk.HeapXmaxInvalid })
			}
		}, files: func(f fstest.MapFS) {
			page := f[attributes].Data
			pgdisk.PutPageChecksum(page, 1)
			f[attributes].Data = slices.Concat(page, page)
			pgdisk.PutPageChecksum(f[attributes].Data, 0)
		}, base: []string{attributes + ", block 1: pg_attribute: 3 of its rows were written to block 0"}, doubt: "of the same row counts as visible too"},
		{name: "relpages", rows: func(s *small) {
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.columnsOf["relpages"] = 1 })
		},
			base: []string{"base/5/16384: public.t had 1 blocks when it was last counted, and has 0"}},
		{name: "schema", rows: func(s *small) {
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.columnsOf["relnamespace"] = 2201 })
		},
			base: []string{"pg_namespace has no row for schema 2201, in which t is"}, lost: true},
		{name: "file of another", rows: func(s *small) {
			s.rows[classRelation] = append(s.rows[classRelation], frozen(columnsOf{"oid": 16390, "relname": "u", "relnamespace": 2200, "relfilenode": smallTable, "relkind": 'r', "relpersistence": 'p'}))
		}, base: []string{"public.t: it has the same file as public.u", "public.u: it has the same file as public.t", "the file of public.t is missing"}, doubt: "the same file"},
		{name: "no partitioned table has a file", rows: func(s *small) {
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.columnsOf["relkind"] = 'p' })
		},
			base: []string{"public.t: relkind is 'p', which has no file, and relfilenode is 16384"}, doubt: "relkind"},
		{name: "unknown kind", rows: func(s *small) {
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.columnsOf["relkind"] = 's' })
		},
			base: []string{"public.t: relkind is 's', which there is not"}, doubt: "relkind"},
		{name: "temporary", rows: func(s *small) {
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.columnsOf["relpersistence"] = 't' })
		}, base: []string{"public.t: relpersistence is 't' in schema public"}, doubt: "relpersistence"},
		{name: "unknown persistence", rows: func(s *small) {
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.columnsOf["relpersistence"] = 'q' })
		}, base: []string{"public.t: relpersistence is 'q', which there is not"}, doubt: "relpersistence"},
		{name: "relnatts", rows: func(s *small) {
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.columnsOf["relnatts"] = 1 })
		},
			base: []string{"public.t: pg_attribute has 2 columns, and relnatts is 1"}, doubt: "relnatts"},
		{name: "dropped", rows: func(s *small) { s.edit(attributeRelation, 1, func(r *tuple) { r.columnsOf["attisdropped"] = true }) },
			base: []string{"public.t: column 1 (id): attisdropped is true, and the type is 23"}, doubt: "attisdropped"},
		{name: "generated", rows: func(s *small) { s.edit(attributeRelation, 1, func(r *tuple) { r.columnsOf["attgenerated"] = 'S' }) },
			base: []string{"public.t: column 1 (id): attgenerated is 'S'"}, doubt: "attgenerated"},
		{name: "length", rows: func(s *small) { s.edit(attributeRelation, 1, func(r *tuple) { r.columnsOf["attlen"] = 2 }) },
			base: []string{"public.t: column 1 (id): attlen, attalign and attbyval are 2, 'i' and false"}, doubt: "attlen"},
		{name: "missing value", rows: func(s *small) { s.edit(attributeRelation, 1, func(r *tuple) { r.columnsOf["atthasmissing"] = true }) },
			base: []string{"column id of relation 16384: atthasmissing and attmissingval contradict each other"}, doubt: "attmissingval"},
		{name: "column gap", rows: func(s *small) { s.edit(attributeRelation, 1, func(r *tuple) { r.columnsOf["attnum"] = 3 }) },
			base: []string{"pg_attribute lacks column 1"}},
		{name: "cut file", files: func(f fstest.MapFS) { f[classes].Data = append(f[classes].Data, 1, 2, 3) },
			base: []string{classes + ", block 2: pg_class: the file ends after 3 bytes"}},
		{name: "relation file", files: func(f fstest.MapFS) { delete(f, "base/5/16384") }, base: []string{"base/5/16384: the file of public.t is missing"}},
		{name: "two versions", rows: func(s *small) {
			old := s.rows[classRelation][len(s.rows[classRelation])-1]
			old.Xmin, old.Infomask = 699, pgdisk.HeapXminCommitted|pgdisk.HeapXmaxInvalid
			s.rows[classRelation] = append(s.rows[classRelation], old)
			s.edit(classRelation, len(s.rows[classRelation])-2, func(r *tuple) { r.Infomask = old.Infomask })
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.columnsOf["relname"] = "before" })
		}, doubt: "of the same row counts as visible too"},
		{name: "not inserted", rows: func(s *small) {
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.Infomask = pgdisk.HeapXmaxInvalid })
		}, lost: true, base: []string{"of relation 16384, of which pg_class has no row"}},
		{name: "fates lost", rows: func(s *small) {
			s.edit(classRelation, len(s.rows[classRelation])-1, func(r *tuple) { r.Infomask = pgdisk.HeapXmaxInvalid })
		}, files: func(f fstest.MapFS) { delete(f, "pg_xact/0000") }, cluster: []string{"pg_xact: "}, doubt: "pg_xact is lost"},
		{name: "no row for a catalog", rows: func(s *small) {
			s.rows[classRelation] = slices.DeleteFunc(s.rows[classRelation], func(r tuple) bool { return r.columnsOf["oid"] == int(namespaceRelation) })
		}, base: []string{"base/5/2615: taken as pg_namespace"}},
		{name: "type of itself", rows: func(s *small) {
			s.rows[typeRelation] = append(s.rows[typeRelation], frozen(columnsOf{"oid": 16390, "typname": "ring", "typnamespace": 2200, "typtype": 'd', "typbasetype": 16390, "typlen": -1}))
		}, base: []string{"type public.ring is made of itself"}},
		{name: "maps", files: func(f fstest.MapFS) { delete(f, "base/5/pg_filenode.map"); f["global/pg_filenode.map"].Data[9] ^= 1 },
			cluster: []string{"looked for by content"}, base: []string{"looked for by content"}},
		{name: "map and another file", files: func(f fstest.MapFS) {
			delete(f, "base/5/pg_filenode.map")
			f["base/5/20000"], f[classes] = f[classes], &fstest.MapFile{}
		}, base: []string{"looked for by content"}},
		{name: "a lost database", rows: func(s *small) { s.rows[databaseRelation] = s.rows[databaseRelation][:1] }, cluster: []string{"base/5: pg_database has no row"}},
		{name: "control", files: func(f fstest.MapFS) { delete(f, "global/pg_control") }, cluster: []string{"global/pg_control: "}},
		{name: "version file", files: func(f fstest.MapFS) { delete(f, "PG_VERSION") }, cluster: []string{"PG_VERSION: "}},
		{name: "multixacts", files: func(f fstest.MapFS) { delete(f, "pg_multixact/members/0000") }, cluster: []string{"pg_multixact/members: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSmall()
			if tt.rows != nil {
				tt.rows(s)
			}
			fsys := s.build(t)
			if tt.files != nil {
				tt.files(fsys)
			}
			c, d := openSmall(t, fsys)
			wantProblems(t, c.Problems, tt.cluster...)
			wantProblems(t, d.Problems, tt.base...)
			r, ok := d.Lookup("public", "t")
			if ok == tt.lost {
				t.Fatalf("public.t: %v", r)
			}
			if ok && (r.Doubt == "") != (tt.doubt == "") || ok && !strings.Contains(r.Doubt, tt.doubt) {
				t.Errorf("doubt %q, want %q", r.Doubt, tt.doubt)
			}
		})
	}
}

// TestXactPages: pages of pg_xact that are missing or hold no fate at all, though pg_control
// says that their transactions came and went.
func TestXactPages(t *testing.T) {
	control := &pgdisk.Control{}
	control.CheckpointCopy.OldestXID, control.CheckpointCopy.NextXID = 700, 100000 // on pages 0 to 3
	full := slices.Repeat([]byte{0x55}, 4*pgdisk.BlockSize)
	wiped := slices.Concat(full[:pgdisk.BlockSize], make([]byte, pgdisk.BlockSize), full[2*pgdisk.BlockSize:])
	for _, tt := range []struct {
		name string
		data []byte
		want []string
	}{
		{"sound", full, nil},
		{"wiped", wiped, []string{"pg_xact/0000: of the 32768 transactions from 32768 on none ever ended"}},
		{"wiped at the start", slices.Concat(make([]byte, pgdisk.BlockSize), full[pgdisk.BlockSize:]), []string{"of the 32068 transactions from 700 on"}},
		{"wiped at the end", slices.Concat(full[:3*pgdisk.BlockSize], make([]byte, pgdisk.BlockSize)), []string{"of the 1696 transactions from 98304 on"}},
		{"a sector wiped", slices.Concat(full[:2*512], make([]byte, 3*512), full[5*512:]), []string{"of the 6144 transactions from 4096 on"}},
		{"short", full[:2*pgdisk.BlockSize], []string{"pg_xact/0000: file too short: the fate of the transactions from 65536 on is not known"}},
	} {
		found := &problems{}
		if err := checkXacts(t.Context(), fstest.MapFS{"pg_xact/0000": {Data: tt.data}}, control, newXactPages(nil), found); err != nil {
			t.Fatal(err)
		}
		t.Run(tt.name, func(t *testing.T) { wantProblems(t, found.all(), tt.want...) })
	}
}

// A transaction on a wiped sector is unknown, not aborted; one beside it is what it is.
func TestXactWiped(t *testing.T) {
	control := &pgdisk.Control{}
	control.CheckpointCopy.OldestXID, control.CheckpointCopy.NextXID = 700, 10000
	data := slices.Repeat([]byte{0x55}, pgdisk.BlockSize)
	clear(data[512:1024])
	clear(data[2000:2001]) // four that were running
	fsys := fstest.MapFS{"pg_xact/0000": {Data: data}}
	fates := newXactPages(fsys)
	if err := checkXacts(t.Context(), fsys, control, fates, &problems{}); err != nil {
		t.Fatal(err)
	}
	for x, want := range map[pgdisk.XID]string{2047: "committed", 2048: "unknown", 4095: "unknown", 4096: "committed", 8000: "in progress"} {
		s, err := fates.status(x)
		got := s.String()
		if err != nil {
			got = "unknown"
		}
		if got != want {
			t.Errorf("transaction %d: %s, want %s", x, got, want)
		}
	}
}

func TestXactCache(t *testing.T) {
	pages := newXactPages(fstest.MapFS{"pg_xact/0000": {Data: []byte("short")}, "pg_xact/0001": {Data: slices.Repeat([]byte{0x55}, pgdisk.BlockSize)}})
	per := pgdisk.XactGeometry().EntriesPerSegment()
	for range 2 {
		if _, err := pages.status(700); err == nil {
			t.Error("a page cut short")
		}
		if s, err := pages.status(pgdisk.XID(per + 5)); err != nil || s != pgdisk.XactCommitted {
			t.Errorf("got %v, %v", s, err)
		}
	}
	x := pgdisk.XID(per + 7)
	if n := testing.AllocsPerRun(100, func() { _, _ = pages.status(x) }); n != 0 {
		t.Errorf("%v allocations for a status in the cache", n)
	}
}

// badDisk fails to read one block of one file.
type badDisk struct {
	fs.FS
	name string
	bad  int64
}

type badFile struct {
	fs.File
	bad, at int64
}

func (b badDisk) Open(name string) (fs.File, error) {
	f, err := b.FS.Open(name)
	if err == nil && name == b.name {
		f = &badFile{File: f, bad: b.bad}
	}
	return f, err
}

func (f *badFile) Read(p []byte) (int, error) {
	if f.at == f.bad {
		return 0, errors.New("input/output error")
	}
	if f.at < f.bad {
		p = p[:min(int64(len(p)), f.bad-f.at)]
	}
	n, err := f.File.Read(p)
	f.at += int64(n)
	return n, err
}

func (f *badFile) Seek(off int64, whence int) (int64, error) {
	f.at = off
	return f.File.(io.Seeker).Seek(off, whence)
}

// TestUnreadableBlock: a bad sector costs its block, not what follows.
func TestUnreadableBlock(t *testing.T) {
	s := newSmall()
	s.per = 4
	_, d := openSmall(t, badDisk{s.build(t), "base/5/1259", 2 * pgdisk.BlockSize})
	if p := d.Problems[0].String(); p != "base/5/1259, block 2: pg_class: input/output error" {
		t.Errorf("first problem: %s", p)
	}
	if _, ok := d.Lookup("public", "t"); !ok {
		t.Error("what follows the block is lost")
	}
}

func TestProblems(t *testing.T) {
	p := &problems{}
	for i := range maxProblems + 7 {
		p.add(Problem{File: "f", Block: pgdisk.BlockNumber(i), InBlock: true, What: "x"})
	}
	p.file("", "no file")
	all := p.all()
	if len(all) != maxProblems+2 || all[len(all)-1].String() != "f: and 7 more problems" {
		t.Errorf("%d problems, the last %q", len(all), all[len(all)-1])
	}
}
