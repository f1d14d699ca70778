package drop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"
)

// terminal is a real terminal: a tmux session of this run's own tmux server.
type terminal struct {
	t             testing.TB
	name          string
	width, height int
	raw           string // file with every byte that the program wrote
	captures      string // directory for the screens of this session, "" for none
	shots         int
}

// tmuxSocket names the tmux server, so that nobody else's is touched.
var tmuxSocket = "e2d"

var terminals atomic.Int64

func tmux(args ...string) ([]byte, error) {
	return exec.Command("tmux", append([]string{"-L", tmuxSocket, "-f", "/dev/null"}, args...)...).CombinedOutput()
}

// newTerminal runs a shell command line in a terminal of the size. env entries are
// NAME=VALUE; LANG and TERM are set to what a modern terminal has unless given.
func newTerminal(t testing.TB, width, height int, env []string, commandLine string) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skipf("SKIP-REASON: no tmux: %v; run hack/test-deps.sh", err)
	}
	tm := &terminal{t: t, name: fmt.Sprintf("%s-%d", prefix, terminals.Add(1)), width: width, height: height}
	if dir := os.Getenv("PGRESCUE_SCREENS"); dir != "" {
		tm.captures = filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-"))
		if err := os.MkdirAll(tm.captures, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	environment := append([]string{"LANG=C.UTF-8", "LC_ALL=", "TMUX=", "TERM=xterm-256color", "NO_COLOR="}, env...)
	tm.raw = filepath.Join(t.TempDir(), "raw")
	// The program waits for the recording to have begun.
	line := "stty -echo; read go; stty echo; env " + quoteAll(environment) + " " + commandLine + "; echo $? > " + tm.raw + ".status"
	tm.tmux("new-session", "-d", "-s", tm.name, "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), line, ";",
		"set-option", "-t", tm.name, "status", "off", ";", "set-option", "-w", "-t", tm.name, "remain-on-exit", "on", ";",
		"resize-window", "-t", tm.name, "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), ";",
		"pipe-pane", "-t", tm.name, "exec cat > "+tm.raw)
	until(t, 5*time.Second, "the recording to begin", func() bool { _, err := os.Stat(tm.raw); return err == nil })
	tm.press("Enter")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen of %s at the end:\n%s", tm.name, strings.Join(tm.screen(), "\n"))
		}
		_, _ = tmux("kill-session", "-t", tm.name)
	})
	return tm
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

