package dockerops

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Resolve finds the target that spec names: "container:NAME", "volume:NAME",
// "service:NAME", "dir:PATH", or a bare name if only one thing has it. A bare
// name with a slash in it is a directory; one that no container, volume or
// service has may be a compose service or the start of a container id.
//
// A name that does not exist gives *NotFoundError, one that fits several
// things *AmbiguousError.
func (c *Client) Resolve(ctx context.Context, spec string) (Target, error) {
	kind, name, ok := strings.Cut(spec, ":")
	if !ok || !slices.Contains([]Kind{KindContainer, KindVolume, KindService, KindDir}, Kind(kind)) {
		return c.resolveBare(ctx, spec)
	}
	if name == "" {
		return Target{}, fmt.Errorf("target %q has no name after the colon", spec)
	}
	t, err := c.resolveFull(ctx, Kind(kind), name)
	if errors.Is(err, ErrNotFound) && !errors.As(err, new(*NotFoundError)) {
		return Target{}, c.notFound(ctx, spec, name, err)
	}
	return t, err
}

// resolveFull describes the one thing of that kind and name.
func (c *Client) resolveFull(ctx context.Context, kind Kind, name string) (Target, error) {
	switch kind {
	case KindContainer:
		return c.Container(ctx, name)
	case KindService:
		return c.service(ctx, name)
	case KindVolume:
		return c.volumeTarget(ctx, name)
	}
	return c.dirTarget(ctx, name)
}

// resolveBare looks among everything there is.
func (c *Client) resolveBare(ctx context.Context, name string) (Target, error) {
	if name == "" {
		return Target{}, fmt.Errorf("no target given: name a container, volume, service or directory")
	}
	if strings.ContainsRune(name, filepath.Separator) {
		return c.dirTarget(ctx, name)
	}
	all, err := c.names(ctx)
	if err != nil {
		return Target{}, err
	}
	found := pick(all, func(n named) bool { return n.name == name })
	if len(found) == 0 {
		found = pick(all, func(n named) bool {
			return n.compose == name || len(name) >= 4 && n.id != "" && strings.HasPrefix(n.id, name)
		})
	}
	switch len(found) {
	case 0:
		return Target{}, &NotFoundError{Name: name, Near: near(all, name)}
	case 1:
		return c.resolveFull(ctx, found[0].kind, found[0].name)
	}
	e := &AmbiguousError{Name: name}
	for _, n := range found {
		e.Candidates = append(e.Candidates, n.String())
	}
	return Target{}, e
}

// notFound adds near names to an answer of the daemon.
func (c *Client) notFound(ctx context.Context, spec, name string, cause error) error {
	all, err := c.names(ctx)
	if err != nil {
		return cause
	}
	return &NotFoundError{Name: spec, Near: near(all, name)}
}

// named is one thing that may be a target.
type named struct {
	kind    Kind
	name    string
	id      string // of a container
	compose string // compose service of a container
}

// String is the full name.
func (n named) String() string { return string(n.kind) + ":" + n.name }

// names lists everything that has a name, except what this package made.
func (c *Client) names(ctx context.Context) ([]named, error) {
	var all []named
	list, err := c.containers(ctx)
	if err != nil {
		return nil, err
	}
	for _, ct := range list {
		if ct.Labels[LabelIncident] == "" {
			all = append(all, named{kind: KindContainer, name: nameOf(ct), id: ct.ID, compose: ct.Labels[labelComposeService]})
		}
	}
	vols, err := c.Volumes(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range vols {
		if v.Tag.Incident == "" {
			all = append(all, named{kind: KindVolume, name: v.Name})
		}
	}
	services, err := c.services(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		all = append(all, named{kind: KindService, name: s.Spec.Name})
	}
	return all, nil
}

// pick filters.
func pick(all []named, keep func(named) bool) []named {
	var out []named
	for _, n := range all {
		if keep(n) {
			out = append(out, n)
		}
	}
	return out
}

// volumeTarget describes a volume and the container that stands for it.
func (c *Client) volumeTarget(ctx context.Context, name string) (Target, error) {
	v, err := c.Volume(ctx, name)
	if err != nil {
		return Target{}, err
	}
	t, err := c.usedTarget(ctx, Source{Volume: name})
	if err != nil {
		return Target{}, err
	}
	t.Kind, t.Name = KindVolume, name
	if t.ContainerID == "" {
		t.Mounts = []Mount{{Type: MountVolume, Name: name, Source: v.Mountpoint, Driver: v.Driver}}
	}
	return t, nil
}

// dirTarget describes a directory of this host and the container that stands
// for it, if any.
func (c *Client) dirTarget(ctx context.Context, path string) (Target, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Target{}, fmt.Errorf("target dir:%s: %w", path, err)
	}
	t, err := c.usedTarget(ctx, Source{Path: abs})
	if err != nil {
		return Target{}, err
	}
	t.Kind, t.Name = KindDir, abs
	return t, nil
}

// usedTarget finds who uses some data and chooses the container that stands
// for it: of those that have it writable (else of all), the one started last,
// provided they all have one image. Our own containers and those that only
// mount some directory above the data do not count.
func (c *Client) usedTarget(ctx context.Context, s Source) (Target, error) {
	users, err := c.Users(ctx, s)
	if err != nil {
		return Target{}, err
	}
	stand := slices.DeleteFunc(slices.Clone(users), func(u User) bool {
		return u.Kind != KindContainer || u.Incident != "" || u.Relation == Above && wide(u.Mount.Source, s.Path)
	})
	if rw := slices.DeleteFunc(slices.Clone(stand), func(u User) bool { return u.Mount.ReadOnly }); len(rw) > 0 {
		stand = rw
	}
	var best Target
	for _, u := range stand {
		if u.ImageID != stand[0].ImageID {
			return Target{UsedBy: users}, nil
		}
		t, err := c.Container(ctx, u.ID)
		if errors.Is(err, ErrNotFound) {
			continue // removed since it was listed
		}
		if err != nil {
			return Target{}, err
		}
		if best.ContainerID == "" || t.State.StartedAt.After(best.State.StartedAt) {
			best = t
		}
	}
	best.UsedBy = users
	return best, nil
}

// wide reports whether a bind mount is that of a monitoring agent (/, /var,
// /var/lib/docker) rather than of a program that owns the data. A data
// directory two levels below its mount is usual ("/var/lib/postgresql" over
// ".../18/docker"), more is not.
func wide(mount, path string) bool {
	if path == "" {
		return true // a volume: its own mount is never above it
	}
	rel, err := filepath.Rel(mount, path)
	return err != nil || strings.Count(rel, string(filepath.Separator)) > 1
}
