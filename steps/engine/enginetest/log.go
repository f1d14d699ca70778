package enginetest

import (
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// ErrFull is the error of a log that takes no more events.
var ErrFull = errors.New("no space left for the journal")

// Log keeps events in memory as a file would: what comes back has been through JSON.
type Log struct {
	mu     sync.Mutex
	events []engine.Event
	world  *World
	killAt int64 // the engine dies behind the event with this number
	fullAt int64 // the event with this number and later ones are refused
	once   bool  // only the first time
}

var _ engine.Log = (*Log)(nil)

// KillBehind kills the engine once the event is durable; 0 means never.
func (l *Log) KillBehind(seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killAt = seq
}

// FullAt refuses the event with that number and all behind it, or with once that event one
// time, as when somebody makes room; 0 means never.
func (l *Log) FullAt(seq int64, once bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fullAt, l.once = seq, once
}

// Events are those that are durable.
func (l *Log) Events() []engine.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// Append implements engine.Log.
func (l *Log) Append(e engine.Event) (engine.Event, error) {
	if l.world != nil && l.world.Dead() {
		runtime.Goexit()
	}
	kept, err := l.keep(e)
	if err != nil {
		return e, err
	}
	if l.world != nil && l.killed(e.Seq) {
		l.world.kill()
	}
	return kept, nil
}

func (l *Log) keep(e engine.Event) (engine.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fullAt > 0 && e.Seq >= l.fullAt {
		if l.once {
			l.fullAt = 0
		}
		return e, ErrFull
	}
	line, err := json.Marshal(e)
	if err != nil {
		return e, err
	}
	var kept engine.Event
	if err := json.Unmarshal(line, &kept); err != nil {
		return e, err
	}
	l.events = append(l.events, kept)
	return kept, nil
}

func (l *Log) killed(seq int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.killAt == seq
}

// Keep implements engine.Log.
func (*Log) Keep(id, _ string, _ []string, _ engine.Output) (string, error) {
	return "commands/" + id, nil
}
