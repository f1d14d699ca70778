package dockerops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// defaultStopGrace is what Swarm gives a task that does not say
// (StopGracePeriod in the Engine API's ContainerSpec).
const defaultStopGrace = 10 * time.Second

// service describes a Swarm service by name or id. A service whose newest task
// ran on another node is refused: local volumes are there, not here.
func (c *Client) service(ctx context.Context, nameOrID string) (Target, error) {
	host, err := c.Host(ctx)
	if err != nil {
		return Target{}, err
	}
	if err := host.Swarm.usable(nameOrID); err != nil {
		return Target{}, err
	}
	svc, err := c.serviceInspect(ctx, nameOrID)
	if err != nil {
		return Target{}, err
	}
	tasks, err := c.tasks(ctx, svc.ID)
	if err != nil {
		return Target{}, err
	}
	if node := newest(tasks).NodeID; node != "" && node != host.Swarm.NodeID {
		return Target{}, fmt.Errorf("service %s last ran on %s, and its data is there: run pgrescue on that node",
			svc.Spec.Name, c.nodeName(ctx, node))
	}
	return c.serviceTarget(ctx, svc, tasks)
}

// usable says why services cannot be reached from here.
func (s SwarmState) usable(service string) error {
	switch {
	case !s.Active:
		return fmt.Errorf("service %s: %w: this docker host is not part of a swarm", service, ErrNotFound)
	case !s.Manager:
		return fmt.Errorf("service %s: this docker host is a swarm worker and cannot see services: "+
			"run pgrescue on a manager, or name the container", service)
	}
	return nil
}

// serviceTarget puts a service and its newest local container together.
func (c *Client) serviceTarget(ctx context.Context, svc swarm.Service, tasks []swarm.Task) (Target, error) {
	t := Target{}
	task := newest(tasks)
	if id := taskOf(task).ContainerID; id != "" {
		ct, err := c.Container(ctx, id)
		switch {
		case err == nil:
			t = ct
		case !errors.Is(err, ErrNotFound): // Swarm removes the containers of old tasks
			return Target{}, err
		}
	}
	t.Kind, t.Name, t.ServiceID = KindService, svc.Spec.Name, svc.ID
	if t.ContainerID == "" {
		if err := c.fillFromSpec(ctx, &t, svc.Spec.TaskTemplate.ContainerSpec); err != nil {
			return Target{}, err
		}
	}
	t.Service = serviceState(svc, tasks)
	return t, nil
}

// fillFromSpec stands in for a container that does not exist at the moment.
func (c *Client) fillFromSpec(ctx context.Context, t *Target, spec *swarm.ContainerSpec) error {
	if spec == nil {
		return fmt.Errorf("service %s runs a plugin, not a container", t.Name)
	}
	t.Image, t.User, t.WorkingDir, t.StopSignal = spec.Image, spec.User, spec.Dir, spec.StopSignal
	t.Entrypoint, t.Cmd = slices.Clone(spec.Command), slices.Clone(spec.Args)
	env := spec.Env
	call, cancel := short(ctx)
	defer cancel()
	if img, err := c.api.ImageInspect(call, spec.Image); err == nil {
		t.ImageID = img.ID
		if img.Config != nil {
			env = append(slices.Clone(img.Config.Env), spec.Env...)
		}
	} else if err := wrap(ctx, err, "inspecting image %s", spec.Image); !errors.Is(err, ErrNotFound) {
		return err
	}
	t.Env = c.keptEnv(env)
	for _, m := range spec.Mounts {
		t.Mounts = append(t.Mounts, c.specMount(ctx, m))
	}
	return nil
}

// specMount describes a mount that a service asks for. A volume that is not on
// this host yet has no Source.
func (c *Client) specMount(ctx context.Context, m mount.Mount) Mount {
	v := Mount{Type: string(m.Type), Destination: m.Target, ReadOnly: m.ReadOnly}
	if m.Type != mount.TypeVolume {
		v.Source = m.Source
		return v
	}
	v.Name, v.Anonymous = m.Source, m.Source == ""
	if m.Source != "" {
		if vol, err := c.Volume(ctx, m.Source); err == nil {
			v.Source, v.Driver = vol.Mountpoint, vol.Driver
		}
	}
	return v
}

