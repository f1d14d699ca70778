package dockerops

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
)

// Object is a container or volume that this package made.
type Object struct {
	Kind Kind   // KindContainer or KindVolume
	ID   string // container id or volume name
	Name string
	Tag  Tag
}

// Owned lists what was made for an incident, or for any if it is "", in the
// order in which it can be removed: containers, clones, their scratch volumes,
// other volumes, snapshots.
func (c *Client) Owned(ctx context.Context, incident string) ([]Object, error) {
	label := LabelIncident
	if incident != "" {
		label += "=" + incident
	}
	f := filters.NewArgs(filters.Arg("label", label))
	call, cancel := short(ctx)
	defer cancel()
	list, err := c.api.ContainerList(call, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return nil, wrap(ctx, err, "listing our containers")
	}
	var out []Object
	for _, ct := range list {
		out = append(out, Object{
			Kind: KindContainer, ID: ct.ID, Name: nameOf(ct),
			Tag: Tag{Incident: ct.Labels[LabelIncident], Role: Role(ct.Labels[LabelRole])},
		})
	}
	vols, err := c.volumes(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, v := range vols {
		out = append(out, Object{Kind: KindVolume, ID: v.Name, Name: v.Name, Tag: v.Tag})
	}
	slices.SortStableFunc(out, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// rank orders removal: what uses comes before what is used.
func (o Object) rank() int {
	if o.Kind == KindContainer {
		return 0
	}
	switch o.Tag.Role {
	case RoleClone:
		return 1
	case RoleScratch:
		return 2
	case RoleSnapshot:
		return 4
	}
	return 3
}

// Clean removes what was made for an incident and returns what it removed.
// Snapshots are kept unless asked for: they may be the only good copy. It
// goes on past failures and returns them all.
func (c *Client) Clean(ctx context.Context, incident string, snapshots bool) ([]Object, error) {
	if incident == "" {
		return nil, errors.New("cleaning: no incident given")
	}
	all, err := c.Owned(ctx, incident)
	if err != nil {
		return nil, err
	}
	var removed []Object
	var failed []error
	for _, o := range all {
		if o.Kind == KindVolume && o.Tag.Role == RoleSnapshot && !snapshots {
			continue
		}
		remove := c.RemoveVolume
		if o.Kind == KindContainer {
			remove = c.Remove
		}
		if err := remove(ctx, o.ID); err != nil {
			failed = append(failed, err)
			continue
		}
		removed = append(removed, o)
	}
	return removed, errors.Join(failed...)
}
