package dockerops

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

// supervise records the only thing that keeps a target alive, and sends it
// through JSON as the journal does.
func (b *bench) supervise(spec string) Supervision {
	b.t.Helper()
	target, err := b.Resolve(b.ctx, spec)
	b.must(err)
	recs, err := b.Supervise(b.ctx, target)
	b.must(err)
	if len(recs) != 1 {
		b.t.Fatalf("%s: %d records: %+v", spec, len(recs), recs)
	}
	stored, err := json.Marshal(recs[0])
	b.must(err)
	var rec Supervision
	b.must(json.Unmarshal(stored, &rec))
	return rec
}

func TestDisarmCrashLoop(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.stranger("loop", containerCmd("fail", "1"), restarting(container.HostConfig{}, "always", 0), true)
	b.eventually("crash loop", func() bool {
		ct, err := b.Container(b.ctx, id)
		return err == nil && ct.State.RestartCount > 2
	})
	rec := b.supervise("container:" + id)
	if rec.RestartPolicy.Name != "always" || !rec.Running {
		t.Fatalf("record %+v", rec)
	}
	if err := b.VerifyDisarmed(b.ctx, rec); err == nil {
		t.Error("a crash loop passes for stopped")
	}
	b.must(b.Disarm(b.ctx, rec))
	stopped, err := b.Container(b.ctx, id)
	b.must(err)
	time.Sleep(2 * time.Second)
	later, err := b.Container(b.ctx, id)
	b.must(err)
	if !later.State.StartedAt.Equal(stopped.State.StartedAt) || later.State.Restarting || later.State.Running {
		t.Errorf("started again after being disarmed: %+v, %+v", stopped.State, later.State)
	}
	b.must(b.Disarm(b.ctx, rec))
	b.must(b.VerifyDisarmed(b.ctx, rec))
	if err := b.VerifyRestored(b.ctx, rec); err == nil {
		t.Error("a stopped container passes for restored")
	}
	b.must(b.Restore(b.ctx, rec))
	b.must(b.VerifyRestored(b.ctx, rec))
	b.eventually("crash loop again", func() bool {
		ct, err := b.Container(b.ctx, id)
		return err == nil && ct.State.RestartCount > 1
	})
	b.must(b.Restore(b.ctx, rec))
}

func TestDisarmAndRestoreStates(t *testing.T) {
	tests := []struct {
		name   string
		cmd    []string
		policy RestartPolicy
		start  bool
		pause  bool
		want   string // status after restoring
	}{
		{"running", []string{"idle"}, RestartPolicy{"unless-stopped", 0}, true, false, "running"},
		{"retries kept", []string{"idle"}, RestartPolicy{"on-failure", 4}, true, false, "running"},
		{"paused", []string{"idle"}, RestartPolicy{"no", 0}, true, true, "paused"},
		{"never started", []string{"idle"}, RestartPolicy{"always", 0}, false, false, "created"},
		{"exited", []string{"fail", "0"}, RestartPolicy{"no", 0}, true, false, "exited"},
	}
	t.Parallel()
	b := newBench(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := strings.ReplaceAll(tt.name, " ", "-")
			id := b.stranger(name, containerCmd(tt.cmd...), restarting(container.HostConfig{}, tt.policy.Name, tt.policy.MaxRetries), tt.start)
			if tt.start && tt.cmd[0] == "idle" {
				b.ready(id)
			}
			if tt.pause {
				b.must(b.pause(b.ctx, id))
			}
			if tt.cmd[0] == "fail" {
				b.exited(id)
			}
			rec := b.supervise("container:" + b.name(name))
			start := time.Now()
			b.must(b.Disarm(b.ctx, rec))
			ct, err := b.Container(b.ctx, id)
			b.must(err)
			if ct.State.Running || ct.RestartPolicy.Name != "no" || ct.State.ExitCode != 0 || time.Since(start) > 20*time.Second {
				t.Errorf("after %v: %+v %v: not a clean stop", time.Since(start), ct.State, ct.RestartPolicy)
			}
			for range 2 {
				b.must(b.Restore(b.ctx, rec))
				b.must(b.VerifyRestored(b.ctx, rec))
			}
			if ct, err = b.Container(b.ctx, id); err != nil || ct.RestartPolicy != tt.policy || ct.State.Status != tt.want {
				t.Errorf("restored to %s, %v, %v", ct.State.Status, ct.RestartPolicy, err)
			}
		})
	}
}

func TestSuperviseVolumeRecordsItsWriters(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := b.strangeVolume("data")
	v, err := b.Volume(b.ctx, data)
	b.must(err)
	b.stranger("one", containerCmd("idle"), withVolume(data), true)
	b.stranger("two", containerCmd("idle"), withBind(v.Mountpoint, false), false)
	b.stranger("reader", containerCmd("idle"), withBind(v.Mountpoint, true), true)
	b.idle(vol(data, "/x", false))
	target, err := b.Resolve(b.ctx, "volume:"+data)
	b.must(err)
	recs, err := b.Supervise(b.ctx, target)
	b.must(err)
	if len(recs) != 2 || recs[0].Name != b.name("one") || recs[1].Name != b.name("two") || recs[1].Running {
		t.Errorf("got %+v", recs)
	}
}

func TestSuperviseRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	cfg := containerCmd("idle")
	cfg.Volumes = map[string]struct{}{"/anon": {}}
	rm := b.stranger("rm", cfg, container.HostConfig{AutoRemove: true}, true)
	pod := containerCmd("idle")
	pod.Labels = map[string]string{labelKubernetesPod: "pg-0"}
	kube := b.stranger("kube", pod, container.HostConfig{}, true)
	for id, want := range map[string]string{rm: "anonymous volumes", kube: "Kubernetes"} {
		target, err := b.Container(b.ctx, id)
		b.must(err)
		var hands *HandsError
		if _, err := b.Supervise(b.ctx, target); !errors.As(err, &hands) || !strings.Contains(hands.What, want) || hands.Do == "" {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestDisarmOfWhatIsGone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rec := Supervision{
		Kind: KindContainer, ID: b.name("gone"), Name: "db", RestartPolicy: RestartPolicy{"on-failure", 5}, Running: true,
		Compose: Compose{Project: "shop", Service: "db", WorkingDir: "/srv/shop"},
	}
	var hands *HandsError
	err := b.Disarm(b.ctx, rec)
	if !errors.As(err, &hands) || hands.Do != "docker update --restart=no db && docker stop -t 120 db" || !errors.Is(err, ErrNotFound) {
		t.Errorf("disarm: %v", err)
	}
	err = b.Restore(b.ctx, rec)
	if !errors.As(err, &hands) || !strings.HasPrefix(hands.Do, "docker update --restart=on-failure:5 db && docker start db (or, if it is gone, docker compose -p shop up -d db in /srv/shop)") {
		t.Errorf("restore: %v", err)
	}
}

func TestHandsCommandsOfServices(t *testing.T) {
	replicated := Supervision{Kind: KindService, Name: "db", Mode: ModeReplicated, Replicas: 2}
	global := Supervision{Kind: KindService, Name: "db", Mode: ModeGlobal}
	for got, want := range map[string]string{
		replicated.disarmCommand():  "docker service scale db=0",
		replicated.restoreCommand(): "docker service scale db=2",
		global.disarmCommand():      "docker service update --constraint-add " + neverConstraint + " db",
		global.restoreCommand():     "docker service update --constraint-rm " + neverConstraint + " db",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
