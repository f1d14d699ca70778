package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/ui/internal/stage"
)

// frozen is a clock for tests: progress comes once, paces do not vary.
func frozen() time.Time { return time.Date(2026, 3, 14, 2, 14, 7, 0, time.UTC) }

func testOptions() Options {
	return Options{Actor: "alice@bastion", Version: "1.0.0", AttachHint: "pgrescue attach x", ResumeHint: "pgrescue resume x", Now: frozen}
}

func playPlain(t *testing.T, script func(*stage.Play), in io.Reader, answers string, opts Options) (string, Exit, *stage.Play, error) {
	t.Helper()
	p := stage.New(script)
	defer p.Close()
	var out bytes.Buffer
	exit, err := Plain(context.Background(), p, in, &out, parsed(t, answers), opts)
	return out.String(), exit, p, err
}

const allAnswers = "archive = none\nconsent.on-copy = yes\nconsent.reversible = yes\nconsent.original = as-rehearsed\nconfirm = db1\n"

func TestPlainAnswers(t *testing.T) {
	out, exit, _, err := playPlain(t, stage.CrashLoop, nil, allAnswers, testOptions())
	if err != nil || exit.Code != 0 {
		t.Fatalf("got %+v, %v", exit, err)
	}
	golden(t, "plain/answers", out)
	again, _, _, _ := playPlain(t, stage.CrashLoop, nil, allAnswers, testOptions())
	if out != again {
		t.Error("the same events gave other output")
	}
	if i := strings.IndexFunc(out, func(r rune) bool { return r < ' ' && r != '\n' }); i >= 0 {
		t.Errorf("control character at %d", i)
	}
}

func TestPlainTimes(t *testing.T) {
	opts := testOptions()
	opts.Times = true
	out, _, _, _ := playPlain(t, stage.RehearseOnly, nil, allAnswers, opts)
	if !strings.HasPrefix(out, "02:14:07Z incident") {
		t.Errorf("no time: %.60q", out)
	}
}

// A person walks through, with every kind of slip on the way.
func TestPlainPerson(t *testing.T) {
	in := strings.Join([]string{
		"y",   // reversible: not the word
		"yes", // stop writers
		"4",   // question: no such choice
		"!help",
		"!note looks bad",
		"3",           // /mnt/nas
		"",            // snapshot on copy
		"", "yes", "", // rehearsal
		"yes", "db1/4822", "db1/4821", // multixact on the original
		"db1/4821", "db1/4821", // reset-wal, check-tables
		"yes", // give back
	}, "\n") + "\n"
	out, exit, p, err := playPlain(t, stage.CrashLoop, strings.NewReader(in), "", testOptions())
	if err != nil || exit.Code != 0 {
		t.Fatalf("got %+v, %v\n%s", exit, err, out)
	}
	golden(t, "plain/person", out)
	for _, d := range p.Decisions() {
		if d.Actor != "alice@bastion" {
			t.Errorf("decision without its actor: %+v", d)
		}
	}
}

func TestPlainDeclines(t *testing.T) {
	for _, line := range []string{"", "no"} {
		out, exit, _, err := playPlain(t, stage.CrashLoop, strings.NewReader(line+"\n"), "", testOptions())
		if err != nil || exit.Code != engine.Declined.Exit() || !strings.Contains(out, "declined") {
			t.Errorf("%q: got %+v, %v", line, exit, err)
		}
	}
}

func TestPlainLacksAnAnswer(t *testing.T) {
	for _, c := range []struct{ answers, key string }{
		{"", keyReversible},
		{"consent.reversible = yes", "archive"},
		{"consent.reversible = yes\narchive = none", keyOnCopy},
		{"consent.reversible = yes\narchive = none\nconsent.on-copy = yes", keyOriginal},
	} {
		out, exit, p, err := playPlain(t, stage.CrashLoop, nil, c.answers, testOptions())
		var e *engine.Error
		if !errors.As(err, &e) || e.Kind != engine.NoInput || exit.Code != 8 || !strings.Contains(err.Error(), c.key) {
			t.Errorf("%q: got %+v, %v\n%s", c.answers, exit, err, out)
		}
		if d := p.Decisions(); d[len(d)-1].Kind != engine.DecideAbort {
			t.Errorf("the engine was not asked to stop: %+v", d)
		}
		if p.View().Closed == nil {
			t.Error("left before the engine had stopped")
		}
	}
}

// A person who hangs up is nobody: what the answers lack is missing.
func TestPlainInputEnds(t *testing.T) {
	_, exit, _, err := playPlain(t, stage.CrashLoop, strings.NewReader("yes\n"), "", testOptions())
	if err == nil || exit.Code != 8 {
		t.Errorf("got %+v, %v", exit, err)
	}
}

func TestPlainRehearsal(t *testing.T) {
	opts := testOptions()
	opts.RehearseOnly = true
	_, exit, _, err := playPlain(t, stage.RehearseOnly, nil, "", opts)
	if err != nil || exit.Code != engine.ExitPending {
		t.Errorf("got %+v, %v", exit, err)
	}
	// Even then the original's gates are nobody's to agree to.
	_, exit, p, err := playPlain(t, stage.CrashLoop, nil, "", opts)
	if err == nil || exit.Code != 8 || p.View().Original != engine.Untouched {
		t.Errorf("got %+v, %v, original %s", exit, err, p.View().Original)
	}
}

