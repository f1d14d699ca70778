package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Run plays what is left of the incident and closes it. The returned error is for the
// journal's own failures; how the incident ended is in Closed.
func (s *Session) Run(ctx context.Context) (Closed, error) {
	return s.run(ctx, s.play)
}

// RunUndo puts the original back as the snapshot has it and gives back what was stopped.
func (s *Session) RunUndo(ctx context.Context) (Closed, error) {
	return s.run(ctx, func(ctx context.Context) error {
		return s.playSteps(ctx, Undo, Putback, nil, s.View().attempts[Undo]+1)
	})
}

func (s *Session) run(ctx context.Context, play func(context.Context) error) (Closed, error) {
	defer s.hub.Close()
	var err error
	if s.resumed {
		err = s.ws.TakeOver(ctx)
	}
	if err == nil {
		err = play(ctx)
	}
	// The context may be gone; what was started must be stopped all the same.
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	if released := s.ws.Release(clean, s.View().Act); released != nil {
		err = errors.Join(err, fmt.Errorf("clean-up: %w", released))
	}
	c := s.conclude(err)
	return c, s.emit("", "", KindClosed, c)
}

func (s *Session) play(ctx context.Context) error {
	if v := s.View(); v.undoBegan() {
		return Errorf(Precondition, fmt.Sprintf("pgrescue undo %s finishes or repeats it; to heal the target, start a new incident", v.Opened.Incident),
			"this incident is being undone or has been: the original is %s", v.Original)
	}
	if err := s.playSteps(ctx, Prepare, Opening, nil, 1); err != nil {
		return err
	}
	if s.looksOnly() {
		return nil
	}
	if err := s.rehearse(ctx); err != nil {
		return err
	}
	if v := s.View(); v.Opened.Options.RehearseOnly {
		if v.Original == Untouched {
			return nil
		}
		return Errorf(Precondition, "pgrescue resume goes on with the performance, pgrescue undo puts the original back",
			"it is too late to end after the rehearsal: the original is %s", v.Original)
	}
	if err := s.perform(ctx); err != nil {
		return err
	}
	return s.playSteps(ctx, Closing, Final, nil, 1)
}

// looksOnly reports a playbook that ends after looking.
func (s *Session) looksOnly() bool { return len(s.playbook.Part(Twice)) == 0 }

// playSteps plays the steps of a part that are not done yet. A nil target means the
// original, read-only. An act of which nothing is left is not entered again.
func (s *Session) playSteps(ctx context.Context, act Act, part Part, target Target, attempt int) error {
	left := func(step *Step) bool {
		row := s.View().Row(act, step.Name)
		return act == Undo || row.State != Done && row.State != Skipped
	}
	if !slices.ContainsFunc(s.playbook.Part(part), left) {
		return nil
	}
	if v := s.View(); v.Act != act || v.Attempt != attempt {
		if err := s.emit("", "", KindAct, ActData{Act: act, Attempt: attempt}); err != nil {
			return err
		}
	}
	for _, step := range s.playbook.Part(part) {
		if !left(step) {
			continue
		}
		if err := s.playStep(ctx, act, step, target); err != nil {
			return err
		}
	}
	return nil
}

// rehearse plays act one on a fresh clone, unless it already holds. A rehearsal is never
// resumed: half a rehearsal proves nothing.
func (s *Session) rehearse(ctx context.Context) error {
	v := s.View()
	if v.Rehearsed != nil {
		return nil
	}
	attempt := v.attempts[Rehearsal] + 1
	if err := s.emit("", "", KindAct, ActData{Act: Rehearsal, Attempt: attempt}); err != nil {
		return err
	}
	first := s.playbook.Part(Twice)[0]
	clone, err := s.ws.Clone(ctx, &Pass{session: s, act: Rehearsal, step: first}, true)
	if err != nil {
		return fmt.Errorf("clone of the snapshot: %w", err)
	}
	if err := s.playSteps(ctx, Rehearsal, Twice, clone, attempt); err != nil {
		return errors.Join(err, clone.Close(context.WithoutCancel(ctx)))
	}
	if err := clone.Close(ctx); err != nil {
		return err
	}
	return s.emit("", "", KindRehearsed, rehearsal(s.View()))
}

// rehearsal sums up what act one proved: the digest of each step's plan.
func rehearsal(v View) Rehearsed {
	r := Rehearsed{Plans: map[string]string{}, Attempt: v.Attempt}
	all := sha256.New()
	for _, row := range v.Rows {
		if row.Act == Rehearsal && row.Digest != "" {
			r.Plans[row.Step] = row.Digest
			fmt.Fprintf(all, "%s %s\n", row.Step, row.Digest)
		}
	}
	r.Digest = hex.EncodeToString(all.Sum(nil))
	return r
}

// perform plays act two on the original. Until its first effect, the original must be
// what the snapshot holds.
func (s *Session) perform(ctx context.Context) error {
	steps := s.playbook.Part(Twice)
	// A performance is resumed, never begun anew: there is one attempt at it.
	const attempt = 1
	if v := s.View(); v.Act != Performance && v.Act != Closing {
		if err := s.emit("", "", KindAct, ActData{Act: Performance, Attempt: attempt}); err != nil {
			return err
		}
	}
	if s.View().Original == Untouched {
		if err := s.requireUnchanged(ctx, steps[0]); err != nil {
			return err
		}
	}
	return s.playSteps(ctx, Performance, Twice, nil, attempt)
}

