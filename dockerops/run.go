package dockerops

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
)

// Run makes and starts a container, and removes it again if it cannot be
// started.
func (c *Client) Run(ctx context.Context, s Spec) (id string, err error) {
	id, err = c.Create(ctx, s)
	if err != nil {
		return "", err
	}
	if err := c.Start(ctx, id); err != nil {
		return "", errors.Join(err, c.removeAfter(ctx, id))
	}
	return id, nil
}

// StartAttached starts a container that was made with OpenStdin and connects
// to its process 1. Closing the stream closes that process's stdin; unlike an
// exec, the process can also be stopped, by Stop or Remove. Wait on the stream
// waits for the container's end.
func (c *Client) StartAttached(ctx context.Context, id string) (*Stream, error) {
	call, cancel := short(ctx)
	defer cancel()
	conn, err := hijack(call, func() (types.HijackedResponse, error) {
		return c.api.ContainerAttach(context.WithoutCancel(ctx), id, container.AttachOptions{
			Stream: true, Stdin: true, Stdout: true, Stderr: true,
		})
	})
	if err != nil {
		return nil, wrap(ctx, err, "attaching to container %s", id)
	}
	if err := c.Start(ctx, id); err != nil {
		conn.Close()
		return nil, err
	}
	return &Stream{
		conn: conn, addr: streamAddr(id),
		status: func(ctx context.Context) (int, error) {
			exit, err := c.Wait(ctx, id)
			return exit.Code, err
		},
	}, nil
}

// RunOnce runs a container from beginning to end, feeds it stdin (nil for
// none) and returns what it wrote, bounded only by memory, and its exit
// status. The container is removed in any case, also when ctx ends.
func (c *Client) RunOnce(ctx context.Context, s Spec, stdin io.Reader) (stdout, stderr []byte, code int, err error) {
	s.OpenStdin = true
	id, err := c.Create(ctx, s)
	if err != nil {
		return nil, nil, 0, err
	}
	defer func() { err = errors.Join(err, c.removeAfter(ctx, id)) }()
	stream, err := c.StartAttached(ctx, id)
	if err != nil {
		return nil, nil, 0, err
	}
	defer stream.Close()
	var o, e bytes.Buffer
	err = wrap(ctx, pump(ctx, stream.conn, stdin, &o, &e), "running container %s", s.Name)
	if err == nil {
		code, err = stream.Wait(ctx)
	}
	return o.Bytes(), e.Bytes(), code, err
}

// removeAfter removes a container even though ctx may have ended.
func (c *Client) removeAfter(ctx context.Context, id string) error {
	return c.Remove(context.WithoutCancel(ctx), id)
}
