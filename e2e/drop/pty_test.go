package drop

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFirstFrame measures, on a pseudo terminal of its own that answers no question, how
// long it takes from the start to the first frame. The figure is reported; what fails is
// only a start that waits for something.
func TestFirstFrame(t *testing.T) {
	c := newCluster(t, 15, 0)
	p := newPlace(t)
	for _, args := range [][]string{{}, {"run", "crash-loop", c.target()}, {"attach"}} {
		took, said := firstFrame(t, p, args)
		t.Logf("pgrescue %v: first frame after %d ms", args, took.Milliseconds())
		if took > 2*time.Second {
			t.Errorf("pgrescue %v: first frame after %s", args, took)
		}
		if bytes.Contains(said, []byte("\x1b]11")) || bytes.Contains(said, []byte("\x1b[6n")) {
			t.Errorf("pgrescue %v asks the terminal before its first frame: %q", args, said)
		}
	}
}

func firstFrame(t *testing.T, p *place, args []string) (time.Duration, []byte) {
	t.Helper()
	master, slave := openPTY(t)
	cmd := p.command(args...)
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=", "CI=", "NO_COLOR=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		master.Close()
	}()
	var said []byte
	buf := make([]byte, 32<<10)
	for {
		if err := master.SetReadDeadline(began.Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := master.Read(buf)
		said = append(said, buf[:n]...)
		if bytes.Contains(said, []byte("pgrescue")) {
			return time.Since(began), said
		}
		if err != nil {
			t.Fatalf("no first frame: %v: %q", err, said)
		}
	}
}

// openPTY makes a pseudo terminal of 80x24.
func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	// Not blocking, so that reads can have a deadline.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}
