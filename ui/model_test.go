package ui

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/ui/internal/stage"
)

// screenTest is a model without a program around it: messages go in, the screen and the
// decisions come out.
type screenTest struct {
	t *testing.T
	*model
	events []engine.Event // still to come
	took   []engine.Decision
}

func newScreen(t *testing.T, events []engine.Event, width, height int, opts Options) *screenTest {
	t.Helper()
	s := &screenTest{t: t, events: events, model: newModel(context.Background(), &replay{}, opts)}
	arrivals := make(chan arrival)
	s.arrivals = arrivals
	s.post = func(d engine.Decision) tea.Cmd {
		s.took = append(s.took, d)
		return nil
	}
	s.send(tea.WindowSizeMsg{Width: width, Height: height})
	s.send(feedMsg{{message: engine.Message{Hello: &engine.Hello{Operator: true}}}})
	return s
}

func (s *screenTest) send(msg tea.Msg) {
	s.t.Helper()
	s.Update(msg) // of its commands only leaving matters here, and the exit tells
	if s.err != nil {
		s.t.Fatal(s.err)
	}
}

// until feeds events until the condition holds, and fails when it never does.
func (s *screenTest) until(what string, met func(engine.View) bool) *screenTest {
	s.t.Helper()
	for len(s.events) > 0 {
		e := s.events[0]
		s.events = s.events[1:]
		s.send(feedMsg{{message: engine.Message{Event: &e}}})
		if met(s.view) {
			return s
		}
	}
	s.t.Fatalf("%s never comes", what)
	return nil
}

// gateOf feeds until the step waits for consent in the act.
func (s *screenTest) gateOf(act engine.Act, step string) *screenTest {
	s.t.Helper()
	return s.until(step, func(v engine.View) bool { return v.Gate != nil && v.Gate.Act == act && v.Gate.Step == step })
}

func (s *screenTest) closed() *screenTest {
	s.t.Helper()
	return s.until("the end", func(v engine.View) bool { return v.Closed != nil })
}

// calm lets the quiet time pass.
func (s *screenTest) calm() *screenTest {
	s.send(armMsg{s.arm.generation})
	if s.gate != nil {
		s.send(armMsg{s.gate.arm.generation})
	}
	if s.question != nil {
		s.send(armMsg{s.question.arm.generation})
	}
	if s.choice != nil {
		s.send(armMsg{s.choice.arm.generation})
	}
	return s
}

// press sends keys one by one: names as bubbletea prints them, or characters.
func (s *screenTest) press(keys ...string) *screenTest {
	s.t.Helper()
	for _, k := range keys {
		s.send(keyMsg(k))
	}
	return s
}

