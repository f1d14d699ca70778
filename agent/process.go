package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// Process is a Conn to an agent that runs as a child process.
type Process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  io.ReadCloser
	wait func() error
}

var (
	_ Conn   = (*Process)(nil)
	_ Exiter = (*Process)(nil)
)

// StartProcess starts cmd with its standard input and output joined to the returned
// Conn. The caller may have set cmd.Stderr, and cmd.SysProcAttr to run as the owner of
// the data.
func StartProcess(cmd *exec.Cmd) (*Process, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("agent's standard input: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("agent's standard output: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the agent %s: %w", cmd.Path, err)
	}
	return &Process{cmd: cmd, in: in, out: out, wait: sync.OnceValue(cmd.Wait)}, nil
}

func (p *Process) Read(b []byte) (int, error)  { return p.out.Read(b) }
func (p *Process) Write(b []byte) (int, error) { return p.in.Write(b) }

// CloseWrite ends the agent's standard input.
func (p *Process) CloseWrite() error { return p.in.Close() }

// Close ends the agent: its standard input is closed, and it is killed if it is still
// there two seconds later.
func (p *Process) Close() error {
	_ = p.in.Close() // may be closed already
	kill := time.AfterFunc(2*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	_, _ = io.Copy(io.Discard, p.out) // Wait must not come before the last read
	_, err := p.ExitCode()
	return err
}

// ExitCode waits for the process and tells how it ended; -1 if a signal ended it.
func (p *Process) ExitCode() (int, error) {
	err := p.wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("wait for the agent: %w", err)
	}
	return p.cmd.ProcessState.ExitCode(), nil
}

// InProcess serves one job in a goroutine of this process. It is for plain directories
// that this process may read itself, and for tests.
func InProcess(ctx context.Context) Conn {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	c := &inProcess{in: inW, out: outR, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.code = Serve(ctx, inR, outW, io.Discard)
		_ = outW.Close() // pipes in memory: closing cannot fail
		_ = inR.Close()
	}()
	return c
}

type inProcess struct {
	in   *io.PipeWriter
	out  *io.PipeReader
	done chan struct{}
	code int
}

var _ Exiter = (*inProcess)(nil)

func (c *inProcess) Read(b []byte) (int, error)  { return c.out.Read(b) }
func (c *inProcess) Write(b []byte) (int, error) { return c.in.Write(b) }
func (c *inProcess) CloseWrite() error           { return c.in.Close() }

func (c *inProcess) Close() error {
	_ = c.in.Close()
	_ = c.out.Close()
	<-c.done
	return nil
}

func (c *inProcess) ExitCode() (int, error) {
	<-c.done
	return c.code, nil
}
