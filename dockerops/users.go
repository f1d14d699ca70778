package dockerops

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
)

// Source is data on this host: a volume, a directory, or a volume and where it
// is.
type Source struct {
	Volume string // volume name, "" for none
	Path   string // absolute host path, "" if only the volume is known
}

// Data is the source that a mount shows.
func (m Mount) Data() Source { return Source{Volume: m.Name, Path: m.Source} }

// Relation says how what a user mounts lies to what was asked for.
type Relation string

// The relations.
const (
	Same  Relation = "same"  // the very directory
	Above Relation = "above" // a directory that contains it, such as /var/lib/docker
	Below Relation = "below" // a directory inside it
)

// User is a container or service that can reach some data through a mount.
type User struct {
	Kind      Kind // KindContainer or KindService
	ID        string
	Name      string
	Image     string
	ImageID   string // "" for a service
	Status    string // of the container; "N of M tasks" for a service
	Running   bool   // container: running, restarting or paused; service: wants at least one task
	Mount     Mount
	Relation  Relation
	ServiceID string // the service, or that of which the container is a task
	Incident  string // not "" if the container is one of ours
}

// Writes reports whether the user may change the data now: it runs, and its
// mount is writable.
func (u User) Writes() bool { return u.Running && !u.Mount.ReadOnly }

// Is reports whether the user is the target itself, or a task of it.
func (u User) Is(t Target) bool {
	if u.ServiceID != "" && u.ServiceID == t.ServiceID {
		return true
	}
	return u.Kind == KindContainer && u.ID != "" && u.ID == t.ContainerID
}

// Users lists who mounts any of the data, in any mode, running or not: by
// volume name, and by overlapping host path, since a container may bind
// /var/lib/docker/volumes/NAME/_data, a directory above it, or one in it. A
// container with several such mounts appears once for each. Services are
// listed beside their containers: between two starts of a crash loop there is
// no container, yet the next one comes.
//
// Programs on the host, and other hosts that mount the same network file
// system, cannot be seen.
func (c *Client) Users(ctx context.Context, sources ...Source) ([]User, error) {
	m, err := c.matcher(ctx, sources)
	if err != nil {
		return nil, err
	}
	list, err := c.containers(ctx)
	if err != nil {
		return nil, err
	}
	var users []User
	for _, ct := range list {
		for _, mp := range ct.Mounts {
			mount := Mount{
				Type: string(mp.Type), Name: mp.Name, Source: mp.Source, Destination: mp.Destination,
				ReadOnly: !mp.RW, Driver: mp.Driver,
			}
			if rel, ok := m.match(mount); ok {
				users = append(users, userOf(ct, mount, rel))
			}
		}
	}
	services, err := c.services(ctx)
	if err != nil {
		return nil, err
	}
	for _, svc := range services {
		users = append(users, serviceUsers(svc, m)...)
	}
	return users, nil
}

// containers lists all containers, ordered by name.
func (c *Client) containers(ctx context.Context) ([]container.Summary, error) {
	call, cancel := short(ctx)
	defer cancel()
	list, err := c.api.ContainerList(call, container.ListOptions{All: true})
	if err != nil {
		return nil, wrap(ctx, err, "listing containers")
	}
	slices.SortFunc(list, func(a, b container.Summary) int { return cmp.Compare(nameOf(a), nameOf(b)) })
	return list, nil
}

// nameOf is a container's own name, without the aliases of links.
func nameOf(ct container.Summary) string {
	for _, n := range ct.Names {
		if n = strings.TrimPrefix(n, "/"); !strings.Contains(n, "/") {
			return n
		}
	}
	return ct.ID
}

// userOf describes one mount of a container.
func userOf(ct container.Summary, m Mount, rel Relation) User {
	return User{
		Kind: KindContainer, ID: ct.ID, Name: nameOf(ct), Image: ct.Image, ImageID: ct.ImageID,
		Status: ct.State, Mount: m, Relation: rel,
		Running:   ct.State == container.StateRunning || ct.State == container.StateRestarting || ct.State == container.StatePaused,
		ServiceID: ct.Labels[labelSwarmServiceID], Incident: ct.Labels[LabelIncident],
	}
}

// serviceUsers lists the mounts of a service's specification that match.
func serviceUsers(svc swarm.Service, m *matcher) []User {
	spec := svc.Spec.TaskTemplate.ContainerSpec
	if spec == nil {
		return nil
	}
	wants, status := true, "global"
	if r := svc.Spec.Mode.Replicated; r != nil && r.Replicas != nil {
		wants, status = *r.Replicas > 0, "wants "+strconv.FormatUint(*r.Replicas, 10)
	} else if slices.Contains(placement(svc.Spec).Constraints, neverConstraint) {
		wants = false
	}
	var users []User
	for _, sm := range spec.Mounts {
		v := Mount{Type: string(sm.Type), Destination: sm.Target, ReadOnly: sm.ReadOnly}
		if v.Type == MountVolume {
			v.Name = sm.Source
		} else {
			v.Source = sm.Source
		}
		if rel, ok := m.match(v); ok {
			users = append(users, User{
				Kind: KindService, ID: svc.ID, Name: svc.Spec.Name, Image: spec.Image, Status: status,
				Running: wants, Mount: v, Relation: rel, ServiceID: svc.ID,
			})
		}
	}
	return users
}

// matcher knows the wanted data, and where every volume has its bytes.
type matcher struct {
	volumes map[string]bool     // wanted by name
	paths   []string            // wanted by path, cleaned, with and without symbolic links resolved
	backing map[string][]string // volume name to host paths
}

// matcher prepares a search for sources.
func (c *Client) matcher(ctx context.Context, sources []Source) (*matcher, error) {
	vols, err := c.Volumes(ctx)
	if err != nil {
		return nil, err
	}
	m := &matcher{volumes: make(map[string]bool), backing: make(map[string][]string, len(vols))}
	for _, v := range vols {
		m.backing[v.Name] = withReal(v.Backing())
	}
	for _, s := range sources {
		if s.Path != "" && !filepath.IsAbs(s.Path) {
			return nil, fmt.Errorf("looking for users of %q: not an absolute path", s.Path)
		}
		if s.Volume != "" {
			m.volumes[s.Volume] = true
			m.paths = append(m.paths, m.backing[s.Volume]...)
		}
		if s.Path != "" {
			m.paths = append(m.paths, withReal([]string{s.Path})...)
		}
	}
	return m, nil
}

// match reports whether a mount shows wanted data. Same is preferred over the
// other relations.
func (m *matcher) match(mt Mount) (Relation, bool) {
	if mt.Name != "" && m.volumes[mt.Name] {
		return Same, true
	}
	paths := m.backing[mt.Name]
	if mt.Source != "" {
		paths = append(slices.Clone(paths), withReal([]string{mt.Source})...)
	}
	found := Relation("")
	for _, have := range paths {
		for _, want := range m.paths {
			switch {
			case have == want:
				return Same, true
			case within(want, have):
				found = Above
			case within(have, want):
				found = Below
			}
		}
	}
	return found, found != ""
}

// withReal cleans paths and adds what they are once symbolic links are
// resolved.
func withReal(paths []string) []string {
	out := make([]string, 0, 2*len(paths))
	for _, p := range paths {
		if p == "" {
			continue
		}
		clean := filepath.Clean(p)
		out = append(out, clean)
		if r := realPath(clean); r != clean {
			out = append(out, r)
		}
	}
	return out
}
