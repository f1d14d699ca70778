package engine_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/engine/enginetest"
)

// newWorld has a checker in front of the original: it judges each permit by the raw events
// alone, with none of the engine's own code.
func newWorld(t *testing.T) (*enginetest.World, *enginetest.Log) {
	t.Helper()
	log := &enginetest.Log{}
	w := enginetest.NewWorld(log)
	w.Allow = allowed
	t.Cleanup(func() {
		for _, err := range w.Refusals {
			t.Errorf("a writer on the original was wanted without the right to it: %v", err)
		}
	})
	return w, log
}

// allowed judges a permit: a rehearsal passed with this very digest and nothing was
// rehearsed since, and the latest word on the step in this act is a consent that was typed
// for this digest.
func allowed(events []engine.Event, permit engine.Permit) error {
	var plans map[string]string
	var act engine.Act
	var consent engine.Agreed
	agreed := false
	for _, e := range events {
		switch e.Kind {
		case engine.KindAct:
			act = decode[engine.ActData](e).Act
			if act == engine.Rehearsal {
				plans = nil
			}
		case engine.KindRehearsed:
			plans = decode[engine.Rehearsed](e).Plans
		case engine.KindReopened:
			agreed = false
		case engine.KindAgreed:
			if e.Step == permit.Step() && (e.Act == engine.Performance || e.Act == engine.Undo) {
				consent, agreed = decode[engine.Agreed](e), true
			}
		case engine.KindStarted, engine.KindDeclined, engine.KindFailed, engine.KindInterrupted, engine.KindDone, engine.KindProposed:
			if e.Step == permit.Step() {
				agreed = false
			}
		}
	}
	switch {
	case !agreed:
		return fmt.Errorf("step %s: nobody agreed", permit.Step())
	case consent.Digest != permit.Digest():
		return fmt.Errorf("step %s: consent to %.12s, permit for %.12s", permit.Step(), consent.Digest, permit.Digest())
	case consent.Typed != enginetest.Challenge:
		return fmt.Errorf("step %s: consent was typed %q", permit.Step(), consent.Typed)
	case act != engine.Undo && plans[permit.Step()] != permit.Digest():
		return fmt.Errorf("step %s: no passed rehearsal of %.12s", permit.Step(), permit.Digest())
	}
	return nil
}

func fold(t *testing.T, events []engine.Event) engine.View {
	t.Helper()
	v, err := engine.FoldAll(events)
	if err != nil {
		t.Fatalf("journal does not fold: %v", err)
	}
	return v
}

func states(v engine.View, act engine.Act) map[string]engine.State {
	m := map[string]engine.State{}
	for _, r := range v.Rows {
		if r.Act == act {
			m[r.Step] = r.State
		}
	}
	return m
}

func sameData(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// healed is the toy's data after the performance.
func healed() map[string]string {
	return map[string]string{"a": "fine", "b": "mended", "c": "mended", "wal": "empty"}
}

func wantOutcome(t *testing.T, r enginetest.Result, outcome string, exit int) {
	t.Helper()
	if r.Err != nil || r.Killed {
		t.Fatalf("engine: %v (killed %v)", r.Err, r.Killed)
	}
	if r.Closed.Outcome != outcome || r.Closed.Exit != exit {
		t.Fatalf("ended %q, exit %d (%s); want %q, exit %d", r.Closed.Outcome, r.Closed.Exit, r.Closed.Summary, outcome, exit)
	}
}
