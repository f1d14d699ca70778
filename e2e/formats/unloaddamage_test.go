package formats

import (
	"bytes"
	endian "encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/unload"
)

// damagedCluster is a cluster whose files are damaged and made whole again, case by case.
type damagedCluster struct {
	data                   string
	table, toast, toastidx string // paths of files
	rows                   [][]byte

	tuples []pgdisk.ItemID // of block 1 of the table

}

// patch changes a file for the length of the test.
func (c *damagedCluster) patch(t *testing.T, name string, change func(b []byte) []byte) {
	t.Helper()
	path := filepath.Join(c.data, name)
	was := unloadedFile(t, path)
	if err := os.WriteFile(path, change(bytes.Clone(was)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(path, was, 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

// hide takes a file or directory away for the length of the test.
func (c *damagedCluster) hide(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(c.data, name)
	if err := os.Rename(path, path+".hidden"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Rename(path+".hidden", path); err != nil {
			t.Fatal(err)
		}
	})
}

// unload runs the program on the damaged files. The rows that come out must be among the
// server's, in its order; it returns the report on the table, how many rows are missing, and
// the notes.
func (c *damagedCluster) unload(t *testing.T, code int, more ...string) (r unload.TableReport, missing int, notes string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	before := treeSum(t, c.data)
	run(t, code, append([]string{"unload", c.data, "-o", dir, "--table", "public.d"}, more...)...)
	if treeSum(t, c.data) != before {
		t.Error("the data directory has changed")
	}
	m := unloadManifest(t, dir)
	if len(m.Tables) != 1 {
		t.Fatalf("%d tables were unloaded", len(m.Tables))
	}
	r = m.Tables[0]
	got := bytes.SplitAfter(unloadedFile(t, filepath.Join(dir, r.RowsFile.Name)), []byte("\n"))
	at := 0
	for _, line := range got[:len(got)-1] {
		i := slices.IndexFunc(c.rows[at:], func(row []byte) bool { return bytes.Equal(row, line) })
		if i < 0 {
			t.Fatalf("this row is not the server's: %.200q", line)
		}
		missing += i
		at += i + 1
	}
	missing += len(c.rows) - at
	if int64(len(got)-1) != r.Counts.Rows {
		t.Errorf("%d rows were written, the manifest says %d", len(got)-1, r.Counts.Rows)
	}
	return r, missing, string(unloadedFile(t, filepath.Join(dir, unload.NotesName)))
}

func newDamagedCluster(t *testing.T, initdb string) *damagedCluster {
	s := unloadServer(t, 17, initdb)
	s.SQL(t, "postgres", `CREATE TABLE d (id int, t text, long text, n int);
ALTER TABLE d ALTER long SET STORAGE EXTERNAL;
INSERT INTO d SELECT i, md5(i::text), CASE WHEN i % 100 = 0 THEN repeat(md5(i::text), 200) END, i FROM generate_series(1, 20000) i;
VACUUM (FREEZE) d;`)
	c := &damagedCluster{}
	s.Sh(t, `mkdir /tmp/copy; psql -qc "COPY d TO '/tmp/copy/d'" postgres`)
	paths := strings.Fields(s.SQL(t, "postgres", `SELECT pg_relation_filepath('d'), pg_relation_filepath(reltoastrelid), pg_relation_filepath(indexrelid)
FROM pg_class, pg_index WHERE relname = 'd' AND indrelid = reltoastrelid \g (fieldsep=' ')`))
	c.table, c.toast, c.toastidx = paths[0], paths[1], paths[2]
	s.Sh(t, "pg_ctl -w stop >/dev/null")
	c.data = s.Files(t, "/tmp/d")
	c.rows = bytes.SplitAfter(unloadedFile(t, filepath.Join(s.Files(t, "/tmp/copy"), "d")), []byte("\n"))
	c.rows = c.rows[:len(c.rows)-1]
	page := unloadedFile(t, filepath.Join(c.data, c.table))[pgdisk.BlockSize : 2*pgdisk.BlockSize]
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil {
		t.Fatal(err)
	}
	c.tuples = pgdisk.ItemIDs(page, h)
	return c
}

// Damage costs what it hit and nothing else, and is named.
func TestUnloadDamage(t *testing.T) {
	c := newDamagedCluster(t, "--no-locale") // without checksums, which would tell all of these
	perPage := len(c.tuples)
	item := func(n int) int { return pgdisk.BlockSize + int(c.tuples[n-1].Off) } // byte of a tuple of block 1
	columns := 24                                                                // of a tuple without or with nulls: id is 4 bytes, then t
	le := endian.LittleEndian

	t.Run("sound", func(t *testing.T) {
		if r, missing, _ := c.unload(t, 0); missing != 0 || !r.Counts.Clean() {
			t.Errorf("%d rows are missing: %+v", missing, r.Counts)
		}
	})
	t.Run("a zeroed page", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { clear(b[pgdisk.BlockSize : 2*pgdisk.BlockSize]); return b })
		r, missing, notes := c.unload(t, 3)
		if missing != perPage || r.Counts.LostBlocks != 1 || len(r.Bad) != 1 || r.Bad[0].First != 1 || !strings.Contains(notes, `"block":1,"reason":"all zeroes`) {
			t.Errorf("%d rows are missing, want %d: %+v\n%s", missing, perPage, r.Counts, notes)
		}
	})
	t.Run("pd_lower", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { b[pgdisk.BlockSize+13] ^= 0x80; return b })
		r, missing, _ := c.unload(t, 3)
		if missing != perPage || r.Counts.Damaged != int64(perPage) || r.Counts.BadPages != 1 || r.DamagedFile == nil {
			t.Errorf("%d rows are missing, want %d, all of them set apart: %+v", missing, perPage, r.Counts)
		}
	})
	t.Run("t_hoff", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { b[item(5)+22] = 0xFF; return b })
		r, missing, notes := c.unload(t, 3)
		if missing != 1 || r.Counts.Broken != 1 || !strings.Contains(notes, `"kind":"tuple"`) || !strings.Contains(notes, `"block":1,"item":5,`) || !strings.Contains(notes, `"hex":"\\x`) {
			t.Errorf("%d rows are missing, want 1: %+v\n%s", missing, r.Counts, notes)
		}
	})
	for name, length := range map[string]byte{"a varlena too short": (20 << 1) | 1, "a varlena too long": (100 << 1) | 1, "a varlena that is none": 1} {
		t.Run(name, func(t *testing.T) {
			c.patch(t, c.table, func(b []byte) []byte { b[item(7)+columns+4] = length; return b })
			r, missing, notes := c.unload(t, 3)
			if missing != 1 || r.Counts.Damaged != 1 || !strings.Contains(notes, `"block":1,"item":7,`) {
				t.Errorf("%d rows are missing, want 1: %+v\n%s", missing, r.Counts, notes)
			}
		})
	}
	t.Run("a line pointer that leads to another's tuple", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte {
			line := b[pgdisk.BlockSize+pgdisk.PageHeaderSize:]
			copy(line[4*2:4*3], line[4*3:4*4])
			return b
		})
		r, missing, _ := c.unload(t, 3)
		if missing != perPage || r.Counts.BadPages != 1 || r.Counts.Damaged != int64(perPage) {
			t.Errorf("%d rows are missing, want %d: %+v", missing, perPage, r.Counts)
		}
	})
	t.Run("text that is no text", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { b[item(9)+columns+6] = 0xFF; return b })
		if r, missing, _ := c.unload(t, 3); missing != 1 || r.Counts.Damaged != 1 {
			t.Errorf("%d rows are missing, want 1: %+v", missing, r.Counts)
		}
	})
	t.Run("xmin of the future", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte {
			le.PutUint32(b[item(3):], 5_000_000)
			le.PutUint16(b[item(3)+20:], le.Uint16(b[item(3)+20:])&^uint16(pgdisk.HeapXminInvalid)) // committed, not frozen
			return b
		})
		if r, missing, notes := c.unload(t, 3); missing != 0 || r.Counts.Doubtful != 1 || !strings.Contains(notes, "was not given out yet") {
			t.Errorf("%d rows are missing, want 0, one doubtful: %+v\n%s", missing, r.Counts, notes)
		}
	})
	t.Run("a TOAST chunk", func(t *testing.T) {
		c.patch(t, c.toast, func(b []byte) []byte {
			h, _ := pgdisk.DecodePageHeader(b[:pgdisk.BlockSize])
			chunk := int(pgdisk.ItemIDs(b[:pgdisk.BlockSize], h)[1].Off)
			le.PutUint32(b[chunk+24+4:], 77) // chunk_seq
			return b
		})
		r, missing, notes := c.unload(t, 3)
		if missing != 1 || r.Counts.Damaged != 1 || r.Counts.BadValues != 1 || !strings.Contains(notes, `"column":"long"`) || !strings.Contains(notes, "chunk 2 of 4") {
			t.Errorf("%d rows are missing, want 1: %+v\n%s", missing, r.Counts, notes)
		}
	})
	t.Run("a missing TOAST index", func(t *testing.T) {
		c.hide(t, c.toastidx)
		if r, missing, _ := c.unload(t, 3); missing != 0 || !r.Counts.Clean() {
			t.Errorf("%d rows are missing, want 0: %+v", missing, r.Counts)
		}
	})
	t.Run("a TOAST index of zeroes", func(t *testing.T) {
		c.patch(t, c.toastidx, func(b []byte) []byte { clear(b); return b })
		if r, missing, _ := c.unload(t, 0); missing != 0 || !r.Counts.Clean() {
			t.Errorf("%d rows are missing, want 0: %+v", missing, r.Counts)
		}
	})
	t.Run("a missing TOAST table", func(t *testing.T) {
		c.hide(t, c.toast)
		if r, missing, _ := c.unload(t, 3); missing != 200 || r.Counts.Damaged != 200 {
			t.Errorf("%d rows are missing, want 200: %+v", missing, r.Counts)
		}
	})
	t.Run("a missing table", func(t *testing.T) {
		c.hide(t, c.table)
		if _, missing, notes := c.unload(t, 3); missing != len(c.rows) || !strings.Contains(notes, "is missing") {
			t.Errorf("%d rows are missing, want all\n%s", missing, notes)
		}
	})
	t.Run("pg_xact lost", func(t *testing.T) {
		c.hide(t, "pg_xact")
		if _, missing, notes := c.unload(t, 3); missing != 0 || !strings.Contains(notes, "pg_xact") {
			t.Errorf("%d rows are missing, want 0: hint bits tell\n%s", missing, notes)
		}
	})
	t.Run("a file cut short", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { return b[:len(b)-pgdisk.BlockSize/2] })
		if r, missing, notes := c.unload(t, 3); missing == 0 || r.Counts.LostBlocks != 1 || !strings.Contains(notes, "ends within the block") {
			t.Errorf("%d rows are missing: %+v\n%s", missing, r.Counts, notes)
		}
	})
	t.Run("a missing segment", func(t *testing.T) { c.missingSegment(t) })
}

