package dockerops

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/pkg/stdcopy"
)

// maxStderr bounds what a Stream keeps of the other side's stderr.
const maxStderr = 64 << 10

// frameHeader is the size of the header before each piece of a multiplexed
// stream: stream number, three zero bytes, length as big-endian 32 bits
// (stdWriterPrefixLen in Docker's pkg/stdcopy).
const frameHeader = 8

// Stream is a two-way byte stream to a program in a container: Read gives its
// stdout, Write feeds its stdin. It is a net.Conn, with working deadlines, so
// that a database driver may use it as one. A Read and a Write may run at the
// same time.
type Stream struct {
	conn   types.HijackedResponse
	addr   streamAddr
	status func(context.Context) (int, error)

	readMu sync.Mutex
	header [frameHeader]byte
	have   int    // bytes of header read so far
	left   uint32 // bytes of the current frame not read yet
	kind   stdcopy.StdType

	errMu  sync.Mutex
	stderr []byte
}

var _ net.Conn = (*Stream)(nil)

// ExecStream runs argv in a running container and connects its stdin and
// stdout. ctx bounds the connecting alone; the stream then lives until Close.
//
// The Engine API cannot kill an exec. Closing the stream closes the program's
// stdin, and that has to make it end: our own agent does. A program that does
// not read stdin runs on.
func (c *Client) ExecStream(ctx context.Context, id string, argv ...string) (*Stream, error) {
	return c.execStream(ctx, id, ExecOptions{Argv: argv})
}

// Dial is ExecStream as a dialer: a connection to whatever argv forwards its
// stdin and stdout to, such as a unix socket in a container without network.
func (c *Client) Dial(ctx context.Context, id string, argv ...string) (net.Conn, error) {
	s, err := c.ExecStream(ctx, id, argv...)
	if err != nil {
		return nil, err // a nil *Stream must not become a non-nil net.Conn
	}
	return s, nil
}

// Read reads what the program writes to stdout. Its stderr goes to Stderr as
// it is met. At the end of both it returns io.EOF; Wait then tells the exit
// status. A read that met its deadline loses nothing.
func (s *Stream) Read(p []byte) (int, error) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if s.left == 0 {
			if err := s.next(); err != nil {
				return 0, err
			}
			continue
		}
		if s.kind == stdcopy.Stdout {
			n, err := s.conn.Reader.Read(p[:min(len(p), int(s.left))])
			s.left -= uint32(n)
			return n, s.cut(err)
		}
		if err := s.keepStderr(); err != nil {
			return 0, err
		}
	}
}

// next reads the header of the next frame, continuing one that a deadline cut
// in two.
func (s *Stream) next() error {
	for s.have < frameHeader {
		n, err := s.conn.Reader.Read(s.header[s.have:])
		s.have += n
		if err != nil {
			if s.have > 0 {
				err = s.cut(err)
			}
			return err
		}
	}
	s.have = 0
	s.kind, s.left = stdcopy.StdType(s.header[0]), binary.BigEndian.Uint32(s.header[4:])
	if s.kind > stdcopy.Systemerr {
		return fmt.Errorf("stream from %s: unknown stream number %d: the daemon does not multiplex it", s.addr, s.kind)
	}
	return nil
}

// cut turns an end inside a frame into an error.
func (s *Stream) cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// keepStderr reads a piece of a frame that is not stdout.
func (s *Stream) keepStderr() error {
	var buf [4096]byte
	n, err := s.conn.Reader.Read(buf[:min(len(buf), int(s.left))])
	s.left -= uint32(n)
	s.errMu.Lock()
	defer s.errMu.Unlock()
	s.stderr = append(s.stderr, buf[:n]...)
	if over := len(s.stderr) - maxStderr; over > 0 {
		s.stderr = append(s.stderr[:0], s.stderr[over:]...)
	}
	return s.cut(err)
}

// Stderr is the end, at most 64 kB, of what the program has written to stderr
// as far as Read has come.
func (s *Stream) Stderr() string {
	s.errMu.Lock()
	defer s.errMu.Unlock()
	return string(s.stderr)
}

// Write writes to the program's stdin.
func (s *Stream) Write(p []byte) (int, error) { return s.conn.Conn.Write(p) }

// CloseWrite ends the program's stdin. Reading goes on.
func (s *Stream) CloseWrite() error { return s.conn.CloseWrite() }

// Close drops the connection, which ends the program's stdin.
func (s *Stream) Close() error { return s.conn.Conn.Close() }

// Wait returns the program's exit status once Read has returned io.EOF. It
// fails if the program does not end within moments.
func (s *Stream) Wait(ctx context.Context) (int, error) { return s.status(ctx) }

// SetDeadline sets both deadlines, as net.Conn has it.
func (s *Stream) SetDeadline(t time.Time) error { return s.conn.Conn.SetDeadline(t) }

// SetReadDeadline sets the deadline of Read.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.conn.Conn.SetReadDeadline(t) }

// SetWriteDeadline sets the deadline of Write.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.conn.Conn.SetWriteDeadline(t) }

// LocalAddr names the stream.
func (s *Stream) LocalAddr() net.Addr { return s.addr }

// RemoteAddr names the container and program.
func (s *Stream) RemoteAddr() net.Addr { return s.addr }

// streamAddr is "CONTAINER PROGRAM".
type streamAddr string

// Network implements net.Addr.
func (streamAddr) Network() string { return "docker-exec" }

// String implements net.Addr.
func (a streamAddr) String() string { return string(a) }
