package drop

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// TestScreenWalk goes from the picker to the healed end on a real terminal, key by key, at
// several sizes on the way, and tries at the first dangerous consent what must not work.
func TestScreenWalk(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 18, 0)
	p := newPlace(t)
	tm := newTerminal(t, 80, 24, nil, quoteAll([]string{bin, "--state-dir", p.dir}))
	tm.see(10*time.Second, "Which database needs help?")
	pickTarget(tm, c)
	dir := p.incident()
	o := newOperator(tm)

	o.work(time.Minute, func(s string) bool { return strings.Contains(s, "g review and decide") })
	idle(t, tm)
	tm.resize(60, 20)
	o.work(2*time.Minute, func(s string) bool {
		return strings.Contains(s, "REHEARSAL")
	})
	tm.check("UNTOUCHED")
	tm.resize(200, 60)
	o.work(3*time.Minute, func(s string) bool {
		return strings.Contains(s, "PERFORMANCE on the original  ") && strings.Contains(s, "g review and decide")
	})
	tm.check("UNTOUCHED")
	tm.resize(80, 24)
	f := follow(t, dir)
	o.before = func(challenge string) {
		o.before = nil
		otherEyes(t, p)
		refusals(t, tm, f, challenge)
	}
	if got := o.work(4*time.Minute, nil); got != "HEALED" {
		t.Fatalf("the walk ends %s, want HEALED", got)
	}
	tm.check("CHANGED")
	for what, least := range map[string]int{"original": 3, "copy": 4, "reversible": 2, "question": 3} {
		if o.seen[what] < least {
			t.Errorf("%d decisions of the kind %q on the way, want at least %d", o.seen[what], what, least)
		}
	}
	tm.press("q")
	until(t, 5*time.Second, "q to leave", func() bool { dead, _ := tm.ended(); return dead })
	if _, status := tm.ended(); status != "0" {
		t.Errorf("the screen exits %s, want 0", status)
	}
	if bytes.Contains(tm.written(), []byte("\x1b]11")) {
		t.Error("the terminal was asked for its background colour")
	}
	until(t, 10*time.Second, "the engine to end", func() bool { return !journal.Held(dir) })
	checkHealed(t, c, dir)
}

// pickTarget filters the list for the cluster and chooses it.
func pickTarget(tm *terminal, c cluster) {
	tm.t.Helper()
	tm.shoot()
	tm.press("/")
	tm.typeSlowly(c.target())
	tm.press("Enter")
	tm.see(5*time.Second, "> XX  "+c.target())
	if lines := tm.settled(); len(lines) != tm.height || !strings.HasPrefix(lines[0], " pgrescue") {
		tm.t.Errorf("the picker has %d lines and begins with %q", len(lines), lines[0])
	}
	tm.press("Enter")
}

// idle requires that nothing is written while nothing happens.
func idle(t *testing.T, tm *terminal) {
	t.Helper()
	time.Sleep(1500 * time.Millisecond) // the gate arms, the clock stops
	before := len(tm.written())
	time.Sleep(3 * time.Second)
	if after := len(tm.written()); after != before {
		t.Errorf("%d bytes were written in 3 s while waiting at a gate, want 0: %q", after-before, tm.written()[before:])
	}
}

// refusals tries what must not count as consent: a pasted challenge, one typed on a screen
// that is too small to show what it is about, one that a resize came between.
func refusals(t *testing.T, tm *terminal, f *follower, challenge string) {
	t.Helper()
	ready := func() {
		t.Helper()
		tm.see(5*time.Second, "[ready]")
	}
	tm.paste(challenge, true)
	tm.see(5*time.Second, "Pasted text is refused.")
	tm.check("UNTOUCHED")
	tm.press("Enter")
	ready()
	tm.press("Enter")
	tm.see(5*time.Second, "That is not "+challenge)
	ready()
	tm.paste(challenge+"\n", false) // as if typed, all at once
	time.Sleep(200 * time.Millisecond)
	ready()

	tm.typeSlowly(challenge)
	tm.see(5*time.Second, "> "+challenge)
	tm.resize(100, 30)
	tm.see(5*time.Second, "[wait")
	tm.press("Enter")
	ready()
	if strings.Contains(tm.text(), "> "+challenge) {
		t.Error("what was typed before a resize is still there")
	}
	tm.resize(39, 11)
	tm.see(5*time.Second, "original UNTOUCHED")
	tm.shoot()
	time.Sleep(700 * time.Millisecond)
	tm.typeSlowly(challenge)
	tm.press("Enter", "y", "g", "x")
	tm.resize(80, 24)
	ready()
	f.more()
	for _, e := range f.events {
		if e.Kind == engine.KindAgreed && e.Act == engine.Performance {
			t.Fatalf("consent was given by what is no consent: %s", e.Data)
		}
	}
}

// colour matches a sequence that sets a colour.
var colour = regexp.MustCompile("\x1b\\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")

// otherEyes attaches more front ends as watchers, each in a terminal of its own kind.
func otherEyes(t *testing.T, p *place) {
	t.Helper()
	attach := quoteAll([]string{bin, "attach", "--state-dir", p.dir})
	wide := newTerminal(t, 200, 60, nil, attach)
	small := newTerminal(t, 60, 20, []string{"NO_COLOR=1"}, attach)
	ascii := newTerminal(t, 80, 24, []string{"LANG=C"}, attach)
	dumb := newTerminal(t, 80, 24, []string{"TERM=dumb"}, attach)
	for _, tm := range []*terminal{wide, small, ascii} {
		tm.see(10*time.Second, "this front end watches")
		tm.check("UNTOUCHED")
	}
	until(t, 10*time.Second, "the plain front end to tell all", func() bool {
		return bytes.Contains(dumb.written(), []byte("this one only watches")) && bytes.Contains(dumb.written(), []byte("consent wanted (rewrites the original)"))
	})
	if bytes.ContainsRune(dumb.written(), '\x1b') {
		t.Error("TERM=dumb: escape sequences were written")
	}
	if m := colour.Find(small.written()); m != nil {
		t.Errorf("NO_COLOR: the colour %q was written", m)
	}
	if !colour.Match(wide.written()) {
		t.Error("no colour on a terminal that has them: the look for colours finds none")
	}
	if !bytes.Contains(small.written(), []byte("\x1b[1m")) {
		t.Error("NO_COLOR: nothing is bold; it is only colours that are not wanted")
	}
	if i := bytes.IndexFunc(ascii.written(), func(r rune) bool { return r > 0x7e }); i >= 0 {
		t.Errorf("LANG=C: byte %#x was written", ascii.written()[i])
	}
	for _, tm := range []*terminal{wide, small, ascii, dumb} {
		tm.press("C-d")
		if bytes.Contains(tm.written(), []byte("\x1b]11")) {
			t.Error("a terminal was asked for its background colour")
		}
	}

}
