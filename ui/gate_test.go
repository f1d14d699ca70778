package ui

import (
	"math/rand/v2"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/pgrescue/pgrescue/steps/engine"
)

func atOriginal(t *testing.T, w, h int) *screenTest {
	t.Helper()
	return newScreen(t, walk(t), w, h, dumb()).gateOf(engine.Performance, "reset-wal")
}

func TestOriginalConsent(t *testing.T) {
	s := atOriginal(t, 80, 24).press("g").calm().press("end").calm().typeText("db1/4821").press("enter")
	if len(s.took) != 1 {
		t.Fatalf("decisions %+v", s.took)
	}
	d, g := s.took[0], s.view.Gate
	if d.Kind != engine.DecideAgree || d.Act != g.Act || d.Step != g.Step || d.Digest != g.Digest || d.Typed != "db1/4821" || d.Actor != "alice@bastion" {
		t.Errorf("decision %+v", d)
	}
	// One consent, one decision.
	if s.press("enter", "enter").calm().press("enter", "g").calm().typeText("db1/4821").press("enter"); len(s.took) != 1 {
		t.Errorf("decided again: %+v", s.took[1:])
	}
}

// Every way of not quite consenting decides nothing.
func TestOriginalConsentRefused(t *testing.T) {
	paste := func(text string) tea.KeyMsg { return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true} }
	burst := func(text string) tea.KeyMsg { return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text)} }
	for name, try := range map[string]func(*screenTest){
		"enter alone":      func(s *screenTest) { s.press("g").calm().press("end").calm().press("enter") },
		"without opening":  func(s *screenTest) { s.calm().typeText("db1/4821").press("enter") },
		"yes":              func(s *screenTest) { s.press("g").calm().press("end").calm().typeText("yes").press("enter") },
		"y":                func(s *screenTest) { s.press("g").calm().press("end").calm().press("y") },
		"wrong system":     func(s *screenTest) { s.press("g").calm().press("end").calm().typeText("db1/4822").press("enter") },
		"too much":         func(s *screenTest) { s.press("g").calm().press("end").calm().typeText("db1/48211").press("enter") },
		"upper case":       func(s *screenTest) { s.press("g").calm().press("end").calm().typeText("DB1/4821").press("enter") },
		"no quiet moment":  func(s *screenTest) { s.press("g", "end").typeText("db1/4821").press("enter") },
		"changes not read": func(s *screenTest) { s.press("g").calm().typeText("db1/4821").press("enter") },
		"pasted":           func(s *screenTest) { s.press("g").calm().press("end").calm().send(paste("db1/4821")); s.press("enter") },
		"pasted, then calm": func(s *screenTest) {
			s.press("g").calm().press("end").calm().send(paste("db1/4821"))
			s.calm().press("enter")
		},
		"typed in a burst": func(s *screenTest) {
			s.press("g").calm().press("end").calm().send(burst("db1/4821"))
			s.calm().press("enter")
		},
		"last character pasted": func(s *screenTest) {
			s.press("g").calm().press("end").calm().typeText("db1/482").send(paste("1"))
			s.calm().press("enter")
		},
		"burst in the middle": func(s *screenTest) {
			s.press("g").calm().press("end").calm().typeText("db1/4").send(burst("821"))
			s.calm().press("enter")
		},
		"with alt": func(s *screenTest) {
			s.press("g").calm().press("end").calm().typeText("db1/482").send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("1"), Alt: true})
			s.press("enter")
		},
		"resized before the end": func(s *screenTest) {
			s.press("g").calm().press("end").calm().typeText("db1/4821").send(tea.WindowSizeMsg{Width: 81, Height: 24})
			s.calm().press("end").calm().press("enter")
		},
		"too small": func(s *screenTest) {
			s.press("g").calm().press("end").calm().send(tea.WindowSizeMsg{Width: 59, Height: 20})
			s.calm().press("end").calm().typeText("db1/4821").press("enter")
		},
		"looked around in between": func(s *screenTest) {
			s.press("g").calm().press("end").calm().typeText("db1/4821").press("esc", "enter")
		},
		"refused by the engine, enter again": func(s *screenTest) {
			s.press("g").calm().press("end").calm().typeText("db1/482").send(feedMsg{{message: engine.Message{Refused: &engine.Refusal{Reason: "no"}}}})
			s.press("1", "enter")
		},
		"watching": func(s *screenTest) {
			s.watching = true
			s.press("g").calm().press("end").calm().typeText("db1/4821").press("enter")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := atOriginal(t, 80, 24)
			if try(s); len(s.took) > 0 {
				t.Errorf("decided %+v", s.took)
			}
			s.check()
		})
	}
}

