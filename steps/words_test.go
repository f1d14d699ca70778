package steps

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func TestHumanBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1: "1 B", 999: "999 B", 1000: "1.0 kB", 1500: "1.5 kB", 9949: "9.9 kB", 10000: "10 kB", 371_000_000: "371 MB",
		2_809_000_000: "2.8 GB", 999_499: "999 kB", 1_000_000: "1.0 MB", 1_500_000_000_000: "1.5 TB", 1 << 62: "4612 PB",
	} {
		if got := humanBytes(n); got != want {
			t.Errorf("humanBytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestLastWords(t *testing.T) {
	const panicked = "2026-01-01 PANIC:  invalid lp"
	for log, want := range map[string]string{
		"":                 "",
		"LOG:  starting\n": "LOG:  starting",
		"LOG:  a\n" + panicked + "\nCONTEXT:  WAL redo at 0/258DB28\nLOG:  startup process was terminated by signal 6\n": panicked,
		panicked + "\nFATAL:  the database system is starting up\nLOG:  b\n":                                             "FATAL:  the database system is starting up",
		"LOG:  a\nLOG:  b\n\n\n": "LOG:  b",
	} {
		if got := lastWords(log); got != want {
			t.Errorf("of %q: %q, want %q", log, got, want)
		}
	}
}

func TestLastLines(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{{"", 3, ""}, {"a\nb\n", 3, "a\nb"}, {"a\nb\nc\nd\n", 2, "c\nd"}, {"a\n\n\n", 2, "a"}} {
		if got := lastLines(c.text, c.n); got != c.want {
			t.Errorf("last %d of %q: %q, want %q", c.n, c.text, got, c.want)
		}
	}
}

func TestExitWords(t *testing.T) {
	for words, s := range map[string]dockerops.State{
		"":                         {ExitCode: 1},
		" (signal 6)":              {ExitCode: 134},
		" (signal 9)":              {ExitCode: 137},
		" (killed: out of memory)": {ExitCode: 137, OOMKilled: true},
	} {
		if got := exitWords(s); got != words {
			t.Errorf("%+v: %q, want %q", s, got, words)
		}
	}
}

func TestSeverityOf(t *testing.T) {
	hit := func(s pgops.Severity, level pgops.LogLevel, change func(*pgops.SymptomHit)) pgops.SymptomHit {
		h := pgops.SymptomHit{Level: level}
		h.Severity = s
		if change != nil {
			change(&h)
		}
		return h
	}
	past := func(h *pgops.SymptomHit) { h.Past = true }
	outside := func(h *pgops.SymptomHit) { h.NotCorruption = true }
	for _, c := range []struct {
		name string
		hit  pgops.SymptomHit
		want engine.Severity
	}{
		{"keeps the server down", hit(pgops.SeverityFatal, pgops.LevelPanic, nil), engine.Damaged},
		{"data is wrong", hit(pgops.SeverityDamage, pgops.LevelError, nil), engine.Damaged},
		{"keeps it down, but not by damage", hit(pgops.SeverityFatal, pgops.LevelFatal, outside), engine.Blocker},
		{"a sign", hit(pgops.SeverityWarning, pgops.LevelWarning, nil), engine.Warning},
		{"ordinary", hit(pgops.SeverityHarmless, pgops.LevelLog, nil), engine.Info},
		{"was overcome", hit(pgops.SeverityFatal, pgops.LevelPanic, past), engine.Info},
		{"a sign from outside the data", hit(pgops.SeverityWarning, pgops.LevelWarning, outside), engine.Warning},
	} {
		if got := severityOf(c.hit); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The agent's errors decide the exit code, keep their hint, and stay what they are.
func TestJobError(t *testing.T) {
	if jobError(nil) != nil {
		t.Error("no error became one")
	}
	for _, c := range []struct {
		err  error
		want engine.ErrorKind
		hint string
	}{
		{&agent.Error{Kind: agent.KindNoSpace, Hint: "free some"}, engine.Precondition, "free some"},
		{&agent.Error{Kind: agent.KindNoInodes}, engine.Precondition, ""},
		{&agent.Error{Kind: agent.KindNotEmpty}, engine.Precondition, ""},
		{&agent.Error{Kind: agent.KindChanged}, engine.Stale, ""},
		{fmt.Errorf("copy: %w", &agent.Error{Kind: agent.KindChanged, Hint: "stop it"}), engine.Stale, "stop it"},
		{&agent.Error{Kind: agent.KindMismatch}, engine.Failure, ""},
		{&agent.Error{Kind: agent.KindRefused, Hint: "look again"}, engine.Failure, "look again"},
		{fmt.Errorf("write: %w", syscall.ENOSPC), engine.Precondition, ""},
		{errors.New("anything"), engine.Failure, ""},
		{context.Canceled, engine.Failure, ""},
	} {
		err := jobError(c.err)
		var told *engine.Error
		if !errors.As(err, &told) || told.Kind != c.want || told.Hint != c.hint || !errors.Is(err, c.err) || err.Error() != c.err.Error() {
			t.Errorf("%v became %#v, want %s with the hint %q", c.err, err, c.want, c.hint)
		}
	}
}

func TestToolFailed(t *testing.T) {
	for _, c := range []struct {
		out  engine.Output
		want string
	}{
		{engine.Output{}, ""},
		{engine.Output{Stderr: []byte("a warning")}, ""},
		{engine.Output{Exit: 1, Stdout: []byte("progress\n"), Stderr: []byte("pg_resetwal: error: lock file exists\n")}, "pg_resetwal ended with exit status 1: pg_resetwal: error: lock file exists"},
		{engine.Output{Exit: 2, Stdout: []byte("only here\n")}, "pg_resetwal ended with exit status 2: only here"},
	} {
		got := ""
		if err := toolFailed("pg_resetwal", c.out); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.out, got, c.want)
		}
	}
}

// The challenge names this host and this cluster, whatever pg_control told.
func TestChallenge(t *testing.T) {
	for id, want := range map[string]string{"7418529630123454711": "db7/4711", "": "db7/0000", "12": "db7/0000"} {
		withPass(t, "i", nil, nil, func(p *engine.Pass) {
			if err := FactSite.Put(p, Site{SystemID: id}); err != nil {
				t.Fatal(err)
			}
			got, err := NewWorkspace(Config{Host: "db7"}).Challenge(p)
			if err != nil || got != want {
				t.Errorf("system %q: %q, %v; want %q", id, got, err, want)
			}
		})
	}
}

func TestLaterSegment(t *testing.T) {
	const planned, later, sooner = "000000010000000000000005", "000000010000000000000006", "000000010000000000000004"
	for _, c := range []struct {
		field, found string
		want         bool
	}{{"first WAL segment", later, true}, {"first WAL segment", sooner, false}, {"first WAL segment", planned, false}, {"first WAL segment", "1", false}, {"next XID", later, false}} {
		if got := laterSegment(c.field, planned, c.found); got != c.want {
			t.Errorf("%s %s: %v", c.field, c.found, got)
		}
	}
}

// A writer on the original needs a permit, and only the engine makes one.
func TestNoWriterWithoutPermit(t *testing.T) {
	withPass(t, "i", nil, nil, func(p *engine.Pass) {
		if w, err := NewWorkspace(Config{}).OriginalWriter(context.Background(), p, engine.Permit{}); err == nil || w != nil {
			t.Errorf("%v, %v", w, err)
		}
	})
	for name, w := range map[string]engine.Writer{"none": nil, "read-only": &Place{}} {
		if at, err := there(&engine.Deed{Writer: w}); err == nil {
			t.Errorf("%s: %v was taken for writable", name, at)
		}
	}
}
