package dockerops

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// execEnd is how long an exec may take to be reaped after its streams closed.
const execEnd = 10 * time.Second

// ExecOptions says what to run in a running container.
type ExecOptions struct {
	Argv       []string
	User       string   // "" is the container's
	Env        []string // added to the container's
	WorkingDir string   // "" is the container's
	Stdin      io.Reader
	Stdout     io.Writer // nil discards
	Stderr     io.Writer // nil discards
}

// Exec runs a program in a running container and returns its exit status; an
// error means that the status is not known. When ctx ends, Exec returns at
// once and the program's stdin is closed, but the Engine API cannot kill it:
// see ExecStream.
func (c *Client) Exec(ctx context.Context, id string, o ExecOptions) (int, error) {
	s, err := c.execStream(ctx, id, o)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if err := pump(ctx, s.conn, o.Stdin, o.Stdout, o.Stderr); err != nil {
		return 0, wrap(ctx, err, "running %s in container %s", o.name(), id)
	}
	return s.Wait(ctx)
}

// Output runs argv and returns what it wrote, bounded only by memory: meant
// for small tools.
func (c *Client) Output(ctx context.Context, id string, argv ...string) (stdout, stderr []byte, code int, err error) {
	var o, e bytes.Buffer
	code, err = c.Exec(ctx, id, ExecOptions{Argv: argv, Stdout: &o, Stderr: &e})
	return o.Bytes(), e.Bytes(), code, err
}

// name is the program's name for messages.
func (o ExecOptions) name() string {
	if len(o.Argv) == 0 {
		return "nothing"
	}
	return o.Argv[0]
}

// execStream starts an exec and connects to it.
func (c *Client) execStream(ctx context.Context, id string, o ExecOptions) (*Stream, error) {
	if len(o.Argv) == 0 {
		return nil, fmt.Errorf("running in container %s: no program given", id)
	}
	call, cancel := short(ctx)
	defer cancel()
	made, err := c.api.ContainerExecCreate(call, id, container.ExecOptions{
		Cmd: o.Argv, User: o.User, Env: o.Env, WorkingDir: o.WorkingDir,
		AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return nil, wrap(ctx, err, "running %s in container %s", o.name(), id)
	}
	conn, err := hijack(call, func() (types.HijackedResponse, error) {
		return c.api.ContainerExecAttach(context.WithoutCancel(ctx), made.ID, container.ExecAttachOptions{})
	})
	if err != nil {
		return nil, wrap(ctx, err, "running %s in container %s", o.name(), id)
	}
	return &Stream{
		conn: conn, addr: streamAddr(id + " " + o.name()),
		status: func(ctx context.Context) (int, error) { return c.execStatus(ctx, id, o.name(), made.ID) },
	}, nil
}

// hijack bounds the opening of a raw connection by ctx, which the client
// library does not do once it has dialed. A connection that comes too late is
// closed.
func hijack(ctx context.Context, open func() (types.HijackedResponse, error)) (types.HijackedResponse, error) {
	type result struct {
		conn types.HijackedResponse
		err  error
	}
	got := make(chan result, 1)
	go func() {
		conn, err := open()
		got <- result{conn, err}
	}()
	select {
	case r := <-got:
		return r.conn, r.err
	case <-ctx.Done():
		go func() {
			if r := <-got; r.err == nil {
				r.conn.Close()
			}
		}()
		return types.HijackedResponse{}, ctx.Err()
	}
}

// pump moves stdin in and the multiplexed output out until the output ends.
// When ctx ends, the connection is closed.
func pump(ctx context.Context, conn types.HijackedResponse, stdin io.Reader, stdout, stderr io.Writer) error {
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()
	fed := make(chan error, 1)
	go func() {
		var err error
		if stdin != nil {
			_, err = io.Copy(conn.Conn, stdin)
		}
		fed <- errors.Join(err, conn.CloseWrite())
	}()
	_, err := stdcopy.StdCopy(cmp.Or(stdout, io.Discard), cmp.Or(stderr, io.Discard), conn.Reader)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// A program may end without reading all of its stdin. So an error of
	// feeding it is not looked at: the exit status decides.
	return err
}

// execStatus asks for an exec's exit status, waiting for the moment between
// the end of its streams and its being reaped.
func (c *Client) execStatus(ctx context.Context, id, name, execID string) (int, error) {
	code := 0
	err := poll(ctx, execEnd, func() (bool, error) {
		call, cancel := short(ctx)
		defer cancel()
		in, err := c.api.ContainerExecInspect(call, execID)
		code = in.ExitCode
		return err == nil && !in.Running, err
	})
	if isNotFound(wrap(ctx, err, "")) {
		return 0, fmt.Errorf("running %s in container %s: the container ended first: %w", name, id, ErrNotFound)
	}
	return code, wrap(ctx, err, "exit status of %s in container %s", name, id)
}
