package catalog

import (
	"os"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
)

// BenchmarkFresh reads the dictionary of one database of a cluster fresh from initdb: every
// catalog of it and those that are shared.
func BenchmarkFresh(b *testing.B) {
	tr := truth.Start(b, 18)
	tr.Sh(b, "initdb -N -k -A trust >/dev/null")
	fsys := os.DirFS(tr.Files(b, "/tmp/d"))
	for b.Loop() {
		c, err := Open(b.Context(), fsys)
		if err != nil {
			b.Fatal(err)
		}
		info, ok := c.DatabaseByName("postgres")
		if !ok {
			b.Fatal("no database postgres")
		}
		d, err := c.Database(b.Context(), info.OID)
		if err != nil || len(d.Relations) < 300 {
			b.Fatalf("%v", err)
		}
	}
}
