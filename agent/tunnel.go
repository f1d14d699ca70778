package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// TunnelRequest names the unix socket to connect to, as an absolute path.
type TunnelRequest struct {
	Path string `json:"path"`
}

// Tunnel joins in and out to a unix socket until one side ends. It is how a client
// reaches a server that has no network: `pgrescue agent tunnel PATH` through an exec.
// The end of in is passed on as a half-close, upon which a server hangs up.
func Tunnel(ctx context.Context, path string, in io.Reader, out io.Writer) error {
	conn, err := dialUnix(ctx, path)
	if err != nil {
		return err
	}
	return pump(ctx, conn, in, out)
}

// tunnel is the job: after the result line the connection carries bytes.
func tunnel(ctx context.Context, req TunnelRequest, s *Stream) error {
	conn, err := dialUnix(ctx, req.Path)
	if err != nil {
		return err
	}
	in, err := s.raw()
	if err != nil {
		conn.Close()
		return err
	}
	return pump(ctx, conn, in, s.out)
}

func dialUnix(ctx context.Context, path string) (*net.UnixConn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		kind := KindIO
		if errors.Is(err, os.ErrNotExist) {
			kind = KindNotFound
		}
		return nil, &Error{Kind: kind, Path: Path(path), cause: err, Message: fmt.Sprintf("connect to %s: %v", path, err),
			Hint: "see in its log whether the server has started"}
	}
	return conn.(*net.UnixConn), nil
}

// pump copies both ways. It ends when the socket has nothing more to say.
func pump(ctx context.Context, conn *net.UnixConn, in io.Reader, out io.Writer) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	go func() {
		_, _ = io.Copy(conn, in) // an error here ends the other direction, which reports
		_ = conn.CloseWrite()
	}()
	_, err := io.Copy(out, conn)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("tunnel: %w", err)
	}
	return nil
}

// DialTunnel runs the tunnel job through conn and returns what it leads to as a net.Conn
// with working deadlines, which database drivers need to cancel. Closing it closes conn.
func DialTunnel(ctx context.Context, conn Conn, path string) (net.Conn, error) {
	raw, err := json.Marshal(TunnelRequest{Path: path})
	if err != nil {
		return nil, err
	}
	line, err := encodeLine(request{Job: JobTunnel, Request: raw})
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, err := conn.Write(line); err != nil {
		return nil, fmt.Errorf("send to job %s: %w", JobTunnel, err)
	}
	in := bufio.NewReaderSize(conn, 64<<10)
	first, err := readLine(in, maxLine)
	if err != nil {
		return nil, lost(conn, JobTunnel, err)
	}
	var a answer
	if err := json.Unmarshal(first, &a); err != nil {
		return nil, fmt.Errorf("answer of job %s: %w", JobTunnel, err)
	}
	if a.Error != nil {
		return nil, a.Error
	}
	near, far := net.Pipe()
	go joinConn(conn, in, far)
	return near, nil
}

// joinConn pumps between the agent and the far end of a pipe until both directions ended.
func joinConn(conn Conn, in io.Reader, far net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(conn, far)
		_ = conn.CloseWrite() // the server hangs up upon this, which ends the other copy
		time.AfterFunc(cancelGrace, func() { conn.Close() })
	}()
	_, _ = io.Copy(far, in) // the reader of the near end sees the end
	far.Close()
	<-done
	conn.Close()
}
