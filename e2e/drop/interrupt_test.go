package drop

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// TestInterrupt stops a run in the middle of the snapshot: by ctrl-c at the plain front
// end, and by SIGTERM to the engine. Both end at a safe point and can be resumed.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 15, ballastMB)
	p := newPlace(t)
	file := answers(t)
	face := p.start("run", "crash-loop", c.target(), "--ui", "plain", "--answers", file)
	dir := p.incident()
	f := follow(t, dir)
	midCopy(t, f, dir)
	if err := face.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if got := face.wait(30 * time.Second); got != 7 {
		t.Errorf("ctrl-c in the snapshot: exit code %d, want 7\n%s", got, face.out)
	}
	said := face.out.String()
	for _, want := range []string{"stopping as soon as that is safe", "closed: aborted", "pgrescue resume"} {
		if !strings.Contains(said, want) {
			t.Errorf("ctrl-c: nothing says %q\n%s", want, tailLines(said, 10))
		}
	}
	checkAborted(t, p, dir)

	// Resumed, and stopped again by a signal to the engine itself: an orderly shutdown of
	// the host.
	face = p.start("resume", "--ui", "plain", "--answers", file)
	f.more()
	f.await(time.Minute, "the copy to go on", copying)
	if err := syscall.Kill(p.enginePID(dir), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := face.wait(30 * time.Second); got != 7 {
		t.Errorf("SIGTERM to the engine: the front end exits %d, want 7\n%s", got, face.out)
	}
	checkAborted(t, p, dir)

	// Once more, after the rehearsal has passed: consent is pending, nothing is lost.
	face = p.start("resume", "--ui", "plain", "--answers", answers(t, "-consent.original"))
	if got := face.wait(3 * time.Minute); got != 8 {
		t.Errorf("no answer for the original: exit code %d, want 8\n%s", got, tailLines(face.out.String(), 10))
	}
	if v := view(t, dir); v.Rehearsed == nil || v.Original != engine.Untouched || v.Closed == nil || v.Closed.Exit != engine.ExitPending {
		t.Errorf("rehearsed %v, original %s, closed %+v; want a pending consent", v.Rehearsed, v.Original, v.Closed)
	}
}

// checkAborted looks at an incident that was stopped in its snapshot.
func checkAborted(t *testing.T, p *place, dir journal.Dir) {
	t.Helper()
	until(t, 10*time.Second, "the engine to end", func() bool { return !journal.Held(dir) })
	v := view(t, dir)
	if v.Closed == nil || v.Closed.Outcome != "aborted" || v.Original != engine.Untouched || len(v.Obligations) != 1 {
		t.Errorf("closed %+v, original %s, owed %v; want aborted, untouched, the container owed", v.Closed, v.Original, v.Obligations)
	}
	p.noWriters(dir)
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("left behind in Docker: %q", left)
	}
}
