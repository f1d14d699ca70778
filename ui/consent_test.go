package ui

import (
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
)

const planDigest = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
const allDigest = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

func originalGate() (engine.View, *engine.Proposal) {
	g := &engine.Proposal{Act: engine.Performance, Step: "reset-wal",
		Gate: engine.Gate{Danger: engine.Original, Digest: planDigest, Challenge: "db1/4821"}}
	v := engine.View{Act: engine.Performance, Gate: g,
		Rehearsed: &engine.Rehearsed{Digest: allDigest, Plans: map[string]string{"reset-wal": planDigest}}}
	v.Opened.Target = "container:db"
	return v, g
}

func parsed(t *testing.T, text string) Answers {
	t.Helper()
	a, err := ParseAnswers(strings.NewReader(text), "file", []string{"archive"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestUnattendedOriginal(t *testing.T) {
	for _, c := range []struct {
		name, answers string
		change        func(*engine.View, *engine.Proposal)
		lacks         string // "" agrees
	}{
		{"nothing said", "", nil, keyOriginal},
		{"no confirm", "consent.original = as-rehearsed", nil, keyConfirm},
		{"as rehearsed, exact challenge", "consent.original = as-rehearsed\nconfirm = db1/4821", nil, ""},
		{"as rehearsed, host", "consent.original = as-rehearsed\nconfirm = db1", nil, ""},
		{"as rehearsed, other host", "consent.original = as-rehearsed\nconfirm = db2", nil, keyConfirm},
		{"as rehearsed, other system", "consent.original = as-rehearsed\nconfirm = db1/4822", nil, keyConfirm},
		{"demo word on a real target", "consent.original = as-rehearsed\nconfirm = demo", nil, keyConfirm},
		{"demo word on the demo", "consent.original = as-rehearsed\nconfirm = demo",
			func(v *engine.View, _ *engine.Proposal) { v.Opened.Options.Settings = map[string]string{"demo": "yes"} }, ""},
		{"demo word on a target that bears its name", "consent.original = as-rehearsed\nconfirm = demo",
			func(v *engine.View, _ *engine.Proposal) { v.Opened.Target = "container:pgrescue-demo" }, keyConfirm},
		{"rehearsal's digest", "consent.original = " + allDigest + "\nconfirm = db1/4821", nil, ""},
		{"rehearsal's digest, host alone", "consent.original = " + allDigest + "\nconfirm = db1", nil, keyConfirm},
		{"plan's digest", "consent.original = " + planDigest + "\nconfirm = db1/4821", nil, ""},
		{"another digest", "consent.original = " + strings.Repeat("c", 64) + "\nconfirm = db1/4821", nil, keyOriginal},
		{"never rehearsed", "consent.original = as-rehearsed\nconfirm = db1/4821",
			func(v *engine.View, _ *engine.Proposal) { v.Rehearsed = nil }, keyOriginal},
		{"rehearsed otherwise", "consent.original = as-rehearsed\nconfirm = db1/4821",
			func(v *engine.View, _ *engine.Proposal) { v.Rehearsed.Plans["reset-wal"] = allDigest }, keyOriginal},
		{"plan's digest, rehearsed otherwise", "consent.original = " + planDigest + "\nconfirm = db1/4821",
			func(v *engine.View, _ *engine.Proposal) { v.Rehearsed.Plans["reset-wal"] = allDigest }, keyOriginal},
		{"unknown outcome", "consent.original = as-rehearsed\nconfirm = db1/4821",
			func(_ *engine.View, g *engine.Proposal) { g.Unknown = true }, keyUnknown},
		{"unknown outcome, covered", "consent.original = as-rehearsed\nconfirm = db1/4821\nconsent.unknown = yes",
			func(_ *engine.View, g *engine.Proposal) { g.Unknown = true }, ""},
		{"no challenge", "consent.original = as-rehearsed\nconfirm = db1/4821",
			func(_ *engine.View, g *engine.Proposal) { g.Challenge = "" }, keyConfirm},
		{"undo is no rehearsed plan", "consent.original = as-rehearsed\nconfirm = db1/4821",
			func(_ *engine.View, g *engine.Proposal) { g.Act = engine.Undo }, keyOriginal},
		{"put back, undo", "consent.original = put-back\nconfirm = db1/4821",
			func(v *engine.View, g *engine.Proposal) { g.Act, v.Rehearsed = engine.Undo, nil }, ""},
		{"put back, undo, host alone", "consent.original = put-back\nconfirm = db1",
			func(_ *engine.View, g *engine.Proposal) { g.Act = engine.Undo }, keyConfirm},
		{"put back is no consent to perform", "consent.original = put-back\nconfirm = db1/4821", nil, keyOriginal},
		{"undo by its own digest", "consent.original = " + planDigest + "\nconfirm = db1/4821",
			func(v *engine.View, g *engine.Proposal) { g.Act, v.Rehearsed = engine.Undo, nil }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, g := originalGate()
			if c.change != nil {
				c.change(&v, g)
			}
			for _, only := range []bool{false, true} {
				u := unattended{answers: parsed(t, c.answers), rehearseOnly: only, actor: "ci"}
				d, lacks := u.decide(v)
				switch {
				case lacks != nil && lacks.key != c.lacks:
					t.Fatalf("lacks %q, want %q", lacks.key, c.lacks)
				case lacks == nil && c.lacks != "":
					t.Fatalf("agreed, want it to lack %q", c.lacks)
				case lacks == nil:
					if err := checkDecision(v, d); err != nil || d.Kind != engine.DecideAgree || d.Typed != g.Challenge {
						t.Fatalf("got %+v, %v", d, err)
					}
				}
			}
		})
	}
}

func TestUnattendedOthers(t *testing.T) {
	gate := func(d engine.Danger) engine.View {
		return engine.View{Gate: &engine.Proposal{Act: engine.Prepare, Step: "s", Gate: engine.Gate{Danger: d, Digest: planDigest}}}
	}
	question := engine.View{Question: &engine.Asked{Act: engine.Prepare, Step: "s",
		Question: engine.Question{Name: "archive", Choices: []string{"a", "b"}, Default: "b"}}}
	for _, c := range []struct {
		name, answers string
		only          bool
		view          engine.View
		kind          engine.DecisionKind
		value, lacks  string
	}{
		{"on copy", "consent.on-copy = yes", false, gate(engine.OnCopy), engine.DecideAgree, "", ""},
		{"on copy, nothing said", "", false, gate(engine.OnCopy), "", "", keyOnCopy},
		{"on copy, refused", "consent.on-copy = no", true, gate(engine.OnCopy), engine.DecideDecline, "", ""},
		{"on copy, rehearsal", "", true, gate(engine.OnCopy), engine.DecideAgree, "", ""},
		{"reversible is not covered by on-copy", "consent.on-copy = yes", false, gate(engine.Reversible), "", "", keyReversible},
		{"reversible, rehearsal", "", true, gate(engine.Reversible), engine.DecideAgree, "", ""},
		{"question", "archive = a", false, question, engine.DecideAnswer, "a", ""},
		{"question, wrong answer", "archive = c", true, question, "", "", "archive"},
		{"question, nothing said", "", false, question, "", "", "archive"},
		{"question, rehearsal", "", true, question, engine.DecideAnswer, "b", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, lacks := unattended{answers: parsed(t, c.answers), rehearseOnly: c.only}.decide(c.view)
			if lacks != nil {
				if lacks.key != c.lacks {
					t.Fatalf("lacks %q, want %q", lacks.key, c.lacks)
				}
				return
			}
			if d.Kind != c.kind || d.Value != c.value || c.lacks != "" {
				t.Fatalf("got %+v", d)
			}
		})
	}
}

func TestCheckDecision(t *testing.T) {
	v, g := originalGate()
	good := agree(g, "db1/4821", "me")
	if err := checkDecision(v, good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*engine.Decision){
		"typed with a space":  func(d *engine.Decision) { d.Typed += " " },
		"typed in upper case": func(d *engine.Decision) { d.Typed = "DB1/4821" },
		"nothing typed":       func(d *engine.Decision) { d.Typed = "" },
		"other digest":        func(d *engine.Decision) { d.Digest = allDigest },
		"other step":          func(d *engine.Decision) { d.Step = "multixact" },
		"other act":           func(d *engine.Decision) { d.Act = engine.Rehearsal },
		"unknown kind":        func(d *engine.Decision) { d.Kind = "perhaps" },
	} {
		d := good
		if spoil(&d); checkDecision(v, d) == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	g.Challenge, good.Typed = "", ""
	if checkDecision(v, good) == nil {
		t.Error("a gate without a challenge was agreed to")
	}
}
