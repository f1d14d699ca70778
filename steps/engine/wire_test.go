package engine

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire is a served hub on a unix socket.
type wire struct {
	hub  *Hub
	path string
	mu   sync.Mutex
	took []Decision
	stop context.CancelFunc
	end  chan error
}

func newWire(t *testing.T) *wire {
	t.Helper()
	w := &wire{hub: NewHub([]Event{{V: 1, Seq: 1, Kind: KindOpened}}), path: filepath.Join(t.TempDir(), "s"), end: make(chan error, 1)}
	l, err := net.Listen("unix", w.path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	s := &Server{Incident: "INC", Hub: w.hub, Decide: func(d Decision) error {
		if d.Name == "no" {
			return errors.New("because")
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.took = append(w.took, d)
		return nil
	}}
	go func() { w.end <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		w.hub.Close()
		select {
		case err := <-w.end:
			if err != nil {
				t.Errorf("serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the server does not end")
		}
	})
	return w
}

// attach connects and reads the greeting and the first event.
func (w *wire) attach(t *testing.T) (*Client, Hello) {
	t.Helper()
	c, err := Attach(t.Context(), w.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	m := read(t, c)
	if m.Hello == nil {
		t.Fatalf("first message: %+v", m)
	}
	if first := read(t, c); first.Event == nil || first.Event.Seq != 1 {
		t.Fatalf("second message: %+v", first)
	}
	return c, *m.Hello
}

func read(t *testing.T, c *Client) Message {
	t.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	m, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestWireOperatorAndViewer: the first decides, the second watches; once the first is gone
// the next one decides.
func TestWireOperatorAndViewer(t *testing.T) {
	w := newWire(t)
	operator, hello := w.attach(t)
	if !hello.Operator || hello.Incident != "INC" || hello.Past != 1 {
		t.Fatalf("%+v", hello)
	}
	viewer, hello := w.attach(t)
	if hello.Operator {
		t.Fatal("two operators")
	}
	w.hub.Publish(Event{V: 1, Seq: 2, Kind: KindNote})
	for _, c := range []*Client{operator, viewer} {
		if m := read(t, c); m.Event == nil || m.Event.Seq != 2 {
			t.Errorf("%+v", m)
		}
	}
	for _, kind := range []DecisionKind{DecideAgree, DecideDecline, DecideAnswer, DecideAbort} {
		if err := viewer.Decide(Decision{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		if m := read(t, viewer); m.Refused == nil || !strings.Contains(m.Refused.Reason, "only watches") {
			t.Errorf("%s by a viewer: %+v", kind, m)
		}
	}
	if err := operator.Decide(Decision{Kind: DecideAgree, Name: "no"}); err != nil {
		t.Fatal(err)
	}
	if m := read(t, operator); m.Refused == nil || m.Refused.Reason != "because" {
		t.Errorf("%+v", m)
	}
	if n := w.decisions(); n != 0 {
		t.Errorf("%d decisions were taken", n)
	}
	// A viewer's note is taken all the same.
	if err := viewer.Decide(Decision{Kind: DecideNote}); err != nil {
		t.Fatal(err)
	}
	w.waitFor(t, 1)
	operator.Close()
	if m := read(t, viewer); m.Hello == nil || !m.Hello.Operator {
		t.Fatalf("the next in line is told %+v", m)
	}
	if err := viewer.Decide(Decision{Kind: DecideAgree}); err != nil {
		t.Fatal(err)
	}
	w.waitFor(t, 2)
	if _, hello := w.greet(t); hello.Operator {
		t.Error("one that comes later steers beside the next in line")
	}
}

// waitFor waits until so many decisions have been taken.
func (w *wire) waitFor(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); w.decisions() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d decisions were taken, want %d", w.decisions(), n)
		}
	}
}

func (w *wire) decisions() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.took)
}

// greet connects and reads the greeting alone.
func (w *wire) greet(t *testing.T) (*Client, Hello) {
	t.Helper()
	c, err := Attach(t.Context(), w.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	m := read(t, c)
	if m.Hello == nil {
		t.Fatalf("%+v", m)
	}
	return c, *m.Hello
}

// TestWireDrains: a front end that keeps up reads every event of an engine that ends.
func TestWireDrains(t *testing.T) {
	w := newWire(t)
	c, _ := w.attach(t)
	for i := int64(2); i <= 500; i++ {
		w.hub.Publish(Event{V: 1, Seq: i, Kind: KindNote})
	}
	w.hub.Close()
	w.stop()
	for want := int64(2); want <= 500; want++ {
		if m := read(t, c); m.Event == nil || m.Event.Seq != want {
			t.Fatalf("want event %d, got %+v", want, m)
		}
	}
	if _, err := c.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: %v", err)
	}
}

// TestWireHangingViewer: one that never reads delays neither the engine nor others, nor
// the end.
func TestWireHangingViewer(t *testing.T) {
	w := newWire(t)
	operator, _ := w.attach(t)
	hanging, err := Attach(t.Context(), w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	big := strings.Repeat("x", 64<<10)
	for i := int64(2); i <= 100; i++ {
		w.hub.Publish(Event{V: 1, Seq: i, Kind: KindNote, Data: []byte(`"` + big + `"`)})
		if m := read(t, operator); m.Event == nil || m.Event.Seq != i {
			t.Fatalf("%+v", m)
		}
	}
}

// TestWireGarbage is refused, and the line stays up.
func TestWireGarbage(t *testing.T) {
	w := newWire(t)
	c, _ := w.attach(t)
	if _, err := c.conn.Write([]byte("{nonsense\n")); err != nil {
		t.Fatal(err)
	}
	if m := read(t, c); m.Refused == nil || !strings.Contains(m.Refused.Reason, "not understood") {
		t.Errorf("%+v", m)
	}
	w.hub.Progress(Progress{What: "copy", Done: 3})
	if m := read(t, c); m.Progress == nil || m.Progress.Done != 3 {
		t.Errorf("%+v", m)
	}
}

func TestAttachNobody(t *testing.T) {
	if _, err := Attach(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "no engine answers") {
		t.Errorf("%v", err)
	}
}
