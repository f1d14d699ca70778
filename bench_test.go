//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"golang.org/x/sys/unix"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// The figures of the program as people have it: static, started from a shell. They are
// reported, never judged: a busy machine is no defect.

// binary builds the program once.
func binary(b *testing.B) string {
	b.Helper()
	path, err := built()
	if err != nil {
		b.Fatal(err)
	}
	return path
}

var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.Getenv(scratchVariable), "pgrescue")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

func BenchmarkStartVersion(b *testing.B) {
	path := binary(b)
	for b.Loop() {
		out, err := exec.Command(path, "version").Output()
		if err != nil || !bytes.HasPrefix(out, []byte("pgrescue ")) {
			b.Fatalf("%q, %v", out, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/start")
}

// BenchmarkFirstFrame is from the start of the program to a whole screen.
func BenchmarkFirstFrame(b *testing.B) {
	path, state := binary(b), waitingIncident(b)
	var total time.Duration
	for b.Loop() {
		s := startOnTerminal(b, path, "--state-dir", state, "attach", "--ui", "tui")
		total += s.awaitFrame(b)
		s.end()
	}
	b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "ms/first-frame")
}

// BenchmarkIdleScreen counts what a screen costs on which nothing happens.
func BenchmarkIdleScreen(b *testing.B) {
	path, state := binary(b), waitingIncident(b)
	const idle = 3 * time.Second
	var written int
	for b.Loop() {
		s := startOnTerminal(b, path, "--state-dir", state, "attach", "--ui", "tui")
		s.awaitFrame(b)
		time.Sleep(time.Second)
		before := s.len()
		time.Sleep(idle)
		written += s.len() - before
		s.end()
	}
	b.ReportMetric(float64(written)/idle.Seconds()/float64(b.N), "B/s-idle")
}

// waitingIncident plays the practice playbook in this process up to its first consent, and
// serves it to front ends.
func waitingIncident(b *testing.B) (state string) {
	b.Helper()
	state = b.TempDir()
	dir, err := journal.Create(state, "container:db", time.Now())
	if err != nil {
		b.Fatal(err)
	}
	log, _, err := journal.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	s, err := engine.Open(practice("healed"), nowhere{}, log, nil, engine.Reopened{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Begin(engine.Opened{Incident: dir.ID(), Target: "container:db", Host: "db7", Actor: "erika@db7", Version: "bench"}); err != nil {
		b.Fatal(err)
	}
	listener, err := listen(dir)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = (&engine.Server{Incident: dir.ID(), Hub: s.Hub(), Decide: s.Decide}).Serve(ctx, listener)
	})
	wg.Go(func() { _, _ = s.Run(ctx) }) // ends as aborted with the benchmark
	b.Cleanup(func() {
		cancel()
		wg.Wait()
		log.Close()
	})
	for s.View().Question == nil {
		time.Sleep(time.Millisecond)
	}
	q := s.View().Question
	if err := s.Decide(engine.Decision{Kind: engine.DecideAnswer, Act: q.Act, Step: q.Step, Name: q.Name, Value: "none"}); err != nil {
		b.Fatal(err)
	}
	for s.View().Gate == nil {
		time.Sleep(time.Millisecond)
	}
	return state
}

// BenchmarkClone lays clones over snapshots of two sizes: the time must not grow with it.
func BenchmarkClone(b *testing.B) {
	ctx := context.Background()
	c, err := dockerops.Connect(ctx)
	if err != nil {
		b.Skipf("SKIP-REASON: no Docker daemon: %v", err)
	}
	defer c.Close()
	incident := fmt.Sprintf("bench-%d", os.Getpid())
	b.Cleanup(func() { _, _ = c.Clean(ctx, incident, true) })
	helper, err := c.EnsureHelperImage(ctx, binary(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { removeImage(b, helper) }) // of this build: nobody else uses it
	for _, mb := range []int64{50, 1000} {
		b.Run(fmt.Sprintf("%dMB", mb), func(b *testing.B) {
			lower := filledVolume(b, c, incident, mb)
			n := 0
			for b.Loop() {
				n++
				clone, err := c.OverlayClone(ctx, dockerops.CloneSpec{Name: fmt.Sprintf("%s-%d-%d", incident, mb, n), Incident: incident, Lower: lower, Image: helper})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := c.RemoveClone(ctx, clone); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/clone")
		})
	}
}

func removeImage(b *testing.B, ref string) {
	cli, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err == nil {
		_, err = cli.ImageRemove(context.Background(), ref, image.RemoveOptions{})
		cli.Close()
	}
	if err != nil {
		b.Logf("helper image %s was left: %v", ref, err)
	}
}

// filledVolume is a volume with so many files of 1 MB, allocated and not sparse.
func filledVolume(b *testing.B, c *dockerops.Client, incident string, mb int64) string {
	b.Helper()
	name := fmt.Sprintf("%s-lower-%d", incident, mb)
	v, err := c.CreateVolume(context.Background(), name, dockerops.Tag{Incident: incident, Role: dockerops.RoleSnapshot}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for i := range mb {
		f, err := os.Create(filepath.Join(v.Mountpoint, fmt.Sprint(16384+i)))
		if err != nil {
			b.Skipf("SKIP-REASON: the daemon's volumes cannot be written from here: %v", err)
		}
		if err := unix.Fallocate(int(f.Fd()), 0, 0, 1<<20); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	return name
}

// BenchmarkAgentMemory copies a tree of 2 GB, most of it holes, and reports the most memory
// that the agent ever held.
func BenchmarkAgentMemory(b *testing.B) {
	path, src := binary(b), b.TempDir()
	for i := range 20 {
		if err := sparseFile(filepath.Join(src, fmt.Sprint(16384+i)), 100<<20); err != nil {
			b.Fatal(err)
		}
	}
	peak := int64(0)
	for b.Loop() {
		cmd := exec.Command(path, "agent")
		conn, err := agent.StartProcess(cmd)
		if err != nil {
			b.Fatal(err)
		}
		res, err := agent.Call[agent.CopyRequest, agent.CopyResult](context.Background(), conn, agent.JobCopy, agent.CopyRequest{
			Source: []agent.Piece{{Name: "data", Path: src}}, Dest: []agent.Piece{{Name: "data", Path: b.TempDir()}},
		}, nil, func(json.RawMessage) error { return nil })
		if err != nil || res.Files != 20 {
			b.Fatalf("%d files, %v", res.Files, err)
		}
		if err := conn.Close(); err != nil {
			b.Fatal(err)
		}
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			peak = max(peak, usage.Maxrss<<10)
		}
	}
	b.ReportMetric(float64(peak)/1e6, "MB-peak")
}

// sparseFile writes a page every megabyte.
func sparseFile(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	page := bytes.Repeat([]byte{0xa5}, 8192)
	for off := int64(0); off < size; off += 1 << 20 {
		if _, err := f.WriteAt(page, off); err != nil {
			return err
		}
	}
	return f.Truncate(size)
}
