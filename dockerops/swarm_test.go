package dockerops

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// swarmMode puts the daemon in swarm mode for one test, and leaves it as it
// was. Tests of other programs that do so wait for the same lock.
func (b *bench) swarmMode() {
	b.t.Helper()
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "pgrescue-swarm-test.lock"), os.O_CREATE|os.O_RDWR, 0o666)
	b.must(err)
	b.must(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	b.t.Cleanup(func() { lock.Close() })
	host, err := b.Host(b.ctx)
	b.must(err)
	if host.Swarm.Active {
		return
	}
	_, err = b.api.SwarmInit(b.ctx, swarm.InitRequest{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"})
	b.must(err)
	b.t.Cleanup(func() { b.must(b.api.SwarmLeave(context.Background(), true)) })
}

// service makes a Swarm service as a stranger.
func (b *bench) newService(name string, mode swarm.ServiceMode, volumeName string, argv ...string) string {
	b.t.Helper()
	grace, delay := 5*time.Second, 100*time.Millisecond
	made, err := b.api.ServiceCreate(b.ctx, swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: b.name(name)},
		Mode:        mode,
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{
				Image: b.image, Args: argv, StopGracePeriod: &grace, Env: []string{"SECRET=x", "PGDATA=/data"},
				Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: volumeName, Target: "/data"}},
			},
			RestartPolicy: &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionAny, Delay: &delay},
			Placement:     &swarm.Placement{Constraints: []string{"node.platform.os==linux"}},
		},
	}, swarm.ServiceCreateOptions{})
	b.must(err)
	b.t.Cleanup(func() {
		if err := b.api.ServiceRemove(context.Background(), made.ID); err != nil {
			b.t.Error(err)
		}
		b.eventually("no container of the service is left", func() bool {
			list, err := b.containers(context.Background())
			return err == nil && !slices.ContainsFunc(list, func(c container.Summary) bool { return c.Labels[labelSwarmServiceID] == made.ID })
		})
	})
	return made.ID
}

func replicas(n uint64) swarm.ServiceMode {
	return swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &n}}
}

func TestSwarmReplicated(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.swarmMode()
	b.KeepEnv = []string{"PGDATA"}
	data := b.strangeVolume("data")
	id := b.newService("db", replicas(1), data, "fail", "1")
	var target Target
	b.eventually("crash loop", func() bool {
		var err error
		target, err = b.Resolve(b.ctx, b.name("db"))
		b.must(err)
		return target.Looping() && target.ContainerID != ""
	})
	if target.Kind != KindService || target.ServiceID != id || target.Service.Replicas != 1 || target.Env["PGDATA"] != "/data" || len(target.Env) != 1 {
		t.Errorf("target %+v, service %+v", target, target.Service)
	}
	if len(target.Mounts) != 1 || target.Mounts[0].Name != data || target.Service.Task.NodeID == "" {
		t.Errorf("mounts %+v, task %+v", target.Mounts, target.Service.Task)
	}
	log, err := b.Logs(b.ctx, target, LogOptions{})
	if err != nil || len(log.Lines) < 4 {
		t.Errorf("log of all tasks: %d lines, %v", len(log.Lines), err)
	}
	b.checkServiceAsUser(data, id)
	list, err := b.List(b.ctx)
	b.must(err)
	if !slices.ContainsFunc(list, func(x Target) bool { return x.String() == "service:"+b.name("db") && x.Looping() }) {
		t.Errorf("not listed among %d", len(list))
	}
	b.checkStopAndBack(target, func(rec Supervision) bool { return rec.Mode == ModeReplicated && rec.Replicas == 1 })
}

// checkServiceAsUser: the service uses its volume also while no task runs.
func (b *bench) checkServiceAsUser(data, id string) {
	b.t.Helper()
	users, err := b.Users(b.ctx, Source{Volume: data})
	b.must(err)
	if !slices.ContainsFunc(users, func(u User) bool { return u.Kind == KindService && u.ID == id && u.Writes() }) {
		b.t.Errorf("the service is no user of its volume: %+v", users)
	}
}

