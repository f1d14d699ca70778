package drop

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// proxy stands between pgrescue and the Docker daemon, so that the daemon can drop out
// for one test without anybody else noticing.
type proxy struct {
	t    testing.TB
	path string

	mu    sync.Mutex
	l     net.Listener
	conns map[net.Conn]bool
	hold  bool
	free  chan struct{} // closed when nothing is held any more
	held  int           // streams that wait for it
}

// newProxy serves a socket of its own. It ends with the test.
func newProxy(t testing.TB) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2d") // a test's own directory is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, path: filepath.Join(dir, "docker.sock"), conns: map[net.Conn]bool{}, free: make(chan struct{})}
	p.restore()
	t.Cleanup(func() {
		p.cut()
		os.RemoveAll(dir)
	})
	return p
}

func (p *proxy) env() string { return "DOCKER_HOST=unix://" + p.path }

// restore lets the daemon be reached (again).
func (p *proxy) restore() {
	p.t.Helper()
	l, err := net.Listen("unix", p.path)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	p.l = l
	p.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.carry(conn)
		}
	}()
}

// cut drops every connection and refuses new ones, as a daemon that has died does.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.l.Close() // removes the socket
	for c := range p.conns {
		c.Close()
	}
	p.release()
}

// holdStreams keeps back what programs in containers write from now on: they do their
// work, and nobody hears of it.
func (p *proxy) holdStreams() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hold, p.held = true, 0
}

// holding is the number of streams that have something to say and are kept from it.
func (p *proxy) holding() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// release lets go of what holdStreams kept back.
func (p *proxy) letGo() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release()
}

func (p *proxy) release() {
	p.hold = false
	close(p.free)
	p.free = make(chan struct{})
}

func (p *proxy) track(c net.Conn, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if on {
		p.conns[c] = true
	} else {
		delete(p.conns, c)
	}
}

type halfCloser interface{ CloseWrite() error }

func (p *proxy) carry(client net.Conn) {
	defer client.Close()
	daemon, err := net.Dial("unix", "/var/run/docker.sock")
	if err != nil {
		return
	}
	defer daemon.Close()
	for _, c := range []net.Conn{client, daemon} {
		p.track(c, true)
		defer p.track(c, false)
	}
	in := bufio.NewReader(client)
	first, err := in.Peek(1)
	if err != nil || len(first) == 0 {
		return
	}
	line, _ := in.Peek(in.Buffered())
	request, _, _ := strings.Cut(string(line), "\r\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(daemon, in)
		_ = daemon.(halfCloser).CloseWrite()
	}()
	p.back(client, daemon, strings.Contains(request, "/attach?"))
	_ = client.(halfCloser).CloseWrite()
	<-done
}

// back carries what the daemon says. Of an attached program the first answer is the
// daemon's own and always passes.
func (p *proxy) back(client, daemon net.Conn, attached bool) {
	buf := make([]byte, 32<<10)
	for n := 0; ; n++ {
		read, err := daemon.Read(buf)
		if attached && n > 0 {
			p.wait()
		}
		if _, werr := client.Write(buf[:read]); werr != nil || err != nil {
			return
		}
	}
}

func (p *proxy) wait() {
	p.mu.Lock()
	if !p.hold {
		p.mu.Unlock()
		return
	}
	free := p.free
	p.held++
	p.mu.Unlock()
	<-free
}
