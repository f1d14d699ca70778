package engine_test

import (
	"flag"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/engine/enginetest"
)

// player is an operator who does anything: what is asked, what is not, late and twice.
type player struct {
	rng  *rand.Rand
	past []engine.Decision // consents given before, to be sent again too late
}

func (p *player) decide(v engine.View) []engine.Decision {
	right := enginetest.Agree(v)
	if len(right) == 0 {
		if p.rng.IntN(12) == 0 {
			return []engine.Decision{p.junk(engine.Decision{})}
		}
		return nil
	}
	var all []engine.Decision
	for p.rng.IntN(3) == 0 {
		all = append(all, p.junk(right[0]))
	}
	last := right[0]
	switch p.rng.IntN(20) {
	case 0:
		last.Kind = engine.DecideDecline
		if v.Question != nil {
			last.Kind = engine.DecideAbort
		}
	case 1:
		last.Kind = engine.DecideAbort
	}
	p.past = append(p.past, last)
	return append(all, last)
}

// junk is a decision that nobody asked for, or about something else.
func (p *player) junk(d engine.Decision) engine.Decision {
	if len(p.past) > 0 && p.rng.IntN(3) == 0 {
		d = p.past[p.rng.IntN(len(p.past))]
	}
	switch p.rng.IntN(8) {
	case 0:
		d.Typed = "toy/0000"
	case 1:
		d.Typed = ""
	case 2:
		d.Digest = "0123"
	case 3:
		d.Step = enginetest.StepReset
	case 4:
		d.Act = []engine.Act{engine.Prepare, engine.Rehearsal, engine.Performance, engine.Undo}[p.rng.IntN(4)]
	case 5:
		d.Kind, d.Value = engine.DecideAnswer, "super glue"
	case 6:
		d.Kind, d.Value = engine.DecideNote, "hm"
	case 7:
		d.Kind = "shrug"
	}
	return d
}

// walks is how many random walks TestPromise3RandomWalks takes.
var walks = flag.Int("walks", 500, "random walks to take")

// TestPromise3RandomWalks: whatever is decided, fails, dies or is tampered with, in
// whatever order, the original is written only behind a passed rehearsal of the same plan
// and a typed consent to it (the checker in newWorld judges every writer), and the journal
// tells the truth about the original.
func TestPromise3RandomWalks(t *testing.T) {
	ends := map[string]int{}
	for seed := range uint64(*walks) {
		walk(t, seed, ends)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, want := range []string{"healed", "rehearsed", "declined", "failed", "stale", "unknown", "undone", "aborted", "killed"} {
		if ends[want] == 0 {
			t.Errorf("no walk ended %s: the walks do not wander enough: %v", want, ends)
		}
	}
}

func walk(t *testing.T, seed uint64, ends map[string]int) {
	rng := rand.New(rand.NewPCG(seed, 7))
	log := &enginetest.Log{}
	w := enginetest.NewWorld(log)
	w.Allow = allowed
	initial, tampered := w.Original(), false
	op := &player{rng: rng}
	for range 1 + rng.IntN(5) {
		faults := []enginetest.Fault{enginetest.NoFault, enginetest.FailBefore, enginetest.FailAfter, enginetest.KillBefore, enginetest.KillAfter}
		w.Inject(1+rng.IntN(8), faults[rng.IntN(len(faults))])
		log.KillBehind(0)
		if rng.IntN(4) == 0 {
			log.KillBehind(int64(len(log.Events()) + 1 + rng.IntN(60)))
		}
		w.PlanDrift = rng.IntN(12) == 0
		if rng.IntN(15) == 0 {
			w.Tamper("a", "tampered")
			tampered = true
		}
		r := w.Play(t.Context(), enginetest.Mode{RehearseOnly: rng.IntN(4) == 0, RehearseAgain: rng.IntN(6) == 0, Undo: len(log.Events()) > 0 && rng.IntN(6) == 0}, op.decide)
		if r.Killed {
			ends["killed"]++
			continue
		}
		if r.Err != nil {
			t.Errorf("engine: %v", r.Err)
			return
		}
		ends[r.Closed.Outcome]++
		truthful(t, w, log, r, initial, tampered)
	}
	for _, err := range w.Refusals {
		t.Errorf("a writer was wanted without the right to it: %v", err)
	}
}

// truthful compares what the closing event and the view say with the world.
func truthful(t *testing.T, w *enginetest.World, log *enginetest.Log, r enginetest.Result, initial map[string]string, tampered bool) {
	t.Helper()
	v := fold(t, log.Events())
	if !reflect.DeepEqual(v, r.View) {
		t.Error("live view differs from replay")
	}
	if w.Open() != 0 {
		t.Errorf("%d writers on the original stay open", w.Open())
	}
	same := reflect.DeepEqual(w.Original(), initial)
	switch v.Original {
	case engine.Untouched:
		if len(w.Writes()) > 0 || !same && !tampered {
			t.Errorf("called UNTOUCHED: %v, writes %v", w.Original(), w.Writes())
		}
	case engine.PutBack:
		if !reflect.DeepEqual(w.Original(), w.Snapshot()) && !tampered {
			t.Errorf("called PUT BACK: %v, snapshot %v", w.Original(), w.Snapshot())
		}
	case engine.Writing:
		t.Errorf("closed %s while BEING WRITTEN", r.Closed.Outcome)
	}
	switch {
	case r.Closed.Exit == 0 && r.Closed.Outcome == "healed":
		if got := w.Original(); got["b"] != "mended" || got["c"] != "mended" || got["wal"] != "empty" || v.Original != engine.Changed {
			t.Errorf("called healed: %v, original %s", got, v.Original)
		}
	case r.Closed.Exit == 0 && r.Closed.Outcome != "undone":
		t.Errorf("exit 0 for %s", r.Closed.Outcome)
	case r.Closed.Exit == engine.ExitPending && (v.Original != engine.Untouched || v.Rehearsed == nil):
		t.Errorf("rehearsed with the original %s, rehearsal %v", v.Original, v.Rehearsed)
	}
}
