package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// maxLine bounds one line of the socket protocol; a decision is far smaller.
const maxLine = 64 << 20

// Server offers a session to front ends on a unix socket. The first that attaches is the
// operator; others watch until it is gone, and the next in line is told that it steers.
type Server struct {
	Incident string
	Hub      *Hub
	Decide   func(Decision) error // refuses with the reason

	mu    sync.Mutex
	seats []*seat // in the order of arrival; the first is the operator
}

// seat is an attached front end.
type seat struct {
	conn net.Conn
	out  *lineWriter
}

// Serve accepts front ends until the context ends. A front end that hangs or goes away
// never holds the engine up.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("engine socket: %w", err)
		}
		wg.Go(func() { s.serve(ctx, conn) })
	}
}

func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	reader := s.Hub.Reader()
	stop := context.AfterFunc(ctx, func() {
		// Let a reader that keeps up see the end, but wait for nobody.
		conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
	})
	defer stop()
	me := &seat{conn: conn, out: &lineWriter{w: conn}}
	out := me.out
	operator := s.sit(me)
	defer s.leave(me)
	if err := out.send(s.hello(operator)); err != nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer conn.Close()
	wg.Go(func() {
		s.listen(me)
		reader.Stop()
	})
	for {
		m, ok := reader.Next()
		if !ok || out.send(m) != nil {
			return
		}
		if m.Progress != nil {
			pause(ctx, 150*time.Millisecond)
		}
	}
}

// sit takes the next seat and reports whether it is the operator's.
func (s *Server) sit(me *seat) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seats = append(s.seats, me)
	return s.seats[0] == me
}

// leave gives the seat up. When it was the operator's, the next in line is told.
func (s *Server) leave(me *seat) {
	s.mu.Lock()
	steered := s.seats[0] == me
	s.seats = slices.DeleteFunc(s.seats, func(x *seat) bool { return x == me })
	var next *seat
	if steered && len(s.seats) > 0 {
		next = s.seats[0]
	}
	s.mu.Unlock()
	if next != nil {
		_ = next.out.send(s.hello(true)) // one that is gone has its own reader to notice
	}
}

func (s *Server) steers(me *seat) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seats) > 0 && s.seats[0] == me
}

func (s *Server) hello(operator bool) Message {
	return Message{Hello: &Hello{Incident: s.Incident, Operator: operator, Past: int64(s.Hub.Len())}}
}

// listen takes decisions until the front end is gone.
func (s *Server) listen(me *seat) {
	in := bufio.NewScanner(me.conn)
	in.Buffer(make([]byte, 64<<10), maxLine)
	for in.Scan() {
		var d Decision
		err := json.Unmarshal(in.Bytes(), &d)
		switch {
		case err != nil:
			err = fmt.Errorf("decision is not understood: %w", err)
		case d.Kind != DecideNote && !s.steers(me):
			err = errors.New("this front end only watches: another one is the operator")
		default:
			err = s.Decide(d)
		}
		if err != nil && me.out.send(Message{Refused: &Refusal{err.Error()}}) != nil {
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) send(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.w.Write(append(b, '\n'))
	return err
}

// Client is a front end's end of the socket.
type Client struct {
	conn net.Conn
	in   *bufio.Reader
	out  *lineWriter
}

// Attach connects to the engine that listens at the path.
func Attach(ctx context.Context, path string) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("no engine answers at %s: %w", path, err)
	}
	return &Client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10), out: &lineWriter{w: conn}}, nil
}

// Next waits for the next message. io.EOF means the engine has ended or the line is gone.
func (c *Client) Next() (Message, error) {
	var m Message
	line, err := c.in.ReadBytes('\n')
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, fmt.Errorf("message from the engine is not understood: %w", err)
	}
	return m, nil
}

// Decide sends a decision. A refusal comes back as a message.
func (c *Client) Decide(d Decision) error { return c.out.send(d) }

// Close leaves; the engine goes on.
func (c *Client) Close() error { return c.conn.Close() }
