package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/engine/enginetest"
)

func TestWalk(t *testing.T) {
	w, log := newWorld(t)
	r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
	wantOutcome(t, r, "healed", 0)
	sameData(t, "original", w.Original(), healed())
	v := fold(t, log.Events())
	if v.Original != engine.Changed || len(v.Obligations) != 0 || w.Stopped() || w.Open() != 0 {
		t.Errorf("original %s, owed %v, stopped %v, open writers %d", v.Original, v.Obligations, w.Stopped(), w.Open())
	}
	for act, steps := range map[engine.Act]int{engine.Prepare: 3, engine.Rehearsal: 4, engine.Performance: 4, engine.Closing: 2} {
		s := states(v, act)
		if len(s) != steps {
			t.Errorf("%s has %d steps, want %d", act, len(s), steps)
		}
		for name, state := range s {
			if state != engine.Done {
				t.Errorf("%s in %s is %s", name, act, state)
			}
		}
	}
	if len(w.Permits()) != 2 {
		t.Errorf("permits %v, want one for each rewriting step", w.Permits())
	}
}

// TestPromise1OriginalUntouchedUntilConsent: no byte changes before the first consent, and
// every change lies behind the consent to its own step.
func TestPromise1OriginalUntouchedUntilConsent(t *testing.T) {
	w, log := newWorld(t)
	before := w.Original()
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{RehearseOnly: true}, enginetest.Agree), "rehearsed", engine.ExitPending)
	sameData(t, "original after the rehearsal", w.Original(), before)
	if v := fold(t, log.Events()); v.Original != engine.Untouched {
		t.Errorf("view says %s", v.Original)
	}
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
	agreed := map[string]int64{}
	for _, e := range log.Events() {
		if e.Kind == engine.KindAgreed && e.Act == engine.Performance {
			agreed[e.Step] = e.Seq
		}
	}
	if len(w.Writes()) != 3 {
		t.Fatalf("writes: %v", w.Writes())
	}
	for _, wr := range w.Writes() {
		if agreed[wr.Step] == 0 || wr.Seq <= agreed[wr.Step] {
			t.Errorf("%s wrote %s at event %d, its consent is event %d", wr.Step, wr.Key, wr.Seq, agreed[wr.Step])
		}
	}
}

// TestPromise3FailedRehearsalUnlocksNothing: failed, declined and aborted alike.
func TestPromise3FailedRehearsalUnlocksNothing(t *testing.T) {
	for _, tc := range []struct {
		name, outcome string
		exit          int
		op            enginetest.Operator
		fault         int // of the effect: stop, snapshot, clone, b, c, wal
	}{
		{"declined", "declined", 7, enginetest.At(engine.Rehearsal, enginetest.StepReset, engine.DecideDecline), 0},
		{"aborted", "aborted", 7, enginetest.At(engine.Rehearsal, enginetest.StepReset, engine.DecideAbort), 0},
		{"failed", "failed", 1, enginetest.Agree, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, log := newWorld(t)
			before := w.Original()
			if tc.fault > 0 {
				w.Inject(tc.fault, enginetest.FailBefore)
			}
			wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, tc.op), tc.outcome, tc.exit)
			sameData(t, "original", w.Original(), before)
			v := fold(t, log.Events())
			if v.Rehearsed != nil || len(w.Permits()) != 0 || v.Original != engine.Untouched {
				t.Errorf("rehearsed %v, permits %v, original %s", v.Rehearsed, w.Permits(), v.Original)
			}
			// Once more: a rehearsal begins again, from a fresh clone.
			clones := w.Clones()
			wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
			if v := fold(t, log.Events()); w.Clones() != clones+1 || v.Rehearsed.Attempt != 2 {
				t.Errorf("clones %d, was %d; passed attempt %d, want 2", w.Clones(), clones, v.Rehearsed.Attempt)
			}
		})
	}
}

// TestPromise3PlanDriftIsStale: another plan than the rehearsed one stops the performance
// and says what differs.
func TestPromise3PlanDriftIsStale(t *testing.T) {
	w, _ := newWorld(t)
	before := w.Original()
	w.PlanDrift = true
	r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
	wantOutcome(t, r, "stale", 6)
	if !strings.Contains(r.Closed.Summary, "2 changes became 3") {
		t.Errorf("difference not named: %s", r.Closed.Summary)
	}
	sameData(t, "original", w.Original(), before)
}

