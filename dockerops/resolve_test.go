package dockerops

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.KeepEnv = []string{"PGDATA"}
	data := b.strangeVolume("data")
	cfg := containerCmd("idle")
	cfg.Env = []string{"PGDATA=/data/pg", "POSTGRES_PASSWORD=hunter2"}
	cfg.Labels = map[string]string{labelComposeProject: "shop", labelComposeService: b.name("db-svc"), labelComposeDir: "/srv/shop"}
	cfg.Volumes = map[string]struct{}{"/anon": {}}
	host := restarting(withVolume(data), "on-failure", 3)
	host.Tmpfs = map[string]string{"/run": ""}
	id := b.stranger("db", cfg, host, true)

	for _, spec := range []string{"container:" + b.name("db"), b.name("db"), id[:12], "container:" + id, b.name("db-svc")} {
		got, err := b.Resolve(b.ctx, spec)
		if err != nil || got.ContainerID != id || got.Kind != KindContainer || got.Name != b.name("db") {
			t.Errorf("%s: %+v, %v", spec, got, err)
		}
	}
	got, err := b.Resolve(b.ctx, "volume:"+data)
	b.must(err)
	if got.Kind != KindVolume || got.Name != data || got.ContainerID != id || got.Image != b.image || len(got.UsedBy) != 1 {
		t.Errorf("volume: %+v", got)
	}
	checkResolved(t, got, data)
	v, err := b.Volume(b.ctx, data)
	b.must(err)
	got, err = b.Resolve(b.ctx, "dir:"+v.Mountpoint)
	if err != nil || got.Kind != KindDir || got.Name != v.Mountpoint || got.ContainerID != id {
		t.Errorf("directory of a volume: %+v, %v", got, err)
	}
	dir := t.TempDir()
	if got, err = b.Resolve(b.ctx, dir); err != nil || got.Kind != KindDir || got.ContainerID != "" {
		t.Errorf("directory that nobody mounts: %+v, %v", got, err)
	}
}

// checkResolved looks at what was read of the container, and that it carries
// no secret.
func checkResolved(t *testing.T, got Target, data string) {
	t.Helper()
	if len(got.Env) != 1 || got.Env["PGDATA"] != "/data/pg" {
		t.Errorf("environment %v: only PGDATA was asked for", got.Env)
	}
	if got.RestartPolicy != (RestartPolicy{"on-failure", 3}) || got.Compose.Project != "shop" || got.Compose.WorkingDir != "/srv/shop" {
		t.Errorf("policy %v, compose %v", got.RestartPolicy, got.Compose)
	}
	if !got.State.Running || got.State.Status != "running" || got.State.StartedAt.IsZero() || got.Looping() {
		t.Errorf("state %+v", got.State)
	}
	dst := make([]string, 0, 3)
	for _, m := range got.Mounts {
		dst = append(dst, m.Destination)
		if m.Anonymous != (m.Destination == "/anon") || m.Type == MountVolume && (m.Source == "" || m.Driver != "local") {
			t.Errorf("mount %+v", m)
		}
	}
	if !slices.Equal(dst, []string{"/anon", "/data", "/run"}) || got.Mounts[1].Name != data {
		t.Errorf("mounts %+v", got.Mounts)
	}
}

func TestResolveErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	both := b.strangeVolume("both")
	b.stranger("both", containerCmd("idle"), container.HostConfig{}, false)

	var amb *AmbiguousError
	_, err := b.Resolve(b.ctx, b.name("both"))
	if !errors.As(err, &amb) || !slices.Equal(amb.Candidates, []string{"container:" + both, "volume:" + both}) {
		t.Errorf("ambiguous: %v", err)
	}
	for _, spec := range []string{b.name("bohh"), "container:" + b.name("bohh"), "volume:" + b.name("bohh")} {
		_, err = b.Resolve(b.ctx, spec)
		var nf *NotFoundError
		if !errors.As(err, &nf) || !errors.Is(err, ErrNotFound) || !slices.Contains(nf.Near, "volume:"+both) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	for spec, want := range map[string]string{"": "no target", "volume:": "no name", "service:x": "x"} {
		if _, err := b.Resolve(b.ctx, spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", spec, err)
		}
	}
}

// Two programs with different images use the volume: which one owns it is not
// for this package to guess.
func TestResolveVolumeOfTwoImages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := b.strangeVolume("data")
	other, err := b.EnsureHelperImage(b.ctx, testBinary(t, "other"))
	b.must(err)
	t.Cleanup(func() { b.must(b.RemoveHelperImage(context.Background(), other)) })
	b.stranger("one", containerCmd("idle"), withVolume(data), true)
	h := withVolume(data)
	made, err := b.api.ContainerCreate(b.ctx, &container.Config{Image: other}, &h, nil, nil, b.name("two"))
	b.must(err)
	removeTwo := func() { b.must(b.api.ContainerRemove(b.ctx, made.ID, container.RemoveOptions{})) }
	got, err := b.Resolve(b.ctx, "volume:"+data)
	removeTwo()
	b.must(err)
	if got.ContainerID != "" || got.Image != "" || len(got.UsedBy) != 2 || len(got.Mounts) != 1 {
		t.Errorf("got %+v", got)
	}
	// With one image left, the choice is clear.
	if got, err = b.Resolve(b.ctx, "volume:"+data); err != nil || got.ContainerName != b.name("one") {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestResolveDirIgnoresMonitors(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := filepath.Join(t.TempDir(), "srv", "db", "pg", "data")
	b.must(os.MkdirAll(dir, 0o700))
	b.stranger("monitor", containerCmd("idle"), withBind("/tmp", false), true)
	owner := b.stranger("owner", containerCmd("idle"), withBind(filepath.Dir(dir), false), false)
	got, err := b.Resolve(b.ctx, "dir:"+dir)
	if err != nil || got.ContainerID != owner || len(got.UsedBy) < 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNear(t *testing.T) {
	all := []named{{name: "db-data", kind: KindVolume}, {name: "web", kind: KindContainer}, {name: "pg-main", kind: KindContainer}}
	for name, want := range map[string]string{"db-dta": "volume:db-data", "DB-DATA": "volume:db-data", "pg": "container:pg-main", "zzz": ""} {
		if got := strings.Join(near(all, name), " "); got != want {
			t.Errorf("near %s: %q, want %q", name, got, want)
		}
	}
}
