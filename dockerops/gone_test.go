package dockerops

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// cutter stands between the client and the daemon and can be cut.
type cutter struct {
	l    net.Listener
	mu   sync.Mutex
	open []net.Conn
	hang bool
}

// newCutter listens on a socket of its own for the daemon at path.
func newCutter(t *testing.T, daemon string) *cutter {
	t.Helper()
	path := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{l: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.forward(conn, daemon)
		}
	}()
	t.Cleanup(c.cut)
	t.Setenv("DOCKER_HOST", "unix://"+path)
	return c
}

func (c *cutter) forward(conn net.Conn, daemon string) {
	up, err := net.Dial("unix", daemon)
	if err != nil {
		conn.Close()
		return
	}
	c.mu.Lock()
	c.open = append(c.open, conn, up)
	hang := c.hang
	c.mu.Unlock()
	if hang {
		return // accepted, never answered
	}
	go func() {
		io.Copy(up, conn)
		up.(*net.UnixConn).CloseWrite()
	}()
	io.Copy(conn, up)
	conn.Close()
}

// cut is what a daemon's death looks like.
func (c *cutter) cut() {
	c.l.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		conn.Close()
	}
}

// localSocket is the daemon's socket, or skips.
func localSocket(t *testing.T) string {
	t.Helper()
	path, ok := strings.CutPrefix(newBench(t).DaemonHost(), "unix://")
	if !ok {
		t.Skip("SKIP-REASON: the daemon is not at a unix socket")
	}
	return path
}

func TestDaemonGoneInMidStep(t *testing.T) {
	c := newCutter(t, localSocket(t))
	b := newBench(t)
	id := b.idle()
	s, err := b.ExecStream(b.ctx, id, HelperBinary, "cat")
	b.must(err)
	results := make(chan error, 4)
	go func() { _, err := b.Wait(b.ctx, id); results <- err }()
	go func() {
		r, w := io.Pipe()
		defer w.Close()
		_, err := b.Exec(b.ctx, id, ExecOptions{Argv: []string{HelperBinary, "cat"}, Stdin: r})
		results <- err
	}()
	go func() { _, _, _, err := b.RunOnce(b.ctx, b.spec(nil, "idle"), nil); results <- err }()
	go func() {
		_, err := io.ReadAll(s)
		if err == nil {
			_, err = s.Wait(b.ctx)
		}
		results <- wrap(b.ctx, err, "stream")
	}()
	b.eventually("all three run", func() bool {
		ps, _ := b.Processes(b.ctx, id)
		own, _ := b.Owned(b.ctx, b.incident)
		return len(ps) == 3 && len(own) == 2
	})
	time.Sleep(200 * time.Millisecond)
	c.cut()
	for range 4 {
		select {
		case err := <-results:
			if !errors.Is(err, ErrDaemonGone) {
				t.Errorf("got %v, want ErrDaemonGone", err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("a call hangs without its daemon")
		}
	}
	for name, call := range map[string]func() error{
		"list":    func() error { _, err := b.List(b.ctx); return err },
		"resolve": func() error { _, err := b.Resolve(b.ctx, "volume:x"); return err },
		"host":    func() error { _, err := b.Host(b.ctx); return err },
		"create":  func() error { _, err := b.Create(b.ctx, b.spec(nil, "idle")); return err },
		"disarm":  func() error { return b.Disarm(b.ctx, Supervision{Kind: KindContainer, ID: id}) },
		"dial":    func() error { _, err := b.Dial(b.ctx, id, "x"); return err },
	} {
		if err := call(); !errors.Is(err, ErrDaemonGone) {
			t.Errorf("%s: got %v, want ErrDaemonGone", name, err)
		}
	}
	b.reconnect(t)
}

// reconnect makes the bench's clean-up work after its connection was cut.
func (b *bench) reconnect(t *testing.T) {
	t.Helper()
	os.Unsetenv("DOCKER_HOST") // t.Setenv puts it back
	again, err := Connect(context.Background())
	b.must(err)
	b.Client = again
}

func TestDaemonThatHangs(t *testing.T) {
	c := newCutter(t, localSocket(t))
	b := newBench(t)
	id := b.idle()
	c.mu.Lock()
	c.hang = true
	c.mu.Unlock()
	b.must(b.Close()) // idle connections still reach the daemon
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	start := time.Now()
	if _, err := b.ExecStream(ctx, id, HelperBinary, "cat"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := b.StartAttached(ctx, id); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("hung for %v", d)
	}
	b.reconnect(t)
}

func TestConnectErrors(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"ssh://root@db1":            "run pgrescue there",
		"unix://" + dir + "/absent": "systemctl start docker",
		"unix://" + plain:           "systemctl start docker",
		"tcp://127.0.0.1:1":         "systemctl start docker",
		"nonsense":                  "DOCKER_HOST",
	} {
		t.Setenv("DOCKER_HOST", host)
		_, err := Connect(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %q", host, err, want)
		}
	}
}

func TestConnectPermissionDenied(t *testing.T) {
	c := &Client{host: "unix:///x"}
	err := c.connectError(t.Context(), &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", os.ErrPermission)})
	if !strings.Contains(err.Error(), "member of the group docker") {
		t.Errorf("got %v", err)
	}
}

func TestHost(t *testing.T) {
	b := newBench(t)
	h, err := b.Host(b.ctx)
	b.must(err)
	if h.ServerVersion == "" || h.RootDir == "" || h.APIVersion == "" || h.Kernel == "" || h.CPUs == 0 || h.MemoryBytes == 0 || h.Arch == "" {
		t.Errorf("host %+v", h)
	}
	if !hasSecurityOption([]string{"name=seccomp,profile=default", "name=rootless"}, "rootless") || hasSecurityOption([]string{"name=seccomp"}, "rootless") {
		t.Error("security options are misread")
	}
}
