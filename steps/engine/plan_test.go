package engine

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestPlanDigestCoversEverything: a change of any field is another plan.
func TestPlanDigestCoversEverything(t *testing.T) {
	base := Plan{Summary: "s", Changes: []Change{{Path: "p", Argv: []string{"a"}, Before: "b", After: "c", Why: "w", Loses: "l"}}, Loses: []string{"x"}, Payload: json.RawMessage(`{"k":1}`)}
	seen := map[string]string{}
	for name, bend := range map[string]func(*Plan){
		"same":    func(*Plan) {},
		"summary": func(p *Plan) { p.Summary = "t" },
		"path":    func(p *Plan) { p.Changes[0].Path = "q" },
		"argv":    func(p *Plan) { p.Changes[0].Argv = []string{"a", ""} },
		"before":  func(p *Plan) { p.Changes[0].Before = "" },
		"after":   func(p *Plan) { p.Changes[0].After = "d" },
		"why":     func(p *Plan) { p.Changes[0].Why = "y" },
		"loss":    func(p *Plan) { p.Changes[0].Loses = "m" },
		"loses":   func(p *Plan) { p.Loses = nil },
		"payload": func(p *Plan) { p.Payload = json.RawMessage(`{"k":2}`) },
		"more":    func(p *Plan) { p.Changes = append(p.Changes, Change{}) },
	} {
		p := base
		p.Changes = []Change{base.Changes[0]}
		bend(&p)
		d, err := p.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[d] = name
	}
}

// TestPlanSealSurvivesTheJournal: also with bytes that are no UTF-8, as file names can be.
func TestPlanSealSurvivesTheJournal(t *testing.T) {
	p := Plan{Summary: "<&> \xff", Changes: []Change{{Path: "base/\xfe\x00"}}, Payload: json.RawMessage(`{ "k" : "<" }`)}
	sealed, digest, err := p.seal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(Planned{sealed, digest})
	if err != nil {
		t.Fatal(err)
	}
	var back Planned
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if _, again, err := back.Plan.seal(); err != nil || again != digest {
		t.Errorf("digest %s, after the journal %s (%v)", digest, again, err)
	}
}

func TestPlanDifferenceNamesWhatDiffers(t *testing.T) {
	a := Plan{Summary: "s", Changes: []Change{{Path: "p", After: "1"}, {Path: "q"}}, Payload: json.RawMessage(`1`)}
	b := Plan{Summary: "t", Changes: []Change{{Path: "p", After: "2"}}, Payload: json.RawMessage(`2`)}
	got := planDifference(a, b)
	for _, want := range []string{`"s" became "t"`, "2 changes became 1", `change 1 (p): "" -> "1" became "" -> "2"`, "bytes or settings"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	if d := planDifference(a, Plan{Summary: "s", Changes: a.Changes, Loses: []string{"everything"}, Payload: a.Payload}); d == "" {
		t.Error("plans that lose other things differ in nothing")
	}
}
