package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// result is how a run of the program ended.
type result struct {
	code           int
	stdout, stderr string
}

// command is the program with this lab's state directory.
func (l *lab) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(l.ctx, 2*time.Minute) // a run that hangs is a failure of its own
	l.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, append([]string{"--state-dir", l.state}, args...)...)
	cmd.Env = append(os.Environ(), "TERM=dumb")
	return cmd
}

// run runs the program to its end without input.
func (l *lab) run(args ...string) result {
	l.t.Helper()
	return l.finish(l.command(args...))
}

func (l *lab) finish(cmd *exec.Cmd) result {
	l.t.Helper()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		l.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// want fails the test unless the program ended with the code and said each word.
func (r result) want(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit %d, want %d\n--- stderr\n%s\n--- end of stdout\n%s", r.code, code, r.stderr, tail(r.stdout, 60))
	}
	for _, w := range words {
		if !strings.Contains(r.stdout+r.stderr, w) {
			t.Errorf("%q is not in the output\n--- stderr\n%s\n--- end of stdout\n%s", w, r.stderr, tail(r.stdout, 40))
		}
	}
}

// oneSentence fails the test unless stderr is one message, with at most a hint.
func (r result) oneSentence(t *testing.T) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	if len(lines) == 2 && strings.HasPrefix(lines[1], "hint: ") {
		lines = lines[:1]
	}
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "pgrescue: ") {
		t.Errorf("want one sentence and perhaps a hint, got %q", r.stderr)
	}
	if strings.Contains(r.stderr, "goroutine ") || strings.Contains(r.stderr, "%!") {
		t.Errorf("that is no sentence for people: %q", r.stderr)
	}
}

func tail(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// answers writes an answers file: the demo's, changed by more; "" drops a key.
func (l *lab) answers(more ...string) string {
	l.t.Helper()
	values := map[string]string{
		"consent.on-copy": "yes", "consent.reversible": "yes", "consent.original": "as-rehearsed", "confirm": shortHost(l.t),
		"check.statement-timeout": "120", "check.on-failure": "stop", "archive": "none",
	}
	for i := 0; i+1 < len(more); i += 2 {
		values[more[i]] = more[i+1]
	}
	var b strings.Builder
	for k, v := range values {
		if v != "" {
			b.WriteString(k + " = " + v + "\n")
		}
	}
	l.made++
	path := filepath.Join(l.t.TempDir(), "answers-"+strconv.Itoa(l.made))
	l.must(os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

func shortHost(t *testing.T) string {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	short, _, _ := strings.Cut(host, ".")
	return short
}

// line is one line of the JSON face: an event, a waiting, or the result.
type line struct {
	Type     string           `json:"type"`
	Act      engine.Act       `json:"act"`
	Step     string           `json:"step"`
	Data     json.RawMessage  `json:"data"`
	Question *engine.Question `json:"question"`
	Gate     *engine.Gate     `json:"gate"`

	// of a result
	Incident  string            `json:"incident"`
	Outcome   string            `json:"outcome"`
	Exit      int               `json:"exit"`
	Summary   string            `json:"summary"`
	Error     *engine.Problem   `json:"error"`
	Original  string            `json:"original"`
	Verdicts  []verdict         `json:"verdicts"`
	Rehearsed *engine.Rehearsed `json:"rehearsed"`
}

type verdict struct {
	Act  engine.Act `json:"act"`
	Step string     `json:"step"`
	engine.Verdict
}

// jsonLines decodes the whole output of the JSON face; a line that is none fails the test.
func jsonLines(t *testing.T, stdout string) []line {
	t.Helper()
	var out []line
	for i, s := range strings.Split(strings.TrimSuffix(stdout, "\n"), "\n") {
		var l line
		if err := json.Unmarshal([]byte(s), &l); err != nil || l.Type == "" {
			t.Fatalf("line %d of stdout is no JSON object with a type: %q (%v)", i+1, s, err)
		}
		out = append(out, l)
	}
	return out
}

// drive runs the program's JSON face and plays the person: decide is asked at every
// waiting line. see gets every line.
func (l *lab) drive(decide func(line) engine.Decision, see func(line), args ...string) result {
	l.t.Helper()
	cmd := l.command(append(args, "--ui", "json")...)
	in, err := cmd.StdinPipe()
	l.must(err)
	out, err := cmd.StdoutPipe()
	l.must(err)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	l.must(cmd.Start())
	var all strings.Builder
	lines := bufio.NewReader(out)
	for {
		text, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		l.must(err)
		all.WriteString(text)
		got := jsonLines(l.t, text)[0]
		if see != nil {
			see(got)
		}
		if got.Type == "refused" {
			_ = cmd.Process.Kill() // it would wait for a better decision
			l.t.Errorf("a decision was refused: %s", got.Data)
		}
		if got.Type != "waiting" {
			continue
		}
		d := decide(got)
		d.Act, d.Step = got.Act, got.Step
		raw, err := json.Marshal(d)
		l.must(err)
		_, err = in.Write(append(raw, '\n'))
		l.must(err)
	}
	err = cmd.Wait()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		l.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), all.String(), errOut.String()}
}

// agree is what a person does who agrees to everything and takes every default.
func agree(w line) engine.Decision {
	if w.Question != nil {
		return engine.Decision{Kind: engine.DecideAnswer, Name: w.Question.Name, Value: w.Question.Default}
	}
	return engine.Decision{Kind: engine.DecideAgree, Digest: w.Gate.Digest, Typed: w.Gate.Challenge}
}

// untouched is how the original's state reads before any consent.
const untouched = string(engine.Untouched)

// status is part of what pgrescue status --json prints.
type status struct {
	Running     bool     `json:"running"`
	Step        string   `json:"step"`
	Original    string   `json:"original"`
	Outcome     string   `json:"outcome"`
	Digest      string   `json:"rehearsal_digest"`
	Obligations []string `json:"obligations"`
	Events      int64    `json:"events"`
	Head        string   `json:"head"`
}

func (l *lab) status(incident string) status {
	l.t.Helper()
	r := l.run("status", "--json", incident)
	r.want(l.t, 0)
	var s status
	l.must(json.Unmarshal([]byte(r.stdout), &s))
	return s
}

// endEngine ends an incident's engine process if a failed test has left one: the lock file
// is open in no other.
func (l *lab) endEngine(incident string) {
	fds, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range fds {
		b, err := os.ReadFile(f)
		if err != nil || !strings.Contains(string(b), "engine\x00"+l.dir(incident)+"\x00") {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(f, "/")[2])
		if err != nil {
			continue
		}
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Signal(syscall.SIGTERM)
			for range 50 {
				if p.Signal(syscall.Signal(0)) != nil {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			_ = p.Kill()
		}
	}
}
