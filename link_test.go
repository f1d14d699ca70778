package main

import (
	"errors"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// brokenLink delivers some events of an incident and breaks.
type brokenLink struct {
	messages []engine.Message
	err      error
}

func (l *brokenLink) Next() (engine.Message, error) {
	if len(l.messages) == 0 {
		return engine.Message{}, l.err
	}
	m := l.messages[0]
	l.messages = l.messages[1:]
	return m, nil
}
func (l *brokenLink) Decide(engine.Decision) error { return nil }
func (l *brokenLink) Close() error                 { return nil }

// Wherever the line breaks, every event of the journal arrives once and in order.
func TestDurableLinkDeliversTheWholeJournal(t *testing.T) {
	dir, err := makeIncident(t.TempDir(), "healed", "container:db", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := dir.Read()
	if err != nil {
		t.Fatal(err)
	}
	reset := errors.New("connection reset by peer")
	for sent := -1; sent <= len(rep.Events); sent++ {
		line := &brokenLink{err: reset}
		if sent >= 0 {
			line.messages = append(line.messages, engine.Message{Hello: &engine.Hello{}})
		}
		for i := range max(sent, 0) {
			line.messages = append(line.messages, engine.Message{Event: &rep.Events[i]})
		}
		l := &durableLink{Link: line, dir: dir}
		next, hellos := int64(1), 0
		for {
			m, err := l.Next()
			if err != nil {
				if !errors.Is(err, reset) {
					t.Errorf("after %d events: %v", sent, err)
				}
				break
			}
			if m.Hello != nil {
				hellos++
			}
			if m.Event != nil && m.Event.Seq != next {
				t.Fatalf("after %d events: event %d comes where %d should", sent, m.Event.Seq, next)
			}
			if m.Event != nil {
				next++
			}
		}
		if hellos != 1 || next != int64(len(rep.Events))+1 {
			t.Errorf("after %d events: %d greetings, %d of %d events", sent, hellos, next-1, len(rep.Events))
		}
	}
}

// A front end that leaves waits for nothing.
func TestDurableLinkClosedByUs(t *testing.T) {
	dir, err := makeIncident(t.TempDir(), "healed", "container:db", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	l := &durableLink{Link: &brokenLink{err: errors.New("closed")}, dir: dir}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if m, err := l.Next(); err == nil {
		t.Errorf("%+v", m)
	}
}
