package ui

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// checkDecision holds for every front end: a decision is about what is being asked now,
// and a consent says exactly what its level wants. The engine checks again.
func checkDecision(v engine.View, d engine.Decision) error {
	switch d.Kind {
	case engine.DecideAnswer:
		q := v.Question
		if q == nil || q.Name != d.Name || q.Act != d.Act || q.Step != d.Step {
			return fmt.Errorf("the question %q is not being asked", d.Name)
		}
		return q.Validate(d.Value)
	case engine.DecideAgree, engine.DecideDecline:
		return checkConsent(v.Gate, d)
	case engine.DecideNote:
		if strings.TrimSpace(d.Value) == "" {
			return errors.New("the note is empty")
		}
		return nil
	case engine.DecideAbort:
		return nil
	}
	return fmt.Errorf("decision %q is not known", d.Kind)
}

func checkConsent(g *engine.Proposal, d engine.Decision) error {
	switch {
	case g == nil || g.Act != d.Act || g.Step != d.Step:
		return fmt.Errorf("step %q does not wait for a decision", d.Step)
	case g.Digest != d.Digest:
		return errors.New("the decision is about another plan than the one shown")
	case d.Kind == engine.DecideDecline:
		return nil
	case g.Danger >= engine.Original && (g.Challenge == "" || d.Typed != g.Challenge):
		return fmt.Errorf("consent to rewrite the original must be typed exactly: %s", g.Challenge)
	}
	return nil
}

func agree(g *engine.Proposal, typed, actor string) engine.Decision {
	return engine.Decision{Kind: engine.DecideAgree, Act: g.Act, Step: g.Step, Digest: g.Digest, Typed: typed, Actor: actor}
}

func decline(g *engine.Proposal, reason, actor string) engine.Decision {
	return engine.Decision{Kind: engine.DecideDecline, Act: g.Act, Step: g.Step, Digest: g.Digest, Reason: reason, Actor: actor}
}

func answer(q *engine.Asked, value, actor string) engine.Decision {
	return engine.Decision{Kind: engine.DecideAnswer, Act: q.Act, Step: q.Step, Name: q.Name, Value: value, Actor: actor}
}

// unattended decides from an answers file and from what a rehearsal may take for granted.
type unattended struct {
	answers      Answers
	rehearseOnly bool
	actor        string
}

// missing says which key of an answers file would have decided.
type missing struct {
	key string
	why string
}

func (m *missing) err() error {
	return engine.Errorf(engine.NoInput, "add a line \""+m.key+" = ...\" to the answers file, or attach from a terminal",
		"input is needed and nobody may be asked: %s (%s)", m.key, m.why)
}

// question answers from the file, and in an unattended rehearsal by the default.
func (u unattended) question(q *engine.Asked) (engine.Decision, *missing) {
	value, ok := u.answers.Answer(q.Name)
	if !ok && u.rehearseOnly {
		value, ok = q.Default, true
	}
	if !ok {
		return engine.Decision{}, &missing{q.Name, cleanLine(q.Prompt)}
	}
	if err := q.Validate(value); err != nil {
		return engine.Decision{}, &missing{q.Name, err.Error()}
	}
	return answer(q, value, u.actor), nil
}

// gate agrees or declines as the file says. A rehearsal's own gates are agreed to without
// one; the original's never.
func (u unattended) gate(v engine.View, g *engine.Proposal) (engine.Decision, *missing) {
	switch g.Danger {
	case engine.Reads, engine.OnCopy:
		return u.simple(g, keyOnCopy)
	case engine.Reversible:
		return u.simple(g, keyReversible)
	}
	return u.original(v, g)
}

func (u unattended) simple(g *engine.Proposal, key string) (engine.Decision, *missing) {
	switch said, ok := u.answers.Answer(key); {
	case said == "yes", !ok && u.rehearseOnly:
		return agree(g, "", u.actor), nil
	case said == "no":
		return decline(g, key+" = no", u.actor), nil
	}
	return engine.Decision{}, &missing{key, cleanLine(g.Prompt)}
}

func (u unattended) original(v engine.View, g *engine.Proposal) (engine.Decision, *missing) {
	said, ok := u.answers.Answer(keyOriginal)
	if said == "no" {
		return decline(g, keyOriginal+" = no", u.actor), nil
	}
	if !ok {
		return engine.Decision{}, &missing{keyOriginal, cleanLine(g.Prompt)}
	}
	if !covers(said, v, g) {
		return engine.Decision{}, &missing{keyOriginal, "what was agreed to is not the plan with the digest " + shortDigest(g.Digest)}
	}
	if retry, _ := u.answers.Answer(keyUnknown); g.Unknown && retry != "yes" {
		return engine.Decision{}, &missing{keyUnknown, "an earlier try of this step was interrupted"}
	}
	confirm, ok := u.answers.Answer(keyConfirm)
	if !ok || g.Challenge == "" || !confirms(confirm, said, v, g.Challenge) {
		return engine.Decision{}, &missing{keyConfirm, "the challenge is " + cleanLine(g.Challenge)}
	}
	return agree(g, g.Challenge, u.actor), nil
}

// covers reports whether the consent is about this plan. The rehearsal must have had the
// same plan for this step; a digest of one plan stands for itself.
func covers(said string, v engine.View, g *engine.Proposal) bool {
	if g.Digest == "" {
		return false
	}
	rehearsed := v.Rehearsed != nil && v.Rehearsed.Plans[g.Step] == g.Digest && g.Act == engine.Performance
	switch said {
	case asRehearsed:
		return rehearsed
	case putBack:
		return g.Act == engine.Undo
	case g.Digest:
		return rehearsed || g.Act != engine.Performance
	}
	return rehearsed && said == v.Rehearsed.Digest
}

// confirms compares with the challenge a person would have to type.
func confirms(confirm, said string, v engine.View, challenge string) bool {
	if confirm == challenge {
		return true
	}
	if said != asRehearsed {
		return false
	}
	host, _, _ := strings.Cut(challenge, "/")
	return confirm == host || confirm == confirmDemo && isDemo(v)
}

// isDemo reports the practice cluster: its incidents are opened with the setting "demo".
func isDemo(v engine.View) bool { return v.Opened.Options.Settings["demo"] != "" }

// pending is what a view waits for from a person. Each question and gate has its own
// pointer, which tells two apart that look alike.
type pending struct {
	question *engine.Asked
	gate     *engine.Proposal
}

func pendingIn(v engine.View) pending { return pending{v.Question, v.Gate} }

func (p pending) any() bool { return p.question != nil || p.gate != nil }

// same reports that nothing else has been asked since.
func (p pending) same(v engine.View) bool { return p.question == v.Question && p.gate == v.Gate }

// decide asks the answers file and the defaults.
func (u unattended) decide(v engine.View) (engine.Decision, *missing) {
	if v.Question != nil {
		return u.question(v.Question)
	}
	return u.gate(v, v.Gate)
}
