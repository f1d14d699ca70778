package ui

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// smokeDir holds the program that shows a made-up incident, once a test has built it.
var smokeDir string

var smoke = sync.OnceValues(func() (string, error) {
	path := filepath.Join(smokeDir, "smoke")
	out, err := exec.Command("go", "build", "-o", path, "./internal/smoke").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	var err error
	if smokeDir, err = os.MkdirTemp("", "pgrescue-smoke-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(smokeDir)
	os.Exit(code)
}

// pty is a program on a terminal of its own.
type pty struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	began  time.Time

	mu     sync.Mutex
	output []byte
	first  time.Duration // until the first byte
	paused bool
	resume *sync.Cond
	waited chan error
}

// onTerminal starts smoke on a terminal that answers no query.
func onTerminal(t *testing.T, cols, rows uint16, env []string, args ...string) *pty {
	t.Helper()
	path, err := smoke()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols})
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	p := &pty{t: t, master: os.NewFile(uintptr(fd), "ptmx"), cmd: exec.Command(path, args...), waited: make(chan error, 1)}
	p.resume = sync.NewCond(&p.mu)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.Env = append([]string{"TERM=xterm-256color", "LANG=C.UTF-8", "PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read()
	go func() { p.waited <- p.cmd.Wait() }()
	t.Cleanup(func() {
		p.pause(false)
		p.cmd.Process.Kill() // has usually ended long ago
		p.master.Close()
	})
	return p
}

func (p *pty) read() {
	buf := make([]byte, 4096)
	for {
		p.mu.Lock()
		for p.paused {
			p.resume.Wait()
		}
		p.mu.Unlock()
		n, err := p.master.Read(buf)
		p.mu.Lock()
		if n > 0 && p.first == 0 {
			p.first = time.Since(p.began)
		}
		p.output = append(p.output, buf[:n]...)
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// pause stops taking what the program writes.
func (p *pty) pause(on bool) {
	p.mu.Lock()
	p.paused = on
	p.mu.Unlock()
	p.resume.Broadcast()
}

func (p *pty) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.output)
}

func (p *pty) await(what string) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(p.text(), what) {
			return
		}
	}
	p.t.Fatalf("%q never came:\n%q", what, p.text())
}

func (p *pty) write(s string) {
	p.t.Helper()
	if _, err := p.master.WriteString(s); err != nil {
		p.t.Fatal(err)
	}
}

// ended waits for the program.
func (p *pty) ended(within time.Duration) {
	p.t.Helper()
	select {
	case <-p.waited:
	case <-time.After(within):
		p.t.Fatalf("still running after %v:\n%q", within, p.text())
	}
}

// The terminal is asked nothing at start-up, and nothing waits for an answer.
func TestNoQueryAtStart(t *testing.T) {
	p := onTerminal(t, 80, 24, nil)
	p.await("WAITS FOR YOU")
	for _, query := range []string{"\x1b]11", "\x1b]10", "\x1b[6n", "\x1b[c"} {
		if strings.Contains(p.text(), query) {
			t.Errorf("the terminal was asked %q", query)
		}
	}
	if !strings.Contains(p.text(), "\x1b[?1049h") {
		t.Error("this was not the full screen: the test sees nothing")
	}
	// The query would have cost five seconds; loaded machines get the benefit of the doubt.
	if p.first > 3*time.Second {
		t.Errorf("first byte after %v", p.first)
	}
	t.Logf("first byte after %v", p.first)
	p.write("\x04")
	p.ended(5 * time.Second)
	for _, end := range []string{"\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l", "Attach again with", "exit 0"} {
		p.await(end)
	}
}

// A screen on which nothing happens sends nothing.
func TestIdleBytes(t *testing.T) {
	p := onTerminal(t, 80, 24, nil)
	p.await("WAITS FOR YOU")
	time.Sleep(1200 * time.Millisecond) // the gate arms itself
	before := len(p.text())
	time.Sleep(2500 * time.Millisecond)
	if n := len(p.text()) - before; n != 0 {
		t.Errorf("%d bytes in 2.5 s of idleness: %q", n, p.text()[before:])
	}
	p.write("\x04")
	p.ended(5 * time.Second)
}

// A terminal that takes nothing (ctrl-s, a dead line) does not keep the program.
func TestBlockedTerminal(t *testing.T) {
	p := onTerminal(t, 200, 60, nil, "-script", "busy", "-pace", "5ms")
	p.await("working")
	p.pause(true)
	for range 400 { // enough frames to fill the terminal's buffer
		p.write("?")
		time.Sleep(2 * time.Millisecond)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.ended(8 * time.Second)
}

func TestTerminalSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		p := onTerminal(t, 80, 24, nil)
		p.await("WAITS FOR YOU")
		if err := p.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		p.ended(5 * time.Second)
		p.await("\x1b[?1049l")
		p.await("exit 0")
	}
}

// The line drops: the program ends by itself, soon and without spinning.
func TestTerminalGone(t *testing.T) {
	p := onTerminal(t, 80, 24, nil)
	p.await("WAITS FOR YOU")
	p.master.Close()
	p.ended(5 * time.Second)
}

// What is left of a panic is readable, and the terminal is as it was.
func TestPanicRestoresTerminal(t *testing.T) {
	p := onTerminal(t, 80, 24, nil, "-script", "panic")
	p.ended(10 * time.Second)
	p.await("the front end has failed")
	text := p.text()
	if at := strings.Index(text, "\x1b[?1049l"); at < 0 || at > strings.Index(text, "the front end has failed") {
		t.Errorf("told before the screen was put back:\n%q", text)
	}
}

// tmux is a real terminal emulator, driven from outside.
type tmux struct {
	t      *testing.T
	socket string
}

