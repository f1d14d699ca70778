package engine

import (
	"context"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	look := func(context.Context, *Pass) error { return nil }
	good := func() *Step { return &Step{Name: "s", Title: "S", Doc: "d", Part: Opening, Observe: look} }
	for _, tc := range []struct {
		name string
		bend func(*Playbook)
		want string
	}{
		{"good", func(*Playbook) {}, ""},
		{"no prose", func(p *Playbook) { p.Steps[0].Doc = "" }, "prose"},
		{"no title", func(p *Playbook) { p.Title = "" }, "title"},
		{"no body", func(p *Playbook) { p.Steps[0].Observe = nil }, "exactly one"},
		{"two bodies", func(p *Playbook) { p.Steps[0].Rewrite = &Rewrite{} }, "exactly one"},
		{"half a rewrite", func(p *Playbook) { p.Steps[0].Observe, p.Steps[0].Rewrite = nil, &Rewrite{} }, "without a plan"},
		{"twice", func(p *Playbook) { p.Steps = append(p.Steps, good()) }, "twice"},
		{"no part", func(p *Playbook) { p.Steps[0].Part = "" }, "out of order"},
		{"out of order", func(p *Playbook) {
			s := good()
			s.Name, p.Steps[0].Part = "t", Final
			p.Steps = append(p.Steps, s)
		}, "out of order"},
		{"need without make", func(p *Playbook) { p.Steps[0].Needs = []AnyFact{NewFact[int]("n")} }, "no earlier step makes"},
	} {
		pb := &Playbook{Name: "p", Title: "P", Doc: "d", Steps: []*Step{good()}}
		tc.bend(pb)
		err := pb.Validate()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// TestDangerByAct: what a step of part Twice says of itself cannot lower its danger.
func TestDangerByAct(t *testing.T) {
	s := &Step{Rewrite: &Rewrite{Danger: Reads}}
	if s.Danger(Performance) != Original || s.Danger(Rehearsal) != OnCopy || (&Step{}).Danger(Performance) != Reads {
		t.Error("danger does not follow the act")
	}
	if (&Step{Rewrite: &Rewrite{Danger: Reversible}}).Danger(Undo) != Reversible {
		t.Error("outside of the acts the step's own danger counts")
	}
}

// TestPermitIsOnlyForSessions: outside this package no valid one can be made.
func TestPermitIsOnlyForSessions(t *testing.T) {
	for _, p := range []Permit{{}, {act: Rehearsal, step: "s", digest: "d"}, {act: Performance, digest: "d"}, {act: Performance, step: "s"}, {step: "s", digest: "d"}} {
		if p.Valid() {
			t.Errorf("%+v is valid", p)
		}
	}
	if !(Permit{act: Performance, step: "s", digest: "d"}).Valid() {
		t.Error("a permit with all its parts is not valid")
	}
}