// TestPromise3OriginalChangedIsStale: the original changed between rehearsal and
// performance.
func TestPromise3OriginalChangedIsStale(t *testing.T) {
	w, _ := newWorld(t)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{RehearseOnly: true}, enginetest.Agree), "rehearsed", 4)
	w.Tamper("a", "somebody was here")
	r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
	wantOutcome(t, r, "stale", 6)
	if !strings.Contains(r.Closed.Summary, `a is "somebody was here"`) {
		t.Errorf("difference not named: %s", r.Closed.Summary)
	}
	if len(w.Permits()) != 0 {
		t.Errorf("permits %v", w.Permits())
	}
}

// TestPromise5UndoPutsBack: and says BEING WRITTEN only while it writes.
func TestPromise5UndoPutsBack(t *testing.T) {
	w, log := newWorld(t)
	before := w.Original()
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{Undo: true}, enginetest.Agree), "undone", 0)
	sameData(t, "original", w.Original(), before)
	var v engine.View
	for _, e := range log.Events() {
		v, _ = v.Fold(e)
		if e.Act == engine.Undo && e.Step == enginetest.StepStopUndo && v.Original != engine.Changed {
			t.Errorf("event %d (%s) of the reversible step: original is %s", e.Seq, e.Kind, v.Original)
		}
	}
	if v.Original != engine.PutBack {
		t.Errorf("original is %s", v.Original)
	}
}

// TestPromise10UndoneIsNotHealed: resuming an incident that was undone, or is half undone,
// must not call the original healed or go on writing to it.
func TestPromise10UndoneIsNotHealed(t *testing.T) {
	w, log := newWorld(t)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
	w.Inject(3, enginetest.KillAfter) // stop, writer, first value
	if r := w.Play(t.Context(), enginetest.Mode{Undo: true}, enginetest.Agree); !r.Killed {
		t.Fatalf("not killed: %+v", r.Closed)
	}
	r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
	wantOutcome(t, r, "unknown", 10)
	if !strings.Contains(r.Closed.Next[0], "pgrescue undo") {
		t.Errorf("next: %v", r.Closed.Next)
	}
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{Undo: true}, enginetest.Agree), "undone", 0)
	sameData(t, "original", w.Original(), w.Snapshot())
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "failed", 5)
	if v := fold(t, log.Events()); v.Original != engine.PutBack {
		t.Errorf("original is %s", v.Original)
	}
}

// TestPromise8ObligationBeforeEffect: what is stopped is in the journal before it stops,
// and an incident that ends early says that it is owed.
func TestPromise8ObligationBeforeEffect(t *testing.T) {
	w, log := newWorld(t)
	w.Inject(1, enginetest.KillAfter) // the toy stops, and the engine dies
	if r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree); !r.Killed || !w.Stopped() {
		t.Fatalf("killed %v, stopped %v", r.Killed, w.Stopped())
	}
	if v := fold(t, log.Events()); len(v.Obligations) != 1 {
		t.Fatalf("owed: %v", v.Obligations)
	}
	r := w.Play(t.Context(), enginetest.Mode{RehearseOnly: true}, enginetest.Agree)
	wantOutcome(t, r, "rehearsed", 4)
	if !strings.Contains(strings.Join(r.Closed.Next, "\n"), "still owed: start the toy again") {
		t.Errorf("next: %v", r.Closed.Next)
	}
}

// TestRehearseOnlyAfterChange: "rehearsed, untouched" is not said of a changed original.
func TestRehearseOnlyAfterChange(t *testing.T) {
	w, _ := newWorld(t)
	refuseReset := enginetest.At(engine.Performance, enginetest.StepReset, engine.DecideDecline)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, refuseReset), "declined", 7)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{RehearseOnly: true}, enginetest.Agree), "failed", 5)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
	sameData(t, "original", w.Original(), healed())
}

