package agent

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// The figures that matter are ratios between runs side by side: run with
//
//	go test -run - -bench . -benchtime 3x ./agent
//
// and compare BenchmarkSnapshot with its cp, tar and archive neighbours. PGRESCUE_BENCH_MB
// sets the size of the data.

// benchData makes a cluster's files, repeated until they are worth measuring.
func benchData(b *testing.B) []Piece {
	b.Helper()
	if testing.Short() {
		b.Skip("SKIP-REASON: benchmarks do not run in short mode")
	}
	f := cluster(b)
	dir := filepath.Join(fixtureDir, "bench")
	piece := []Piece{{Name: "data", Path: dir}}
	if _, err := os.Stat(dir); err == nil {
		return piece
	}
	run := func(argv ...string) {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	run("cp", "-a", f.data, dir)
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		run("cp", "-a", dir+"/base/1", dir+"/base/9000"+n)
		// A table's worth of rows, named so that they count as no relation.
		if err := os.WriteFile(dir+"/base/9000"+n+"/rows", benchRows(n, 48<<20), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	run("sync")
	return piece
}

// benchRows is what the pages of an ordinary table hold: numbers that count up, text that
// does not repeat, times, and some air.
func benchRows(seed string, size int) []byte {
	out := make([]byte, 0, size+256)
	for i := 0; len(out) < size; i++ {
		sum := md5.Sum([]byte(seed + strconv.Itoa(i)))
		out = binary.LittleEndian.AppendUint64(out, uint64(i))
		out = binary.LittleEndian.AppendUint64(out, 800_000_000_000_000+uint64(i)*1_000_003)
		out = fmt.Appendf(out, "%x customer %d, order %d\x00\x00\x00", sum, i%1009, i)
	}
	return out[:size]
}

func size(b *testing.B, pieces []Piece) int64 {
	r, err := Fingerprint(context.Background(), FingerprintRequest{Pieces: pieces}, nil)
	if err != nil {
		b.Fatal(err)
	}
	return r.Usage.Bytes
}

func benchCopy(b *testing.B, noReadBack bool) {
	src := benchData(b)
	b.SetBytes(size(b, src))
	var copySeconds, syncSeconds, readSeconds float64
	for b.Loop() {
		b.StopTimer()
		dst := []Piece{{Name: "data", Path: b.TempDir()}}
		b.StartTimer()
		res, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst, NoReadBack: noReadBack}, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		copySeconds += res.Seconds.Copy
		syncSeconds += res.Seconds.Sync
		readSeconds += res.Seconds.ReadBack
		os.RemoveAll(dst[0].Path)
		b.StartTimer()
	}
	b.ReportMetric(copySeconds/float64(b.N), "copy-s/op")
	b.ReportMetric(syncSeconds/float64(b.N), "sync-s/op")
	b.ReportMetric(readSeconds/float64(b.N), "readback-s/op")
}

func BenchmarkSnapshot(b *testing.B)         { benchCopy(b, true) }
func BenchmarkSnapshotReadBack(b *testing.B) { benchCopy(b, false) }

// benchShell times a command in which $1 is the source and $2 an empty directory.
func benchShell(b *testing.B, script string) {
	src := benchData(b)
	b.SetBytes(size(b, src))
	for b.Loop() {
		b.StopTimer()
		dst := b.TempDir()
		b.StartTimer()
		if out, err := exec.Command("bash", "-c", "set -eo pipefail; "+script, "-", src[0].Path, dst).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		b.StopTimer()
		os.RemoveAll(dst)
		b.StartTimer()
	}
}

func BenchmarkCpA(b *testing.B)     { benchShell(b, `cp -a "$1" "$2/copy"`) }
func BenchmarkCpASync(b *testing.B) { benchShell(b, `cp -a "$1" "$2/copy"; sync -f "$2"`) }
func BenchmarkTarGzip(b *testing.B) { benchShell(b, `tar -C "$1" -czf "$2/a.tar.gz" .`) }
func BenchmarkTarZstd(b *testing.B) {
	benchShell(b, `tar -C "$1" -cf - . | zstd -q -T0 -3 -o "$2/a.tar.zst"; sync "$2/a.tar.zst"`)
}

func BenchmarkArchive(b *testing.B) {
	src := benchData(b)
	b.SetBytes(size(b, src))
	dst := []Piece{{Name: "data", Path: b.TempDir()}}
	_, records := mustCopy(b, CopyRequest{Source: src, Dest: dst, NoReadBack: true})
	var write, verify float64
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "a.tar.zst")
		res, err := Archive(context.Background(), ArchiveRequest{Pieces: dst, Path: path}, &Stream{Input: RecordsOf(records)})
		if err != nil {
			b.Fatal(err)
		}
		write += res.Write
		verify += res.Verify
		os.Remove(path)
	}
	b.ReportMetric(write/float64(b.N), "write-s/op")
	b.ReportMetric(verify/float64(b.N), "verify-s/op")
}
