package catalog

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzDatabase: whatever single stretch of whatever file is overwritten, the dictionary is
// read without a panic, and what is found holds together.
func FuzzDatabase(f *testing.F) {
	sound := newSmall().build(f)
	names := sortedKeys(sound)
	f.Add(uint8(0), uint16(0), []byte{0xFF, 0xFF})
	f.Add(uint8(5), uint16(24), []byte{1, 2, 3, 4, 5, 6, 7, 8})
	for i, name := range names {
		if strings.HasSuffix(name, "1249") || strings.HasSuffix(name, "1259") || strings.HasSuffix(name, "1247") {
			f.Add(uint8(i), uint16(8100), []byte{0xFF, 0, 0xFF, 0x7F})
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, damage []byte) {
		fsys := make(fstest.MapFS, len(sound))
		for i, name := range names {
			file := *sound[name]
			if i == int(which)%len(names) {
				file.Data = slices.Clone(file.Data)
				if n := len(file.Data); n > 0 {
					copy(file.Data[int(at)%n:], damage)
				}
			}
			fsys[name] = &file
		}
		c, err := Open(t.Context(), fsys)
		if err != nil {
			return
		}
		for _, info := range c.Databases {
			d, err := c.Database(t.Context(), info.OID)
			if err != nil {
				continue
			}
			for _, r := range d.Relations {
				for i, col := range r.Columns {
					if int(col.Num) != i+1 {
						t.Fatalf("column %d at %d", col.Num, i)
					}
					_ = d.FormatType(col.TypeOID, col.Typmod)
				}
			}
			for _, typ := range d.Types() {
				for n, at := 0, typ; at != nil; n, at = n+1, madeOf(at) {
					if n > len(d.types) {
						t.Fatalf("type %d is made of itself", typ.OID)
					}
				}
			}
		}
	})
}