// TestRehearseAgain drops a passed rehearsal while the original is untouched.
func TestRehearseAgain(t *testing.T) {
	w, log := newWorld(t)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{RehearseOnly: true}, enginetest.Agree), "rehearsed", 4)
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{RehearseOnly: true, RehearseAgain: true}, enginetest.Agree), "rehearsed", 4)
	v := fold(t, log.Events())
	if w.Clones() != 2 || v.Rehearsed.Attempt != 2 {
		t.Errorf("%d clones, attempt %d", w.Clones(), v.Rehearsed.Attempt)
	}
	prepares := 0
	for _, e := range log.Events() {
		if e.Kind == engine.KindAct && decode[engine.ActData](e).Act == engine.Prepare {
			prepares++
		}
	}
	if prepares != 1 {
		t.Errorf("prepare was entered %d times though it was done at once", prepares)
	}
}

// TestAbortDuringApplyingWaits: on the original the step ends first, and its writer closes.
func TestAbortDuringApplyingWaits(t *testing.T) {
	w, log := newWorld(t)
	w.Hook = func(key string) {
		if key != "b" {
			return
		}
		if err := w.Decide(engine.Decision{Kind: engine.DecideAbort}); err != nil {
			t.Errorf("abort: %v", err)
		}
	}
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "aborted", 7)
	v := fold(t, log.Events())
	if s := v.Row(engine.Performance, enginetest.StepMend).State; s != engine.Done || w.Open() != 0 {
		t.Errorf("step is %s, open writers %d", s, w.Open())
	}
	sameData(t, "original", w.Original(), map[string]string{"a": "fine", "b": "mended", "c": "mended", "wal": "endless"})
	w.Hook = nil
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
}

// TestAbortHidesNoFailure: a step on the original that fails after an abort has failed; it
// was not merely stopped.
func TestAbortHidesNoFailure(t *testing.T) {
	w, _ := newWorld(t)
	w.Hook = func(string) {
		if err := w.Decide(engine.Decision{Kind: engine.DecideAbort}); err != nil {
			t.Errorf("abort: %v", err)
		}
		w.Inject(1, enginetest.FailAfter)
	}
	r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
	wantOutcome(t, r, "unknown", 10)
	if !strings.Contains(r.Closed.Summary, enginetest.ErrInjected.Error()) {
		t.Errorf("the failure is hidden: %s", r.Closed.Summary)
	}
}

// TestAbortAtGate ends the run at once, with nothing written.
func TestAbortAtGate(t *testing.T) {
	w, _ := newWorld(t)
	op := enginetest.At(engine.Performance, enginetest.StepMend, engine.DecideAbort)
	// The rehearsal holds, and that is what the exit code says.
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, op), "rehearsed", engine.ExitPending)
	sameData(t, "original", w.Original(), w.Snapshot())
}

// TestJournalFull: nothing happens once the journal has refused an event, wherever that is,
// even if it would take the next.
func TestJournalFull(t *testing.T) {
	w, log := newWorld(t)
	w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
	all := int64(len(log.Events()))
	for at := int64(2); at <= all; at++ {
		w, log := newWorld(t)
		log.FullAt(at, at%2 == 0)
		r := w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree)
		if r.Err == nil || !strings.Contains(r.Err.Error(), "journal cannot be written") {
			t.Fatalf("full at %d: %v", at, r.Err)
		}
		if w.Open() != 0 {
			t.Errorf("full at %d: a writer on the original stays open", at)
		}
		if n := int64(len(log.Events())); n != at-1 {
			t.Fatalf("full at %d: %d events", at, n)
		}
		log.FullAt(0, false)
		wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, enginetest.Agree), "healed", 0)
		sameData(t, "original", w.Original(), healed())
	}
}

// TestTerminationDuringApplyingWaits: the end of the process's context does not cut a step
// on the original in two.
func TestTerminationDuringApplyingWaits(t *testing.T) {
	w, log := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.Hook = func(string) { cancel() }
	if r := w.Play(ctx, enginetest.Mode{}, enginetest.Agree); r.Err != nil || r.Closed.Exit == 0 {
		t.Fatalf("%+v", r)
	}
	v := fold(t, log.Events())
	if s := v.Row(engine.Performance, enginetest.StepMend).State; s != engine.Done || w.Open() != 0 || v.Original != engine.Changed {
		t.Errorf("step is %s, original %s, open writers %d", s, v.Original, w.Open())
	}
	sameData(t, "original", w.Original(), map[string]string{"a": "fine", "b": "mended", "c": "mended", "wal": "endless"})
}