// serviceInspect asks for a service's current specification and version.
func (c *Client) serviceInspect(ctx context.Context, nameOrID string) (swarm.Service, error) {
	call, cancel := short(ctx)
	defer cancel()
	svc, _, err := c.api.ServiceInspectWithRaw(call, nameOrID, swarm.ServiceInspectOptions{})
	return svc, wrap(ctx, err, "inspecting service %s", nameOrID)
}

// tasks lists all tasks of a service that Swarm remembers, newest first.
func (c *Client) tasks(ctx context.Context, serviceID string) ([]swarm.Task, error) {
	call, cancel := short(ctx)
	defer cancel()
	tasks, err := c.api.TaskList(call, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", serviceID))})
	if err != nil {
		return nil, wrap(ctx, err, "listing the tasks of service %s", serviceID)
	}
	slices.SortStableFunc(tasks, func(a, b swarm.Task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return tasks, nil
}

// newest is the newest task that had a container, else the newest that had a
// node, else the newest. tasks are ordered newest first.
func newest(tasks []swarm.Task) swarm.Task {
	var best swarm.Task
	rank := -1
	for _, t := range tasks {
		r := 0
		if t.NodeID != "" {
			r = 1
		}
		if taskOf(t).ContainerID != "" {
			r = 2
		}
		if r > rank {
			best, rank = t, r
		}
	}
	return best
}

// taskOf flattens a task.
func taskOf(t swarm.Task) Task {
	v := Task{
		ID: t.ID, State: string(t.Status.State), Message: t.Status.Message, Err: t.Status.Err,
		NodeID: t.NodeID, At: t.Status.Timestamp,
	}
	if cs := t.Status.ContainerStatus; cs != nil {
		v.ContainerID, v.ExitCode = cs.ContainerID, cs.ExitCode
	}
	return v
}

// serviceState sums up a service.
func serviceState(svc swarm.Service, tasks []swarm.Task) *Service {
	s := &Service{Mode: modeOf(svc.Spec.Mode), StopGrace: defaultStopGrace, Task: taskOf(newest(tasks))}
	if r := svc.Spec.Mode.Replicated; r != nil && r.Replicas != nil {
		s.Replicas = *r.Replicas
	}
	if cs := svc.Spec.TaskTemplate.ContainerSpec; cs != nil && cs.StopGracePeriod != nil {
		s.StopGrace = *cs.StopGracePeriod
	}
	if svc.UpdateStatus != nil {
		s.UpdateState = string(svc.UpdateStatus.State)
	}
	for _, t := range tasks {
		switch t.Status.State {
		case swarm.TaskStateRunning:
			s.RunningTasks++
		case swarm.TaskStateFailed, swarm.TaskStateRejected:
			s.FailedTasks++
		}
	}
	return s
}

// modeOf names the mode; "" for jobs.
func modeOf(m swarm.ServiceMode) ServiceMode {
	switch {
	case m.Replicated != nil:
		return ModeReplicated
	case m.Global != nil:
		return ModeGlobal
	}
	return ""
}

// nodeName is a node's host name, or its id if it cannot be asked for.
func (c *Client) nodeName(ctx context.Context, id string) string {
	call, cancel := short(ctx)
	defer cancel()
	node, _, err := c.api.NodeInspectWithRaw(call, id)
	if err != nil {
		return "node " + id
	}
	return "node " + cmp.Or(node.Description.Hostname, id)
}

// services lists all services, none if this host cannot see any.
func (c *Client) services(ctx context.Context) ([]swarm.Service, error) {
	host, err := c.Host(ctx)
	if err != nil || !host.Swarm.Manager {
		return nil, err
	}
	call, cancel := short(ctx)
	defer cancel()
	list, err := c.api.ServiceList(call, swarm.ServiceListOptions{})
	if err != nil {
		return nil, wrap(ctx, err, "listing services")
	}
	slices.SortFunc(list, func(a, b swarm.Service) int { return strings.Compare(a.Spec.Name, b.Spec.Name) })
	return list, nil
}
