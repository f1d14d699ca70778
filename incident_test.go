package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgrescue/pgrescue/steps"
	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// cmdIncident makes an incident that the real engine has played on nothing:
//
//	incident HOW TARGET TIME
//
// HOW is healed, rehearsed, declined, failed; or asked, applying: the engine died there.
// Its directory's name is put into $INCIDENT, the digest of its rehearsal into $DIGEST.
func cmdIncident(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: incident HOW TARGET TIME")
	}
	at, err := time.Parse(time.RFC3339, args[2])
	ts.Check(err)
	dir, err := makeIncident(ts.Getenv("INCIDENTS"), args[0], args[1], at)
	ts.Check(err)
	s, err := statusOf(dir)
	ts.Check(err)
	ts.Setenv("INCIDENT", dir.ID())
	ts.Setenv("DIGEST", s.Digest)
}

// makeIncident plays the practice playbook into a new incident directory.
func makeIncident(base, how, target string, at time.Time) (journal.Dir, error) {
	dir, err := journal.Create(base, target, at)
	if err != nil {
		return "", err
	}
	options := engine.Options{RehearseOnly: how == "rehearsed"}
	req := request{Playbook: "crash-loop", Target: target, Actor: "erika@db7", Options: options}
	if err := req.save(dir); err != nil {
		return "", err
	}
	if err := playPractice(dir, how, target, options); err != nil {
		return "", err
	}
	switch how {
	case "asked":
		return dir, cutAfter(dir, `"kind":"asked"`)
	case "applying":
		return dir, cutAfter(dir, `"act":"performance","step":"reset-wal","kind":"applying"`)
	}
	return dir, nil
}

func playPractice(dir journal.Dir, how, target string, options engine.Options) error {
	log, _, err := journal.Open(dir)
	if err != nil {
		return err
	}
	defer log.Close()
	s, err := engine.Open(practice(how), nowhere{}, log, nil, engine.Reopened{})
	if err != nil {
		return err
	}
	if err := s.Begin(engine.Opened{Incident: dir.ID(), Target: target, Host: "db7", Actor: "erika@db7", Version: "test", Options: options}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Run(ctx)
		ended <- err
	}()
	for {
		select {
		case err := <-ended:
			return errors.Join(err, dir.WriteReports())
		case <-time.After(time.Millisecond):
			decide(s, how)
		}
	}
}

// decide answers whatever is asked. A decision that comes too late is refused, no harm done.
func decide(s *engine.Session, how string) {
	v := s.View()
	if q := v.Question; q != nil {
		_ = s.Decide(engine.Decision{Kind: engine.DecideAnswer, Act: q.Act, Step: q.Step, Name: q.Name, Value: q.Default, Actor: "erika@db7"})
	}
	if g := v.Gate; g != nil {
		d := engine.Decision{Kind: engine.DecideAgree, Act: g.Act, Step: g.Step, Digest: g.Digest, Typed: g.Challenge, Actor: "erika@db7"}
		if how == "declined" && g.Act == engine.Performance {
			d.Kind, d.Reason = engine.DecideDecline, "not before the owner agrees"
		}
		_ = s.Decide(d)
	}
}

// cutAfter ends the journal with the first line that holds the text, as the death of its
// engine would.
func cutAfter(dir journal.Dir, text string) error {
	path := dir.Path("journal.jsonl")
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(string(b), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, text) })
	if i < 0 {
		return fmt.Errorf("no line of the journal holds %s", text)
	}
	return os.WriteFile(path, []byte(strings.Join(lines[:i+1], "")), 0o600)
}

// practice is a playbook that does everything a real one does, to nothing.
func practice(how string) *engine.Playbook {
	return &engine.Playbook{
		Name: "crash-loop", Title: "the server dies while it replays its log", Doc: "For practice.",
		Steps: []*engine.Step{
			{Name: "stop-writers", Title: "Stop writers", Doc: "Stops.", Part: engine.Opening,
				Ask:     []engine.Question{{Name: "archive", Prompt: "Second copy?", Default: "none"}},
				Rewrite: practiceStop()},
			{Name: "reset-wal", Title: "Reset WAL", Doc: "Resets.", Part: engine.Twice, Rewrite: practiceReset(how)},
			{Name: "give-back", Title: "Start the service", Doc: "Starts.", Part: engine.Final, Rewrite: &engine.Rewrite{
				Danger: engine.Reversible, Verify: func(context.Context, *engine.Deed) error { return nil },
				Plan: func(context.Context, *engine.Pass) (engine.Plan, error) {
					return engine.Plan{Summary: "start the container", Changes: []engine.Change{{Path: "container:db", After: "running"}}}, nil
				},
				Apply: func(_ context.Context, d *engine.Deed) error { return d.Pass().Settle("container/1") },
			}},
		},
	}
}

