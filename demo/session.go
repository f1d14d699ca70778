package demo

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
)

// attach starts a command in a container with its three streams connected.
func attach(ctx context.Context, cli *client.Client, name string, argv []string) (string, types.HijackedResponse, error) {
	made, err := cli.ContainerExecCreate(ctx, name, container.ExecOptions{
		Cmd: argv, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return "", types.HijackedResponse{}, fmt.Errorf("prepare %s in %s: %w", argv[0], name, err)
	}
	conn, err := cli.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return "", types.HijackedResponse{}, fmt.Errorf("run %s in %s: %w", argv[0], name, err)
	}
	return made.ID, conn, nil
}

// session is a psql that stays connected, so that several transactions can be
// open at the same time.
type session struct {
	conn   types.HijackedResponse
	out    *bufio.Reader
	stderr *syncBuffer
	count  int
}

// psqlArgs makes psql say nothing but rows, and end at the first error.
func psqlArgs(db string) []string {
	return []string{"psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", db}
}

func openSession(ctx context.Context, cli *client.Client, name, db string) (*session, error) {
	_, conn, err := attach(ctx, cli, name, psqlArgs(db))
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	s := &session{conn: conn, out: bufio.NewReader(r), stderr: &syncBuffer{}}
	go func() {
		_, err := stdcopy.StdCopy(w, s.stderr, conn.Reader)
		w.CloseWithError(err) // nil becomes io.EOF
	}()
	return s, nil
}

// do runs SQL and returns the rows as psql prints them, one a line. It comes
// back when the server is done, with its transaction left open if it opened one.
func (s *session) do(ctx context.Context, sql string) ([]string, error) {
	defer context.AfterFunc(ctx, s.conn.Close)()
	s.count++
	mark := fmt.Sprintf("-- statement %d is done --", s.count)
	if _, err := fmt.Fprintf(s.conn.Conn, "%s\n;\n\\echo %s\n", sql, mark); err != nil {
		return nil, fmt.Errorf("send to psql: %w", err)
	}
	var rows []string
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("psql ended: %w: %s; the statement was: %s", err, s.stderr, sql)
		}
		if line = strings.TrimSuffix(line, "\n"); line == mark {
			return rows, nil
		}
		rows = append(rows, line)
	}
}

func (s *session) close() { s.conn.Close() }

// syncBuffer is a buffer that one goroutine fills and another reads.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.TrimSpace(b.b.String())
}
