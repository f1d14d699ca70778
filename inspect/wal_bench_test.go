package inspect

import (
	"io"
	"os"
	"testing"
)

func BenchmarkWALText(b *testing.B) {
	in := WALInput{FS: os.DirFS("/tmp/a2/bench/pg_wal")}
	for b.Loop() {
		if _, err := WAL(b.Context(), in, WALOptions{}, io.Discard, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