// checkStopAndBack disarms and restores a service, twice each.
func (b *bench) checkStopAndBack(target Target, record func(Supervision) bool) {
	b.t.Helper()
	recs, err := b.Supervise(b.ctx, target)
	b.must(err)
	stored, err := json.Marshal(recs)
	b.must(err)
	if len(recs) != 1 || !record(recs[0]) || strings.Contains(string(stored), "SECRET") {
		b.t.Fatalf("record %s", stored)
	}
	rec := recs[0]
	before, err := b.serviceInspect(b.ctx, rec.ID)
	b.must(err)
	for range 2 {
		b.must(b.Disarm(b.ctx, rec))
	}
	if alive, err := b.aliveTasks(b.ctx, rec); err != nil || len(alive) > 0 {
		b.t.Errorf("still alive: %q, %v", alive, err)
	}
	users, err := b.Users(b.ctx, target.Mounts[0].Data())
	b.must(err)
	for _, u := range users {
		if u.Running {
			b.t.Errorf("still a running user: %+v", u)
		}
	}
	if err := b.VerifyRestored(b.ctx, rec); err == nil {
		b.t.Error("a stopped service passes for restored")
	}
	b.must(b.Restore(b.ctx, rec))
	b.must(b.VerifyRestored(b.ctx, rec))
	once, err := b.serviceInspect(b.ctx, rec.ID)
	b.must(err)
	b.must(b.Restore(b.ctx, rec))
	after, err := b.serviceInspect(b.ctx, rec.ID)
	b.must(err)
	if rec.Mode == ModeReplicated && after.Version != once.Version { // Swarm itself touches a global one
		b.t.Errorf("restoring again was an update: version %d, was %d", after.Version.Index, once.Version.Index)
	}
	x, err := json.Marshal(before.Spec)
	b.must(err)
	y, err := json.Marshal(after.Spec)
	b.must(err)
	if string(x) != string(y) {
		b.t.Errorf("specification\n%s\nwas\n%s", y, x)
	}
	if err := b.VerifyDisarmed(b.ctx, rec); err == nil {
		b.t.Error("a restored service passes for stopped")
	}
}

func TestSwarmGlobal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.swarmMode()
	data := b.strangeVolume("data")
	b.newService("db", swarm.ServiceMode{Global: &swarm.GlobalService{}}, data, "idle")
	var target Target
	b.eventually("task runs", func() bool {
		var err error
		target, err = b.Resolve(b.ctx, "service:"+b.name("db"))
		b.must(err)
		return target.Service.RunningTasks == 1
	})
	// The task's container stands for the service: stopping it alone would
	// make Swarm start another.
	ct, err := b.Resolve(b.ctx, "container:"+target.ContainerName)
	b.must(err)
	b.checkStopAndBack(ct, func(rec Supervision) bool {
		return rec.Kind == KindService && rec.Mode == ModeGlobal && len(rec.Constraints) == 1 && rec.StopGrace == 5*time.Second
	})
}

func TestServiceScaledToNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.swarmMode()
	b.KeepEnv = []string{"PGDATA"}
	data := b.strangeVolume("data")
	b.newService("db", replicas(0), data, "idle")
	target, err := b.Resolve(b.ctx, "service:"+b.name("db"))
	b.must(err)
	if target.ContainerID != "" || target.ImageID == "" || target.Env["PGDATA"] != "/data" || target.Mounts[0].Source == "" || target.Looping() {
		t.Errorf("target %+v", target)
	}
	rec := b.supervise("service:" + b.name("db"))
	if rec.Running {
		t.Errorf("record %+v", rec)
	}
	b.must(b.Disarm(b.ctx, rec))
	b.must(b.Restore(b.ctx, rec))
	b.must(b.VerifyRestored(b.ctx, rec))
}

func TestServiceElsewhere(t *testing.T) {
	for state, want := range map[SwarmState]string{
		{}:             "not part of a swarm",
		{Active: true}: "swarm worker",
	} {
		if err := state.usable("db"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", state, err)
		}
	}
	if err := (SwarmState{Active: true, Manager: true}).usable("db"); err != nil {
		t.Error(err)
	}
	if !errors.Is(SwarmState{}.usable("db"), ErrNotFound) {
		t.Error("without a swarm there is no service")
	}
	tasks := []swarm.Task{
		{ID: "pending"},
		{ID: "assigned", NodeID: "n1"},
		{ID: "ran", NodeID: "n2", Status: swarm.TaskStatus{ContainerStatus: &swarm.ContainerStatus{ContainerID: "c"}}},
		{ID: "ran before", NodeID: "n3", Status: swarm.TaskStatus{ContainerStatus: &swarm.ContainerStatus{ContainerID: "d"}}},
	}
	if got := newest(tasks).ID; got != "ran" {
		t.Errorf("newest that had a container: %s", got)
	}
	if got := newest(tasks[:2]).ID; got != "assigned" {
		t.Errorf("newest that had a node: %s", got)
	}
}