// TestOriginalConsentLosesMuch needs no higher window than any other: what would be lost is
// read first, in the list that has to be read to its end.
func TestOriginalConsentLosesMuch(t *testing.T) {
	s := atOriginal(t, 60, 20).press("g").calm()
	if view := s.check(); !strings.Contains(view, "LOSES data") || !strings.Contains(view, "LOSES 185 rows") {
		t.Fatalf("what would be lost does not come first:\n%s", view)
	}
	s.typeText("db1/4821").press("enter")
	if len(s.took) > 0 {
		t.Fatal("agreed without having read what would be lost")
	}
	s.calm().press("end").calm().typeText("db1/4821").press("enter")
	if len(s.took) != 1 {
		t.Errorf("%d decisions after reading to the end, want 1:\n%s", len(s.took), s.check())
	}
}

func TestOriginalConsentFits(t *testing.T) {
	s := atOriginal(t, 60, 20).press("g")
	view := s.check()
	if strings.Contains(view, "To agree") == strings.Contains(view, "too small") {
		t.Errorf("neither or both:\n%s", view)
	}
	// What must be read is there whenever the way to agree is.
	for h := 20; h < 50; h++ {
		s.send(tea.WindowSizeMsg{Width: 80, Height: h})
		view := s.check()
		if !strings.Contains(view, "To agree") {
			continue
		}
		for _, must := range []string{"THIS REWRITES THE ORIGINAL", "container:db", "db1", "4821", "185 rows", "15 000 rows", s.gate.gate.Digest, "same as rehearsed", "db1/4821"} {
			if !strings.Contains(view, must) {
				t.Errorf("height %d: %q is not on screen:\n%s", h, must, view)
			}
		}
	}
}

func TestReversibleConsent(t *testing.T) {
	at := func() *screenTest {
		return newScreen(t, walk(t), 80, 24, dumb()).gateOf(engine.Prepare, "stop-writers")
	}
	if s := at().press("g").calm().press("y"); len(s.took) != 1 || s.took[0].Kind != engine.DecideAgree {
		t.Errorf("g y: %+v", s.took)
	}
	for name, s := range map[string]*screenTest{
		"enter":            at().calm().press("enter", "enter"),
		"y alone":          at().calm().press("y"),
		"g enter":          at().press("g").calm().press("enter"),
		"gy without quiet": at().press("g", "y"),
		"gy in a burst":    at().calm().press("gy").calm(),
		"n":                at().press("g").calm().press("n"),
		"Y":                at().press("g").calm().press("Y"),
	} {
		if len(s.took) > 0 {
			t.Errorf("%s: decided %+v", name, s.took)
		}
	}
}

func TestOnCopyConsent(t *testing.T) {
	at := func() *screenTest { return newScreen(t, walk(t), 80, 24, dumb()).gateOf(engine.Rehearsal, "reset-wal") }
	if s := at().calm().press("enter"); len(s.took) != 1 || s.took[0].Kind != engine.DecideAgree {
		t.Errorf("enter: %+v", s.took)
	}
	if s := at().press("enter"); len(s.took) > 0 {
		t.Errorf("enter without quiet: %+v", s.took)
	}
	// The plan must be what the screen shows.
	s := at().calm().press("1", "enter")
	if len(s.took) > 0 {
		t.Errorf("agreed to what was not on screen: %+v", s.took)
	}
	if s.calm().press("enter"); len(s.took) != 1 {
		t.Errorf("then: %+v", s.took)
	}
	// An unbracketed paste of several lines does not walk through.
	if s := at().calm().press("prod-db-1", "enter", "yes", "enter"); len(s.took) > 0 {
		t.Errorf("pasted lines agreed: %+v", s.took)
	}
}

func TestDecline(t *testing.T) {
	s := newScreen(t, walk(t), 80, 24, dumb()).gateOf(engine.Rehearsal, "reset-wal").calm()
	if s.press("x", "x", "n", "y"); len(s.took) > 0 {
		t.Fatalf("declined without quiet: %+v", s.took)
	}
	if s.press("esc", "x", "n").calm().press("y"); len(s.took) != 1 || s.took[0].Kind != engine.DecideDecline {
		t.Fatalf("not declined: %+v", s.took)
	}
}

