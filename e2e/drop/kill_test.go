package drop

import (
	"encoding/json"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// killEngine stops the engine, makes sure that the intent it was caught at has no outcome
// yet, and kills it as a power cut would. caught may be nil.
func (p *place) killEngine(f *follower, dir journal.Dir, caught *engine.Event) {
	p.t.Helper()
	pid := p.enginePID(dir)
	if pid == 0 || !journal.Held(dir) {
		p.t.Fatal("there is no engine to kill")
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		p.t.Fatal(err)
	}
	f.more()
	if caught != nil && hasOutcome(f.events, *caught) {
		p.t.Errorf("event %d has its outcome already: killed too late", caught.Seq)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	until(p.t, 5*time.Second, "the engine's lock to be free", func() bool { return !journal.Held(dir) })
	p.noWriters(dir)
	view(p.t, dir)
}

func hasOutcome(events []engine.Event, of engine.Event) bool {
	var i engine.Intent
	_ = json.Unmarshal(of.Data, &i) // it was matched as an intent
	for _, e := range events {
		var o engine.Outcome
		if e.Kind == engine.KindOutcome && json.Unmarshal(e.Data, &o) == nil && o.ID == i.ID {
			return true
		}
	}
	return false
}

// incidentContainers lists the running containers of the incident with the role.
func incidentContainers(t testing.TB, dir journal.Dir, role string) []string {
	t.Helper()
	return strings.Fields(docker(t, "ps", "-q", "--filter", "label=com.pgrescue.incident="+dir.ID(), "--filter", "label=com.pgrescue.role="+role))
}

// noWriters waits until no helper of the incident has the data mounted writable: an agent
// ends when its input does.
func (p *place) noWriters(dir journal.Dir) {
	p.t.Helper()
	var left []string
	end := time.Now().Add(10 * time.Second)
	for left = p.writers(dir); len(left) > 0 && time.Now().Before(end); left = p.writers(dir) {
		time.Sleep(50 * time.Millisecond)
	}
	if len(left) > 0 {
		p.t.Errorf("10 s after the engine was killed these helpers still run with a writable mount: %q", left)
	}
}

// writers lists running helpers of the incident with a writable mount of anything but the
// run volume, which holds no data of the cluster.
func (p *place) writers(dir journal.Dir) []string {
	p.t.Helper()
	var out []string
	for _, id := range incidentContainers(p.t, dir, "helper") {
		raw := dockerOutput("inspect", "-f", `{{range .Mounts}}{{if .RW}}{{.Name}} at {{.Destination}}{{"\n"}}{{end}}{{end}}`, id)
		for _, l := range strings.Split(strings.TrimSpace(raw), "\n") {
			if l != "" && !strings.Contains(l, "-run-") {
				out = append(out, id+": "+l)
			}
		}
	}
	return out
}

// leftovers lists what the incident has in Docker beside its snapshot.
func leftovers(t testing.TB, dir journal.Dir) []string {
	t.Helper()
	label := "label=com.pgrescue.incident=" + dir.ID()
	out := strings.Fields(docker(t, "ps", "-aq", "--filter", label))
	for _, v := range strings.Fields(docker(t, "volume", "ls", "-q", "--filter", label)) {
		if !strings.Contains(v, "-snapshot-") {
			out = append(out, v)
		}
	}
	return out
}

// moment is a point at which the engine is killed.
type moment struct {
	name string
	act  engine.Act
	step string
	what string // of the intent
	mid  func(testing.TB, *follower, journal.Dir, *proxy)

	original engine.OriginalState // what status says afterwards
	exit     int                  // of the front end that was attached
}

// moments are in the order in which a walk meets them. Each effect on the original is met
// twice: before it has begun, and when it has ended and nobody knows.
func moments() []moment {
	const unknown = engine.Uncertain
	return []moment{
		{"copying the snapshot", engine.Prepare, "snapshot", "copy the cluster", untilCopied, engine.Untouched, 1},
		{"starting the server in the rehearsal", engine.Rehearsal, "start-and-check", "start the server", nil, engine.Untouched, 1},
		{"about to mend multixacts", engine.Performance, "repair-multixact", "repair multixacts", nil, unknown, 10},
		{"having mended multixacts", engine.Performance, "repair-multixact", "repair multixacts", untilHeld, unknown, 10},
		{"about to reset the WAL", engine.Performance, "reset-wal", "pg_resetwal --force", nil, unknown, 10},
		{"having reset the WAL", engine.Performance, "reset-wal", "pg_resetwal --force", untilHeld, unknown, 10},
		{"checking tables on the original", engine.Performance, "start-and-check", "start the server", untilServing, unknown, 10},
	}
}

// untilCopied waits until the copy has written some of the ballast.
func untilCopied(t testing.TB, _ *follower, dir journal.Dir, _ *proxy) {
	until(t, 30*time.Second, "the copy to write", func() bool { return copiedBytes(dir) > 20<<20 })
}

// untilHeld waits until the effect has taken place and its result is kept back.
func untilHeld(t testing.TB, _ *follower, _ journal.Dir, between *proxy) {
	between.holdStreams()
	until(t, 30*time.Second, "the effect's result", func() bool { return between.holding() > 0 })
	time.Sleep(200 * time.Millisecond) // pg_resetwal speaks before it is done
}

// untilServing waits until the server runs on the original and its tables are checked.
func untilServing(t testing.TB, f *follower, _ journal.Dir, _ *proxy) {
	f.await(time.Minute, "the checks to begin", func(e engine.Event) bool {
		return e.Kind == engine.KindVerdict && e.Act == engine.Performance && e.Step == "start-and-check"
	})
}

// TestKillEngine kills the engine of one walk at every moment there is, resumes each time
// and ends with a healed database.
func TestKillEngine(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 15, ballastMB)
	p, between := newPlace(t), newProxy(t)
	p.env = append(p.env, between.env())
	file := answers(t)
	face := p.start("run", "crash-loop", c.target(), "--ui", "plain", "--answers", file)
	dir := p.incident()
	f := follow(t, dir)
	for i, m := range moments() {
		p.killAt(f, dir, m, between)
		if got := face.wait(10 * time.Second); got != m.exit {
			t.Errorf("%s: the front end exits %d, want %d\n%s", m.name, got, m.exit, tailLines(face.out.String(), 8))
		}
		p.checkStatus(dir, m)
		if i == 1 || i == 2 { // there is a whole snapshot, and no effect on the original yet
			if manifest(t, c.volume, c.image()) != manifest(t, snapshotVolume(dir), c.image()) {
				t.Errorf("%s: the original is not what the snapshot holds", m.name)
			}
		}
		servers := incidentContainers(t, dir, "sandbox")
		face = p.start("resume", "--ui", "plain", "--answers", file)
		f.await(time.Minute, "a resumed step", func(e engine.Event) bool { return e.Kind == engine.KindStarted })
		for _, id := range incidentContainers(t, dir, "sandbox") {
			if slices.Contains(servers, id) {
				t.Errorf("%s: the resumed engine works beside a server of the killed one", m.name)
			}
		}
	}
	if got := face.wait(3 * time.Minute); got != 0 {
		t.Fatalf("the walk ends with %d, want 0 (healed)\n%s", got, tailLines(face.out.String(), 40))
	}
	f.more()
	checkKilled(t, f.events)
	checkHealed(t, c, dir)
}

// killAt waits for the moment and kills.
func (p *place) killAt(f *follower, dir journal.Dir, m moment, between *proxy) {
	p.t.Helper()
	caught := f.await(2*time.Minute, m.name, intent(m.act, m.step, m.what))
	if m.mid != nil {
		m.mid(p.t, f, dir, between)
	}
	if m.step == "start-and-check" {
		p.killEngine(f, dir, nil) // anywhere in its step
	} else {
		p.killEngine(f, dir, &caught)
	}
	between.letGo()
	p.t.Logf("killed while %s, at event %d of %d", m.name, caught.Seq, len(f.events))
	if p.t.Failed() {
		p.t.FailNow()
	}
}

// checkStatus asks pgrescue status, before anything resumes.
func (p *place) checkStatus(dir journal.Dir, m moment) {
	p.t.Helper()
	out := p.run(0, "status", "--json", dir.ID())
	var s struct {
		Running  bool
		Original engine.OriginalState
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		p.t.Fatalf("status: %v\n%s", err, out)
	}
	if s.Running || s.Original != m.original {
		p.t.Errorf("%s: status says running %v, original %s; want false, %s", m.name, s.Running, s.Original, m.original)
	}
}

// checkKilled looks at what the resumed runs made of each kill.
func checkKilled(t *testing.T, events []engine.Event) {
	t.Helper()
	attempts, looked, consents := 0, 0, map[string]int{}
	for _, e := range events {
		switch {
		case e.Kind == engine.KindAct && strings.Contains(string(e.Data), `"rehearsal"`):
			attempts++
		case e.Kind == engine.KindSaid && strings.Contains(string(e.Data), "looked again"):
			looked++
		case e.Kind == engine.KindAgreed && e.Act == engine.Performance:
			consents[e.Step]++
		}
	}
	if attempts != 2 {
		t.Errorf("%d rehearsals, want 2: one was killed and the next began from a fresh clone", attempts)
	}
	if looked != 5 {
		t.Errorf("looked again %d times, want 5: once for each kill in the performance", looked)
	}
	for step, least := range map[string]int{"repair-multixact": 2, "reset-wal": 2, "start-and-check": 2} {
		if consents[step] < least {
			t.Errorf("%s was consented to %d times, want at least %d: nothing is applied again without being asked", step, consents[step], least)
		}
	}
	checkReapplied(t, events)
}

// checkReapplied requires that every effect on the original follows a consent that came
// after the last interruption.
func checkReapplied(t *testing.T, events []engine.Event) {
	t.Helper()
	agreed := map[string]bool{}
	for _, e := range events {
		if e.Act != engine.Performance {
			continue
		}
		switch e.Kind {
		case engine.KindAgreed:
			agreed[e.Step] = true
		case engine.KindInterrupted:
			agreed[e.Step] = false
		case engine.KindApplying:
			if !agreed[e.Step] {
				t.Errorf("event %d: %s is applied to the original without a consent of its own", e.Seq, e.Step)
			}
		}
	}
}

// checkHealed requires a database that serves, supervised as it was.
func checkHealed(t *testing.T, c cluster, dir journal.Dir) {
	t.Helper()
	v := view(t, dir)
	if v.Closed == nil || v.Closed.Outcome != "healed" || v.Original != engine.Changed || len(v.Obligations) > 0 {
		t.Errorf("closed %+v, original %s, owed %v; want healed, CHANGED, nothing owed", v.Closed, v.Original, v.Obligations)
	}
	if s := c.state(t); !s.Running || s.Policy != "always" {
		t.Errorf("the container is %+v, want it running with restart policy always", s)
	}
	for _, table := range templates[c.major].truth {
		if table.Table == "document" && c.rows(t, "document") != "200" {
			t.Errorf("document has %s rows, want 200: nothing of it was damaged", c.rows(t, "document"))
		}
	}
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("left behind in Docker: %q", left)
	}
	if i := slices.IndexFunc(v.Rows, func(r engine.Row) bool { return r.State == engine.Unsure }); i >= 0 {
		t.Errorf("a step is left unknown: %+v", v.Rows[i])
	}
}

func tailLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
