package drop

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// TestKillBetweenStopAndOutcome kills the engine right after it wrote down that it is
// going to stop the container: what the container was is not lost, and undo gives it back.
func TestKillBetweenStopAndOutcome(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 13, 0)
	p := newPlace(t)
	face := p.start("run", "crash-loop", c.target(), "--ui", "plain", "--answers", answers(t))
	dir := p.incident()
	f := follow(t, dir)
	caught := f.await(time.Minute, "the stop", intent(engine.Prepare, "stop-writers", "stop container"))
	p.killEngine(f, dir, &caught)
	if got := face.wait(10 * time.Second); got != 1 {
		t.Errorf("the front end exits %d, want 1\n%s", got, face.out)
	}
	v := view(t, dir)
	if len(v.Obligations) != 1 || !strings.Contains(string(v.Obligations[0].Record), `"always"`) {
		t.Fatalf("owed %+v, want the container with restart policy always", v.Obligations)
	}
	var s struct {
		Original    string
		Obligations []string
	}
	if err := json.Unmarshal([]byte(p.run(0, "status", "--json")), &s); err != nil {
		t.Fatal(err)
	}
	if s.Original != string(engine.Untouched) || len(s.Obligations) != 1 {
		t.Errorf("status says %+v, want the original untouched and one thing owed", s)
	}

	// A resumed run must not take the half-stopped container for how it was.
	p.run(7, "resume", "--ui", "plain", "--answers", answers(t, "consent.on-copy = no"))
	if v := view(t, dir); len(v.Obligations) != 1 || !strings.Contains(string(v.Obligations[0].Record), `"always"`) {
		t.Errorf("after resuming, owed %+v, want the container with restart policy always", v.Obligations)
	}
	if s := c.state(t); s.Running || s.Restarting || s.Policy == "always" {
		t.Errorf("after resuming, the container is %+v, want it stopped", s)
	}

	p.run(0, "undo", "--ui", "plain", "--answers", answers(t))
	if s := c.state(t); s.Policy != "always" || !s.Running && !s.Restarting {
		t.Errorf("after undo, the container is %+v, want its crash loop back", s)
	}
	if v := view(t, dir); len(v.Obligations) != 0 || v.Closed.Outcome != "undone" || v.Original != engine.Untouched {
		t.Errorf("after undo: owed %+v, closed %+v, original %s", v.Obligations, v.Closed, v.Original)
	}
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("left behind in Docker: %q", left)
	}
}