func (s *Session) requireUnchanged(ctx context.Context, first *Step) error {
	differences, err := s.ws.Unchanged(ctx, &Pass{session: s, act: Performance, step: first})
	if err != nil {
		return fmt.Errorf("comparing the original with its snapshot: %w", err)
	}
	if len(differences) > 0 {
		return Errorf(Stale, "find out who writes to it, then start a new incident: its snapshot will be current",
			"the original is no longer what was rehearsed: %s", strings.Join(differences, "; "))
	}
	return s.emit(Performance, first.Name, KindSaid, Said{UnchangedWords + ": nothing has been written to it since"})
}

// UnchangedWords begin the sentence that a performance opens with.
const UnchangedWords = "the original is what the snapshot holds"

// conclude turns the way the play ended into the closing event.
func (s *Session) conclude(err error) Closed {
	v := s.View()
	c := concludeHealed(v)
	switch {
	case err != nil:
		c = concludeError(v, err)
	case v.Act == Undo:
		c = Closed{Outcome: "undone", Summary: "the original is again what the snapshot holds"}
	case s.looksOnly():
		c = concludeLook(v)
	case v.Opened.Options.RehearseOnly:
		c = Closed{Outcome: "rehearsed", Exit: ExitPending, Summary: "the rehearsal passed on a copy; the original is untouched and waits for consent; " + tally(v, Rehearsal).words()}
	}
	if c.Outcome == "rehearsed" && v.Rehearsed != nil {
		c.Next = append(c.Next, fmt.Sprintf("to perform it unattended: pgrescue apply %s --approve %s --confirm HOST/SYSID4", v.Opened.Incident, v.Rehearsed.Digest),
			"to perform it step by step: pgrescue resume "+v.Opened.Incident)
	}
	if err == nil {
		c.Next = append(c.Next, remains(v)...)
	}
	for _, o := range v.Obligations {
		c.Next = append(c.Next, fmt.Sprintf("still owed: %s (pgrescue undo %s gives it back)", o.What, v.Opened.Incident))
	}
	return c
}

// remains is what the closing act reported as still to be done.
func remains(v View) []string {
	var next []string
	for _, f := range v.Findings {
		if f.Act == Closing && v.Act == Closing {
			next = append(next, f.Item.Title)
		}
	}
	return next
}

// concludeLook ends a playbook that only looks by what it found.
func concludeLook(v View) Closed {
	damage := 0
	for _, f := range v.Findings {
		if f.Item.Severity == Damaged || f.Item.Severity == Blocker {
			damage++
		}
	}
	if damage == 0 {
		return Closed{Outcome: "nothing-wrong", Summary: "looked and found no damage; nothing was changed"}
	}
	return Closed{Outcome: "damage-found", Exit: Damage.Exit(), Summary: fmt.Sprintf("looked and found damage (findings: %d); nothing was changed", damage)}
}

// concludeHealed never says more than the verdicts do.
func concludeHealed(v View) Closed {
	t := tally(v, Performance, Closing)
	c := Closed{Outcome: "healed", Summary: "the same plans that worked on a copy were carried out on the original; " + t.words()}
	if t.failed > 0 {
		c.Outcome, c.Exit = "damaged", Damage.Exit()
		c.Summary = "the server runs again, with damage that was accepted; " + t.words()
	}
	return c
}

// results counts the verdicts of some acts and names those that are not PASS.
type results struct {
	passed, failed, unknown int
	bad                     []string
}

func tally(v View, acts ...Act) results {
	var r results
	for _, x := range v.Verdicts {
		if !slices.Contains(acts, x.Act) || x.Act == v.Act && x.Attempt != v.Attempt {
			continue
		}
		switch x.Item.Result {
		case Passed:
			r.passed++
			continue
		case Fail:
			r.failed++
		default:
			r.unknown++
		}
		if len(r.bad) < 5 {
			r.bad = append(r.bad, x.Item.Subject)
		}
	}
	return r
}

func (r results) words() string {
	s := fmt.Sprintf("%d checks passed, %d failed, %d could not be made", r.passed, r.failed, r.unknown)
	if len(r.bad) > 0 {
		s += " (" + strings.Join(r.bad, ", ") + ")"
	}
	return s
}

func concludeError(v View, err error) Closed {
	p := Explain(err)
	c := Closed{Outcome: "failed", Exit: p.Kind.Exit(), Summary: p.Message}
	switch p.Kind {
	case Declined, Aborted, Stale, Unknown:
		c.Outcome = string(p.Kind)
	}
	if v.Original == Uncertain || v.Original == Writing {
		c.Outcome, c.Exit = string(Unknown), Unknown.Exit()
	} else if p.Kind == Aborted && v.Rehearsed != nil && v.Original == Untouched {
		c.Outcome, c.Exit = "rehearsed", ExitPending
	}
	if p.Hint != "" {
		c.Next = append(c.Next, p.Hint)
	}
	return c
}
