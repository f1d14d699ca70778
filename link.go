package main

import (
	"context"
	"sync/atomic"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
	"github.com/pgrescue/pgrescue/ui"
)

// durableLink is a line to an engine that, when it breaks, still delivers what the journal
// holds and the line did not: an engine that ends at once may be gone before it has taken
// the call, and a killed one may have written more than it sent.
type durableLink struct {
	ui.Link
	dir journal.Dir

	closed atomic.Bool
	hello  bool
	seen   int64            // number of the last event delivered
	rest   []engine.Message // after the line broke
	broken error
}

// Next delivers the engine's messages, then the journal's, then the reason why the line broke.
func (l *durableLink) Next() (engine.Message, error) {
	if l.broken == nil {
		m, err := l.Link.Next()
		if err == nil {
			l.hello = l.hello || m.Hello != nil
			if m.Event != nil {
				l.seen = m.Event.Seq
			}
			return m, nil
		}
		l.broken = err
		if !l.closed.Load() {
			l.rest = l.missed()
		}
	}
	if len(l.rest) == 0 {
		return engine.Message{}, l.broken
	}
	m := l.rest[0]
	l.rest = l.rest[1:]
	return m, nil
}

// missed reads the journal once its writer is gone. One that cannot be read adds nothing:
// the broken line is reported all the same.
func (l *durableLink) missed() []engine.Message {
	awaitRelease(context.Background(), l.dir)
	rep, err := l.dir.Read()
	if err != nil {
		return nil
	}
	var out []engine.Message
	if !l.hello {
		out = append(out, engine.Message{Hello: &engine.Hello{Incident: l.dir.ID(), Past: int64(len(rep.Events))}})
	}
	for i := range rep.Events {
		if rep.Events[i].Seq > l.seen {
			out = append(out, engine.Message{Event: &rep.Events[i]})
		}
	}
	return out
}

// Close leaves the engine to itself: what it does from here on is not waited for.
func (l *durableLink) Close() error {
	l.closed.Store(true)
	return l.Link.Close()
}
