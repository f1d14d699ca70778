package unload

import (
	"context"
	"os"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/catalog"
)

func BenchmarkProf(b *testing.B) {
	fsys := os.DirFS("/tmp/e/data")
	c, err := catalog.Open(context.Background(), fsys)
	if err != nil {
		b.Fatal(err)
	}
	d, _ := ParsePattern("bench")
	for _, table := range []string{"pgbench_accounts", "mixed"} {
		p, _ := ParsePattern(table)
		b.Run(table, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				dir, _ := os.MkdirTemp("/dev/shm", "e-unload-")
				_, _ = Run(context.Background(), fsys, c, Options{Dir: dir, Format: FormatCopy, Databases: []Pattern{d}, Tables: []Pattern{p}})
				os.RemoveAll(dir)
			}
		})
	}
}
