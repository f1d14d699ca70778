package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/pgrescue/pgrescue/demo"
	"github.com/pgrescue/pgrescue/dockerops"
)

// slots bounds how many tests load the machine at a time.
var slots = make(chan struct{}, 2)

// lab is one test's place: a state directory, a daemon, a prefix for names.
type lab struct {
	t      *testing.T
	ctx    context.Context
	api    *client.Client
	state  string
	prefix string
	made   int
}

// newLab waits for a slot. What the test's incidents leave behind goes at its end.
func newLab(t *testing.T) *lab {
	t.Helper()
	t.Parallel()
	slots <- struct{}{}
	t.Cleanup(func() { <-slots })
	if os.Geteuid() != 0 {
		t.Skip("SKIP-REASON: volumes are read by their path, which takes root")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	if _, err := api.Ping(ctx); err != nil {
		t.Skipf("SKIP-REASON: no Docker engine answers (%v); run hack/docker-up.sh", err)
	}
	l := &lab{t: t, ctx: ctx, api: api, state: t.TempDir()}
	l.prefix = fmt.Sprintf("e2e-%d-%s", os.Getpid(), strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(strings.TrimPrefix(t.Name(), "Test"))))
	t.Cleanup(l.removeIncidents)
	return l
}

// minute is the patience for what takes seconds.
const minute = time.Minute

func (l *lab) name(s string) string { return l.prefix + "-" + s }

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// needImage skips where a PostgreSQL image was not made.
func (l *lab) needImage(major int) string {
	l.t.Helper()
	image := fmt.Sprintf("postgres:%d", major)
	if _, err := l.api.ImageInspect(l.ctx, image); err != nil {
		l.t.Skipf("SKIP-REASON: no image %s (%v); run hack/image.sh", image, err)
	}
	return image
}

// breakOne makes a cluster that dies in a loop.
func (l *lab) breakOne(opt demo.Options) *demo.Broken {
	l.t.Helper()
	l.needImage(opt.Major)
	if opt.Name == "" {
		opt.Name = l.name("db")
	}
	if opt.Rows == 0 {
		opt.Rows = demo.MinRows
	}
	l.t.Cleanup(func() {
		l.removeIncidents() // whose helpers may hold the volume
		if err := demo.Remove(context.Background(), l.api, opt.Name); err != nil {
			l.t.Error(err)
		}
	})
	b, err := demo.Break(l.ctx, l.api, opt)
	l.must(err)
	return b
}

// volume makes an empty one and returns its path on this host.
func (l *lab) volume(name string) string {
	l.t.Helper()
	_, err := l.api.VolumeCreate(l.ctx, volume.CreateOptions{Name: name})
	l.must(err)
	l.t.Cleanup(func() {
		l.removeIncidents() // whose helpers may hold it
		if err := l.api.VolumeRemove(context.Background(), name, true); err != nil {
			l.t.Errorf("removing volume %s: %v", name, err)
		}
	})
	return l.path(name)
}

// path is where a volume's files are on this host.
func (l *lab) path(name string) string {
	l.t.Helper()
	v, err := l.api.VolumeInspect(l.ctx, name)
	l.must(err)
	return v.Mountpoint
}

// box is a container to make.
type box struct {
	name    string
	image   string
	env     []string
	cmd     []string
	labels  map[string]string
	volumes map[string]string // volume, or absolute path on this host, to path in the container
	restart container.RestartPolicyMode
	network container.NetworkMode
	created bool // not started
}

