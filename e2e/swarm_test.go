package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"

	"github.com/pgrescue/pgrescue/demo"
)

// swarmMode puts the daemon in swarm mode for one test and leaves it as it was. Tests of
// other packages that do so wait for the same lock.
func (l *lab) swarmMode() {
	l.t.Helper()
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "pgrescue-swarm-test.lock"), os.O_CREATE|os.O_RDWR, 0o666)
	l.must(err)
	l.must(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	l.t.Cleanup(func() { lock.Close() })
	info, err := l.api.Info(l.ctx)
	l.must(err)
	if info.Swarm.LocalNodeState == swarm.LocalNodeStateActive {
		return
	}
	_, err = l.api.SwarmInit(l.ctx, swarm.InitRequest{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"})
	l.must(err)
	l.t.Cleanup(func() {
		if err := l.api.SwarmLeave(context.Background(), true); err != nil {
			l.t.Error(err)
		}
	})
}

// service makes a Swarm service with one replica that is restarted for ever.
func (l *lab) service(name, image, volume string) {
	l.t.Helper()
	one, delay := uint64(1), 100*time.Millisecond
	made, err := l.api.ServiceCreate(l.ctx, swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: name},
		Mode:        swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &one}},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{
				Image: image, Env: []string{"POSTGRES_PASSWORD=practice"},
				Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: volume, Target: "/var/lib/postgresql/data"}},
			},
			RestartPolicy: &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionAny, Delay: &delay},
		},
	}, swarm.ServiceCreateOptions{})
	l.must(err)
	l.t.Cleanup(func() {
		if err := l.api.ServiceRemove(context.Background(), made.ID); err != nil {
			l.t.Error(err)
		}
		for range 300 { // a task may be in the making: its container must not outlive the volume
			if l.tasks(name) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		l.t.Errorf("containers of service %s are left", name)
	})
}

// tasks are the containers of a service, dead ones too.
func (l *lab) tasks(service string) []string {
	list, err := l.api.ContainerList(context.Background(), container.ListOptions{All: true})
	if err != nil {
		return []string{err.Error()}
	}
	var ids []string
	for _, c := range list {
		if c.Labels["com.docker.swarm.service.name"] == service {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func (l *lab) replicas(service string) uint64 {
	l.t.Helper()
	s, _, err := l.api.ServiceInspectWithRaw(l.ctx, service, swarm.ServiceInspectOptions{})
	l.must(err)
	if s.Spec.Mode.Replicated == nil || s.Spec.Mode.Replicated.Replicas == nil {
		l.t.Fatalf("service %s is not replicated: %+v", service, s.Spec.Mode)
	}
	return *s.Spec.Mode.Replicated.Replicas
}

// TestSwarmService heals the database of a service and gives it its replica back.
func TestSwarmService(t *testing.T) {
	l := newLab(t)
	l.swarmMode()
	b := l.breakOne(demo.Options{Major: 15, Cut: demo.CutOffsets})
	l.must(l.api.ContainerStop(l.ctx, b.Container, container.StopOptions{}))
	name, volume := l.name("service"), l.name("service-data")
	l.copyTree(l.path(b.Volume), l.volume(volume))
	l.service(name, "postgres:15", volume)
	l.eventually("the service's tasks fail", time.Minute, func() bool { return len(l.tasks(name)) >= 2 })

	r := l.run("run", "crash-loop", "service:"+name, "--ui", "plain", "--answers", l.answers())
	r.want(t, 0, "closed: healed")
	if n := l.replicas(name); n != 1 {
		t.Errorf("the service has %d replicas, had 1", n)
	}
	var task string
	l.eventually("a task serves", time.Minute, func() bool {
		for _, id := range l.tasks(name) {
			if _, err := l.tryExec(id, "pg_isready", "-q", "-h", "127.0.0.1"); err == nil {
				task = id
				return true
			}
		}
		return false
	})
	if got := strings.TrimSpace(l.sql(task, b.Database, "SELECT count(*) FROM document")); got != "200" {
		t.Errorf("table document has %s rows, want 200", got)
	}
	checkLeftovers(l, l.last())
}
