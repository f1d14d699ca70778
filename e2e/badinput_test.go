package e2e

import (
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/demo"
)

// TestBadInput gives the program what it cannot work with. Each ends with one clear
// sentence, its exit code, and nothing changed.
func TestBadInput(t *testing.T) {
	l := newLab(t)
	l.needImage(15)
	healthy := l.healthy(15)
	plain := l.container(box{name: l.name("no-postgres"), image: "postgres:15", cmd: []string{"sleep", "600"}, network: "none",
		volumes: map[string]string{l.named("empty"): "/var/lib/postgresql/data"}})
	two := l.name("twice")
	l.volume(two)
	l.container(box{name: two, image: "postgres:15", cmd: []string{"sleep", "600"}, created: true})
	before := l.inspect(healthy).State.StartedAt
	answers := l.answers()
	for _, c := range []struct {
		name  string
		args  []string
		env   string
		code  int
		words []string
	}{
		{"no such container", []string{"run", "crash-loop", "container:" + l.name("nobody")}, "", 2, []string{l.name("nobody")}},
		{"no such volume", []string{"run", "crash-loop", "volume:" + l.name("nobody")}, "", 2, []string{l.name("nobody")}},
		{"no such service", []string{"run", "crash-loop", "service:" + l.name("nobody")}, "", 2, []string{l.name("nobody")}},
		{"no such directory", []string{"run", "crash-loop", "dir:/nonexistent/data"}, "", 2, []string{"/nonexistent/data"}},
		{"no such bare name", []string{"triage", l.name("nobody")}, "", 2, []string{l.name("nobody")}},
		{"empty target", []string{"triage", ""}, "", 2, nil},
		{"ambiguous name", []string{"triage", two}, "", 2, []string{"container:" + two, "volume:" + two}},
		{"not PostgreSQL", []string{"run", "crash-loop", "container:" + plain, "--answers", answers}, "", 5, []string{"no PostgreSQL data directory"}},
		{"running fine", []string{"run", "crash-loop", "container:" + healthy, "--answers", answers}, "", 5, []string{"accepts connections"}},
		{"no daemon", []string{"run", "crash-loop", "container:" + healthy}, "DOCKER_HOST=unix:///nonexistent.sock", 5, []string{"Docker daemon"}},
		{"no image", []string{"run", "crash-loop", "container:" + healthy, "--image", "postgres:1"}, "", 5, []string{"postgres:1"}},
		{"unknown playbook", []string{"run", "crush-loop", "container:" + healthy}, "", 2, []string{"crush-loop"}},
		{"unknown answer", []string{"run", "crash-loop", "container:" + healthy, "--answers", l.answers("consent.orignal", "as-rehearsed")}, "", 2, []string{"consent.orignal", "line"}},
		{"no answers file", []string{"run", "crash-loop", "container:" + healthy, "--answers", "/nonexistent"}, "", 2, []string{"/nonexistent"}},
		{"unknown front end", []string{"run", "crash-loop", "container:" + healthy, "--ui", "html"}, "", 2, []string{"html"}},
		{"unknown flag", []string{"run", "crash-loop", "container:" + healthy, "--force"}, "", 2, []string{"--force"}},
		{"no target", []string{"run", "crash-loop"}, "", 2, nil},
		{"no incident", []string{"attach", "20200101T000000Z-nobody"}, "", 2, []string{"20200101T000000Z-nobody"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args, incidents := c.args, len(l.incidents())
			if c.name != "unknown front end" && (args[0] == "run" || args[0] == "triage") {
				args = append(args, "--ui", "plain")
			}
			cmd := l.command(args...)
			if c.env != "" {
				cmd.Env = append(cmd.Env, c.env)
			}
			r := l.finish(cmd)
			r.want(t, c.code, c.words...)
			if len(l.incidents()) == incidents { // else the front end has told the story
				r.oneSentence(t)
			}
			t.Logf("%s", strings.TrimSpace(r.stderr))
		})
	}
	if after := l.inspect(healthy); after.State.StartedAt != before || !after.State.Running {
		t.Errorf("the healthy server was touched: %+v", after.State)
	}
	if got := strings.TrimSpace(l.sql(healthy, "postgres", "SELECT count(*) FROM t")); got != "100" {
		t.Errorf("the healthy server has %s rows", got)
	}
}

// named makes a volume and returns its name.
func (l *lab) named(s string) string {
	l.t.Helper()
	l.volume(l.name(s))
	return l.name(s)
}

// healthy makes a server that serves, with a table t of 100 rows.
func (l *lab) healthy(major int) string {
	l.t.Helper()
	mount := "/var/lib/postgresql/data"
	if major >= 18 {
		mount = "/var/lib/postgresql"
	}
	name := l.container(box{name: l.name("healthy"), image: l.needImage(major), network: "none",
		volumes: map[string]string{l.named("healthy-data"): mount}})
	l.serves(name)
	l.sql(name, "postgres", "CREATE TABLE t AS SELECT generate_series(1, 100) AS i")
	return name
}

// TestTriageHealthy looks at a server that serves: nothing wrong, nothing changed.
func TestTriageHealthy(t *testing.T) {
	l := newLab(t)
	name := l.healthy(18)
	before := l.inspect(name)
	r := l.run("triage", "container:"+name, "--ui", "plain")
	r.want(t, 0, "accepts connections")
	after := l.inspect(name)
	if after.State.StartedAt != before.State.StartedAt || !after.State.Running || after.RestartCount != before.RestartCount {
		t.Errorf("triage touched it: %+v, was %+v", after.State, before.State)
	}
	containers, volumes := l.owned(l.last())
	if len(containers)+len(volumes) > 0 {
		t.Errorf("triage left %v and %v", containers, volumes)
	}
}

// TestSharedData refuses data that a live server in another container has, and an image of
// another major.
func TestSharedData(t *testing.T) {
	l := newLab(t)
	b := l.breakOne(demo.Options{Major: 15, Cut: demo.CutNone})
	before := l.inspect(b.Container).HostConfig.RestartPolicy
	answers := l.answers()

	r := l.run("run", "crash-loop", "container:"+b.Container, "--image", "postgres:17", "--ui", "plain", "--answers", answers)
	r.want(t, 5, "PostgreSQL 15", "PostgreSQL 17")

	live := l.healthy(15)
	other := l.container(box{name: l.name("other"), image: "postgres:15", cmd: []string{"sleep", "600"}, network: "none",
		volumes: map[string]string{l.name("healthy-data"): "/var/lib/postgresql/data"}})
	started := l.inspect(live).State.StartedAt
	r = l.run("run", "crash-loop", "container:"+other, "--ui", "plain", "--answers", answers)
	r.want(t, 5, "live postmaster", live)
	if c := l.inspect(live); c.State.StartedAt != started || !c.State.Running {
		t.Errorf("the live server was touched: %+v", c.State)
	}
	if !l.inspect(other).State.Running {
		t.Error("the other container was stopped")
	}
	if now := l.inspect(b.Container).HostConfig.RestartPolicy; now != before {
		t.Errorf("the broken container's policy is %+v", now)
	}
}
