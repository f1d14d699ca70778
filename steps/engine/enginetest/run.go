package enginetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Operator is asked after every event and says what to decide, in order.
type Operator func(engine.View) []engine.Decision

// Agree consents to everything in the way the gate wants it, and takes defaults.
func Agree(v engine.View) []engine.Decision {
	if q := v.Question; q != nil {
		return []engine.Decision{{Kind: engine.DecideAnswer, Act: q.Act, Step: q.Step, Name: q.Name, Value: q.Default, Actor: "op@toy"}}
	}
	if g := v.Gate; g != nil {
		return []engine.Decision{{Kind: engine.DecideAgree, Act: g.Act, Step: g.Step, Digest: g.Digest, Typed: g.Challenge, Actor: "op@toy"}}
	}
	return nil
}

// At decides as kind at the gate of one step, and agrees to everything else.
func At(act engine.Act, step string, kind engine.DecisionKind) Operator {
	return func(v engine.View) []engine.Decision {
		d := Agree(v)
		if g := v.Gate; g != nil && g.Act == act && g.Step == step {
			d[0].Kind = kind
		}
		return d
	}
}

// Mode of a run.
type Mode struct {
	RehearseOnly  bool
	RehearseAgain bool
	Undo          bool
}

// Result of one engine process.
type Result struct {
	Closed engine.Closed
	Err    error
	Killed bool
	View   engine.View    // the engine's own at its end
	Past   []engine.Event // what it found when it began
}

// Play runs one engine on the world, from the events that its log holds, until it ends or
// is killed.
func (w *World) Play(ctx context.Context, mode Mode, op Operator) Result {
	return w.PlayOn(ctx, w.log, mode, op)
}

// PlayOn is Play with another log in front of the world's own, which it must also append
// to.
func (w *World) PlayOn(ctx context.Context, log engine.Log, mode Mode, op Operator) Result {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.mu.Lock()
	w.dead, w.onDeath, w.view = false, cancel, nil
	w.mu.Unlock()
	res := Result{Killed: true, Past: w.log.Events()}
	var wg sync.WaitGroup
	wg.Go(func() {
		res.Closed, res.Err = w.play(ctx, &wg, log, mode, op, res.Past)
		res.Killed = false
	})
	wg.Wait()
	res.Killed = res.Killed || w.Dead() // behind its last event, by a note
	if w.view != nil {
		res.View = w.view()
	}
	return res
}

func (w *World) play(ctx context.Context, wg *sync.WaitGroup, log engine.Log, mode Mode, op Operator, past []engine.Event) (engine.Closed, error) {
	s, err := engine.Open(w.Playbook(), workspace{w}, log, past, engine.Reopened{Actor: "op@toy", Reason: "resumed",
		RehearseOnly: mode.RehearseOnly, RehearseAgain: mode.RehearseAgain})
	if err != nil {
		return engine.Closed{}, fmt.Errorf("open: %w", err)
	}
	if len(past) == 0 {
		o := engine.Opened{Incident: "INC-1", Target: "toy:box", Host: "toy", Actor: "op@toy", Version: "test", Options: engine.Options{RehearseOnly: mode.RehearseOnly}}
		if err := s.Begin(o); err != nil {
			return engine.Closed{}, err
		}
	}
	w.Decide, w.view = s.Decide, s.View
	wg.Go(func() { attend(s, op) })
	run := s.Run
	if mode.Undo {
		run = s.RunUndo
	}
	return run(ctx)
}

// attend decides whenever something has happened. A decision that is refused is not
// repeated until something else happens.
func attend(s *engine.Session, op Operator) {
	r := s.Hub().Reader()
	for {
		m, ok := r.Next()
		if !ok {
			return
		}
		if m.Event == nil {
			continue
		}
		for _, d := range op(s.View()) {
			_ = s.Decide(d) // refusals are the tests' business
		}
	}
}
