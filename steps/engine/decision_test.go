package engine_test

import (
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/engine/enginetest"
)

// TestPromise3OnlyTheRightConsentCounts sends every wrong decision to the gate on the
// original; each is refused with a reason, and the gate still waits.
func TestPromise3OnlyTheRightConsentCounts(t *testing.T) {
	for _, tc := range []struct {
		name string
		bend func(*engine.Decision)
		want string
	}{
		{"nothing typed", func(d *engine.Decision) { d.Typed = "" }, "must be typed exactly: toy/1234"},
		{"typed wrong", func(d *engine.Decision) { d.Typed = "toy/1235" }, "must be typed exactly"},
		{"typed with a blank", func(d *engine.Decision) { d.Typed += " " }, "must be typed exactly"},
		{"another plan", func(d *engine.Decision) { d.Digest = "0000" }, "about another plan"},
		{"no digest", func(d *engine.Decision) { d.Digest = "" }, "about another plan"},
		{"the rehearsal's gate", func(d *engine.Decision) { d.Act = engine.Rehearsal }, "does not wait"},
		{"another step", func(d *engine.Decision) { d.Step = enginetest.StepReset }, "does not wait"},
		{"decline of another plan", func(d *engine.Decision) { d.Kind, d.Digest = engine.DecideDecline, "0000" }, "about another plan"},
		{"unknown kind", func(d *engine.Decision) { d.Kind = "shrug" }, "not known"},
		{"answer to a gate", func(d *engine.Decision) { d.Kind, d.Name = engine.DecideAnswer, "glue" }, "is not being asked"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, log := newWorld(t)
			tried := false
			op := func(v engine.View) []engine.Decision {
				right := enginetest.Agree(v)
				if g := v.Gate; g == nil || g.Danger != engine.Original || tried {
					return right
				}
				tried = true
				wrong := right[0]
				tc.bend(&wrong)
				events := len(log.Events())
				if err := w.Decide(wrong); err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("refusal is %v, want %q", err, tc.want)
				}
				if len(log.Events()) != events || len(w.Writes()) != 0 {
					t.Errorf("a refused decision left a trace: %d events, %v", len(log.Events())-events, w.Writes())
				}
				return right
			}
			wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, op), "healed", 0)
			if !tried {
				t.Error("no gate on the original came up")
			}
		})
	}
}

// TestLateDecision: a consent that comes once its gate is gone is not applied to the next.
func TestLateDecision(t *testing.T) {
	w, _ := newWorld(t)
	var given []engine.Decision
	refused := 0
	op := func(v engine.View) []engine.Decision {
		for _, d := range given {
			if err := w.Decide(d); err != nil {
				refused++
			} else {
				t.Errorf("a late decision was taken: %+v", d)
			}
		}
		right := enginetest.Agree(v)
		for _, d := range right {
			if err := w.Decide(d); err != nil {
				t.Errorf("the right decision is refused: %v", err)
			}
		}
		given = append(given, right...)
		return nil
	}
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, op), "healed", 0)
	if refused == 0 {
		t.Error("nothing came late")
	}
}

// TestAnswers: only an answer that is a choice is taken.
func TestAnswers(t *testing.T) {
	w, log := newWorld(t)
	op := func(v engine.View) []engine.Decision {
		right := enginetest.Agree(v)
		if v.Question == nil {
			return right
		}
		wrong := right[0]
		wrong.Value = "spit"
		if err := w.Decide(wrong); err == nil || !strings.Contains(err.Error(), "wood paper") {
			t.Errorf("refusal is %v, want the choices", err)
		}
		right[0].Value = "paper"
		return right
	}
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, op), "healed", 0)
	asked := 0
	for _, e := range log.Events() {
		if e.Kind == engine.KindAsked {
			asked++
		}
	}
	if v := fold(t, log.Events()); v.Answers["glue"] != "paper" || asked != 1 {
		t.Errorf("answers %v, asked %d times", v.Answers, asked)
	}
}

// TestNotesAreKept at any time, without moving anything.
func TestNotesAreKept(t *testing.T) {
	w, log := newWorld(t)
	noted := false
	op := func(v engine.View) []engine.Decision {
		if v.Gate != nil && !noted {
			noted = true
			return append([]engine.Decision{{Kind: engine.DecideNote, Value: "called Anna", Actor: "op@toy"}}, enginetest.Agree(v)...)
		}
		return enginetest.Agree(v)
	}
	wantOutcome(t, w.Play(t.Context(), enginetest.Mode{}, op), "healed", 0)
	if v := fold(t, log.Events()); len(v.Notes) != 1 || v.Notes[0].Item.Text != "called Anna" {
		t.Errorf("notes: %+v", v.Notes)
	}
}
