package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/pgrescue/pgrescue/demo"
)

// killed makes a server with prepared transactions and a logical slot and kills it in the
// middle of its work: nothing is damaged, a replay brings everything back.
func (l *lab) killed(major int) (name, data string) {
	l.t.Helper()
	name = l.container(box{name: l.name("killed"), image: l.needImage(major), network: "none",
		cmd:     []string{"postgres", "-c", "max_prepared_transactions=20", "-c", "wal_level=logical"},
		volumes: map[string]string{l.named("killed-data"): "/var/lib/postgresql/data"}})
	l.serves(name)
	for _, s := range []string{
		"CREATE TABLE t AS SELECT generate_series(1, 1000) AS i",
		"SELECT pg_create_logical_replication_slot('s', 'test_decoding')",
		"ALTER SYSTEM SET port = 5544",
		"BEGIN; INSERT INTO t VALUES (-1); PREPARE TRANSACTION 'p'",
	} {
		l.sql(name, "postgres", s)
	}
	l.must(l.api.ContainerKill(l.ctx, name, "KILL"))
	l.eventually("it is dead", time.Minute, func() bool { return !l.inspect(name).State.Running })
	return name, l.path(l.name("killed-data"))
}

// A cluster that recovers by itself must not lose its log; neither prepared transactions nor
// slots nor a changed port may keep it from showing that it can.
func TestRecoverableIsNotReset(t *testing.T) {
	l := newLab(t)
	name, data := l.killed(13)
	before := readManifest(t, data)
	l.run("run", "crash-loop", "container:"+name, "--ui", "plain", "--answers", l.answers()).want(t, 5, "recovers by itself")
	requireSame(t, "a cluster that recovers", before, readManifest(t, data))
	checkLeftovers(l, l.last())
}

// A standby or an unfinished restore is made inconsistent by a reset.
func TestStandbyIsRefused(t *testing.T) {
	l := newLab(t)
	name, data := l.killed(15)
	for _, file := range []string{"standby.signal", "backup_label"} {
		path := filepath.Join(data, file)
		l.must(os.WriteFile(path, []byte("START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n"), 0o644))
		l.run("run", "crash-loop", "container:"+name, "--ui", "plain", "--answers", l.answers()).want(t, 5, "must not be reset")
		l.must(os.Remove(path))
	}
}

// A second incident owes what the first one stopped.
func TestSecondIncidentAdopts(t *testing.T) {
	l := newLab(t)
	b := l.breakOne(demo.Options{Major: 15, Cut: demo.CutOffsets})
	policy := l.inspect(b.Container).HostConfig.RestartPolicy
	for range 2 {
		l.run("run", "crash-loop", "container:"+b.Container, "--rehearse-only", "--ui", "json").want(t, 4)
		if owed := l.status(l.last()).Obligations; len(owed) != 1 {
			t.Fatalf("incident %s owes %v, want the container", l.last(), owed)
		}
	}
	// The original was never changed, so nothing has to be confirmed.
	l.run("undo", l.last(), "--ui", "plain", "--confirm", "nothing/0000").want(t, 0)
	if now := l.inspect(b.Container).HostConfig.RestartPolicy; now != policy {
		t.Errorf("restart policy %v, was %v", now, policy)
	}
	l.must(l.api.ContainerStop(context.Background(), b.Container, container.StopOptions{}))
}
