package dockerops

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
)

// Spec describes a container to make. Whatever it says, the container gets no
// network, no restart policy, no new privileges, no health check, no SELinux
// relabelling, and only the capabilities in CapAdd.
type Spec struct {
	Name       string // "" lets Docker choose
	Tag        Tag
	Image      string   // reference or id of a local image; never pulled
	Entrypoint []string // nil keeps the image's, which for database images may initialise or chown the data: set it
	Cmd        []string
	User       string // "uid:gid", "" is the image's default
	WorkingDir string
	Env        []string // "NAME=value", added to the image's
	Mounts     []Mount  // Type, Name or Source, Destination and ReadOnly are used

	Tmpfs          map[string]string // path to mount options, such as "/tmp": "mode=1777"
	ReadonlyRootfs bool
	CapAdd         []string // all others are dropped
	StopSignal     string   // "" is the image's
	ShmSize        int64    // bytes of /dev/shm, 0 for Docker's 64 MB
	Memory         int64    // bytes, 0 for no limit
	PidsLimit      int64    // 0 for no limit
	Init           bool     // run Docker's init as process 1, to reap orphans
	OpenStdin      bool     // give process 1 a stdin that Attach can write to
}

// Create makes the container without starting it and returns its id.
func (c *Client) Create(ctx context.Context, s Spec) (string, error) {
	labels, err := s.Tag.labels(nil)
	if err != nil {
		return "", fmt.Errorf("making container %s: %w", s.Name, err)
	}
	host, err := s.hostConfig()
	if err != nil {
		return "", fmt.Errorf("making container %s: %w", s.Name, err)
	}
	if err := c.coverVolumes(ctx, s.Image, host); err != nil {
		return "", err
	}
	cfg := &container.Config{
		Image: s.Image, Entrypoint: s.Entrypoint, Cmd: s.Cmd, User: s.User, WorkingDir: s.WorkingDir, Env: s.Env,
		Labels: labels, StopSignal: s.StopSignal, NetworkDisabled: true,
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
		OpenStdin:   s.OpenStdin, StdinOnce: s.OpenStdin, AttachStdin: s.OpenStdin, AttachStdout: true, AttachStderr: true,
	}
	call, cancel := slow(ctx)
	defer cancel()
	made, err := c.api.ContainerCreate(call, cfg, host, &network.NetworkingConfig{}, nil, s.Name)
	return made.ID, wrap(ctx, err, "making container %s from image %s", s.Name, s.Image)
}

// coverSize is the size of the tmpfs that covers a VOLUME of an image.
const coverSize = 1 << 20

// coverVolumes puts a small tmpfs on every VOLUME of the image that no mount
// is at. Docker would make an anonymous volume there, which the container's
// isolation would have to account for.
func (c *Client) coverVolumes(ctx context.Context, ref string, h *container.HostConfig) error {
	call, cancel := short(ctx)
	defer cancel()
	img, err := c.api.ImageInspect(call, ref)
	if err != nil {
		err = wrap(ctx, err, "looking for image %s", ref)
		if isNotFound(err) {
			return fmt.Errorf("%w: it must be on this host, it is not pulled", err)
		}
		return err
	}
	if img.Config == nil {
		return nil
	}
	for dst := range img.Config.Volumes {
		dst = path.Clean(dst)
		_, covered := h.Tmpfs[dst]
		if !covered && !slices.ContainsFunc(h.Mounts, func(m mount.Mount) bool { return path.Clean(m.Target) == dst }) {
			h.Mounts = append(h.Mounts, mount.Mount{
				Type: mount.TypeTmpfs, Target: dst, TmpfsOptions: &mount.TmpfsOptions{SizeBytes: coverSize, Mode: 0o755},
			})
		}
	}
	return nil
}

// hostConfig is the part of a Spec that isolates.
func (s Spec) hostConfig() (*container.HostConfig, error) {
	mounts, err := s.mounts()
	if err != nil {
		return nil, err
	}
	h := &container.HostConfig{
		NetworkMode:    network.NetworkNone,
		RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
		Mounts:         mounts,
		Tmpfs:          s.Tmpfs,
		ReadonlyRootfs: s.ReadonlyRootfs,
		CapAdd:         s.CapAdd,
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges", "label=disable"},
		ShmSize:        s.ShmSize,
		IpcMode:        container.IPCModePrivate,
		// A server that dies in replay must not leave a core file in its data directory.
		Resources: container.Resources{Memory: s.Memory, Ulimits: []*container.Ulimit{{Name: "core"}}},
	}
	if s.PidsLimit > 0 {
		h.PidsLimit = &s.PidsLimit
	}
	if s.Init {
		h.Init = &s.Init
	}
	return h, nil
}

