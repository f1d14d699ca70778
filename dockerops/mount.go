package dockerops

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// The types of mounts, as the Engine API names them.
const (
	MountVolume = "volume"
	MountBind   = "bind"
	MountTmpfs  = "tmpfs"
)

// Mount is one mount of a container or service as it is, not as it was asked
// for.
type Mount struct {
	Type        string // MountVolume, MountBind, MountTmpfs or another the API may name
	Name        string // volume name, "" for other types
	Source      string // path on the host; for a volume its mount point; "" if not known or tmpfs
	Destination string // path in the container
	ReadOnly    bool
	Driver      string // volume driver, "" for other types
	// Anonymous volumes have no name that a person gave. Docker deletes them
	// together with a --rm container, or by docker rm -v.
	Anonymous bool
}

// mountsOf lists a container's mounts ordered by destination, including tmpfs
// mounts, which inspect reports apart from the others.
func mountsOf(in container.InspectResponse) []Mount {
	named := namedVolumes(in)
	out := make([]Mount, 0, len(in.Mounts))
	for _, m := range in.Mounts {
		v := Mount{
			Type: string(m.Type), Name: m.Name, Source: m.Source, Destination: filepath.Clean(m.Destination),
			ReadOnly: !m.RW, Driver: m.Driver,
		}
		v.Anonymous = v.Type == MountVolume && !named[m.Name]
		out = append(out, v)
	}
	if in.ContainerJSONBase != nil && in.HostConfig != nil {
		for dst := range in.HostConfig.Tmpfs {
			out = append(out, Mount{Type: MountTmpfs, Destination: filepath.Clean(dst)})
		}
	}
	slices.SortFunc(out, func(a, b Mount) int { return cmp.Compare(a.Destination, b.Destination) })
	return out
}

// namedVolumes are the volumes that the container's configuration names. Those
// that it only uses came from the image's VOLUME or from -v /path.
func namedVolumes(in container.InspectResponse) map[string]bool {
	named := make(map[string]bool)
	if in.ContainerJSONBase == nil || in.HostConfig == nil {
		return named
	}
	for _, b := range in.HostConfig.Binds {
		name, _, ok := strings.Cut(b, ":")
		if ok {
			named[name] = true
		}
	}
	for _, m := range in.HostConfig.Mounts {
		if m.Type == mount.TypeVolume && m.Source != "" {
			named[m.Source] = true
		}
	}
	return named
}

// within reports whether path is dir or lies below it. Both are cleaned and
// absolute.
func within(path, dir string) bool {
	if path == "" || dir == "" {
		return false
	}
	return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
}

// realPath resolves symbolic links where this process may look, and returns
// the cleaned path where it may not (another user, or a daemon elsewhere).
func realPath(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	return filepath.Clean(path)
}
