package agent

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Each round of these runs ours and the named peers one after the other on the same files,
// so that the ratios hold when the machine's speed drifts.

// timed runs a shell command in which $1 is the source and $2 an empty directory.
func timed(b *testing.B, script, src string) float64 {
	b.Helper()
	dst := b.TempDir()
	defer os.RemoveAll(dst)
	began := time.Now()
	if out, err := exec.Command("bash", "-c", "set -eo pipefail; "+script, "-", src, dst).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return time.Since(began).Seconds()
}

func BenchmarkSnapshotRatios(b *testing.B) {
	src := benchData(b)
	var ours, whole, cp, cpSync, tar float64
	for b.Loop() {
		dst := []Piece{{Name: "data", Path: b.TempDir()}}
		res, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst}, nil)
		if err != nil {
			b.Fatal(err)
		}
		os.RemoveAll(dst[0].Path)
		ours += res.Seconds.Measure + res.Seconds.Copy
		whole += res.Seconds.Measure + res.Seconds.Copy + res.Seconds.Sync + res.Seconds.ReadBack
		cp += timed(b, `cp -a "$1" "$2/copy"`, src[0].Path)
		cpSync += timed(b, `cp -a "$1" "$2/copy"; sync -f "$2"`, src[0].Path)
		tar += timed(b, `tar -C "$1" -czf "$2/a.tar.gz" .`, src[0].Path)
	}
	b.ReportMetric(ours/cp, "x-of-cp-a")
	b.ReportMetric(whole/cpSync, "with-sync-and-readback-x-of-cp-a-sync")
	b.ReportMetric(ours/tar, "x-of-tar-czf")
}

func BenchmarkArchiveRatios(b *testing.B) {
	src := benchData(b)
	dst := []Piece{{Name: "data", Path: b.TempDir()}}
	_, records := mustCopy(b, CopyRequest{Source: src, Dest: dst, NoReadBack: true})
	var write, whole, peer float64
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "a.tar.zst")
		res, err := Archive(context.Background(), ArchiveRequest{Pieces: dst, Path: path}, &Stream{Input: RecordsOf(records)})
		if err != nil {
			b.Fatal(err)
		}
		os.Remove(path)
		write += res.Write
		whole += res.Write + res.Verify
		peer += timed(b, `tar -C "$1" -cf - . | zstd -q -T0 -3 -o "$2/a.tar.zst"; sync "$2/a.tar.zst"`, dst[0].Path)
	}
	b.ReportMetric(write/peer, "x-of-tar-zstd")
	b.ReportMetric(whole/peer, "with-verification-x-of-tar-zstd")
}
