package engine_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/engine/enginetest"
)

// TestPromise7KillBehindEveryEvent kills the engine behind each event of a whole walk, and
// runs again.
func TestPromise7KillBehindEveryEvent(t *testing.T) {
	w, log := newWorld(t)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
	for seq := int64(1); seq <= int64(len(log.Events())); seq++ {
		w, log := newWorld(t)
		log.KillBehind(seq)
		if r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree); !r.Killed {
			t.Fatalf("event %d: the engine lives: %+v", seq, r)
		}
		if n := int64(len(log.Events())); n != seq {
			t.Fatalf("event %d: the dead engine wrote %d events", seq, n)
		}
		log.KillBehind(0)
		resumes(t, fmt.Sprintf("killed behind event %d", seq), w, log)
	}
}

// TestPromise7KillAtEveryEffect kills it before and behind each effect.
func TestPromise7KillAtEveryEffect(t *testing.T) {
	w, _ := newWorld(t)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
	for n := 1; n <= w.Effects(); n++ {
		for _, fault := range []enginetest.Fault{enginetest.KillBefore, enginetest.KillAfter} {
			w, log := newWorld(t)
			w.Inject(n, fault)
			if r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree); !r.Killed {
				t.Fatalf("%s effect %d: the engine lives: %+v", fault, n, r)
			}
			resumes(t, fmt.Sprintf("%s effect %d", fault, n), w, log)
		}
	}
}

// TestEffectFailsAnywhere: an effect that fails is named, and going on heals.
func TestEffectFailsAnywhere(t *testing.T) {
	w, _ := newWorld(t)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
	for n := 1; n <= w.Effects(); n++ {
		for _, fault := range []enginetest.Fault{enginetest.FailBefore, enginetest.FailAfter} {
			w, log := newWorld(t)
			w.Inject(n, fault)
			r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
			v := fold(t, log.Events())
			if r.Closed.Exit == 0 || w.Open() != 0 {
				t.Errorf("%s effect %d: ended %+v, %d open writers", fault, n, r.Closed, w.Open())
			}
			// A writer that could not be opened has changed nothing; a value has.
			if wrote := len(w.Writes()) > 0; wrote && v.Original == engine.Untouched {
				t.Errorf("%s effect %d: the original was written and is called %s", fault, n, v.Original)
			}
			resumes(t, fmt.Sprintf("%s effect %d", fault, n), w, log)
		}
	}
}

// resumes runs again after a death, and checks that nothing was lost, that what is unknown
// is looked at before it is written, and that the end is the same.
func resumes(t *testing.T, when string, w *enginetest.World, log *enginetest.Log) {
	t.Helper()
	before := log.Events()
	dead, err := engine.FoldAll(before)
	if err != nil {
		t.Fatalf("%s: what is left does not fold: %v", when, err)
	}
	unsure := ""
	for _, r := range dead.Rows {
		if r.Act == engine.Performance && r.State == engine.Applying {
			unsure = r.Step
		}
	}
	looked := w.Verified(unsure)
	w.Hook = func(string) {
		if permits := w.Permits(); unsure != "" && permits[len(permits)-1].Step() == unsure && w.Verified(unsure) == looked {
			t.Errorf("%s: %s was written again without looking", when, unsure)
		}
	}
	r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
	w.Hook = nil
	if r.Killed || r.Err != nil || r.Closed.Outcome != "healed" {
		t.Fatalf("%s: ended %+v, %v", when, r.Closed, r.Err)
	}
	sameData(t, when+": original", w.Original(), healed())
	after := log.Events()
	if !reflect.DeepEqual(after[:len(before)], before) {
		t.Errorf("%s: events were lost or changed", when)
	}
	if unsure != "" {
		saysUnknown(t, when, after[:], unsure)
	}
	sameView(t, when, r.View, after)
	rehearsedFresh(t, when, after)
}

// saysUnknown: behind the reopening there is a point where the step is unknown, and so is
// the original.
func saysUnknown(t *testing.T, when string, events []engine.Event, step string) {
	t.Helper()
	var v engine.View
	for _, e := range events {
		v, _ = v.Fold(e)
		if row := v.Row(engine.Performance, step); row != nil && row.State == engine.Unsure && v.Original == engine.Uncertain {
			return
		}
	}
	t.Errorf("%s: %s was never called unknown", when, step)
}

// sameView compares the live view with the replayed one, at the end and at every prefix;
// and an old view with itself after newer ones were made from it.
func sameView(t *testing.T, when string, live engine.View, events []engine.Event) {
	t.Helper()
	views := make([]engine.View, len(events))
	var v engine.View
	for i, e := range events {
		var err error
		if v, err = v.Fold(e); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		views[i] = v
	}
	if !reflect.DeepEqual(live, v) {
		t.Errorf("%s: live view differs from replay:\n%+v\n%+v", when, live, v)
	}
	for i := range views {
		if i%7 != 0 && i != len(views)-1 {
			continue // every prefix of every death is too much; TestReplayEqualsLive has all
		}
		again, err := engine.FoldAll(events[:i+1])
		if err != nil || !reflect.DeepEqual(again, views[i]) {
			t.Fatalf("%s: prefix of %d events folds otherwise (%v)", when, i+1, err)
		}
	}
}

// TestReplayEqualsLive at every prefix of a walk with an undo, a refusal and a death.
func TestReplayEqualsLive(t *testing.T) {
	w, log := newWorld(t)
	w.Play(t.Context(), enginetest.Mode{}, enginetest.At(engine.Performance, enginetest.StepReset, engine.DecideDecline))
	w.Inject(2, enginetest.KillAfter)
	w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
	w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
	r := w.Play(t.Context(), enginetest.Mode{Undo: true}, enginetest.Agree)
	wantOutcome(t, r, "undone", 0)
	events := log.Events()
	var views []engine.View
	var v engine.View
	for _, e := range events {
		v, _ = v.Fold(e)
		views = append(views, v)
	}
	if !reflect.DeepEqual(r.View, v) {
		t.Errorf("live view differs from replay")
	}
	for i := range events {
		if again := fold(t, events[:i+1]); !reflect.DeepEqual(again, views[i]) {
			t.Fatalf("prefix of %d events folds otherwise", i+1)
		}
	}
}

// rehearsedFresh: every attempt at the rehearsal plays all its steps, and the performance
// has one attempt.
func rehearsedFresh(t *testing.T, when string, events []engine.Event) {
	t.Helper()
	attempt, started := 0, map[string]bool{}
	for _, e := range events {
		switch e.Kind {
		case engine.KindAct:
			a := decode[engine.ActData](e)
			if a.Act == engine.Rehearsal {
				if a.Attempt != attempt+1 {
					t.Errorf("%s: attempt %d follows attempt %d", when, a.Attempt, attempt)
				}
				attempt, started = a.Attempt, map[string]bool{}
			}
			if a.Act == engine.Performance && a.Attempt != 1 {
				t.Errorf("%s: performance has attempt %d", when, a.Attempt)
			}
		case engine.KindStarted:
			if e.Act == engine.Rehearsal {
				started[e.Step] = true
			}
		case engine.KindRehearsed:
			if len(started) != 4 {
				t.Errorf("%s: attempt %d passed with %d of 4 steps played", when, attempt, len(started))
			}
		}
	}
}
