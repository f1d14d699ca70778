package dockerops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// neverConstraint is met by no node, unless somebody gives one this label on
// purpose. It is how a global service is stopped, which Swarm has no other way
// for.
const neverConstraint = "node.labels.com.pgrescue.stopped==never"

// updateTries is how often a change is repeated that somebody else's change
// came before.
const updateTries = 5

// placement is a service's placement, empty if it has none.
func placement(spec swarm.ServiceSpec) swarm.Placement {
	if p := spec.TaskTemplate.Placement; p != nil {
		return *p
	}
	return swarm.Placement{}
}

// disarmService takes the service's tasks away and waits for them to end.
func (c *Client) disarmService(ctx context.Context, rec Supervision) error {
	err := c.updateService(ctx, rec, func(spec *swarm.ServiceSpec) {
		switch rec.Mode {
		case ModeReplicated:
			spec.Mode.Replicated.Replicas = new(uint64)
		case ModeGlobal:
			p := placement(*spec)
			if !slices.Contains(p.Constraints, neverConstraint) {
				p.Constraints = append(slices.Clone(p.Constraints), neverConstraint)
			}
			spec.TaskTemplate.Placement = &p
		}
	})
	if err != nil {
		return err
	}
	// Swarm reports an update as converged before the last task has ended
	// (moby's ServiceProgress), so look at tasks and containers.
	return poll(ctx, rec.StopGrace+callTimeout, func() (bool, error) {
		alive, err := c.aliveTasks(ctx, rec)
		return err == nil && len(alive) == 0, err
	})
}

// restoreService puts back replicas or constraints, and nothing else: what
// others changed meanwhile stays.
func (c *Client) restoreService(ctx context.Context, rec Supervision) error {
	return c.updateService(ctx, rec, func(spec *swarm.ServiceSpec) {
		switch rec.Mode {
		case ModeReplicated:
			n := rec.Replicas
			spec.Mode.Replicated.Replicas = &n
		case ModeGlobal:
			p := placement(*spec)
			p.Constraints = slices.Clone(rec.Constraints)
			spec.TaskTemplate.Placement = &p
		}
	})
}

// updateService changes a service's specification, again if it was changed by
// somebody else between reading and writing. What is so already is not
// written: even an equal specification would count as an update.
func (c *Client) updateService(ctx context.Context, rec Supervision, change func(*swarm.ServiceSpec)) error {
	for try := 1; ; try++ {
		svc, err := c.serviceInspect(ctx, rec.ID)
		if err != nil {
			return err
		}
		if got := modeOf(svc.Spec.Mode); got != rec.Mode {
			return fmt.Errorf("service %s is now %q, was %q", rec.Name, got, rec.Mode)
		}
		before := scaleOf(svc.Spec)
		change(&svc.Spec)
		if scaleOf(svc.Spec) == before {
			return nil
		}
		call, cancel := short(ctx)
		_, err = c.api.ServiceUpdate(call, rec.ID, svc.Version, svc.Spec, swarm.ServiceUpdateOptions{
			RegistryAuthFrom: swarm.RegistryAuthFromSpec,
		})
		cancel()
		if err == nil || try == updateTries || !strings.Contains(err.Error(), "update out of sequence") {
			return wrap(ctx, err, "updating service %s", rec.Name)
		}
	}
}

// scaleOf writes down the part of a specification that this package changes.
func scaleOf(spec swarm.ServiceSpec) string {
	if r := spec.Mode.Replicated; r != nil && r.Replicas != nil {
		return fmt.Sprint(*r.Replicas)
	}
	return strings.Join(placement(spec).Constraints, "\n")
}

// aliveTasks lists what may still run: tasks on any node, by what Swarm
// knows, and containers on this one, by what Docker knows.
func (c *Client) aliveTasks(ctx context.Context, rec Supervision) ([]string, error) {
	tasks, err := c.tasks(ctx, rec.ID)
	if err != nil {
		return nil, err
	}
	var alive []string
	for _, t := range tasks {
		if !ended(t.Status.State) && t.NodeID != "" {
			alive = append(alive, fmt.Sprintf("task %s (%s)", t.ID, t.Status.State))
		}
	}
	list, err := c.containers(ctx)
	if err != nil {
		return nil, err
	}
	for _, ct := range list {
		if ct.Labels[labelSwarmServiceID] == rec.ID && userOf(ct, Mount{}, Same).Running {
			alive = append(alive, "container "+nameOf(ct))
		}
	}
	return alive, nil
}

// ended reports whether a task in this state runs nothing any more.
func ended(s swarm.TaskState) bool {
	return slices.Contains([]swarm.TaskState{
		swarm.TaskStateComplete, swarm.TaskStateShutdown, swarm.TaskStateFailed, swarm.TaskStateRejected,
		swarm.TaskStateRemove, swarm.TaskStateOrphaned,
	}, s)
}

// verifyServiceDown fails if the service wants tasks or still has some.
func (c *Client) verifyServiceDown(ctx context.Context, rec Supervision) error {
	svc, err := c.serviceInspect(ctx, rec.ID)
	if err != nil {
		return err
	}
	if u := svc.UpdateStatus; u != nil && strings.HasPrefix(string(u.State), "rollback") {
		return fmt.Errorf("swarm rolled the change of service %s back (%s): %s", rec.Name, u.State, u.Message)
	}
	now := serviceState(svc, nil)
	if now.Replicas > 0 || now.Mode == ModeGlobal && !slices.Contains(placement(svc.Spec).Constraints, neverConstraint) {
		return fmt.Errorf("service %s wants tasks again", rec.Name)
	}
	alive, err := c.aliveTasks(ctx, rec)
	if err != nil {
		return err
	}
	if len(alive) > 0 {
		return fmt.Errorf("service %s is scaled down but has not ended: %s", rec.Name, strings.Join(alive, ", "))
	}
	return nil
}

// verifyServiceRestored compares a service with its record.
func (c *Client) verifyServiceRestored(ctx context.Context, rec Supervision) error {
	svc, err := c.serviceInspect(ctx, rec.ID)
	if err != nil {
		return err
	}
	switch now := serviceState(svc, nil); {
	case now.Mode != rec.Mode:
		return fmt.Errorf("service %s is now %q, was %q", rec.Name, now.Mode, rec.Mode)
	case rec.Mode == ModeReplicated && now.Replicas != rec.Replicas:
		return fmt.Errorf("service %s wants %d tasks, wanted %d", rec.Name, now.Replicas, rec.Replicas)
	case rec.Mode == ModeGlobal && !slices.Equal(placement(svc.Spec).Constraints, rec.Constraints):
		return fmt.Errorf("service %s has placement constraints %q, had %q", rec.Name, placement(svc.Spec).Constraints, rec.Constraints)
	}
	if !rec.Running {
		return nil
	}
	return poll(ctx, callTimeout+time.Minute, func() (bool, error) {
		alive, err := c.aliveTasks(ctx, rec)
		return len(alive) > 0, err
	})
}