func inTmux(t *testing.T, cols, rows int, env, args string) *tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("SKIP-REASON: tmux is not installed, so no terminal emulator shows the screens")
	}
	path, err := smoke()
	if err != nil {
		t.Fatal(err)
	}
	x := &tmux{t, filepath.Join(t.TempDir(), "tmux")}
	x.run("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows),
		"env "+env+" "+path+" "+args+"; echo ended; sleep 60")
	t.Cleanup(func() { exec.Command("tmux", "-S", x.socket, "kill-server").Run() }) // ours alone, by its socket
	return x
}

func (x *tmux) run(args ...string) string {
	x.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", x.socket}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		x.t.Fatalf("tmux %v: %v: %s", args, err, stderr.String())
	}
	return string(out)
}

func (x *tmux) screen() string { x.t.Helper(); return x.run("capture-pane", "-p") }

// await polls the screen.
func (x *tmux) await(what string) string {
	x.t.Helper()
	var s string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if s = x.screen(); strings.Contains(s, what) {
			return s
		}
	}
	x.t.Fatalf("%q never came:\n%s", what, s)
	return ""
}

func (x *tmux) keys(keys ...string) {
	x.t.Helper()
	for _, k := range keys {
		x.run("send-keys", k)
		time.Sleep(20 * time.Millisecond)
	}
}

// consent reviews and types the challenge by hand.
func (x *tmux) consent(step string) {
	x.t.Helper()
	x.await(step)
	x.keys("g")
	x.await("To agree, type db1/4821")
	x.await("[ready]")
	x.keys("End")
	for _, c := range "db1/4821" {
		x.keys(string(c))
	}
	x.await("> db1/4821")
	x.keys("Enter")
}

// A person walks from the first gate to the healed end, with the window resized on the
// way.
func TestWalkInTmux(t *testing.T) {
	x := inTmux(t, 80, 24, "LC_ALL=C.UTF-8", "-pace 1ms")
	x.await("2 Stop writers   waits")
	x.keys("g")
	x.await("[ready]")
	x.keys("y")
	x.await("Where should a second")
	x.await("[ready]")
	x.keys("Down", "Enter")
	x.await("3 Snapshot       waits")
	x.await("[ready]")
	x.keys("Enter")
	for _, step := range []string{"7 Repair multix", "8 Reset WAL", "9 Check tables"} {
		x.await(">!!  " + step)
		x.await("[ready]")
		x.keys("Enter")
	}
	s := x.await("ACT 2  PERFORMANCE on the original")
	if !strings.Contains(s, "original: UNTOUCHED") {
		t.Errorf("not said that the original is untouched:\n%s", s)
	}
	x.run("resize-window", "-x", "120", "-y", "40")
	x.consent("7 Repair multix")
	x.consent("8 Reset WAL")
	x.run("resize-window", "-x", "80", "-y", "24")
	x.consent("9 Check tables")
	x.await(">!! 10 Give back")
	x.keys("g")
	x.await("[ready]")
	x.keys("y")
	x.await("HEALED")
	x.keys("q")
	if s := x.await("ended"); !strings.Contains(s, "exit 0") {
		t.Errorf("exit:\n%s", s)
	}
}

// Text pasted into a consent, as lines or as one piece, does nothing.
func TestPasteInTmux(t *testing.T) {
	x := inTmux(t, 80, 24, "LC_ALL=C.UTF-8", "-pace 1ms")
	x.await("2 Stop writers   waits")
	x.run("set-buffer", "g\ny\ny\nyes\ndb1/4821\n")
	x.run("paste-buffer", "-d")
	time.Sleep(700 * time.Millisecond)
	if s := x.screen(); !strings.Contains(s, "Stop writers") || !strings.Contains(s, "WAITS FOR YOU") {
		t.Errorf("the paste agreed:\n%s", s)
	}
	x.keys("Escape")
	time.Sleep(600 * time.Millisecond)
	x.keys("g")
	x.await("[ready]")
	x.run("set-buffer", "yyyy")
	x.run("paste-buffer", "-p", "-d")
	if s := x.await("Pasted text is refused"); !strings.Contains(s, "[wait") {
		t.Errorf("still armed:\n%s", s)
	}
}

func TestTerminalsInTmux(t *testing.T) {
	for name, env := range map[string]string{
		"LANG=C": "LC_ALL=C LANG=C", "NO_COLOR": "NO_COLOR=1 LC_ALL=C.UTF-8", "dumb": "TERM=dumb LC_ALL=C.UTF-8",
	} {
		x := inTmux(t, 60, 20, env, "-pace 1ms")
		s := x.await("WAITS FOR YOU")
		if !strings.Contains(s, "original: UNTOUCHED") || !strings.Contains(s, "!! This changes the target") {
			t.Errorf("%s:\n%s", name, s)
		}
		if i := strings.IndexFunc(s, func(r rune) bool { return r > 0x7e }); name == "LANG=C" && i >= 0 {
			t.Errorf("LANG=C: not ASCII:\n%s", s)
		}
		x.keys("C-d")
		x.await("ended")
	}
}

// Resizing in the middle of work keeps header and footer in place.
func TestResizeInTmux(t *testing.T) {
	x := inTmux(t, 100, 30, "LC_ALL=C.UTF-8", "-script busy -pace 100ms")
	x.await("copy and hash")
	for _, size := range [][2]string{{"60", "20"}, {"58", "18"}, {"200", "60"}, {"80", "24"}} {
		x.run("resize-window", "-x", size[0], "-y", size[1])
		want := "original: UNTOUCHED"
		if size[0] == "58" {
			want = "Too small"
		}
		x.await(want)
		if s := x.screen(); !strings.Contains(s, "pgrescue") {
			t.Errorf("%v: no header:\n%s", size, s)
		}
	}
}