func (tm *terminal) tmux(args ...string) string {
	tm.t.Helper()
	out, err := tmux(args...)
	if err != nil {
		tm.t.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimRight(string(out), "\n")
}

// screen is what is shown, a line each. Lines that the terminal had to wrap are joined
// again, so that they show as too long.
func (tm *terminal) screen() []string {
	out, err := tmux("capture-pane", "-J", "-p", "-t", tm.name)
	if err != nil {
		return []string{"tmux capture-pane: " + err.Error()}
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

func (tm *terminal) text() string { return strings.Join(tm.screen(), "\n") }

// press sends keys one by one, as tmux names them.
func (tm *terminal) press(keys ...string) {
	tm.t.Helper()
	for _, k := range keys {
		tm.tmux("send-keys", "-t", tm.name, k)
		time.Sleep(20 * time.Millisecond)
	}
}

// typeSlowly types text one character at a time.
func (tm *terminal) typeSlowly(text string) {
	tm.t.Helper()
	for _, r := range text {
		tm.tmux("send-keys", "-t", tm.name, "-l", string(r))
		time.Sleep(20 * time.Millisecond)
	}
}

// paste has tmux paste text; bracketed tells the program that it is pasted.
func (tm *terminal) paste(text string, bracketed bool) {
	tm.t.Helper()
	tm.tmux("set-buffer", "-b", tm.name, text)
	args := []string{"paste-buffer", "-b", tm.name, "-t", tm.name}
	if bracketed {
		args = append(args, "-p")
	}
	tm.tmux(args...)
}

// written is every byte that the program has written so far.
func (tm *terminal) written() []byte {
	tm.t.Helper()
	raw, err := os.ReadFile(tm.raw)
	if err != nil {
		tm.t.Fatal(err)
	}
	return raw
}

func (tm *terminal) resize(width, height int) {
	tm.t.Helper()
	tm.width, tm.height = width, height
	tm.tmux("resize-window", "-t", tm.name, "-x", fmt.Sprint(width), "-y", fmt.Sprint(height))
}

// pid is the program that runs in the terminal: the only child of its shell.
func (tm *terminal) pid() int {
	tm.t.Helper()
	shell := tm.tmux("display-message", "-p", "-t", tm.name, "#{pane_pid}")
	children, err := os.ReadFile("/proc/" + shell + "/task/" + shell + "/children")
	if err != nil {
		tm.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		tm.t.Fatalf("children of the shell: %v", err)
	}
	return pid
}

// ended reports whether the program has ended, and its exit status. The shell tells; tmux
// 3.3a at times never reaps a pane's process.
func (tm *terminal) ended() (bool, string) {
	raw, err := os.ReadFile(tm.raw + ".status")
	status := strings.TrimSpace(string(raw))
	return err == nil && status != "", status
}

// see waits until the screen shows one of the texts and returns which.
func (tm *terminal) see(limit time.Duration, texts ...string) string {
	tm.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(25 * time.Millisecond) {
		s := tm.text()
		for _, want := range texts {
			if strings.Contains(s, want) {
				return want
			}
		}
		if time.Now().After(end) {
			tm.t.Fatalf("waited %s for the screen to show %q; it shows\n%s", limit, texts, s)
		}
	}
}

// check asserts what holds of every screen of a running incident: the header is at the
// top, the keys and the state of the original are at the bottom, and nothing is cut. A
// frame that is just being drawn gets a moment.
func (tm *terminal) check(original string) {
	tm.t.Helper()
	var lines, wrong []string
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		lines = tm.settled()
		if wrong = tm.wrong(lines, original); len(wrong) == 0 {
			tm.shoot()
			return
		}
	}
	tm.t.Errorf("%s; the screen:\n%s", strings.Join(wrong, "; "), strings.Join(lines, "\n"))
}

func (tm *terminal) wrong(lines []string, original string) []string {
	var out []string
	if len(lines) != tm.height {
		out = append(out, fmt.Sprintf("the screen has %d lines, want %d", len(lines), tm.height))
	}
	for i, l := range lines {
		if n := utf8.RuneCountInString(l); n > tm.width {
			out = append(out, fmt.Sprintf("line %d is %d wide, the terminal %d", i+1, n, tm.width))
		}
	}
	if !strings.HasPrefix(lines[0], " pgrescue") {
		out = append(out, fmt.Sprintf("no header in the first line: %q", lines[0]))
	}
	if last := lines[len(lines)-1]; !strings.HasSuffix(last, "original: "+original) {
		out = append(out, fmt.Sprintf("the last line is %q, want the original %s at its end", last, original))
	}
	return out
}

// settled is the screen once two looks agree: a capture in the middle of a frame is none.
func (tm *terminal) settled() []string {
	before := tm.screen()
	for range 20 {
		time.Sleep(30 * time.Millisecond)
		after := tm.screen()
		if strings.Join(before, "\n") == strings.Join(after, "\n") {
			return after
		}
		before = after
	}
	return before
}

// shoot keeps the screen with its colours where PGRESCUE_SCREENS says.
func (tm *terminal) shoot() {
	if tm.captures == "" {
		return
	}
	tm.shots++
	out, err := tmux("capture-pane", "-e", "-p", "-t", tm.name)
	if err == nil {
		err = os.WriteFile(filepath.Join(tm.captures, fmt.Sprintf("%s-%02d-%dx%d.ansi", tm.name, tm.shots, tm.width, tm.height)), out, 0o644)
	}
	if err != nil {
		tm.t.Log(err)
	}
}
