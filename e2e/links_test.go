package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

// crashed makes a cluster whose pg_wal and one tablespace are on volumes of their own, kills
// it in the middle of its work and takes a file that it cannot start without. It returns
// the container and the paths of its three volumes.
func (l *lab) crashed(major int) (name string, trees []string) {
	l.t.Helper()
	data, wal, space := l.name("data"), l.name("wal"), l.name("space")
	trees = []string{l.volume(data), l.volume(wal), l.volume(space)}
	name = l.container(box{name: l.name("db"), image: l.needImage(major), network: "none",
		env:     []string{"POSTGRES_INITDB_WALDIR=/wal/of this cluster", "PGDATA=/var/lib/postgresql/data"},
		volumes: map[string]string{data: "/var/lib/postgresql/data", wal: "/wal", space: "/space"}})
	l.serves(name)
	l.exec(name, "sh", "-c", "mkdir /space/fast && chown postgres:postgres /space/fast && chmod 700 /space/fast")
	for _, s := range []string{
		"CREATE TABLESPACE fast LOCATION '/space/fast'",
		"CREATE TABLE here AS SELECT i, md5(i::text) AS m FROM generate_series(1, 5000) i",
		"CREATE TABLE there TABLESPACE fast AS SELECT i, md5(i::text) AS m FROM generate_series(1, 5000) i",
		"VACUUM; CHECKPOINT",
		"UPDATE there SET m = 'later' WHERE i % 100 = 0; UPDATE here SET m = 'later' WHERE i % 100 = 0",
	} {
		for _, one := range strings.Split(s, "; ") {
			l.sql(name, "postgres", one)
		}
	}
	l.must(l.api.ContainerKill(l.ctx, name, "KILL"))
	l.must(os.Remove(filepath.Join(trees[0], "pg_multixact/offsets/0000")))
	l.must(l.api.ContainerStart(l.ctx, name, container.StartOptions{}))
	l.eventually("it dies at its start", time.Minute, func() bool { return !l.inspect(name).State.Running })
	if l.inspect(name).State.ExitCode == 0 {
		l.t.Fatal("it did not die of the missing file")
	}
	return name, trees
}

// TestLinks heals a cluster that is spread over three volumes and puts it back, down to
// modes and times. Nothing of it may change before the consent, the tablespace included.
func TestLinks(t *testing.T) {
	l := newLab(t)
	name, trees := l.crashed(15)
	read := func() (all []manifest) {
		for _, tree := range trees {
			all = append(all, readManifest(t, tree))
		}
		return all
	}
	same := func(what string, before []manifest) {
		for i, now := range read() {
			requireSame(t, what+" "+trees[i], before[i], now)
		}
	}
	before := read()
	r := l.run("run", "crash-loop", "container:"+name, "--rehearse-only", "--ui", "json")
	r.want(t, 4)
	same("rehearsed", before)
	lines := jsonLines(t, r.stdout)
	end := lines[len(lines)-1]
	_, volumes := l.owned(l.last())
	if len(volumes["snapshot"]) != 3 {
		t.Errorf("snapshot volumes %v, want one each for data, pg_wal and the tablespace", volumes["snapshot"])
	}

	r = l.run("resume", end.Incident, "--ui", "plain", "--answers", l.answers())
	r.want(t, 0, "closed: healed")
	if l.inspect(name).State.Running {
		t.Error("the container was started: it was not running when the incident began")
	}
	checkSpread(l, name)
	l.run("undo", end.Incident, "--ui", "plain", "--confirm", l.challenge(end.Incident)).want(t, 0, "undone")
	same("undone", before)
	// Once more does no harm, and takes its consent from a file as well.
	again := l.answers("consent.original", "put-back", "confirm", l.challenge(end.Incident))
	l.run("undo", end.Incident, "--ui", "plain", "--answers", again).want(t, 0, "undone")
	same("undone twice", before)
	checkLeftovers(l, end.Incident)
}

// checkSpread starts the healed server as its owner would and counts.
func checkSpread(l *lab, name string) {
	l.t.Helper()
	l.must(l.api.ContainerStart(l.ctx, name, container.StartOptions{}))
	l.serves(name)
	for _, table := range []string{"here", "there"} {
		if got := strings.TrimSpace(l.sql(name, "postgres", "SELECT count(*), count(DISTINCT i) FROM "+table)); got != "5000|5000" {
			l.t.Errorf("table %s: %s rows and keys, want 5000 of both", table, got)
		}
	}
	l.must(l.api.ContainerStop(l.ctx, name, container.StopOptions{}))
}
