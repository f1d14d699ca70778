package dockerops

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// idle starts a container that execs can run in.
func (b *bench) idle(mounts ...Mount) string {
	b.t.Helper()
	s := b.spec(mounts, "idle")
	s.Tmpfs = map[string]string{"/run": "mode=1777"}
	id, err := b.Run(b.ctx, s)
	b.must(err)
	return id
}

func TestExec(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.idle()
	var out, stderr bytes.Buffer
	code, err := b.Exec(b.ctx, id, ExecOptions{
		Argv: []string{HelperBinary, "id"}, User: "5:6", Env: []string{"DOPS=y"}, WorkingDir: "/run", Stdout: &out,
	})
	if err != nil || code != 0 || out.String() != "5 6 /run y\n" {
		t.Errorf("id: %q, exit %d, %v", out.String(), code, err)
	}
	code, err = b.Exec(b.ctx, id, ExecOptions{Argv: []string{HelperBinary, "fail", "3"}, Stderr: &stderr})
	if err != nil || code != 3 || stderr.String() != "err line\n" {
		t.Errorf("fail: %q, exit %d, %v", stderr.String(), code, err)
	}
	big := strings.Repeat("0123456789abcdef", 1<<16)
	out.Reset()
	code, err = b.Exec(b.ctx, id, ExecOptions{Argv: []string{HelperBinary, "cat"}, Stdin: strings.NewReader(big), Stdout: &out})
	if err != nil || code != 0 || out.String() != big {
		t.Errorf("cat of %d bytes gave %d, exit %d, %v", len(big), out.Len(), code, err)
	}
	o, e, code, err := b.Output(b.ctx, id, HelperBinary, "flood", "5000")
	if err != nil || code != 0 || bytes.Count(o, []byte("\n")) != 5000 || bytes.Count(e, []byte("\n")) != 5000 || bytes.Contains(o, []byte("err")) {
		t.Errorf("flood: %d and %d bytes, exit %d, %v", len(o), len(e), code, err)
	}
}

func TestExecRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.idle()
	if _, err := b.Exec(b.ctx, id, ExecOptions{}); err == nil {
		t.Error("no program: no error")
	}
	code, err := b.Exec(b.ctx, id, ExecOptions{Argv: []string{"/nothing"}})
	if err == nil && code != 126 && code != 127 {
		t.Errorf("missing program: exit %d, %v", code, err)
	}
	b.must(b.Stop(b.ctx, id, time.Minute))
	if _, err := b.Exec(b.ctx, id, ExecOptions{Argv: []string{HelperBinary, "id"}}); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("stopped container: %v", err)
	}
	if _, err := b.Exec(b.ctx, b.name("none"), ExecOptions{Argv: []string{"x"}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("no container: %v", err)
	}
}

// An exec cannot be killed, so the end of its stdin has to end it.
func TestExecCancelClosesStdin(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.idle()
	ctx, cancel := context.WithCancel(b.ctx)
	r, w := io.Pipe()
	defer w.Close()
	done := make(chan error, 1)
	go func() {
		_, err := b.Exec(ctx, id, ExecOptions{Argv: []string{HelperBinary, "cat"}, Stdin: r})
		done <- err
	}()
	b.eventually("exec runs", func() bool { ps, _ := b.Processes(b.ctx, id); return len(ps) == 2 })
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("cancelling does not return")
	}
	b.eventually("exec has ended", func() bool { ps, _ := b.Processes(b.ctx, id); return len(ps) == 1 })
}

func TestExecContainerEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.idle()
	s, err := b.ExecStream(b.ctx, id, HelperBinary, "cat")
	b.must(err)
	defer s.Close()
	if _, err := s.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	b.must(b.Remove(b.ctx, id))
	if _, err := io.ReadAll(s); err != nil {
		t.Logf("read: %v", err)
	}
	if code, err := s.Wait(b.ctx); err == nil && code == 0 {
		t.Error("the killed program is reported as having ended well")
	} else if errors.Is(err, ErrDaemonGone) {
		t.Errorf("the daemon is blamed: %v", err)
	}
}