// mounts translates the mounts. Volumes are mounted with nocopy, or an empty
// one would be filled from the image; binds must exist, or Docker would make
// a directory of that name.
func (s Spec) mounts() ([]mount.Mount, error) {
	out := make([]mount.Mount, 0, len(s.Mounts))
	for _, m := range s.Mounts {
		if !path.IsAbs(m.Destination) {
			return nil, fmt.Errorf("mount of %s%s: destination %q is not absolute", m.Name, m.Source, m.Destination)
		}
		v := mount.Mount{Type: mount.Type(m.Type), Target: m.Destination, ReadOnly: m.ReadOnly}
		switch {
		case m.Type == MountVolume && m.Name != "":
			v.Source, v.VolumeOptions = m.Name, &mount.VolumeOptions{NoCopy: true}
		case m.Type == MountBind && path.IsAbs(m.Source):
			v.Source, v.BindOptions = m.Source, &mount.BindOptions{Propagation: mount.PropagationRPrivate}
		default:
			return nil, fmt.Errorf("mount at %s: neither a named volume nor an absolute host path", m.Destination)
		}
		out = append(out, v)
	}
	return out, nil
}

// Start starts a container. It returns once process 1 runs, not once it is
// ready.
func (c *Client) Start(ctx context.Context, id string) error {
	call, cancel := slow(ctx)
	defer cancel()
	return wrap(ctx, c.api.ContainerStart(call, id, container.StartOptions{}), "starting container %s", id)
}

// Exit is how a container's process 1 ended.
type Exit struct {
	Code      int
	OOMKilled bool
	Error     string // Docker's reason why it could not be started, else ""
}

// Wait waits until the container does not run, without a time limit but ctx's.
func (c *Client) Wait(ctx context.Context, id string) (Exit, error) {
	done, failed := c.api.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case err := <-failed:
		return Exit{}, wrap(ctx, err, "waiting for container %s", id)
	case r := <-done:
		if r.Error != nil {
			return Exit{}, fmt.Errorf("waiting for container %s: %s", id, r.Error.Message)
		}
		t, err := c.Container(ctx, id)
		if err != nil {
			return Exit{}, err
		}
		return Exit{Code: int(r.StatusCode), OOMKilled: t.State.OOMKilled, Error: t.State.Error}, nil
	}
}

// Stop asks process 1 to end by its stop signal, and kills it after grace. It
// returns when the container does not run.
func (c *Client) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := int(grace.Round(time.Second).Seconds())
	call, cancel := context.WithTimeout(ctx, grace+callTimeout)
	defer cancel()
	return wrap(ctx, c.api.ContainerStop(call, id, container.StopOptions{Timeout: &seconds}), "stopping container %s", id)
}

// Kill sends a signal ("SIGINT", "SIGKILL") to process 1 of one of our
// containers; others are refused.
func (c *Client) Kill(ctx context.Context, id, signal string) error {
	if err := c.ours(ctx, id); err != nil {
		return fmt.Errorf("sending %s: %w", signal, err)
	}
	call, cancel := short(ctx)
	defer cancel()
	return wrap(ctx, c.api.ContainerKill(call, id, signal), "sending %s to container %s", signal, id)
}

// Remove kills and removes one of our containers with its anonymous volumes;
// others are refused. One that is not there is no error.
func (c *Client) Remove(ctx context.Context, id string) error {
	if err := c.ours(ctx, id); err != nil {
		if isNotFound(err) {
			return nil
		}
		return fmt.Errorf("removing: %w", err)
	}
	call, cancel := slow(ctx)
	defer cancel()
	err := c.api.ContainerRemove(call, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if isConflict(err) && strings.Contains(err.Error(), "already in progress") {
		return c.awaitRemoved(ctx, id)
	}
	if err := wrap(ctx, err, "removing container %s", id); !isNotFound(err) {
		return err
	}
	return nil
}

// awaitRemoved waits for a removal that somebody else began.
func (c *Client) awaitRemoved(ctx context.Context, id string) error {
	err := poll(ctx, callTimeout, func() (bool, error) {
		_, err := c.inspect(ctx, id)
		if isNotFound(err) {
			return true, nil
		}
		return false, err
	})
	return wrap(ctx, err, "waiting for the removal of container %s", id)
}

// ours fails unless this package made the container.
func (c *Client) ours(ctx context.Context, id string) error {
	in, err := c.inspect(ctx, id)
	if err != nil {
		return err
	}
	if in.Config == nil || in.Config.Labels[LabelIncident] == "" {
		return fmt.Errorf("container %s: pgrescue did not make it, so it is left alone", id)
	}
	return nil
}

// errNotYet is what poll returns when time runs out.
var errNotYet = errors.New("still not so")

// poll calls done with growing pauses until it reports true, fails, or limit
// or ctx ends.
func poll(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		if time.Now().Add(pause).After(deadline) {
			return fmt.Errorf("%w after %s", errNotYet, limit)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}
