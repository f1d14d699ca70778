package dockerops

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
)

// bench is a test's place at the real daemon. Whatever it makes has the test's
// own prefix or incident and is removed at the end.
type bench struct {
	*Client
	t        *testing.T
	ctx      context.Context
	image    string // helper image made of testdata/tool
	incident string
}

// toolImage builds the tool and its image once.
var toolImage = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dockerops-tool-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "tool")
	build := exec.Command("go", "build", "-trimpath", "-o", bin, "./testdata/tool")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	ctx := context.Background()
	c, err := Connect(ctx)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.EnsureHelperImage(ctx, bin)
})

// newBench connects to the daemon, or skips.
func newBench(t *testing.T) *bench {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	c, err := Connect(ctx)
	if err != nil {
		t.Skipf("SKIP-REASON: no docker daemon: %v", err)
	}
	img, err := toolImage()
	if err != nil {
		t.Fatalf("building the test image: %v", err)
	}
	b := &bench{Client: c, t: t, ctx: ctx, image: img}
	b.incident = fmt.Sprintf("dops-%d-%s", os.Getpid(), strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())))
	t.Cleanup(func() { // of b, whose client a test may have replaced
		if _, err := b.Clean(context.Background(), b.incident, true); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
		if err := b.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return b
}

// name is a unique name for an object of this test.
func (b *bench) name(s string) string { return b.incident + "-" + s }

// must fails the test on an error.
func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// stranger makes and starts a container as some other program would: without
// our labels.
func (b *bench) stranger(name string, cfg container.Config, host container.HostConfig, start bool) string {
	b.t.Helper()
	cfg.Image = b.image
	host.NetworkMode = network.NetworkNone
	made, err := b.api.ContainerCreate(b.ctx, &cfg, &host, nil, nil, b.name(name))
	b.must(err)
	b.t.Cleanup(func() {
		err := b.api.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !host.AutoRemove {
			b.t.Errorf("removing %s: %v", name, err)
		}
	})
	if start {
		b.must(b.api.ContainerStart(b.ctx, made.ID, container.StartOptions{}))
	}
	return made.ID
}

// ready waits until the tool's idle command would take a signal.
func (b *bench) ready(id string) {
	b.t.Helper()
	b.eventually("idle is ready", func() bool {
		log, err := b.Logs(b.ctx, Target{Kind: KindContainer, ContainerID: id}, LogOptions{})
		return err == nil && len(log.Lines) > 0
	})
}

// strangeVolume makes a volume without our labels.
func (b *bench) strangeVolume(name string) string {
	b.t.Helper()
	name = b.name(name)
	_, err := b.api.VolumeCreate(b.ctx, volume.CreateOptions{Name: name})
	b.must(err)
	b.t.Cleanup(func() {
		if _, err := b.Clean(context.Background(), b.incident, true); err != nil { // what of ours still uses it
			b.t.Error(err)
		}
		if err := b.api.VolumeRemove(context.Background(), name, false); err != nil {
			b.t.Errorf("removing volume %s: %v", name, err)
		}
	})
	return name
}

// volume makes a volume of ours.
func (b *bench) volume(name string, role Role) string {
	b.t.Helper()
	v, err := b.CreateVolume(b.ctx, b.name(name), Tag{b.incident, role}, nil)
	b.must(err)
	return v.Name
}

// spec is a container of ours that runs the tool.
func (b *bench) spec(mounts []Mount, argv ...string) Spec {
	return Spec{Tag: Tag{b.incident, RoleHelper}, Image: b.image, Cmd: argv, Mounts: mounts}
}

// tool runs the tool in a container of its own and returns its output.
func (b *bench) tool(mounts []Mount, argv ...string) string {
	b.t.Helper()
	s := b.spec(mounts, argv...)
	s.CapAdd = []string{"CHOWN", "DAC_OVERRIDE", "FOWNER"}
	out, stderr, code, err := b.RunOnce(b.ctx, s, nil)
	if err != nil || code != 0 {
		b.t.Fatalf("%v: exit %d, %v, %s", argv, code, err, stderr)
	}
	return string(out)
}

// eventually waits for something that the daemon does by itself.
func (b *bench) eventually(what string, ok func() bool) {
	b.t.Helper()
	for range 300 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("still not so: %s", what)
}

// vol is a mount of a volume.
func vol(name, dst string, readOnly bool) Mount {
	return Mount{Type: MountVolume, Name: name, Destination: dst, ReadOnly: readOnly}
}

// TestMain removes the image of the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if ref, err := toolImage(); err == nil {
		if c, err := Connect(context.Background()); err == nil {
			if err := c.RemoveHelperImage(context.Background(), ref); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}
	os.Exit(code)
}
