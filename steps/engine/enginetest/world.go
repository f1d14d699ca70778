package enginetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Challenge is what must be typed to change the original.
const Challenge = "toy/1234"

// Fault is what goes wrong with an effect.
type Fault string

// The faults.
const (
	NoFault    Fault = ""
	FailBefore Fault = "fail before" // an error, and nothing has happened
	FailAfter  Fault = "fail after"  // an error, though it has happened
	KillBefore Fault = "kill before" // the engine dies, and nothing has happened
	KillAfter  Fault = "kill after"  // the engine dies behind it
)

// ErrInjected is the error of an effect with a fault.
var ErrInjected = errors.New("injected fault")

// World is the data under repair and what has been done to it. It outlives engines.
type World struct {
	mu       sync.Mutex
	original map[string]string
	snapshot map[string]string
	clone    map[string]string
	clones   int
	stopped  bool
	opened   int // writers on the original that are not closed
	verified map[string]int
	writes   []Write
	permits  []engine.Permit
	log      *Log

	effects int // counted through all engines
	faultAt int
	fault   Fault
	dead    bool
	onDeath func()
	view    func() engine.View // of the running engine

	// Allow is asked before a writer on the original is handed out.
	Allow func(events []engine.Event, permit engine.Permit) error
	// Refusals are what Allow said.
	Refusals []error
	// Hook is called before a value of the original is set.
	Hook func(key string)
	// Decide is the running engine's.
	Decide func(engine.Decision) error
	// PlanDrift makes plans for the original differ from the rehearsed ones.
	PlanDrift bool
}

// Write is one change of the original.
type Write struct {
	Act  engine.Act
	Step string
	Key  string
	Seq  int64 // of the journal's latest event then
}

// NewWorld has damaged data: what is "broken" can be mended.
func NewWorld(log *Log) *World {
	w := &World{original: map[string]string{"a": "fine", "b": "broken", "c": "broken", "wal": "endless"}, log: log, verified: map[string]int{}}
	log.world = w
	return w
}

// Inject sets the fault of the nth effect from now on, counted from 1.
func (w *World) Inject(n int, f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faultAt, w.fault = w.effects+n, f
}

// Effects is how many there were.
func (w *World) Effects() int { return locked(w, func() int { return w.effects }) }

// Original is a copy of the original's data.
func (w *World) Original() map[string]string {
	return locked(w, func() map[string]string { return maps.Clone(w.original) })
}

// Snapshot is a copy of the snapshot's data, nil before there is one.
func (w *World) Snapshot() map[string]string {
	return locked(w, func() map[string]string { return maps.Clone(w.snapshot) })
}

// Tamper changes the original behind the engine's back.
func (w *World) Tamper(key, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.original[key] = value
}

// Writes are the changes of the original so far.
func (w *World) Writes() []Write { return locked(w, func() []Write { return slices.Clone(w.writes) }) }

// Permits are those that writers were handed out for.
func (w *World) Permits() []engine.Permit {
	return locked(w, func() []engine.Permit { return slices.Clone(w.permits) })
}

// Open is the number of writers on the original that are not closed.
func (w *World) Open() int { return locked(w, func() int { return w.opened }) }

// Stopped reports that the target's service is stopped.
func (w *World) Stopped() bool { return locked(w, func() bool { return w.stopped }) }

// Clones is how many fresh clones there were.
func (w *World) Clones() int { return locked(w, func() int { return w.clones }) }

// Verified counts the calls of the step's Verify.
func (w *World) Verified(step string) int { return locked(w, func() int { return w.verified[step] }) }

// Dead reports that the engine has been killed.
func (w *World) Dead() bool { return locked(w, func() bool { return w.dead }) }

func locked[T any](w *World, read func() T) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return read()
}

// kill ends the engine's goroutine and everything it might still do.
func (w *World) kill() {
	w.mu.Lock()
	w.dead = true
	end := w.onDeath
	w.mu.Unlock()
	if end != nil {
		end()
	}
	runtime.Goexit()
}

// effect changes the world, unless a fault is due. A dead engine changes nothing.
func (w *World) effect(do func()) error {
	w.mu.Lock()
	if w.dead {
		w.mu.Unlock()
		runtime.Goexit()
	}
	w.effects++
	fault := NoFault
	if w.effects == w.faultAt {
		fault = w.fault
	}
	if fault == NoFault || fault == FailAfter || fault == KillAfter {
		do()
	}
	w.mu.Unlock()
	switch fault {
	case FailBefore, FailAfter:
		return ErrInjected
	case KillBefore, KillAfter:
		w.kill()
	}
	return nil
}

// place is the original or the clone.
type place struct {
	w        *World
	original bool
	writable bool
	permit   engine.Permit
}

var _ engine.Writer = (*place)(nil)

func (p *place) Place() string {
	if p.original {
		return "the original"
	}
	return "the clone"
}

func (p *place) get(key string) string {
	return locked(p.w, func() string {
		if p.original {
			return p.w.original[key]
		}
		return p.w.clone[key]
	})
}

// set writes one value. On the original it takes a writer that is open.
func (p *place) set(pass *engine.Pass, key, value string) error {
	if !p.writable {
		return fmt.Errorf("%s is read-only", p.Place())
	}
	if p.original && p.w.Hook != nil {
		p.w.Hook(key)
	}
	seq := pass.View().Seq // before the world is locked: the engine locks itself, then the world
	return p.w.effect(func() {
		if !p.original {
			p.w.clone[key] = value
			return
		}
		p.w.original[key] = value
		act := engine.Performance
		if p.permit.Step() == StepPutBack {
			act = engine.Undo
		}
		p.w.writes = append(p.w.writes, Write{act, p.permit.Step(), key, seq})
	})
}

func (p *place) Close(context.Context) error {
	if !p.original {
		return nil
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.writable = false
	p.w.opened--
	return nil
}
