package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Names of the toy playbook's steps.
const (
	StepLook     = "look"
	StepStop     = "stop"
	StepSnapshot = "take-snapshot"
	StepInspect  = "inspect"
	StepMend     = "mend"
	StepReset    = "reset"
	StepCheck    = "check"
	StepGiveBack = "give-back"
	StepReport   = "report"
	StepStopUndo = "stop-for-undo"
	StepPutBack  = "put-back"
)

// Broken is the fact that lists the keys to mend.
func Broken() engine.Fact[[]string] { return engine.NewFact[[]string]("broken") }

// Playbook has a step of each part and danger.
func (w *World) Playbook() *engine.Playbook {
	return &engine.Playbook{Name: "toy", Title: "a toy is broken", Doc: "Mends the toy.", Steps: []*engine.Step{
		w.look(), w.stop(StepStop, engine.Opening), w.takeSnapshot(),
		w.inspect(), w.mend(), w.reset(), w.check(),
		w.giveBack(), w.report(),
		w.stop(StepStopUndo, engine.Putback), w.putBack(),
	}}
}

func step(name string, part engine.Part) *engine.Step {
	return &engine.Step{Name: name, Title: "Step " + name, Doc: "Does " + name + ".", Part: part}
}

func at(p *engine.Pass) (*place, error) {
	pl, ok := p.Target().(*place)
	if !ok {
		return nil, fmt.Errorf("target is a %T", p.Target())
	}
	return pl, nil
}

func (w *World) look() *engine.Step {
	s := step(StepLook, engine.Opening)
	s.Observe = func(_ context.Context, p *engine.Pass) error {
		if err := p.Show(engine.Exhibit{Title: "the toy", Columns: []string{"key", "value"}, Rows: [][]string{{"a", "fine"}}}); err != nil {
			return err
		}
		return p.Report(engine.Finding{Severity: engine.Damaged, Title: "the toy is broken", Evidence: []string{"it rattles"}, Next: "mend it"})
	}
	return s
}

// stop is reversible: it obliges before it stops.
func (w *World) stop(name string, part engine.Part) *engine.Step {
	s := step(name, part)
	s.Rewrite = &engine.Rewrite{
		Danger: engine.Reversible,
		Plan: func(context.Context, *engine.Pass) (engine.Plan, error) {
			return engine.Plan{Summary: "stop the toy", Changes: []engine.Change{{Path: "toy", Before: "running", After: "stopped"}}}, nil
		},
		Apply: func(ctx context.Context, d *engine.Deed) error {
			if err := d.Pass().Oblige("toy", "start the toy again", map[string]string{"policy": "always"}); err != nil {
				return err
			}
			return d.Pass().Do(ctx, "stop the toy", nil, func(context.Context) (engine.Output, error) {
				return engine.Output{}, w.effect(func() { w.stopped = true })
			})
		},
		Verify: func(context.Context, *engine.Deed) error {
			if !w.Stopped() {
				return fmt.Errorf("the toy still runs")
			}
			return nil
		},
	}
	return s
}

func (w *World) takeSnapshot() *engine.Step {
	s := step(StepSnapshot, engine.Opening)
	s.Rewrite = &engine.Rewrite{
		Danger: engine.OnCopy,
		Plan: func(context.Context, *engine.Pass) (engine.Plan, error) {
			return engine.Plan{Summary: "copy the toy", Changes: []engine.Change{{Path: "snapshot", After: "a copy"}}}, nil
		},
		Apply: func(ctx context.Context, d *engine.Deed) error {
			return d.Pass().Do(ctx, "copy", []string{"cp", "-a", "toy", "copy"}, func(context.Context) (engine.Output, error) {
				return engine.Output{Stdout: []byte("copied\n")}, w.effect(func() { w.snapshot = maps.Clone(w.original) })
			})
		},
		Verify: func(_ context.Context, d *engine.Deed) error {
			return d.Pass().Judge(engine.Verdict{Subject: "snapshot", Result: engine.Passed, Evidence: []string{"read back"}})
		},
	}
	return s
}

func (w *World) inspect() *engine.Step {
	s := step(StepInspect, engine.Twice)
	s.Makes = []engine.AnyFact{Broken()}
	s.Observe = func(_ context.Context, p *engine.Pass) error {
		pl, err := at(p)
		if err != nil {
			return err
		}
		broken := []string{}
		for _, k := range []string{"a", "b", "c"} {
			if pl.get(k) == "broken" {
				broken = append(broken, k)
			}
		}
		return Broken().Put(p, broken)
	}
	return s
}

