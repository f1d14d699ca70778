package dockerops

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// List describes everything that can be picked as a target: containers and
// services that keep crashing first, then exited, running and created ones,
// then volumes that nobody uses. Tasks of a service appear as the service.
// What this package made is left out, and so is what vanishes meanwhile.
// Which of them hold a database is for the caller to judge, from image,
// environment and mounts.
func (c *Client) List(ctx context.Context) ([]Target, error) {
	containers, used, err := c.listContainers(ctx)
	if err != nil {
		return nil, err
	}
	services, err := c.listServices(ctx)
	if err != nil {
		return nil, err
	}
	out := append(containers, services...)
	for _, t := range services {
		for _, m := range t.Mounts {
			used[m.Name] = true
		}
	}
	slices.SortStableFunc(out, func(a, b Target) int {
		return cmp.Or(cmp.Compare(urgency(a), urgency(b)), cmp.Compare(a.Name, b.Name))
	})
	vols, err := c.Volumes(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range vols {
		if v.Tag.Incident == "" && !used[v.Name] {
			out = append(out, Target{
				Kind: KindVolume, Name: v.Name,
				Mounts: []Mount{{Type: MountVolume, Name: v.Name, Source: v.Mountpoint, Driver: v.Driver}},
			})
		}
	}
	return out, nil
}

// urgency orders targets: 0 comes first.
func urgency(t Target) int {
	switch {
	case t.Looping():
		return 0
	case t.State.Running:
		return 2
	case t.State.Status == "created":
		return 3
	}
	return 1
}

// listContainers describes all containers that are not tasks and not ours, and
// names the volumes that any container uses.
func (c *Client) listContainers(ctx context.Context) (out []Target, used map[string]bool, err error) {
	list, err := c.containers(ctx)
	if err != nil {
		return nil, nil, err
	}
	used = make(map[string]bool)
	for _, ct := range list {
		for _, m := range ct.Mounts {
			used[m.Name] = true
		}
		if ct.Labels[LabelIncident] != "" || ct.Labels[labelSwarmServiceID] != "" {
			continue
		}
		t, err := c.Container(ctx, ct.ID)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		out = append(out, t)
	}
	return out, used, nil
}

// listServices describes all services. One whose tasks ran elsewhere is
// listed too: picking it says where to go.
func (c *Client) listServices(ctx context.Context) ([]Target, error) {
	services, err := c.services(ctx)
	if err != nil {
		return nil, err
	}
	var out []Target
	for _, svc := range services {
		tasks, err := c.tasks(ctx, svc.ID)
		if err != nil {
			return nil, err
		}
		t, err := c.serviceTarget(ctx, svc, tasks)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}
