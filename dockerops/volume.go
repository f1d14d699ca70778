package dockerops

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
)

// localDriver is Docker's built-in volume driver: a directory of the host, or
// with options any mount(8) can make.
const localDriver = "local"

// Volume is a Docker volume.
type Volume struct {
	Name       string
	Driver     string
	Mountpoint string            // host path; empty directory there while a volume with Options is not in use
	Options    map[string]string // of the local driver: type, device, o; may hold a password for cifs, so never logged
	Tag        Tag               // zero if not made by this package
	CreatedAt  time.Time
}

// volumeOf turns an answer of the API into a Volume.
func volumeOf(v volume.Volume) Volume {
	return Volume{
		Name: v.Name, Driver: v.Driver, Mountpoint: v.Mountpoint, Options: v.Options,
		Tag:       Tag{Incident: v.Labels[LabelIncident], Role: Role(v.Labels[LabelRole])},
		CreatedAt: dockerTime(v.CreatedAt),
	}
}

// Path is the host directory that holds the volume's files, also while no
// container uses it. ok is false if there is none: an overlay, a remote file
// system, or another driver than local.
func (v Volume) Path() (path string, ok bool) {
	switch {
	case v.Driver != localDriver:
		return "", false
	case len(v.Options) == 0:
		return v.Mountpoint, true
	case slices.Contains(mountOptions(v.Options["o"]), "bind") && filepath.IsAbs(v.Options["device"]):
		return filepath.Clean(v.Options["device"]), true
	}
	return "", false
}

// Backing lists the host directories whose bytes the volume shows or writes:
// its mount point, the directory that it binds, the layers of an overlay.
func (v Volume) Backing() []string {
	paths := []string{v.Mountpoint}
	if p, ok := v.Path(); ok && p != v.Mountpoint {
		paths = append(paths, p)
	}
	return append(paths, slices.Concat(v.layers("lowerdir"), v.layers("upperdir"), v.layers("workdir"))...)
}

// layers are the directories of one overlay option.
func (v Volume) layers(option string) []string {
	if v.Options["type"] != "overlay" {
		return nil
	}
	for _, o := range mountOptions(v.Options["o"]) {
		if dirs, ok := strings.CutPrefix(o, option+"="); ok {
			return strings.Split(dirs, ":")
		}
	}
	return nil
}

// mountOptions splits the value of a volume's option "o".
func mountOptions(o string) []string { return strings.Split(o, ",") }

// Volume describes one volume. The error matches ErrNotFound if there is none.
func (c *Client) Volume(ctx context.Context, name string) (Volume, error) {
	call, cancel := short(ctx)
	defer cancel()
	v, err := c.api.VolumeInspect(call, name)
	if err != nil {
		return Volume{}, wrap(ctx, err, "inspecting volume %s", name)
	}
	return volumeOf(v), nil
}

// Volumes lists all volumes, ordered by name.
func (c *Client) Volumes(ctx context.Context) ([]Volume, error) {
	return c.volumes(ctx, filters.NewArgs())
}

// volumes lists the volumes that a filter lets through.
func (c *Client) volumes(ctx context.Context, f filters.Args) ([]Volume, error) {
	call, cancel := short(ctx)
	defer cancel()
	list, err := c.api.VolumeList(call, volume.ListOptions{Filters: f})
	if err != nil {
		return nil, wrap(ctx, err, "listing volumes")
	}
	out := make([]Volume, 0, len(list.Volumes))
	for _, v := range list.Volumes {
		out = append(out, volumeOf(*v))
	}
	slices.SortFunc(out, func(a, b Volume) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// CreateVolume makes an empty volume of the local driver. options are that
// driver's, nil for a plain directory under Docker's root. A volume of that
// name that is already there is an error, unlike with docker volume create:
// somebody's data must not be taken for a fresh directory.
func (c *Client) CreateVolume(ctx context.Context, name string, tag Tag, options map[string]string) (Volume, error) {
	labels, err := tag.labels(nil)
	if err != nil {
		return Volume{}, fmt.Errorf("making volume %s: %w", name, err)
	}
	if name == "" {
		return Volume{}, fmt.Errorf("making a volume: no name given")
	}
	if old, err := c.Volume(ctx, name); err == nil {
		return Volume{}, fmt.Errorf("making volume %s: it is already there (incident %q, role %q): choose another name or remove it",
			name, old.Tag.Incident, old.Tag.Role)
	}
	call, cancel := slow(ctx)
	defer cancel()
	v, err := c.api.VolumeCreate(call, volume.CreateOptions{Driver: localDriver, Name: name, Labels: labels, DriverOpts: options})
	if err != nil {
		return Volume{}, wrap(ctx, err, "making volume %s", name)
	}
	made := volumeOf(v)
	if made.Tag != tag {
		return Volume{}, fmt.Errorf("making volume %s: another program made one of that name at the same moment: choose another name", name)
	}
	return made, nil
}

// RemoveVolume removes a volume that this package made, with all it holds.
// Others are refused. A volume that is not there is no error.
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	v, err := c.Volume(ctx, name)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if v.Tag.Incident == "" {
		return fmt.Errorf("removing volume %s: pgrescue did not make it, so it is kept", name)
	}
	call, cancel := slow(ctx)
	defer cancel()
	if err := c.api.VolumeRemove(call, name, false); err != nil {
		if err := wrap(ctx, err, "removing volume %s", name); !isNotFound(err) {
			return err
		}
	}
	return nil
}

// Usage is the size in bytes of the files in a volume, -1 if the daemon cannot
// tell, which is so for other drivers and for volumes with options. The daemon
// walks all volumes, images and containers to answer: this is slow on a large
// host and has no time limit but ctx.
func (c *Client) Usage(ctx context.Context, name string) (int64, error) {
	du, err := c.api.DiskUsage(ctx, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.VolumeObject}})
	if err != nil {
		return 0, wrap(ctx, err, "measuring volume %s", name)
	}
	for _, v := range du.Volumes {
		if v.Name == name && v.UsageData != nil {
			return v.UsageData.Size, nil
		}
	}
	return 0, fmt.Errorf("measuring volume %s: %w", name, ErrNotFound)
}
