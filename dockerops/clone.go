package dockerops

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/docker/docker/api/types/container"
)

// CloneSpec says what to clone.
type CloneSpec struct {
	Name     string // of the clone's volume; its scratch volume is called NAME-scratch
	Incident string
	Lower    string // volume to clone; nobody may write to it while the clone lives
	Subdir   string // directory in Lower to clone, "" for all of it
	Image    string // any local image; containers that are never started are made from it
}

// Clone is a writable copy-on-write view of a volume.
type Clone struct {
	Volume  string // mount this
	Scratch string // volume that holds what was written
	Lower   string
}

// Where the layers are in a scratch volume.
const (
	upperDir = "upper"
	workDir  = "work"
)

// OverlayClone makes a clone in well under a second, whatever the size: a
// volume that Docker's local driver mounts as an overlay. Each clone has a
// scratch volume of its own, so that RemoveClone frees all it used. The
// kernel copies a file up whole at its first write, even 1 GB for one byte.
//
// The clone's root directory gets the owner and mode of the lower one's:
// PostgreSQL refuses a data directory that is not its own. This is looked at
// through a first mount of the clone, so that a file system that cannot carry
// an overlay is noticed here.
//
// While a clone is in use, changing Lower is undefined behaviour by the
// kernel's rules.
func (c *Client) OverlayClone(ctx context.Context, s CloneSpec) (Clone, error) {
	cl := Clone{Volume: s.Name, Scratch: s.Name + "-scratch", Lower: s.Lower}
	lower, err := c.layerPath(ctx, s.Lower)
	if err != nil {
		return Clone{}, fmt.Errorf("cloning volume %s: %w", s.Lower, err)
	}
	if s.Subdir != "" && !filepath.IsLocal(s.Subdir) {
		return Clone{}, fmt.Errorf("cloning volume %s: directory %q is not inside it", s.Lower, s.Subdir)
	}
	lower = path.Join(lower, s.Subdir)
	if _, err := c.CreateVolume(ctx, cl.Scratch, Tag{s.Incident, RoleScratch}, nil); err != nil {
		return Clone{}, err
	}
	if err := c.buildClone(ctx, s, cl, lower); err != nil {
		return Clone{}, errors.Join(fmt.Errorf("cloning volume %s: %w", s.Lower, err),
			c.RemoveClone(context.WithoutCancel(ctx), cl))
	}
	return cl, nil
}

// buildClone makes the layers and the volume over them, and checks the result.
func (c *Client) buildClone(ctx context.Context, s CloneSpec, cl Clone, lower string) error {
	scratch, err := c.layerPath(ctx, cl.Scratch)
	if err != nil {
		return err
	}
	root, err := c.makeLayers(ctx, s, cl)
	if err != nil {
		return err
	}
	dirs := []string{lower, path.Join(scratch, upperDir), path.Join(scratch, workDir)}
	if err := plainPaths(dirs); err != nil {
		return err
	}
	_, err = c.CreateVolume(ctx, cl.Volume, Tag{s.Incident, RoleClone}, map[string]string{
		"type": "overlay", "device": "overlay",
		"o": fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", dirs[0], dirs[1], dirs[2]),
	})
	if err != nil {
		return err
	}
	mounts := []Mount{{Type: MountVolume, Name: cl.Volume, Destination: "/clone", ReadOnly: true}}
	return c.withIdle(ctx, s, mounts, func(id string) error {
		got, err := c.dirHeader(ctx, id, "/clone")
		if err != nil {
			return fmt.Errorf("the overlay cannot be mounted (make a full copy instead): %w", err)
		}
		if got.Uid != root.Uid || got.Gid != root.Gid || got.Mode != root.Mode {
			return fmt.Errorf("root directory of the clone is %d:%d mode %o, of the volume %d:%d mode %o",
				got.Uid, got.Gid, got.Mode, root.Uid, root.Gid, root.Mode)
		}
		return nil
	})
}

// RemoveClone removes the clone and what was written to it. No container may
// use it any more. What is gone already is no error.
func (c *Client) RemoveClone(ctx context.Context, cl Clone) error {
	// The overlay first: it keeps the scratch directories mounted.
	if err := c.RemoveVolume(ctx, cl.Volume); err != nil {
		return err
	}
	return c.RemoveVolume(ctx, cl.Scratch)
}

