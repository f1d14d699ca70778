package drop

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// place is a state directory for the incidents of one test.
type place struct {
	t   testing.TB
	dir string
	env []string
}

func newPlace(t testing.TB) *place {
	p := &place{t: t, dir: t.TempDir()}
	t.Cleanup(func() {
		for _, d := range p.incidents() {
			if pid := p.enginePID(d); pid != 0 && journal.Held(d) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				until(t, 5*time.Second, "a killed engine to be gone", func() bool { return !journal.Held(d) })
			}
			p.env = nil // a proxy to the daemon has ended by now
			if out, err := p.command("clean", "--snapshot", d.ID()).CombinedOutput(); err != nil {
				t.Logf("clean %s: %v\n%s", d.ID(), err, out)
			}
		}
	})
	return p
}

func (p *place) incidents() []journal.Dir {
	list, err := journal.List(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	return list
}

// command is pgrescue with this place's state directory, without a terminal.
func (p *place) command(args ...string) *exec.Cmd {
	cmd := exec.Command(bin, append(args, "--state-dir", p.dir)...)
	cmd.Env = append(os.Environ(), p.env...)
	return cmd
}

// process is a running pgrescue.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	out  *safeBuffer
	done chan struct{}
}

// start runs pgrescue in a session of its own, so that a kill hits it alone.
func (p *place) start(args ...string) *process {
	p.t.Helper()
	pr := &process{t: p.t, cmd: p.command(args...), out: &safeBuffer{}, done: make(chan struct{})}
	pr.cmd.Stdout, pr.cmd.Stderr = pr.out, pr.out
	pr.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := pr.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		_ = pr.cmd.Wait() // the exit code is asked for by wait
		close(pr.done)
	}()
	p.t.Cleanup(func() { _ = pr.cmd.Process.Kill() })
	return pr
}

// wait returns the exit code, -1 for a process that was killed.
func (pr *process) wait(limit time.Duration) int {
	pr.t.Helper()
	select {
	case <-pr.done:
	case <-time.After(limit):
		pr.t.Fatalf("%v has not ended after %s; it said:\n%s", pr.cmd.Args, limit, pr.out)
	}
	return pr.cmd.ProcessState.ExitCode()
}

// run runs pgrescue to its end and requires the exit code.
func (p *place) run(want int, args ...string) string {
	p.t.Helper()
	pr := p.start(args...)
	if got := pr.wait(4 * time.Minute); got != want {
		p.t.Fatalf("pgrescue %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, want, pr.out)
	}
	return pr.out.String()
}

// incident waits for the one incident of the place.
func (p *place) incident() journal.Dir {
	p.t.Helper()
	var list []journal.Dir
	until(p.t, 20*time.Second, "the incident's journal", func() bool { list = p.incidents(); return len(list) > 0 })
	return list[0]
}

// enginePID is the process that holds or held the incident's lock.
func (p *place) enginePID(dir journal.Dir) int {
	raw, err := os.ReadFile(dir.Path("lock"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0
	}
	return pid
}

// answers writes an answers file: everything agreed to, with the lines given in place of
// the usual ones, and without those that are given as "-key".
func answers(t testing.TB, lines ...string) string {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	short, _, _ := strings.Cut(host, ".")
	usual := []string{"consent.on-copy = yes", "consent.reversible = yes", "consent.original = as-rehearsed", "consent.unknown = yes",
		"confirm = " + short, "check.statement-timeout = 120", "check.on-failure = stop", "archive = none"}
	var out []string
	for _, l := range usual {
		key, _, _ := strings.Cut(l, "=")
		replaced := false
		for _, given := range lines {
			replaced = replaced || strings.HasPrefix(strings.TrimPrefix(given, "-"), strings.TrimSpace(key))
		}
		if !replaced {
			out = append(out, l)
		}
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "-") {
			out = append(out, l)
		}
	}
	path := filepath.Join(t.TempDir(), "answers.txt")
	if err := os.WriteFile(path, []byte(strings.Join(out, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// follower reads a journal as it grows, from outside.
type follower struct {
	t      testing.TB
	path   string
	offset int64
	rest   []byte
	events []engine.Event
}

func follow(t testing.TB, dir journal.Dir) *follower {
	return &follower{t: t, path: dir.Path("journal.jsonl")}
}

// more reads what was added since and returns it.
func (f *follower) more() []engine.Event {
	f.t.Helper()
	file, err := os.Open(f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	var buf bytes.Buffer
	if _, err := file.Seek(f.offset, 0); err != nil {
		f.t.Fatal(err)
	}
	n, err := buf.ReadFrom(file)
	if err != nil {
		f.t.Fatal(err)
	}
	f.offset += n
	f.rest = append(f.rest, buf.Bytes()...)
	from := len(f.events)
	for {
		line, after, ok := bytes.Cut(f.rest, []byte("\n"))
		if !ok {
			return f.events[from:]
		}
		var e engine.Event
		if err := json.Unmarshal(line, &e); err != nil {
			f.t.Fatalf("journal line: %v: %s", err, line)
		}
		f.events, f.rest = append(f.events, e), after
	}
}

// await waits for an event from now on that matches, and says which step others ended in.
func (f *follower) await(limit time.Duration, what string, match func(engine.Event) bool) engine.Event {
	f.t.Helper()
	end := time.Now().Add(limit)
	for {
		for _, e := range f.more() {
			if match(e) {
				return e
			}
			if e.Kind == engine.KindClosed {
				f.t.Fatalf("the run closed before %s: %s", what, e.Data)
			}
		}
		if time.Now().After(end) {
			f.t.Fatalf("waited %s for %s; the latest events are\n%s", limit, what, tail(f.events, 12))
		}
		time.Sleep(time.Millisecond)
	}
}

func tail(events []engine.Event, n int) string {
	var b strings.Builder
	for _, e := range events[max(0, len(events)-n):] {
		b.WriteString(strconv.FormatInt(e.Seq, 10) + " " + string(e.Act) + "/" + e.Step + " " + string(e.Kind) + " " + string(e.Data[:min(len(e.Data), 300)]) + "\n")
	}
	return b.String()
}

// intent matches an intent of the step whose words contain what.
func intent(act engine.Act, step, what string) func(engine.Event) bool {
	return func(e engine.Event) bool {
		if e.Kind != engine.KindIntent || e.Act != act || e.Step != step {
			return false
		}
		var i engine.Intent
		return json.Unmarshal(e.Data, &i) == nil && strings.Contains(i.What+" "+strings.Join(i.Argv, " "), what)
	}
}

// kindOf matches a kind of event in a step.
func kindOf(kind engine.Kind, act engine.Act, step string) func(engine.Event) bool {
	return func(e engine.Event) bool { return e.Kind == kind && e.Act == act && e.Step == step }
}

// view folds the incident's journal, having checked its chain.
func view(t testing.TB, dir journal.Dir) engine.View {
	t.Helper()
	rep, err := dir.Read()
	if err != nil {
		t.Fatalf("the journal does not verify: %v", err)
	}
	v, err := engine.FoldAll(rep.Events)
	if err != nil {
		t.Fatalf("the journal does not fold: %v", err)
	}
	return v
}
