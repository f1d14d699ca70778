package inspect

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/internal/truth"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// benchBytes is the size of the cluster that checksums are verified over: more than any cache
// of a processor, little enough to stay in memory.
const benchBytes = 512 << 20

// benchCluster makes a data directory, without a server: a pg_control that says 15, shut down
// and checksums on, and files of pages of 64 MB each.
func benchCluster(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	control, err := os.ReadFile("../pgops/pgdisk/testdata/control/pg15.bin")
	if err != nil {
		b.Fatal(err)
	}
	for name, content := range map[string][]byte{"PG_VERSION": []byte("15\n"), "global/pg_control": control, "base/5/PG_VERSION": []byte("15\n"), "pg_tblspc/x": nil} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if content == nil {
			continue
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	const fileBytes = 64 << 20
	for i := range benchBytes / fileBytes {
		var file bytes.Buffer
		for blk := range pgdisk.BlockNumber(fileBytes / pgdisk.BlockSize) {
			file.Write(newHeap(blk))
		}
		if err := os.WriteFile(filepath.Join(dir, "base/5", fmt.Sprint(20000+i)), file.Bytes(), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// BenchmarkPageCheck verifies all pages of a cluster that lies in memory. Each round runs the
// image's pg_checksums over the same files, so that the ratio holds when the machine's speed
// drifts.
func BenchmarkPageCheck(b *testing.B) {
	dir := benchCluster(b)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("%dworkers", workers), func(b *testing.B) {
			b.SetBytes(benchBytes)
			for b.Loop() {
				benchCheck(b, dir, workers)
			}
		})
	}
	b.Run("ratio", func(b *testing.B) {
		tool := imageChecksums(b, dir)
		var ours, theirs float64
		for b.Loop() {
			began := time.Now()
			benchCheck(b, dir, 0)
			ours += time.Since(began).Seconds()
			theirs += tool()
		}
		b.ReportMetric(theirs/float64(b.N), "pg_checksums-s/op")
		b.ReportMetric(theirs/ours, "x-of-pg_checksums")
	})
}

func benchCheck(b *testing.B, dir string, workers int) {
	b.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	sum, err := PageCheck(b.Context(), PageCheckSource{FS: root.FS(), Checksums: ChecksumsOn, Workers: workers}, false, io.Discard)
	if err != nil || sum.Bytes != benchBytes || sum.Bad != 0 {
		b.Fatalf("%+v, %v", sum, err)
	}
}

// imageChecksums starts a container of PostgreSQL 15 with the directory in it, and returns
// what runs its pg_checksums and tells how many seconds that took, by the container's clock:
// what docker exec costs is not counted.
func imageChecksums(b *testing.B, dir string) func() float64 {
	b.Helper()
	s := truth.Start(b, 15)
	s.Docker(b, nil, "cp", dir, s.Container+":/tmp/bench")
	s.Docker(b, nil, "exec", s.Container, "chown", "-R", "postgres", "/tmp/bench")
	return func() float64 {
		out := s.Sh(b, `from=$(date +%s%N); pg_checksums --check -D /tmp/bench >/tmp/said; to=$(date +%s%N); grep -q 'Bad checksums: *0$' /tmp/said; echo $((to - from))`)
		var ns float64
		if _, err := fmt.Sscan(out, &ns); err != nil {
			b.Fatal(err)
		}
		return ns / 1e9
	}
}