func TestQuestion(t *testing.T) {
	at := func() *screenTest {
		return newScreen(t, walk(t), 80, 24, dumb()).until("question", func(v engine.View) bool { return v.Question != nil })
	}
	if s := at().press("enter"); len(s.took) > 0 {
		t.Errorf("answered without quiet: %+v", s.took)
	}
	if s := at().calm().press("down", "down", "enter"); len(s.took) != 1 || s.took[0].Value != "/mnt/nas" {
		t.Errorf("answered %+v", s.took)
	}
	s := at().calm().press("esc")
	if s.question != nil {
		t.Error("esc did not put the question aside")
	}
	if s.press("enter"); s.question == nil {
		t.Error("enter did not bring the question back")
	}
}

func TestInterrupt(t *testing.T) {
	at := func() *screenTest { return newScreen(t, walk(t), 80, 24, dumb()).gateOf(engine.Rehearsal, "reset-wal") }
	if s := at().press("ctrl+c", "ctrl+c"); !s.exit.Detached || len(s.took) > 0 {
		t.Errorf("second ctrl-c: %+v, %+v", s.exit, s.took)
	}
	if s := at().press("ctrl+c", "a"); len(s.took) > 0 {
		t.Errorf("aborted at once: %+v", s.took)
	}
	if s := at().press("ctrl+c", "a").calm().press("y"); len(s.took) != 1 || s.took[0].Kind != engine.DecideAbort {
		t.Errorf("not aborted: %+v", s.took)
	}
	if s := at().press("ctrl+c", "esc", "ctrl+d"); !s.exit.Detached {
		t.Errorf("ctrl-d: %+v", s.exit)
	}
	if s := newScreen(t, walk(t), 80, 24, dumb()).closed().press("q"); s.exit.Closed == nil || s.exit.Code != 0 {
		t.Errorf("q after the end: %+v", s.exit)
	}
}

func TestNote(t *testing.T) {
	s := newScreen(t, walk(t), 80, 24, dumb()).gateOf(engine.Rehearsal, "reset-wal").calm().press("n").typeText("g y x enter").press("enter")
	if len(s.took) != 1 || s.took[0].Kind != engine.DecideNote || s.took[0].Value != "g y x enter" {
		t.Errorf("note: %+v", s.took)
	}
}

// FuzzKeys types whatever it likes, resizes and pastes. Nothing of that is ever a consent
// beyond a copy, since the challenge is never typed in peace; and every frame fits.
func FuzzKeys(f *testing.F) {
	for i := range uint64(12) {
		f.Add(i, uint16(200))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		s := newScreen(t, walk(t), 80, 24, dumb())
		r := rand.New(rand.NewPCG(seed, 1))
		names := []string{"enter", "esc", "up", "down", "end", "home", "pgdown", "pgup", "tab", "shift+tab", "ctrl+c", "backspace", "left", " ",
			"g", "y", "x", "n", "a", "d", "p", "v", "f", "z", "c", "L", "/", "?", "q", "0", "1", "2", "3", "4", "5", "6", "7", "8", "db1/4821", "yes", "gy", "yy"}
		for range min(int(n), 400) {
			before := s.view.Gate
			calmed := s.gate != nil && s.gate.arm.ready
			switch r.IntN(14) {
			case 0:
				s.send(tea.WindowSizeMsg{Width: 1 + r.IntN(220), Height: 1 + r.IntN(70)})
			case 1:
				s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("db1/4821\r"), Paste: true})
			case 2:
				s.calm()
			case 3, 4:
				if len(s.events) > 0 {
					s.until("anything", func(engine.View) bool { return true })
				}
			default:
				s.press(names[r.IntN(len(names))])
			}
			s.check()
			for _, d := range s.took {
				if d.Kind != engine.DecideAgree {
					continue
				}
				g := before
				if g == nil || g.Digest != d.Digest || g.Step != d.Step || g.Act != d.Act {
					t.Fatalf("consent to something else: %+v", d)
				}
				if g.Danger == engine.Original || g.Danger == engine.Reversible && !calmed {
					t.Fatalf("random keys agreed to %s: %+v", g.Danger, d)
				}
			}
			s.took = nil
			if s.exit.Detached || s.exit.Closed != nil {
				return
			}
		}
	})
}