func TestPlainEngineGone(t *testing.T) {
	for _, c := range []struct {
		kind engine.Kind
		code int
	}{{engine.KindFinding, 1}, {engine.KindApplying, 10}} {
		seq := int64(0)
		probe := stage.New(stage.CrashLoop)
		before := record(t, probe)
		for _, e := range before {
			if e.Kind == c.kind && (c.kind != engine.KindApplying || e.Act == engine.Performance) {
				seq = e.Seq
				break
			}
		}
		p := stage.New(stage.CrashLoop)
		p.Vanish = seq
		var out bytes.Buffer
		exit, err := Plain(context.Background(), p, nil, &out, parsed(t, allAnswers), testOptions())
		if err != nil || exit.Code != c.code || exit.Detached || !strings.Contains(out.String(), "pgrescue resume x") {
			t.Errorf("%s: got %+v, %v\n%s", c.kind, exit, err, out.String())
		}
	}
}

// record plays with all answers and returns the events.
func record(t *testing.T, p *stage.Play) []engine.Event {
	t.Helper()
	r := &recorder{Link: p}
	if _, err := Plain(context.Background(), r, nil, io.Discard, parsed(t, allAnswers), testOptions()); err != nil {
		t.Fatal(err)
	}
	return r.events
}

type recorder struct {
	Link
	events []engine.Event
}

func (r *recorder) Next() (engine.Message, error) {
	m, err := r.Link.Next()
	if m.Event != nil {
		r.events = append(r.events, *m.Event)
	}
	return m, err
}

func TestPlainLeaves(t *testing.T) {
	out, exit, p, err := playPlain(t, stage.CrashLoop, strings.NewReader("!detach\n"), "", testOptions())
	if err != nil || !exit.Detached || exit.Code != 0 || !strings.Contains(out, "pgrescue attach x") {
		t.Errorf("got %+v, %v\n%s", exit, err, out)
	}
	for _, d := range p.Decisions() {
		t.Errorf("leaving decided something: %+v", d)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	play := stage.New(stage.CrashLoop)
	defer play.Close()
	if exit, err := Plain(ctx, play, nil, io.Discard, Answers{}, testOptions()); err != nil || !exit.Detached && exit.Code != 8 {
		t.Errorf("got %+v, %v", exit, err)
	}
}

func TestPlainInterrupts(t *testing.T) {
	r, w := io.Pipe() // a person who says nothing
	defer w.Close()
	opts := testOptions()
	c := make(chan os.Signal, 1)
	opts.Interrupts = c
	c <- os.Interrupt
	out, exit, p, err := playPlain(t, stage.CrashLoop, r, "", opts)
	if err != nil || exit.Code != engine.Aborted.Exit() || p.View().Closed == nil {
		t.Errorf("got %+v, %v\n%s", exit, err, out)
	}
}

// What happened before this front end came is told, not asked again.
func TestPlainPast(t *testing.T) {
	events := record(t, stage.New(stage.CrashLoop))
	var n int
	for i, e := range events {
		if e.Kind == engine.KindProposed && e.Act == engine.Performance {
			n = i + 1
			break
		}
	}
	l := &replay{events: events[:n]}
	var out bytes.Buffer
	_, err := Plain(context.Background(), l, strings.NewReader("!detach\n"), &out, Answers{}, testOptions())
	if err != nil || strings.Count(out.String(), "CONSENT") != 1 || !strings.Contains(out.String(), "type db1/4821 exactly") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// replay is an engine that waits after its last event.
type replay struct {
	events []engine.Event
	sent   int
	hello  bool
	watch  bool
	took   []engine.Decision
}

func (r *replay) Next() (engine.Message, error) {
	if !r.hello {
		r.hello = true
		return engine.Message{Hello: &engine.Hello{Operator: !r.watch, Past: int64(len(r.events))}}, nil
	}
	if r.sent == len(r.events) {
		select {}
	}
	r.sent++
	return engine.Message{Event: &r.events[r.sent-1]}, nil
}
func (r *replay) Decide(d engine.Decision) error { r.took = append(r.took, d); return nil }
func (r *replay) Close() error                   { return nil }

func TestPlainWatches(t *testing.T) {
	p := stage.New(stage.CrashLoop)
	p.Watch = true
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	exit, err := Plain(ctx, p, nil, io.Discard, parsed(t, allAnswers), testOptions())
	if err != nil || !exit.Detached || len(p.Decisions()) > 0 {
		t.Errorf("got %+v, %v, %v", exit, err, p.Decisions())
	}
}

// Hostile text does not reach the terminal.
func TestClean(t *testing.T) {
	for s, want := range map[string]string{
		"\x1b]0;title\x07x": "x", "\x1b[2Jx": "x", "\x1b[31mred\x1b[0m": "red", "a\rb": "ab", "\u202eabc": "?abc", "a\x00b": "a?b", "a\tb\nc": "a    b\nc",
	} {
		if got := clean(s); got != want {
			t.Errorf("clean(%q) = %q, want %q", s, got, want)
		}
	}
}

// What is typed ahead on a terminal is no consent.
func TestPlainTypeAhead(t *testing.T) {
	v, g := originalGate()
	link := &replay{}
	p := &plain{link: link, out: io.Discard, opts: testOptions(), terminal: true, view: v, asking: pending{gate: g}, asked: frozen()}
	early := typedLine{"db1/4821", frozen().Add(typeAhead - time.Millisecond)}
	if _, err := p.heard(early); err != nil || len(link.took) != 0 {
		t.Fatalf("typed ahead was taken: %v, %v", link.took, err)
	}
	early.at = frozen().Add(typeAhead)
	if _, err := p.heard(early); err != nil || len(link.took) != 1 || link.took[0].Typed != "db1/4821" {
		t.Fatalf("typed in time was not taken: %v, %v", link.took, err)
	}
}
