package engine

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// playStep plays one step of one act and journals how it ended.
func (s *Session) playStep(ctx context.Context, act Act, step *Step, target Target) error {
	if s.aborted() {
		return errAborted()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.interruptible(cancel)
	defer s.interruptible(nil)

	p := &Pass{session: s, act: act, step: step}
	err := s.tryStep(ctx, p, target)
	if err == nil {
		return s.emit(act, step.Name, KindDone, nil)
	}
	if s.aborted() && ctx.Err() != nil {
		err = errAborted()
	}
	if row := s.View().Row(act, step.Name); row != nil && row.State.Final() {
		return err // declined: it has its event
	}
	if e := s.emit(act, step.Name, KindFailed, Explain(err)); e != nil {
		return e
	}
	return &Error{Kind: Explain(err).Kind, Msg: "step " + step.Name, Hint: Explain(err).Hint, Err: err}
}

func (s *Session) tryStep(ctx context.Context, p *Pass, target Target) error {
	resumed := p.act == Performance && s.View().Row(p.act, p.step.Name).Touched
	if err := s.ask(ctx, p); err != nil {
		return err
	}
	if err := p.emit(KindStarted, nil); err != nil {
		return err
	}
	if target == nil {
		var err error
		if target, err = s.ws.Original(ctx, p); err != nil {
			return err
		}
	}
	p.target = target
	switch {
	case p.step.Observe != nil:
		return p.step.Observe(ctx, p)
	case resumed:
		return s.lookAgain(ctx, p)
	default:
		return s.rewrite(ctx, p)
	}
}

// ask puts the step's questions that have no answer yet.
func (s *Session) ask(ctx context.Context, p *Pass) error {
	for _, q := range p.step.Ask {
		if _, ok := s.View().Answers[q.Name]; ok {
			continue
		}
		if err := p.emit(KindAsked, q); err != nil {
			return err
		}
		if err := s.await(ctx, func(v View) bool { _, ok := v.Answers[q.Name]; return ok }); err != nil {
			return err
		}
	}
	return nil
}

// rewrite plans, asks for consent, applies and verifies.
func (s *Session) rewrite(ctx context.Context, p *Pass) error {
	plan, err := p.step.Rewrite.Plan(ctx, p)
	if err != nil {
		return fmt.Errorf("planning: %w", err)
	}
	plan, digest, err := plan.seal()
	if err != nil {
		return err
	}
	if err := p.emit(KindPlanned, Planned{plan, digest}); err != nil {
		return err
	}
	if p.act == Performance {
		if err := s.requireRehearsed(p.step.Name, plan, digest); err != nil {
			return err
		}
	}
	if plan.Empty() {
		return p.Say("nothing to do")
	}
	return s.carryOut(ctx, p, plan, digest, false)
}

// lookAgain is the way on after an effect that may or may not have taken place: what the
// journal says was agreed is verified, and only if it does not hold offered again.
func (s *Session) lookAgain(ctx context.Context, p *Pass) error {
	plan, digest, ok := latestPlan(s.View(), p.act, p.step.Name)
	if !ok {
		return s.rewrite(ctx, p)
	}
	if _, again, err := plan.seal(); err != nil || again != digest {
		return Errorf(Unknown, "look at the original by hand; pgrescue undo puts it back as the snapshot has it",
			"the plan in the journal is not the one that was agreed to, because a secret was removed from it or it was changed")
	}
	if err := p.step.Rewrite.Verify(ctx, &Deed{Plan: plan, pass: p}); err == nil {
		return p.Say("looked again: the interrupted step had been completed")
	} else if err := p.Say("looked again: the interrupted step is not complete: %v", err); err != nil {
		return err
	}
	return s.carryOut(ctx, p, plan, digest, true)
}

func latestPlan(v View, act Act, step string) (Plan, string, bool) {
	for i := len(v.Plans) - 1; i >= 0; i-- {
		if pl := v.Plans[i]; pl.Act == act && pl.Step == step {
			return pl.Item.Plan, pl.Item.Digest, true
		}
	}
	return Plan{}, "", false
}

// carryOut gets consent, opens the writer that the consent allows, applies and verifies.
func (s *Session) carryOut(ctx context.Context, p *Pass, plan Plan, digest string, unknown bool) error {
	danger := p.step.Danger(p.act)
	if err := s.getConsent(ctx, p, plan, digest, danger, unknown); err != nil {
		return err
	}
	if danger == Original {
		// From here to the end of the step an abort waits: half an effect on the
		// original is worse than a late stop.
		s.interruptible(nil)
		if s.aborted() {
			return errAborted()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		ctx = context.WithoutCancel(ctx)
	}
	writer, err := s.writer(ctx, p, danger, digest)
	if err != nil {
		return err
	}
	deed := &Deed{Plan: plan, Writer: writer, pass: p}
	if err = p.emit(KindApplying, nil); err == nil {
		err = p.step.Rewrite.Apply(ctx, deed)
	}
	if danger == Original && writer != nil {
		if e := writer.Close(ctx); e != nil && err == nil {
			err = fmt.Errorf("closing the original again: %w", e)
		}
		deed.Writer = nil
	}
	if err != nil {
		return fmt.Errorf("applying: %w", err)
	}
	if err := p.step.Rewrite.Verify(ctx, deed); err != nil {
		return fmt.Errorf("verifying: %w", err)
	}
	return nil
}

// writer opens the place the step may change. In the rehearsal that is the clone it looked
// at; on the original it takes a permit, which only this function makes.
func (s *Session) writer(ctx context.Context, p *Pass, danger Danger, digest string) (Writer, error) {
	if danger != Original {
		w, _ := p.target.(Writer)
		return w, nil
	}
	if p.act == Performance {
		if r := s.View().Rehearsed; r == nil || r.Plans[p.step.Name] != digest {
			return nil, Errorf(Stale, "rehearse again", "no passed rehearsal of this plan")
		}
	}
	return s.ws.OriginalWriter(ctx, p, Permit{act: p.act, step: p.step.Name, digest: digest})
}

func (s *Session) getConsent(ctx context.Context, p *Pass, plan Plan, digest string, danger Danger, unknown bool) error {
	g := Gate{Danger: danger, Prompt: plan.Summary, Digest: digest, Unknown: unknown}
	if danger == Original {
		challenge, err := s.ws.Challenge(p)
		if err != nil {
			return err
		}
		g.Challenge = challenge
	}
	if err := p.emit(KindProposed, g); err != nil {
		return err
	}
	err := s.await(ctx, func(v View) bool {
		state := v.Row(p.act, p.step.Name).State
		return state == Consented || state == Refused
	})
	if err != nil {
		return err
	}
	if s.View().Row(p.act, p.step.Name).State == Refused {
		return Errorf(Declined, "run pgrescue resume to be asked again", "%s was declined", p.step.Title)
	}
	return nil
}

// requireRehearsed compares the plan with the one that worked on the copy.
func (s *Session) requireRehearsed(step string, plan Plan, digest string) error {
	v := s.View()
	if v.Rehearsed == nil {
		return Errorf(Stale, "rehearse first", "nothing has been rehearsed")
	}
	if v.Rehearsed.Plans[step] == digest {
		return nil
	}
	rehearsed, _, _ := latestPlan(v, Rehearsal, step)
	return Errorf(Stale, "the original is not what was rehearsed: start a new incident",
		"the plan for the original differs from the rehearsed one: %s", planDifference(rehearsed, plan))
}

// planDifference names the first things that differ, in words.
func planDifference(a, b Plan) string {
	var d []string
	if a.Summary != b.Summary {
		d = append(d, fmt.Sprintf("summary %q became %q", a.Summary, b.Summary))
	}
	if len(a.Changes) != len(b.Changes) {
		d = append(d, fmt.Sprintf("%d changes became %d", len(a.Changes), len(b.Changes)))
	}
	for i := range min(len(a.Changes), len(b.Changes)) {
		if !reflect.DeepEqual(a.Changes[i], b.Changes[i]) {
			d = append(d, fmt.Sprintf("change %d (%s): %q -> %q became %q -> %q %q", i+1, b.Changes[i].Path,
				a.Changes[i].Before, a.Changes[i].After, b.Changes[i].Before, b.Changes[i].After, b.Changes[i].Argv))
		}
		if len(d) == 5 {
			break
		}
	}
	if !slices.Equal(a.Loses, b.Loses) {
		d = append(d, fmt.Sprintf("losing %q became losing %q", a.Loses, b.Loses))
	}
	if string(a.Payload) != string(b.Payload) {
		d = append(d, "the bytes or settings to be written differ")
	}
	return strings.Join(d, "; ")
}

func (s *Session) aborted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.abort
}

// interruptible sets what an abort may cancel.
func (s *Session) interruptible(cancel context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel = cancel
}