func (s *screenTest) typeText(text string) *screenTest {
	for _, r := range text {
		s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
	return s
}

func keyMsg(name string) tea.KeyMsg {
	types := map[string]tea.KeyType{"enter": tea.KeyEnter, "esc": tea.KeyEsc, "up": tea.KeyUp, "down": tea.KeyDown, "end": tea.KeyEnd,
		"home": tea.KeyHome, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "ctrl+c": tea.KeyCtrlC,
		"ctrl+d": tea.KeyCtrlD, "ctrl+u": tea.KeyCtrlU, "backspace": tea.KeyBackspace, "left": tea.KeyLeft, "right": tea.KeyRight}
	if t, ok := types[name]; ok {
		return tea.KeyMsg{Type: t}
	}
	if name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// check asserts what must hold of every frame.
func (s *screenTest) check() string {
	s.t.Helper()
	view := s.View()
	lines := strings.Split(view, "\n")
	if len(lines) > s.height {
		s.t.Fatalf("%d lines on a screen of %d", len(lines), s.height)
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > s.width {
			s.t.Fatalf("line %d is %d wide on a screen of %d: %q", i+1, w, s.width, l)
		}
	}
	if s.height >= 1 && s.width >= 30 && !strings.Contains(ansi.Strip(view), string(originalOf(s.view))) {
		s.t.Fatalf("the state of the original is not on screen:\n%s", view)
	}
	return view
}

func originalOf(v engine.View) engine.OriginalState {
	if v.Original == "" {
		return engine.Untouched
	}
	return v.Original
}

func walk(t *testing.T) []engine.Event {
	t.Helper()
	return record(t, stage.New(stage.CrashLoop))
}

func dumb() Options {
	o := testOptions()
	o.Dumb = true
	return o
}

// scenes are the moments whose screens are kept.
func scenes() []struct {
	name string
	play func(*screenTest)
} {
	type scene = struct {
		name string
		play func(*screenTest)
	}
	return []scene{
		{"nothing yet", func(*screenTest) {}},
		{"working", func(s *screenTest) {
			s.until("snapshot", func(v engine.View) bool {
				r := v.Row(engine.Prepare, "snapshot")
				return r != nil && r.State == engine.Applying
			})
			p := engine.Progress{Act: engine.Prepare, Step: "snapshot", What: "copy and hash", Done: 124e6, Total: 371e6, Unit: "bytes",
				Since: frozen().Add(-30 * time.Second), At: frozen().Add(-12 * time.Second)}
			s.send(feedMsg{{message: engine.Message{Progress: &p}}})
		}},
		{"question", func(s *screenTest) {
			s.until("question", func(v engine.View) bool { return v.Question != nil }).calm()
		}},
		{"gate on a copy", func(s *screenTest) { s.gateOf(engine.Rehearsal, "reset-wal").calm() }},
		{"reversible, under review", func(s *screenTest) { s.gateOf(engine.Prepare, "stop-writers").press("g") }},
		{"original, typed", func(s *screenTest) {
			s.gateOf(engine.Performance, "reset-wal").press("g").calm().press("end").typeText("db1/48")
		}},
		{"verdicts", func(s *screenTest) { s.gateOf(engine.Closing, "give-back").press("5") }},
		{"evidence of a step before", func(s *screenTest) { s.gateOf(engine.Rehearsal, "multixact").press("up", "v") }},
		{"ctrl-c", func(s *screenTest) { s.gateOf(engine.Performance, "multixact").press("ctrl+c") }},
		{"help", func(s *screenTest) { s.gateOf(engine.Rehearsal, "multixact").press("?") }},
		{"log, filtered", func(s *screenTest) { s.closed().press("L", "/").typeText("wal").press("enter") }},
		{"closed", func(s *screenTest) { s.closed() }},
	}
}

func TestScreens(t *testing.T) {
	events := walk(t)
	for _, size := range []struct{ w, h int }{{80, 24}, {60, 20}, {100, 30}, {200, 60}} {
		var all strings.Builder
		for _, scene := range scenes() {
			s := newScreen(t, events, size.w, size.h, dumb())
			scene.play(s)
			view := s.check()
			if strings.Contains(view, "\x1b") {
				t.Errorf("%s: escape sequences on a dumb terminal", scene.name)
			}
			all.WriteString("=== " + scene.name + "\n" + view + "\n")
		}
		golden(t, "tui/"+sizeName(size.w, size.h), all.String())
	}
}

func sizeName(w, h int) string { return grouped(int64(w)) + "x" + grouped(int64(h)) }

// Colours, bold and Unicode carry nothing: without them the same words are on screen.
func TestScreensLoseNothing(t *testing.T) {
	events := walk(t)
	var coloured, mono, ascii strings.Builder
	for _, scene := range scenes() {
		show := func(change func(*Options)) string {
			o := testOptions()
			change(&o)
			s := newScreen(t, events, 80, 24, o)
			scene.play(s)
			return s.check()
		}
		plain := show(func(o *Options) { o.Dumb = true })
		c := show(func(*Options) {})
		n := show(func(o *Options) { o.NoColor = true })
		a := show(func(o *Options) { o.ASCII, o.Dumb = true, true })
		for name, s := range map[string]string{"colour": c, "NO_COLOR": n} {
			if strings.Join(trimmed(ansi.Strip(s)), "\n") != strings.Join(trimmed(plain), "\n") {
				t.Errorf("%s, %s: other text than on a dumb terminal", scene.name, name)
			}
		}
		for i := range len(a) {
			if a[i] > 0x7e {
				t.Fatalf("%s: byte %#x in ASCII", scene.name, a[i])
			}
		}
		coloured.WriteString(c)
		mono.WriteString(n)
		ascii.WriteString("=== " + scene.name + "\n" + a + "\n")
	}
	for _, rgb := range []string{"38;5", "38;2", "48;", "[9", "[4"} {
		if strings.Contains(coloured.String(), rgb) {
			t.Errorf("more than sixteen colours, or a painted background: %q", rgb)
		}
	}
	if !strings.Contains(coloured.String(), "\x1b[32m") {
		t.Error("no colour at all: the test compares nothing")
	}
	if strings.Contains(mono.String(), "[3") || strings.Contains(mono.String(), ";3") {
		t.Error("a colour under NO_COLOR")
	}
	if !strings.Contains(mono.String(), "\x1b[7m") {
		t.Error("NO_COLOR has taken reverse away too")
	}
	golden(t, "tui/ascii-80x24", ascii.String())
	golden(t, "tui/nocolor-80x24", mono.String())
}

func trimmed(s string) []string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

func TestTinyScreen(t *testing.T) {
	events := walk(t)
	for _, size := range []struct{ w, h int }{{59, 20}, {60, 19}, {30, 3}, {40, 1}, {1, 1}} {
		s := newScreen(t, events, size.w, size.h, dumb())
		s.gateOf(engine.Rehearsal, "reset-wal").calm().press("enter", "g", "y", "x", "enter").calm().press("enter", "y")
		if len(s.took) > 0 {
			t.Errorf("%dx%d: decided %+v", size.w, size.h, s.took)
		}
		s.check()
		s.press("ctrl+c", "ctrl+c")
		if !s.exit.Detached {
			t.Errorf("%dx%d: the second ctrl-c did not detach", size.w, size.h)
		}
	}
}

// The idle screen asks for no time: nothing ticks while a decision is awaited.
func TestIdleDoesNotTick(t *testing.T) {
	s := newScreen(t, walk(t), 80, 24, dumb()).gateOf(engine.Rehearsal, "reset-wal")
	late := engine.Progress{Act: engine.Rehearsal, Step: "reset-wal", What: "a late word"}
	s.send(feedMsg{{message: engine.Message{Progress: &late}}})
	if s.busy() || s.ticking != 0 {
		t.Error("the clock runs while the engine waits")
	}
	s.closed()
	if s.busy() || s.ticking != 0 {
		t.Error("the clock runs after the end")
	}
	s = newScreen(t, walk(t), 80, 24, dumb())
	s.until("work", func(v engine.View) bool { r := v.Current(); return r != nil && r.State == engine.Running })
	if !s.busy() || s.ticking == 0 {
		t.Error("the clock stands still while the engine works")
	}
}

func TestEngineGoneOnScreen(t *testing.T) {
	s := newScreen(t, walk(t), 80, 24, dumb())
	s.until("writing", func(v engine.View) bool { return v.Original == engine.Writing })
	s.send(feedMsg{{err: io.EOF}})
	if view := s.check(); !strings.Contains(view, "THE ENGINE HAS ENDED") || !strings.Contains(view, "outcome is UNKNOWN") {
		t.Errorf("not said:\n%s", view)
	}
	if s.press("q"); s.exit.Code != 10 || s.exit.Detached {
		t.Errorf("exit %+v", s.exit)
	}
}
