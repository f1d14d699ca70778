package drop

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// ballastMB keeps a snapshot busy for long enough to hit it in the middle.
const ballastMB = 120

// copying is the intent of the snapshot's copy.
func copying(e engine.Event) bool {
	return intent(engine.Prepare, "snapshot", "copy the cluster")(e)
}

// midCopy waits until the copy has written some of the ballast.
func midCopy(t testing.TB, f *follower, dir journal.Dir) {
	t.Helper()
	f.await(time.Minute, "the copy to begin", copying)
	until(t, 30*time.Second, "the copy to write", func() bool { return copiedBytes(dir) > 20<<20 })
	for _, e := range f.more() {
		if e.Kind == engine.KindOutcome {
			t.Fatalf("the copy had ended before it could be disturbed: %s", e.Data)
		}
	}
}

// copiedBytes is the size of the snapshot's volume as it grows.
func copiedBytes(dir journal.Dir) int64 {
	mount, err := exec.Command("docker", "volume", "inspect", "-f", "{{.Mountpoint}}", snapshotVolume(dir)).Output()
	if err != nil {
		return 0
	}
	out, err := exec.Command("du", "-sk", strings.TrimSpace(string(mount))).Output()
	if err != nil && len(out) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(strings.Fields(string(out) + " 0")[0], 10, 64)
	return n << 10
}

func snapshotVolume(dir journal.Dir) string { return "pgrescue-" + dir.ID() + "-snapshot-data" }

// TestSSHDrop drops the SSH line in the middle of the snapshot, once under the screen and
// once under the plain front end, and goes on from another terminal.
func TestSSHDrop(t *testing.T) {
	for _, face := range []string{"tui", "plain"} {
		t.Run(face, func(t *testing.T) {
			t.Parallel()
			testSSHDrop(t, face)
		})
	}
}

func testSSHDrop(t *testing.T, face string) {
	server := startSSHD(t)
	c := newCluster(t, 15, ballastMB)
	p := newPlace(t)
	line := fmt.Sprintf("LANG=C.UTF-8 %s run crash-loop %s --ui %s --state-dir %s", bin, c.target(), face, p.dir)
	far := newTerminal(t, 80, 24, nil, quoteAll(server.command(line)))
	if face == "tui" {
		newOperator(far).work(time.Minute, func(s string) bool { return strings.Contains(s, "snapshot: copy") })
	} else {
		answerPlain(far, "CONSENT (reversible", "yes")
		answerPlain(far, "QUESTION archive", "")
		answerPlain(far, "CONSENT (on a copy) step snapshot", "")
	}
	dir := p.incident()
	f := follow(t, dir)
	midCopy(t, f, dir)
	if err := syscall.Kill(far.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, 5*time.Second, "the terminal to lose its client", func() bool { dead, _ := far.ended(); return dead })

	f.await(2*time.Minute, "the snapshot to be done without anybody watching", kindOf(engine.KindDone, engine.Prepare, "snapshot"))
	before := view(t, dir)
	near := newTerminal(t, 80, 24, nil, quoteAll([]string{bin, "attach", "--state-dir", p.dir}))
	near.see(10*time.Second, "3 Snapshot", "REHEARSAL")
	near.check("UNTOUCHED")
	seesAll(t, p, f)
	if face == "plain" {
		return // what follows is the same
	}
	got := newOperator(near).work(2*time.Minute, func(s string) bool { return strings.Contains(s, "ACT 2") })
	near.check("UNTOUCHED")
	v := view(t, dir)
	if v.Rehearsed == nil || v.Act != engine.Performance {
		t.Fatalf("steered to %q: act %s, rehearsed %v", got, v.Act, v.Rehearsed)
	}
	if row := v.Row(engine.Prepare, "snapshot"); row.Began != before.Row(engine.Prepare, "snapshot").Began {
		t.Errorf("the snapshot was begun again: %+v", row)
	}
	for _, e := range f.more() {
		if e.Kind == engine.KindReopened || e.Kind == engine.KindInterrupted {
			t.Errorf("the engine did not survive the line: %s %s", e.Kind, e.Data)
		}
	}
	if a, b := manifest(t, c.volume, c.image()), manifest(t, snapshotVolume(dir), c.image()); a != b {
		t.Error("the original is not what the snapshot holds, though nothing was consented to")
	}
	near.press("C-d")
	until(t, 5*time.Second, "ctrl-d to leave", func() bool { dead, _ := near.ended(); return dead })
	if !journal.Held(dir) {
		t.Error("the engine ended with its viewer")
	}
}

// answerPlain waits for a prompt and answers it as a person would: having read it.
func answerPlain(tm *terminal, prompt, text string) {
	tm.t.Helper()
	tm.see(time.Minute, prompt)
	time.Sleep(700 * time.Millisecond)
	tm.typeSlowly(text)
	tm.press("Enter")
}

// seesAll has a second viewer read along and compares what it is sent with the journal,
// from the first event on.
func seesAll(t *testing.T, p *place, f *follower) {
	t.Helper()
	f.more()
	want := len(f.events)
	watcher := p.start("attach", "--ui", "json")
	last := fmt.Sprintf(`"seq":%d,`, want)
	until(t, 10*time.Second, "the second viewer to have read the past", func() bool { return strings.Contains(watcher.out.String(), last) })
	_ = watcher.cmd.Process.Kill()
	watcher.wait(5 * time.Second)
	out := watcher.out.String()
	for _, e := range f.events[:want] {
		if !strings.Contains(out, fmt.Sprintf(`"type":%q`, e.Kind)) || !strings.Contains(out, fmt.Sprintf(`"seq":%d,`, e.Seq)) {
			t.Errorf("a viewer that attaches is not shown event %d (%s)", e.Seq, e.Kind)
		}
	}
}