// container makes and starts one; it is removed at the end.
func (l *lab) container(b box) string {
	l.t.Helper()
	host := &container.HostConfig{NetworkMode: b.network, RestartPolicy: container.RestartPolicy{Name: b.restart}}
	for from, to := range b.volumes {
		kind := mount.TypeVolume
		if filepath.IsAbs(from) {
			kind = mount.TypeBind
		}
		host.Mounts = append(host.Mounts, mount.Mount{Type: kind, Source: from, Target: to})
	}
	env := append([]string{"POSTGRES_PASSWORD=practice"}, b.env...)
	_, err := l.api.ContainerCreate(l.ctx, &container.Config{Image: b.image, Env: env, Cmd: b.cmd, Labels: b.labels}, host, nil, nil, b.name)
	l.must(err)
	l.t.Cleanup(func() {
		err := l.api.ContainerRemove(context.Background(), b.name, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil {
			l.t.Errorf("removing %s: %v", b.name, err)
		}
	})
	if !b.created {
		l.must(l.api.ContainerStart(l.ctx, b.name, container.StartOptions{}))
	}
	return b.name
}

func (l *lab) inspect(name string) container.InspectResponse {
	l.t.Helper()
	c, err := l.api.ContainerInspect(l.ctx, name)
	l.must(err)
	return c
}

// exec runs a command in a container and returns its output, or fails the test.
func (l *lab) exec(name string, argv ...string) string {
	l.t.Helper()
	out, err := l.tryExec(name, argv...)
	if err != nil {
		l.t.Fatalf("%v in %s: %v", argv, name, err)
	}
	return out
}

func (l *lab) tryExec(name string, argv ...string) (string, error) {
	made, err := l.api.ContainerExecCreate(l.ctx, name, container.ExecOptions{Cmd: argv, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return "", err
	}
	conn, err := l.api.ContainerExecAttach(l.ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	var out, errOut bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &errOut, conn.Reader); err != nil {
		return "", err
	}
	state, err := l.api.ContainerExecInspect(l.ctx, made.ID)
	if err == nil && state.ExitCode != 0 {
		err = fmt.Errorf("exit %d: %s", state.ExitCode, errOut.String())
	}
	return out.String(), err
}

// sql runs statements through psql in a container and returns its unaligned output.
func (l *lab) sql(name, db, script string) string {
	l.t.Helper()
	return l.exec(name, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", db, "-c", script)
}

// eventually polls until ok.
func (l *lab) eventually(what string, patience time.Duration, ok func() bool) {
	l.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(end) {
			l.t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// serves waits until the server in a container takes connections over TCP, which the
// passing server of an image's first start does not.
func (l *lab) serves(name string) {
	l.t.Helper()
	l.eventually(name+" serves", time.Minute, func() bool {
		_, err := l.tryExec(name, "pg_isready", "-q", "-h", "127.0.0.1")
		return err == nil
	})
}

// incidents are the ids of what this test has started, oldest first.
func (l *lab) incidents() []string {
	l.t.Helper()
	list, err := os.ReadDir(l.state)
	l.must(err)
	var ids []string
	for _, e := range list {
		ids = append(ids, e.Name())
	}
	return ids
}

// last is the id of the latest incident.
func (l *lab) last() string {
	l.t.Helper()
	ids := l.incidents()
	if len(ids) == 0 {
		l.t.Fatal("there is no incident")
	}
	return ids[len(ids)-1]
}

// dir is an incident's directory.
func (l *lab) dir(incident string) string { return filepath.Join(l.state, incident) }

// owned lists an incident's containers and volumes, the volumes by role.
func (l *lab) owned(incident string) (containers []string, volumes map[string][]string) {
	l.t.Helper()
	by := filters.NewArgs(filters.Arg("label", dockerops.LabelIncident+"="+incident))
	ctx := context.WithoutCancel(l.ctx)
	list, err := l.api.ContainerList(ctx, container.ListOptions{All: true, Filters: by})
	l.must(err)
	for _, c := range list {
		containers = append(containers, c.ID)
	}
	vols, err := l.api.VolumeList(ctx, volume.ListOptions{Filters: by})
	l.must(err)
	volumes = map[string][]string{}
	for _, v := range vols.Volumes {
		role := v.Labels[dockerops.LabelRole]
		volumes[role] = append(volumes[role], v.Name)
	}
	return containers, volumes
}

// removeIncidents ends and removes everything that this test's incidents have.
func (l *lab) removeIncidents() {
	ctx := context.Background()
	for _, id := range l.incidents() {
		l.endEngine(id)
		containers, volumes := l.owned(id)
		for _, c := range containers {
			_ = l.api.ContainerRemove(ctx, c, container.RemoveOptions{Force: true, RemoveVolumes: true}) // the volume's removal tells
		}
		for _, role := range []string{"clone", "scratch", "snapshot", ""} {
			for _, v := range volumes[role] {
				if err := l.api.VolumeRemove(ctx, v, true); err != nil {
					l.t.Errorf("removing volume %s: %v", v, err)
				}
			}
		}
	}
}
