package dockerops

import (
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
)

func TestIsolationHolds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	original := b.strangeVolume("original")
	snap := b.volume("snap", RoleSnapshot)
	cl, err := b.OverlayClone(b.ctx, CloneSpec{Name: b.name("clone"), Incident: b.incident, Lower: snap, Image: b.image})
	b.must(err)
	s := b.spec([]Mount{vol(cl.Volume, "/data", false), vol(original, "/original", true)}, "idle")
	s.Tag.Role, s.CapAdd, s.ReadonlyRootfs = RoleSandbox, []string{"DAC_OVERRIDE"}, true
	s.Tmpfs, s.PidsLimit, s.Memory, s.ShmSize, s.Init = map[string]string{"/tmp": ""}, 100, 64<<20, 1<<20, true
	id, err := b.Run(b.ctx, s)
	b.must(err)
	r, err := b.Isolation(b.ctx, id, Rules{
		Allowed:   []Source{{Volume: cl.Volume}, {Volume: original}},
		Originals: []Source{{Volume: original}, {Volume: snap}}, Caps: []string{"DAC_OVERRIDE"},
	})
	b.must(err)
	if !r.OK() || len(r.Facts) < 18 {
		t.Errorf("%d facts, violations: %v", len(r.Facts), r.Violations())
	}

	id, err = b.Create(b.ctx, b.spec([]Mount{vol(snap, "/data", false)}, "idle"))
	b.must(err)
	r, err = b.Isolation(b.ctx, id, Rules{Allowed: []Source{{Volume: cl.Volume}}})
	b.must(err)
	if r.OK() {
		t.Error("leave to mount a clone is taken for leave to mount its snapshot")
	}
}

// Each way out is really given to a container, and has to be seen.
func TestIsolationCatches(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	original := b.strangeVolume("original")
	other := b.strangeVolume("other")
	ov, err := b.Volume(b.ctx, original)
	b.must(err)
	none := container.HostConfig{
		NetworkMode: network.NetworkNone, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"}, IpcMode: "private",
	}
	mounted := func(m mount.Mount) func(*container.HostConfig) {
		return func(h *container.HostConfig) { h.Mounts = []mount.Mount{m} }
	}
	stranger := b.stranger("with-data", containerCmd("idle"), withVolume(other), false)
	tests := []struct {
		name string // of the fact
		edit func(*container.HostConfig)
	}{
		{"network mode", func(h *container.HostConfig) { h.NetworkMode = "bridge" }},
		{"networks attached", func(h *container.HostConfig) { h.NetworkMode = "bridge" }},
		{"ports published", func(h *container.HostConfig) {
			h.NetworkMode, h.PortBindings = "bridge", nat.PortMap{"5432/tcp": {{HostIP: "127.0.0.1"}}}
		}},
		{"extra hosts", func(h *container.HostConfig) { h.NetworkMode, h.ExtraHosts = "bridge", []string{"prod:10.0.0.1"} }},
		{"privileged", func(h *container.HostConfig) { h.Privileged = true }},
		{"capabilities dropped", func(h *container.HostConfig) { h.CapDrop = nil }},
		{"capabilities beyond those allowed", func(h *container.HostConfig) { h.CapAdd = []string{"SYS_ADMIN"} }},
		{"new privileges", func(h *container.HostConfig) { h.SecurityOpt = nil }},
		{"security profiles off", func(h *container.HostConfig) { h.SecurityOpt = append(h.SecurityOpt, "seccomp=unconfined") }},
		{"devices", func(h *container.HostConfig) {
			h.Devices = []container.DeviceMapping{{PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "rwm"}}
		}},
		{"restart policy", func(h *container.HostConfig) { h.RestartPolicy.Name = "always" }},
		{"namespaces shared", func(h *container.HostConfig) { h.PidMode = "host" }},
		{"volumes from other containers", func(h *container.HostConfig) { h.VolumesFrom = []string{stranger} }},
		{"mount /m", mounted(mount.Mount{Type: mount.TypeVolume, Source: other, Target: "/m"})},
		{"mount /m", mounted(mount.Mount{Type: mount.TypeVolume, Source: original, Target: "/m"})},
		{"mount /m", mounted(mount.Mount{Type: mount.TypeBind, Source: ov.Mountpoint, Target: "/m"})},
		{"mount /m", mounted(mount.Mount{Type: mount.TypeBind, Source: "/var/lib", Target: "/m"})},
		{"mount /m", mounted(mount.Mount{Type: mount.TypeBind, Source: "/var/run/docker.sock", Target: "/m", ReadOnly: true})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := none
			h.SecurityOpt = slices.Clone(h.SecurityOpt)
			tt.edit(&h)
			made, err := b.api.ContainerCreate(b.ctx, &container.Config{Image: b.image, Cmd: []string{"idle"},
				Labels: map[string]string{LabelIncident: b.incident, LabelRole: "sandbox"}}, &h, nil, nil, "")
			b.must(err)
			if strings.HasPrefix(tt.name, "network") || tt.name == "ports published" {
				b.must(b.Start(b.ctx, made.ID))
			}
			defer func() { b.must(b.Remove(b.ctx, made.ID)) }()
			r, err := b.Isolation(b.ctx, made.ID, Rules{
				Allowed: []Source{{Volume: original}}, Originals: []Source{{Volume: original}},
			})
			b.must(err)
			if !slices.ContainsFunc(r.Violations(), func(f Fact) bool { return f.Name == tt.name }) {
				t.Errorf("not seen: violations %v of %v", r.Violations(), r.Facts)
			}
		})
	}
}

func TestIsolationCatchesCloneThatWritesToOriginal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	original := b.strangeVolume("original")
	ov, err := b.Volume(b.ctx, original)
	b.must(err)
	evil, err := b.CreateVolume(b.ctx, b.name("evil"), Tag{b.incident, RoleClone}, map[string]string{
		"type": "overlay", "device": "overlay", "o": "lowerdir=/tmp,upperdir=" + ov.Mountpoint + ",workdir=" + ov.Mountpoint + "-w",
	})
	b.must(err)
	id, err := b.Create(b.ctx, b.spec(nil, "idle"))
	b.must(err)
	in, err := b.inspect(b.ctx, id)
	b.must(err)
	in.Mounts = append(in.Mounts, container.MountPoint{Type: mount.TypeVolume, Name: evil.Name, Source: evil.Mountpoint, Destination: "/m", RW: true})
	r := Report{}
	b.must(r.mounts(b.ctx, b.Client, in, Rules{Allowed: []Source{{Volume: evil.Name}}, Originals: []Source{{Volume: original}}}))
	if r.OK() {
		t.Errorf("not seen: %v", r.Facts)
	}
}
