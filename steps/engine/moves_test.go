package engine

import "testing"

func allStates() []State {
	return []State{Pending, Asking, Running, Waiting, Consented, Applying, Done, Failed, Skipped, Refused, Interrupted, Unsure}
}

func allKinds() []Kind {
	return []Kind{KindOpened, KindReopened, KindAct, KindStarted, KindSaid, KindFact, KindFinding, KindExhibit, KindVerdict, KindPlanned,
		KindAsked, KindAnswered, KindProposed, KindAgreed, KindDeclined, KindApplying, KindIntent, KindOutcome, KindDone, KindFailed,
		KindSkipped, KindInterrupted, KindRehearsed, KindObligation, KindSettled, KindNote, KindClosed}
}

// TestPromise3ApplyingOnlyFromConsent looks at every state and kind: an effect begins only
// behind a consent, and a consent follows only a gate that waits.
func TestPromise3ApplyingOnlyFromConsent(t *testing.T) {
	for _, from := range allStates() {
		for _, k := range allKinds() {
			to, err := next(from, k)
			if err != nil {
				if to != from {
					t.Errorf("%s + %s is refused and yet moves to %s", from, k, to)
				}
				continue
			}
			if !moving(k) && to != from {
				t.Errorf("%s + %s moves to %s, but the kind moves nothing", from, k, to)
			}
			if to == from {
				continue
			}
			if to == Applying && (from != Consented || k != KindApplying) {
				t.Errorf("%s + %s reaches %s: only consent may", from, k, to)
			}
			if to == Consented && (from != Waiting || k != KindAgreed) {
				t.Errorf("%s + %s reaches %s: only an agreement at a gate may", from, k, to)
			}
			if to == Waiting && (from != Running || k != KindProposed) {
				t.Errorf("%s + %s reaches %s: only a step that planned or looked may propose", from, k, to)
			}
			if from == Applying && to != Done && to != Failed && to != Unsure {
				t.Errorf("%s + %s reaches %s: an effect that began must be named", from, k, to)
			}
			if from == Unsure && to != Running {
				t.Errorf("%s + %s reaches %s: unknown must be looked at first", from, k, to)
			}
			if from == Refused && to == Consented {
				t.Errorf("%s + %s: a refusal becomes consent", from, k)
			}
		}
	}
}

// TestMovesReachEveryState keeps the table free of dead states.
func TestMovesReachEveryState(t *testing.T) {
	reached := map[State]bool{Pending: true}
	for grown := true; grown; {
		grown = false
		for m, to := range moves() {
			if reached[m.from] && !reached[to] {
				reached[to], grown = true, true
			}
		}
	}
	for _, s := range allStates() {
		if !reached[s] {
			t.Errorf("no sequence of events reaches %s", s)
		}
	}
	for m := range moves() {
		if !moving(m.kind) {
			t.Errorf("%s is in the table but counts as not moving", m.kind)
		}
	}
}

// TestPromise7EveryStateSurvivesInterruption: whatever a step was doing when its engine
// died, reopening can say so.
func TestPromise7EveryStateSurvivesInterruption(t *testing.T) {
	for _, from := range allStates() {
		if from == Asking || from == Running || from == Waiting || from == Consented || from == Applying || from.Final() {
			to, err := next(from, KindInterrupted)
			if err != nil {
				t.Errorf("%s cannot be interrupted: %v", from, err)
			}
			if want := from == Applying || from == Unsure; (to == Unsure) != want {
				t.Errorf("%s interrupted is %s", from, to)
			}
		}
	}
}