func practiceStop() *engine.Rewrite {
	return &engine.Rewrite{
		Danger: engine.Reversible,
		Plan: func(_ context.Context, p *engine.Pass) (engine.Plan, error) {
			if err := steps.FactSite.Put(p, steps.Site{SystemID: "7418529630123454711"}); err != nil {
				return engine.Plan{}, err
			}
			return engine.Plan{Summary: "stop the container", Changes: []engine.Change{{Path: "container:db", After: "stopped"}}}, nil
		},
		Apply: func(_ context.Context, d *engine.Deed) error {
			return d.Pass().Oblige("container/1", "start container:db again", map[string]string{"id": "1"})
		},
		Verify: func(context.Context, *engine.Deed) error { return nil },
	}
}

func practiceReset(how string) *engine.Rewrite {
	argv := []string{"pg_resetwal", "-f", "-x", "800", "/data"}
	return &engine.Rewrite{
		Danger: engine.Original,
		Plan: func(_ context.Context, p *engine.Pass) (engine.Plan, error) {
			if how == "failed" {
				return engine.Plan{}, engine.Errorf(engine.Damage, "read the findings", "two sources contradict each other")
			}
			return engine.Plan{Summary: "discard the log", Loses: []string{"5 185 rows of public.parent"},
					Changes: []engine.Change{{Path: "pg_wal", Argv: argv, Before: "3 segments", After: "one new segment"}}}, p.Report(engine.Finding{
					Severity: engine.Damaged, Title: "PANIC: invalid lp", Evidence: []string{"the container's log"}, Next: "reset the log"})
		},
		Apply: func(ctx context.Context, d *engine.Deed) error {
			return d.Pass().Do(ctx, "pg_resetwal", argv, func(context.Context) (engine.Output, error) {
				return engine.Output{Stdout: []byte("Write-ahead log reset\npassword=hunter2\n")}, nil
			})
		},
		Verify: func(_ context.Context, d *engine.Deed) error {
			return d.Pass().Judge(engine.Verdict{Subject: "shop.public.parent", Result: engine.Passed, Evidence: []string{"count of every column"}})
		},
	}
}

// nowhere is a workspace where there is nothing to harm.
type nowhere struct{}

var _ engine.Workspace = nowhere{}

func (nowhere) Place() string               { return "nowhere" }
func (nowhere) Close(context.Context) error { return nil }
func (n nowhere) Original(context.Context, *engine.Pass) (engine.Target, error) {
	return n, nil
}
func (n nowhere) Clone(context.Context, *engine.Pass, bool) (engine.Writer, error) {
	return n, nil
}
func (n nowhere) OriginalWriter(_ context.Context, _ *engine.Pass, permit engine.Permit) (engine.Writer, error) {
	if !permit.Valid() {
		return nil, errors.New("no writer without a permit")
	}
	return n, nil
}
func (nowhere) Unchanged(context.Context, *engine.Pass) ([]string, error) { return nil, nil }
func (nowhere) Challenge(*engine.Pass) (string, error)                    { return "db7/4711", nil }
func (nowhere) TakeOver(context.Context) error                            { return nil }
func (nowhere) Release(context.Context, engine.Act) error                 { return nil }

// The practice incidents end as their names say: what the scripts build on.
func TestPracticeIncidents(t *testing.T) {
	for how, want := range map[string]string{"healed": "healed", "rehearsed": "rehearsed", "declined": "declined", "failed": "failed", "asked": "", "applying": ""} {
		dir, err := makeIncident(t.TempDir(), how, "container:db", time.Unix(0, 0))
		if err != nil {
			t.Errorf("%s: %v", how, err)
			continue
		}
		if s, err := statusOf(dir); err != nil || s.Outcome != want {
			t.Errorf("%s: outcome %q, %v", how, s.Outcome, err)
		}
	}
}
