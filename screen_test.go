//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// screen is a program on a terminal of 80x24, and what it has written there.
type screen struct {
	cmd   *exec.Cmd
	ptmx  *os.File
	began time.Time
	ended sync.WaitGroup

	mu      sync.Mutex
	written bytes.Buffer
}

func startOnTerminal(b *testing.B, path string, args ...string) *screen {
	b.Helper()
	ptmx, tty, err := openTerminal()
	if err != nil {
		b.Fatal(err)
	}
	defer tty.Close()
	s := &screen{cmd: exec.Command(path, args...), ptmx: ptmx}
	s.cmd.Stdin, s.cmd.Stdout = tty, tty
	s.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "SSH_CONNECTION=", "SSH_TTY=")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.began = time.Now()
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s.ended.Go(func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := ptmx.Read(buf)
			s.mu.Lock()
			s.written.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	return s
}

// openTerminal makes a pseudo-terminal of 80x24.
func openTerminal() (ptmx, tty *os.File, err error) {
	if ptmx, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	fd := int(ptmx.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		ptmx.Close()
		return nil, nil, err
	}
	return ptmx, tty, nil
}

func (s *screen) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.Len()
}

// awaitFrame waits for the last word of the first whole screen, in the footer.
func (s *screen) awaitFrame(b *testing.B) time.Duration {
	b.Helper()
	for time.Since(s.began) < 20*time.Second {
		s.mu.Lock()
		there := bytes.Contains(s.written.Bytes(), []byte("UNTOUCHED"))
		s.mu.Unlock()
		if there {
			return time.Since(s.began)
		}
		time.Sleep(200 * time.Microsecond)
	}
	b.Fatalf("no screen after 20 s: %q", s.written.String())
	return 0
}

func (s *screen) end() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	_ = s.ptmx.Close()
	s.ended.Wait()
}
