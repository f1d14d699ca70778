package drop

import (
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// TestNoDaemon starts without a daemon: one sentence, and no incident.
func TestNoDaemon(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.env = append(p.env, "DOCKER_HOST=unix:///nonexistent/docker.sock")
	out := p.run(5, "run", "crash-loop", "container:"+prefix+"-none", "--ui", "plain")
	if !strings.Contains(out, "no docker daemon answers at unix:///nonexistent/docker.sock") || strings.Count(out, "\n") > 2 {
		t.Errorf("said, where one sentence and a hint are wanted:\n%s", out)
	}
	if n := len(p.incidents()); n != 0 {
		t.Errorf("%d incidents were made", n)
	}
}

// TestDaemonDrops cuts the line to the daemon in the middle of the snapshot, and again
// when the log of the original has been reset and nobody has heard of it.
func TestDaemonDrops(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 15, ballastMB)
	p, between := newPlace(t), newProxy(t)
	p.env = append(p.env, between.env())
	file := answers(t)
	face := p.start("run", "crash-loop", c.target(), "--ui", "plain", "--answers", file)
	dir := p.incident()
	f := follow(t, dir)
	midCopy(t, f, dir)
	between.cut()
	if got := face.wait(time.Minute); got != 1 {
		t.Errorf("the daemon gone in the snapshot: exit code %d, want 1", got)
	}
	saidOnce(t, face.out.String())
	p.noWriters(dir)
	v := view(t, dir)
	if v.Original != engine.Untouched || len(v.Obligations) != 1 {
		t.Errorf("original %s, owed %v; want it untouched and the container owed", v.Original, v.Obligations)
	}

	between.restore()
	face = p.start("resume", "--ui", "plain", "--answers", file)
	f.more() // past the end of the first run
	f.await(2*time.Minute, "the reset of the WAL", intent(engine.Performance, "reset-wal", "pg_resetwal --force"))
	untilHeld(t, f, dir, between)
	between.cut()
	if got := face.wait(time.Minute); got != 10 {
		t.Errorf("the daemon gone in the reset: exit code %d, want 10", got)
	}
	saidOnce(t, face.out.String())
	if v := view(t, dir); v.Original != engine.Uncertain || v.Closed == nil || v.Closed.Exit != 10 {
		t.Errorf("original %s, closed %+v; want it UNKNOWN and 10", v.Original, v.Closed)
	}

	between.restore()
	p.run(0, "resume", "--ui", "plain", "--answers", file)
	f.more()
	checkReapplied(t, f.events)
	checkHealed(t, c, dir)
}

// saidOnce requires one sentence on the daemon at the end of what was said.
func saidOnce(t *testing.T, out string) {
	t.Helper()
	_, last, _ := strings.Cut(out, "\nclosed: ")
	line, _, _ := strings.Cut(last, "\n")
	if !strings.Contains(line, "daemon") || len(line) > 300 {
		t.Errorf("closed with %q, want one short sentence on the daemon\n%s", line, tailLines(out, 12))
	}
}
