package pgdisk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// clusterWithDatabases is a data directory with a map and the pages of pg_database that a
// server of the major wrote.
func clusterWithDatabases(t testing.TB, major int) fstest.MapFS {
	t.Helper()
	read := func(kind string) []byte {
		b, err := os.ReadFile(fmt.Sprintf("testdata/database/pg%d%s", major, kind))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	fsys := fstest.MapFS{"global/pg_filenode.map": &fstest.MapFile{Data: read(".map")}}
	path, err := databaseFile(fsys)
	if err != nil {
		t.Fatal(err)
	}
	fsys[path] = &fstest.MapFile{Data: read(".bin")}
	return fsys
}

// TestReadDatabases reads what real servers wrote; those of 14 and 16 are fresh from initdb,
// where pg_control knows the lowest id and whose it is.
func TestReadDatabases(t *testing.T) {
	for _, l := range Layouts() {
		t.Run(fmt.Sprint(l.Major), func(t *testing.T) {
			dbs, bad, err := ReadDatabases(clusterWithDatabases(t, l.Major), l, nil)
			if err != nil || bad != 0 {
				t.Fatalf("%v, %d bad pages", err, bad)
			}
			c, err := DecodeControl(controlFixture(t, fmt.Sprintf("pg%d", l.Major)))
			if err != nil {
				t.Fatal(err)
			}
			seen := make(map[string]Database)
			for _, d := range dbs {
				seen[d.Name] = d
				if d.Tablespace != DefaultTablespace || d.FrozenXID < c.CheckpointCopy.OldestXID || d.MinMultiXact != 1 || d.AllowConn != (d.Name != "template0" && d.Name != "renamed") {
					t.Errorf("got %+v", d)
				}
			}
			template1 := seen["template1"]
			if template1.OID != c.CheckpointCopy.OldestXIDDB || template1.FrozenXID != c.CheckpointCopy.OldestXID || template1.Doubtful {
				t.Errorf("template1 is %+v; pg_control has %d of %d", template1, c.CheckpointCopy.OldestXID, c.CheckpointCopy.OldestXIDDB)
			}
			if seen["template0"].OID == 0 || seen["postgres"].OID == 0 || seen["gone"].OID != 0 {
				t.Errorf("databases %v", dbs)
			}
		})
	}
}

func TestReadDatabasesDamaged(t *testing.T) {
	l, _ := LayoutFor(15)
	sound := func() (fstest.MapFS, string) {
		fsys := clusterWithDatabases(t, 15)
		path, err := databaseFile(fsys)
		if err != nil {
			t.Fatal(err)
		}
		return fsys, path
	}
	fsys, path := sound()
	fsys[path].Data = append(fsys[path].Data, make([]byte, BlockSize)...)
	fsys[path].Data[12] = 1 // pd_lower of the first page
	if dbs, bad, err := ReadDatabases(fsys, l, nil); err != nil || bad != 1 || len(dbs) != 0 {
		t.Errorf("bad page: %v, %d, %v", dbs, bad, err)
	}
	fsys, path = sound()
	fsys[path].Data = fsys[path].Data[:8000]
	if _, _, err := ReadDatabases(fsys, l, nil); err == nil || !strings.Contains(err.Error(), "block 0") {
		t.Errorf("short file: %v", err)
	}
	fsys, path = sound()
	delete(fsys, path)
	if _, _, err := ReadDatabases(fsys, l, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, _, err := ReadDatabases(fstest.MapFS{}, l, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no map: %v", err)
	}
}

// FuzzReadDatabases: whatever the page holds, no panic and no row from a page found bad.
func FuzzReadDatabases(f *testing.F) {
	f.Add([]byte{0, 0}, uint16(12), uint8(15))
	f.Add([]byte{0xFF, 0xFF, 0xFF, 0xFF}, uint16(8000), uint8(13))
	f.Fuzz(func(t *testing.T, damage []byte, at uint16, major uint8) {
		l, _ := LayoutFor(13 + int(major)%6)
		fsys := clusterWithDatabases(t, l.Major)
		path, err := databaseFile(fsys)
		if err != nil {
			t.Fatal(err)
		}
		data := fsys[path].Data
		copy(data[min(int(at), len(data)):], damage)
		dbs, bad, err := ReadDatabases(fsys, l, nil)
		if err != nil || bad > 1 || len(dbs) > MaxHeapTuplesPerPage {
			t.Fatalf("%d databases, %d bad pages, %v", len(dbs), bad, err)
		}
	})
}

func TestRelMap(t *testing.T) {
	for _, l := range Layouts() {
		b, err := os.ReadFile(fmt.Sprintf("testdata/database/pg%d.map", l.Major))
		if err != nil {
			t.Fatal(err)
		}
		m, err := DecodeRelMap(b)
		if err != nil || m.Slots != l.RelMapSlots || len(m.Mappings) < 30 {
			t.Fatalf("%d: %+v, %v", l.Major, m, err)
		}
		if n, ok := m.Lookup(1260); n != 1260 || !ok { // pg_authid was never rewritten
			t.Errorf("%d: pg_authid is file %d, %v", l.Major, n, ok)
		}
		if _, ok := m.Lookup(1259); ok {
			t.Errorf("%d: pg_class is in the global map", l.Major)
		}
		if again, err := EncodeRelMap(m); err != nil || string(again) != string(b) {
			t.Errorf("%d: encoding changed the file: %v", l.Major, err)
		}
		b[9] ^= 1
		var format *FormatError
		if _, err := DecodeRelMap(b); !errors.As(err, &format) || format.Field != "CRC" {
			t.Errorf("%d: damaged: %v", l.Major, err)
		}
	}
}

func TestRelMapRefused(t *testing.T) {
	full := &RelMap{Slots: 64, Mappings: make([]RelMapping, 65)}
	if _, err := EncodeRelMap(full); err == nil {
		t.Error("65 mappings in 64 slots")
	}
	b, err := EncodeRelMap(&RelMap{Slots: 62})
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"size":         func(b []byte) []byte { return b[:500] },
		"magic number": func(b []byte) []byte { b[0] = 0; return b },
		"number of mappings": func([]byte) []byte {
			b := make([]byte, 512)
			binary.LittleEndian.PutUint32(b, RelMapMagic)
			binary.LittleEndian.PutUint32(b[4:], 63)
			binary.LittleEndian.PutUint32(b[504:], crcOf(b[:504]))
			return b
		},
	} {
		var format *FormatError
		if _, err := DecodeRelMap(damage(append([]byte(nil), b...))); !errors.As(err, &format) || format.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodeRelMap(f *testing.F) {
	for _, slots := range []int{62, 64} {
		b, err := EncodeRelMap(&RelMap{Slots: slots, Mappings: []RelMapping{{1262, 16400}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, sign bool) {
		if sign && len(b) == 524 {
			binary.LittleEndian.PutUint32(b[520:], crcOf(b[:520]))
		}
		m, err := DecodeRelMap(b)
		if err != nil {
			return
		}
		again, err := EncodeRelMap(m)
		if err != nil {
			t.Fatal(err)
		}
		m2, err := DecodeRelMap(again)
		if err != nil || fmt.Sprint(m2) != fmt.Sprint(m) {
			t.Fatalf("%v is %v, %v", m, m2, err)
		}
	})
}
