package drop

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// TestViewers lets several front ends look at one incident: the first is the operator,
// others watch until it is gone, and nobody else can start a second engine.
func TestViewers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 15, 0)
	p := newPlace(t)
	first := newTerminal(t, 80, 24, nil, quoteAll([]string{bin, "run", "crash-loop", c.target(), "--state-dir", p.dir}))
	first.see(time.Minute, "g review and decide")
	first.check("UNTOUCHED")
	dir := p.incident()

	second := newTerminal(t, 80, 24, nil, quoteAll([]string{bin, "attach", "--state-dir", p.dir}))
	second.see(10*time.Second, "The operator decides; this front end watches.")
	second.check("UNTOUCHED")
	second.press("g", "y", "x", "Enter")
	time.Sleep(700 * time.Millisecond)
	second.press("g", "y", "x", "n", "y")
	cannotDecide(t, p, dir.ID())
	if v := view(t, dir); v.Gate == nil || v.Gate.Step != "stop-writers" || len(v.Consents) > 0 {
		t.Fatalf("a watcher has decided: gate %+v, consents %v", v.Gate, v.Consents)
	}

	// A second engine is refused, whatever would start it.
	for _, how := range []string{"resume", "undo"} {
		out := p.run(9, how, "--ui", "plain", "--answers", answers(t))
		if !strings.Contains(out, "is being worked on") || !strings.Contains(out, "pgrescue attach") {
			t.Errorf("%s beside a running engine says:\n%s", how, out)
		}
	}

	// When the operator leaves, the next in line decides; who comes later watches.
	first.press("C-d")
	until(t, 5*time.Second, "ctrl-d to leave", func() bool { dead, _ := first.ended(); return dead })
	second.see(10*time.Second, "g review and decide", "esc drop it")
	third := newTerminal(t, 80, 24, nil, quoteAll([]string{bin, "attach", "--state-dir", p.dir}))
	third.see(10*time.Second, "The operator decides; this front end watches.")
	second.press("Escape")
	second.see(10*time.Second, "g review and decide")
	second.press("x")
	second.see(5*time.Second, "Decline this plan?")
	second.press("n")
	second.see(5*time.Second, "[ready]")
	second.press("y")
	second.see(10*time.Second, "DECLINED")
	third.see(10*time.Second, "DECLINED")
	until(t, 10*time.Second, "the engine to end", func() bool { return view(t, dir).Closed != nil })
	second.press("q")
	until(t, 5*time.Second, "q to leave", func() bool { dead, _ := second.ended(); return dead })
	if _, status := second.ended(); status != "7" {
		t.Errorf("the operator's screen exits %s, want 7", status)
	}

	// An ended incident can be looked at.
	past := newTerminal(t, 80, 24, nil, quoteAll([]string{bin, "attach", "--state-dir", p.dir}))
	past.see(10*time.Second, "DECLINED")
	past.check("UNTOUCHED")
	if out := p.run(7, "attach", "--ui", "plain"); !strings.Contains(out, "declined") {
		t.Errorf("attach to an ended incident says\n%s", out)
	}
}

// cannotDecide sends a well-formed consent past every front end's own check.
func cannotDecide(t *testing.T, p *place, incident string) {
	t.Helper()
	v := view(t, p.incident())
	if v.Gate == nil {
		t.Fatal("no gate to decide")
	}
	line, err := json.Marshal(engine.Decision{Kind: engine.DecideAgree, Act: v.Gate.Act, Step: v.Gate.Step, Digest: v.Gate.Digest, Actor: "watcher@nowhere"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := p.command("attach", "--ui", "json", incident)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &safeBuffer{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	until(t, 10*time.Second, "the gate", func() bool { return strings.Contains(out.String(), `"proposed"`) })
	if _, err := io.WriteString(in, string(line)+"\n"); err != nil {
		t.Fatal(err)
	}
	until(t, 10*time.Second, "the refusal", func() bool { return strings.Contains(out.String(), "only watches") })
}