func (w *World) mend() *engine.Step {
	s := step(StepMend, engine.Twice)
	s.Needs = []engine.AnyFact{Broken()}
	s.Ask = []engine.Question{{Name: "glue", Prompt: "Which glue?", Choices: []string{"wood", "paper"}, Default: "wood"}}
	s.Rewrite = &engine.Rewrite{
		Danger: engine.Original,
		Plan: func(_ context.Context, p *engine.Pass) (engine.Plan, error) {
			keys, err := Broken().Get(p)
			plan := engine.Plan{Summary: "mend with glue: " + p.Answer("glue")}
			for _, k := range keys {
				plan.Changes = append(plan.Changes, engine.Change{Path: k, Before: "broken", After: "mended", Loses: "the cracks of " + k})
			}
			if pl, ok := p.Target().(*place); ok && pl.original && locked(w, func() bool { return w.PlanDrift }) {
				plan.Changes = append(plan.Changes, engine.Change{Path: "drift", After: "something else"})
			}
			plan.Payload, _ = json.Marshal(keys) // of strings: cannot fail
			return plan, err
		},
		Apply:  func(ctx context.Context, d *engine.Deed) error { return setAll(ctx, d) },
		Verify: func(_ context.Context, d *engine.Deed) error { return w.verifyAll(d, StepMend) },
	}
	return s
}

func (w *World) reset() *engine.Step {
	s := step(StepReset, engine.Twice)
	s.Rewrite = &engine.Rewrite{
		Danger: engine.Original,
		Plan: func(context.Context, *engine.Pass) (engine.Plan, error) {
			return engine.Plan{Summary: "reset the log", Changes: []engine.Change{{Path: "wal", After: "empty"}}, Loses: []string{"what the log held"}}, nil
		},
		Apply:  func(ctx context.Context, d *engine.Deed) error { return setAll(ctx, d) },
		Verify: func(_ context.Context, d *engine.Deed) error { return w.verifyAll(d, StepReset) },
	}
	return s
}

// setAll writes what the plan says, each value between intent and outcome.
func setAll(ctx context.Context, d *engine.Deed) error {
	pl, ok := d.Writer.(*place)
	if !ok {
		return fmt.Errorf("writer is a %T", d.Writer)
	}
	for _, c := range d.Plan.Changes {
		err := d.Pass().Do(ctx, "set "+c.Path, []string{"set", c.Path, c.After}, func(ctx context.Context) (engine.Output, error) {
			if err := ctx.Err(); err != nil {
				return engine.Output{}, err
			}
			return engine.Output{}, pl.set(d.Pass(), c.Path, c.After)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *World) verifyAll(d *engine.Deed, name string) error {
	w.mu.Lock()
	w.verified[name]++
	w.mu.Unlock()
	pl, err := at(d.Pass())
	if err != nil {
		return err
	}
	for _, c := range d.Plan.Changes {
		if got := pl.get(c.Path); got != c.After {
			return fmt.Errorf("%s is %q, want %q", c.Path, got, c.After)
		}
	}
	return nil
}

func (w *World) check() *engine.Step {
	s := step(StepCheck, engine.Twice)
	s.Observe = func(_ context.Context, p *engine.Pass) error {
		pl, err := at(p)
		if err != nil {
			return err
		}
		for _, k := range []string{"a", "b", "c"} {
			v := engine.Verdict{Subject: "toy.public." + k, Result: engine.Passed, Evidence: []string{"looked at it"}, Data: json.RawMessage(`{"database":"toy","rows":1}`)}
			if pl.get(k) == "broken" {
				v.Result = engine.Fail
			}
			if err := p.Judge(v); err != nil {
				return err
			}
			if v.Result == engine.Fail {
				return engine.Errorf(engine.Damage, "mend it again", "%s is broken", k)
			}
		}
		return nil
	}
	return s
}

func (w *World) giveBack() *engine.Step {
	s := step(StepGiveBack, engine.Final)
	s.Rewrite = &engine.Rewrite{
		Danger: engine.Reversible,
		Plan: func(context.Context, *engine.Pass) (engine.Plan, error) {
			return engine.Plan{Summary: "start the toy", Changes: []engine.Change{{Path: "toy", Before: "stopped", After: "running"}}}, nil
		},
		Apply: func(_ context.Context, d *engine.Deed) error {
			if err := w.effect(func() { w.stopped = false }); err != nil {
				return err
			}
			return d.Pass().Settle("toy")
		},
		Verify: func(context.Context, *engine.Deed) error { return nil },
	}
	return s
}

func (w *World) report() *engine.Step {
	s := step(StepReport, engine.Final)
	s.Observe = func(_ context.Context, p *engine.Pass) error {
		return p.Report(engine.Finding{Severity: engine.Info, Title: "buy a new toy"})
	}
	return s
}

func (w *World) putBack() *engine.Step {
	s := step(StepPutBack, engine.Putback)
	s.Rewrite = &engine.Rewrite{
		Danger: engine.Original,
		Plan: func(context.Context, *engine.Pass) (engine.Plan, error) {
			plan := engine.Plan{Summary: "put the toy back"}
			original, snapshot := w.Original(), w.Snapshot()
			for _, k := range slices.Sorted(maps.Keys(snapshot)) {
				if original[k] != snapshot[k] {
					plan.Changes = append(plan.Changes, engine.Change{Path: k, Before: original[k], After: snapshot[k]})
				}
			}
			return plan, nil
		},
		Apply:  func(ctx context.Context, d *engine.Deed) error { return setAll(ctx, d) },
		Verify: func(_ context.Context, d *engine.Deed) error { return w.verifyAll(d, StepPutBack) },
	}
	return s
}
