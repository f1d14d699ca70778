package dockerops

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

func TestRunOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out, stderr, code, err := b.RunOnce(b.ctx, b.spec(nil, "cat"), strings.NewReader("in and out"))
	if err != nil || code != 0 || string(out) != "in and out" || len(stderr) != 0 {
		t.Errorf("cat: %q, %q, exit %d, %v", out, stderr, code, err)
	}
	out, stderr, code, err = b.RunOnce(b.ctx, b.spec(nil, "fail", "7"), nil)
	if err != nil || code != 7 || string(out) != "out line\n" || string(stderr) != "err line\n" {
		t.Errorf("fail: %q, %q, exit %d, %v", out, stderr, code, err)
	}
	s := b.spec(nil, "id")
	s.User, s.WorkingDir, s.Env = "12:34", "/w", []string{"DOPS=x"}
	out, _, _, err = b.RunOnce(b.ctx, s, nil)
	if err != nil || string(out) != "12 34 /w x\n" {
		t.Errorf("id: %q, %v", out, err)
	}
	s = b.spec(nil)
	s.Entrypoint = []string{"/nothing-there"}
	if _, _, _, err = b.RunOnce(b.ctx, s, nil); err == nil {
		t.Error("a program that does not exist ran")
	}
	own, err := b.Owned(b.ctx, b.incident)
	if err != nil || len(own) != 0 {
		t.Errorf("left behind: %v, %v", own, err)
	}
}

func TestRunOnceCancelledRemoves(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	start := time.Now()
	_, _, _, err := b.RunOnce(ctx, b.spec(nil, "idle"), nil)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrDaemonGone) {
		t.Errorf("got %v, want the caller's deadline and no blame for the daemon", err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
	own, err := b.Owned(b.ctx, b.incident)
	if err != nil || len(own) != 0 {
		t.Errorf("left behind: %v, %v", own, err)
	}
}

func TestContainerLife(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id, err := b.Run(b.ctx, b.spec(nil, "idle"))
	b.must(err)
	ps, err := b.Processes(b.ctx, id)
	b.must(err)
	if len(ps) != 1 || ps[0].Name != "pgrescue" || ps[0].PID == 0 || !strings.HasSuffix(ps[0].Args, "/pgrescue idle") {
		t.Errorf("processes: %+v", ps)
	}
	b.ready(id)
	waited := make(chan Exit, 1)
	go func() {
		e, err := b.Wait(b.ctx, id)
		if err != nil {
			t.Error(err)
		}
		waited <- e
	}()
	start := time.Now()
	b.must(b.Stop(b.ctx, id, time.Minute))
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("stop took %v: the stop signal did not arrive", d)
	}
	if e := <-waited; e.Code != 0 || e.OOMKilled {
		t.Errorf("exit: %+v", e)
	}
	if ps, err := b.Processes(b.ctx, id); err != nil || len(ps) != 0 {
		t.Errorf("processes of a stopped container: %v, %v", ps, err)
	}
	b.must(b.Remove(b.ctx, id))
	b.must(b.Remove(b.ctx, id))
	if _, err := b.Container(b.ctx, id); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

// A database image declares its data directory a VOLUME. A sandbox must not
// get a stray volume there.
func TestImageVolumesAreCovered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	base, err := b.Create(b.ctx, b.spec(nil, "idle"))
	b.must(err)
	ref := helperRepo + ":" + b.incident
	_, err = b.api.ContainerCommit(b.ctx, base, container.CommitOptions{Reference: ref, Changes: []string{"VOLUME /pg /log /tmp"}})
	b.must(err)
	t.Cleanup(func() { b.must(b.RemoveHelperImage(context.Background(), ref)) })
	data := b.volume("data", RoleScratch)
	s := b.spec([]Mount{vol(data, "/pg/18/docker", false), vol(data, "/log", false)}, "idle")
	s.Image, s.ReadonlyRootfs, s.Tmpfs = ref, true, map[string]string{"/tmp": "mode=1777"}
	id, err := b.Run(b.ctx, s)
	b.must(err)
	t.Cleanup(func() { b.must(b.Remove(context.Background(), id)) })
	ct, err := b.Container(b.ctx, id)
	b.must(err)
	var got []string
	for _, m := range ct.Mounts {
		got = append(got, m.Type+" "+m.Destination+" "+m.Name)
	}
	want := []string{"volume /log " + data, "tmpfs /pg ", "volume /pg/18/docker " + data, "tmpfs /tmp "}
	if !slices.Equal(got, want) {
		t.Errorf("mounts %q, want %q", got, want)
	}
	for _, file := range []string{"/pg/18/docker/f", "/tmp/f"} {
		code, err := b.Exec(b.ctx, id, ExecOptions{Argv: []string{HelperBinary, "put", file, "x"}, User: "0:0"})
		if err != nil || code != 0 {
			t.Errorf("writing %s: exit %d, %v", file, code, err)
		}
	}
	out, _, _, err := b.Output(b.ctx, id, HelperBinary, "sum", "/tmp")
	if err != nil || !strings.HasPrefix(string(out), " dtrwxrwxrwx 0 0") {
		t.Errorf("/tmp: %s, %v", out, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tests := []struct {
		name string
		edit func(*Spec)
		want string
	}{
		{"no incident", func(s *Spec) { s.Tag.Incident = "" }, "without owner"},
		{"image that is not here", func(s *Spec) { s.Image = "pgrescue-no-such:1" }, "not pulled"},
		{"relative destination", func(s *Spec) { s.Mounts = []Mount{vol("x", "data", false)} }, "not absolute"},
		{"anonymous volume", func(s *Spec) { s.Mounts = []Mount{vol("", "/data", false)} }, "neither a named volume"},
		{"bind of nothing", func(s *Spec) {
			s.Mounts = []Mount{{Type: MountBind, Source: "/no/such/dir", Destination: "/x"}}
		}, "does not exist"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := b.spec(nil, "idle")
			tt.edit(&s)
			if _, err := b.Create(b.ctx, s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestStrangersAreLeftAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	v := b.strangeVolume("data")
	id := b.stranger("other", containerCmd("idle"), withVolume(v), true)
	if err := b.Remove(b.ctx, id); err == nil || !strings.Contains(err.Error(), "left alone") {
		t.Errorf("remove: %v", err)
	}
	if err := b.Kill(b.ctx, id, "SIGKILL"); err == nil || !strings.Contains(err.Error(), "left alone") {
		t.Errorf("kill: %v", err)
	}
	if err := b.RemoveVolume(b.ctx, v); err == nil || !strings.Contains(err.Error(), "kept") {
		t.Errorf("remove volume: %v", err)
	}
	got, err := b.Container(b.ctx, id)
	if err != nil || !got.State.Running {
		t.Errorf("stranger: %+v, %v", got.State, err)
	}
}

func TestReadOnlyMountIsReadOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	v := b.volume("v", RoleSnapshot)
	b.tool([]Mount{vol(v, "/v", false)}, "put", "/v/f", "one")
	s := b.spec([]Mount{vol(v, "/v", true)}, "put", "/v/f", "two")
	_, stderr, code, err := b.RunOnce(b.ctx, s, nil)
	b.must(err)
	if code == 0 || !strings.Contains(string(stderr), "read-only file system") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