// layerPath is the host directory of a volume, if it may serve as a layer.
func (c *Client) layerPath(ctx context.Context, name string) (string, error) {
	v, err := c.Volume(ctx, name)
	if err != nil {
		return "", err
	}
	p, ok := v.Path()
	if !ok {
		return "", fmt.Errorf("volume %s (driver %s) has no directory on this host to lay a clone over: make a full copy instead", name, v.Driver)
	}
	return p, nil
}

// plainPaths refuses paths that overlay's options or Docker's parsing of them
// would take apart.
func plainPaths(paths []string) error {
	for _, p := range paths {
		if strings.ContainsAny(p, `:,\"`) {
			return fmt.Errorf("the path %s has a colon, comma, quote or backslash in it, which the options of an overlay cannot hold: make a full copy instead", p)
		}
	}
	return nil
}

// makeLayers makes the upper and work directories, and returns what the lower
// root directory is like. It goes through the archive calls of the API, which
// work on a container that never starts.
func (c *Client) makeLayers(ctx context.Context, s CloneSpec, cl Clone) (root *tar.Header, err error) {
	mounts := []Mount{
		{Type: MountVolume, Name: s.Lower, Destination: "/lower", ReadOnly: true},
		{Type: MountVolume, Name: cl.Scratch, Destination: "/scratch"},
	}
	err = c.withIdle(ctx, s, mounts, func(id string) error {
		at := "/lower"
		// Each directory on the way: the kernel would follow a symbolic link
		// on the host, where it means another place.
		for _, part := range strings.Split(path.Join(".", s.Subdir), "/") {
			at = path.Join(at, part)
			if root, err = c.dirHeader(ctx, id, at); err != nil {
				return err
			}
		}
		return c.putDirs(ctx, id, "/scratch", []tar.Header{
			{Name: upperDir, Mode: root.Mode, Uid: root.Uid, Gid: root.Gid, ModTime: root.ModTime},
			{Name: workDir, Mode: 0o700},
		})
	})
	return root, err
}

// withIdle runs f with a container that has the mounts and is never started.
func (c *Client) withIdle(ctx context.Context, s CloneSpec, mounts []Mount, f func(id string) error) (err error) {
	id, err := c.Create(ctx, Spec{
		Tag: Tag{s.Incident, RoleHelper}, Image: s.Image, Entrypoint: []string{"/never-started"}, Mounts: mounts,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.removeAfter(ctx, id)) }()
	return f(id)
}

// dirHeader reads the archive header of a directory, without what is in it.
// It fails for anything but a directory.
func (c *Client) dirHeader(ctx context.Context, id, dir string) (*tar.Header, error) {
	call, cancel := slow(ctx)
	defer cancel()
	st, err := c.api.ContainerStatPath(call, id, dir)
	if err != nil {
		return nil, wrap(ctx, err, "looking at %s", dir)
	}
	if !st.Mode.IsDir() || st.Mode&fs.ModeSymlink != 0 {
		return nil, fmt.Errorf("%s is not a directory but %s", dir, st.Mode)
	}
	r, _, err := c.api.CopyFromContainer(call, id, dir)
	if err != nil {
		return nil, wrap(ctx, err, "looking at %s", dir)
	}
	defer r.Close() // ends the archive after its first header
	h, err := tar.NewReader(r).Next()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("looking at %s: empty archive", dir)
	}
	return h, wrap(ctx, err, "looking at %s", dir)
}

// putDirs makes directories in dir.
func (c *Client) putDirs(ctx context.Context, id, dir string, dirs []tar.Header) error {
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, h := range dirs {
		h.Typeflag, h.Name, h.Format = tar.TypeDir, h.Name+"/", tar.FormatPAX
		if err := tw.WriteHeader(&h); err != nil {
			return fmt.Errorf("making %s: %w", h.Name, err)
		}
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("making directories in %s: %w", dir, err)
	}
	call, cancel := slow(ctx)
	defer cancel()
	return wrap(ctx, c.api.CopyToContainer(call, id, dir, &buf, container.CopyToContainerOptions{}), "making directories in %s", dir)
}