// missingSegment cuts the table into three files, as a server with small segments has them,
// and takes the second away.
func (c *damagedCluster) missingSegment(t *testing.T) {
	const blocks = 64
	c.patch(t, pgdisk.ControlFilePath, func(b []byte) []byte {
		control, err := pgdisk.DecodeControl(b)
		if err != nil {
			t.Fatal(err)
		}
		control.RelSegSize = blocks
		if b, err = pgdisk.EncodeControl(control); err != nil {
			t.Fatal(err)
		}
		return b
	})
	err := filepath.WalkDir(filepath.Join(c.data, "base"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(d.Name(), "_") {
			return err
		}
		rel, err := filepath.Rel(c.data, path)
		if err != nil {
			return err
		}
		if whole := unloadedFile(t, path); len(whole) > blocks*pgdisk.BlockSize {
			c.patch(t, rel, func(b []byte) []byte { return b[:blocks*pgdisk.BlockSize] })
			for i := 1; i*blocks*pgdisk.BlockSize < len(whole); i++ {
				name := fmt.Sprintf("%s.%d", path, i)
				t.Cleanup(func() {
					if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
						t.Fatal(err)
					}
				})
				if err := os.WriteFile(name, whole[i*blocks*pgdisk.BlockSize:min(len(whole), (i+1)*blocks*pgdisk.BlockSize)], 0o600); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, missing, _ := c.unload(t, 0); missing != 0 || !r.Counts.Clean() {
		t.Errorf("with all its segments, %d rows are missing: %+v", missing, r.Counts)
	}
	if err := os.Remove(filepath.Join(c.data, c.table+".1")); err != nil {
		t.Fatal(err)
	}
	r, missing, notes := c.unload(t, 3)
	if r.Counts.LostBlocks != blocks || missing < blocks*50 || !strings.Contains(notes, c.table+".1 is missing") {
		t.Errorf("%d rows are missing: %+v\n%s", missing, r.Counts, notes)
	}
}

// With checksums, the rows of a page that fails are kept, apart from the others.
func TestUnloadChecksum(t *testing.T) {
	c := newDamagedCluster(t, "--data-checksums")
	t.Run("of a table", func(t *testing.T) {
		c.patch(t, c.table, func(b []byte) []byte { b[2*pgdisk.BlockSize-3] ^= 1; return b }) // in the text of a row
		r, missing, notes := c.unload(t, 3)
		if n := len(c.tuples); missing != n || r.Counts.Damaged != int64(n) || r.Counts.BadPages != 1 || !strings.Contains(notes, "fails its checksum") {
			t.Errorf("%d rows are missing, want %d: %+v\n%s", missing, n, r.Counts, notes)
		}
	})
	t.Run("of a TOAST table", func(t *testing.T) {
		c.patch(t, c.toast, func(b []byte) []byte { b[pgdisk.BlockSize-3] ^= 1; return b })
		r, missing, notes := c.unload(t, 3)
		if missing < 1 || missing > 2 || r.Counts.Damaged != int64(missing) || !strings.Contains(notes, "fails its checksum") {
			t.Errorf("%d rows are missing, want 1 or 2: %+v\n%s", missing, r.Counts, notes)
		}
	})
}
