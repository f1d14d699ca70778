package dockerops

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// disarmContainer takes the restart policy away first: stopping first would
// race with the next start. A paused container needs nothing more: Docker
// thaws it once it has sent the stop signal.
func (c *Client) disarmContainer(ctx context.Context, rec Supervision) error {
	if err := c.setRestartPolicy(ctx, rec.ID, RestartPolicy{Name: "no"}); err != nil {
		return err
	}
	if err := c.Stop(ctx, rec.ID, stopGrace); err != nil {
		return err
	}
	// A container in the pause of its crash loop is told to end by its
	// monitor, a moment later.
	return poll(ctx, callTimeout, func() (bool, error) {
		t, err := c.Container(ctx, rec.ID)
		return err == nil && !t.State.Running && !t.State.Restarting, err
	})
}

// restoreContainer puts the policy back before starting, so that a crash at
// the start finds what it always found.
func (c *Client) restoreContainer(ctx context.Context, rec Supervision) error {
	t, err := c.Container(ctx, rec.ID)
	if err != nil {
		return err
	}
	if t.RestartPolicy != rec.RestartPolicy {
		if err := c.setRestartPolicy(ctx, rec.ID, rec.RestartPolicy); err != nil {
			return err
		}
	}
	if !rec.Running || t.State.Running || t.State.Restarting {
		return nil
	}
	if err := c.Start(ctx, rec.ID); err != nil || !rec.Paused {
		return err
	}
	return c.pause(ctx, rec.ID)
}

// setRestartPolicy is docker update --restart. Nothing else of the container
// changes: the API takes zero as "leave".
func (c *Client) setRestartPolicy(ctx context.Context, id string, p RestartPolicy) error {
	call, cancel := short(ctx)
	defer cancel()
	_, err := c.api.ContainerUpdate(call, id, container.UpdateConfig{RestartPolicy: container.RestartPolicy{
		Name: container.RestartPolicyMode(p.Name), MaximumRetryCount: p.MaxRetries,
	}})
	return wrap(ctx, err, "setting restart policy %s on container %s", p, id)
}

// pause freezes a container.
func (c *Client) pause(ctx context.Context, id string) error {
	call, cancel := short(ctx)
	defer cancel()
	return wrap(ctx, c.api.ContainerPause(call, id), "pausing container %s", id)
}

// String writes the policy as docker update --restart takes it.
func (p RestartPolicy) String() string {
	if p.MaxRetries > 0 {
		return fmt.Sprintf("%s:%d", p.Name, p.MaxRetries)
	}
	return p.Name
}

// disarmCommand is what a person can type instead of Disarm.
func (s Supervision) disarmCommand() string {
	switch {
	case s.Kind == KindContainer:
		return fmt.Sprintf("docker update --restart=no %s && docker stop -t %d %s", s.Name, int(stopGrace/time.Second), s.Name)
	case s.Mode == ModeGlobal:
		return fmt.Sprintf("docker service update --constraint-add %s %s", neverConstraint, s.Name)
	}
	return fmt.Sprintf("docker service scale %s=0", s.Name)
}

// restoreCommand is what a person can type instead of Restore.
func (s Supervision) restoreCommand() string {
	switch {
	case s.Kind == KindService && s.Mode == ModeGlobal:
		return fmt.Sprintf("docker service update --constraint-rm %s %s", neverConstraint, s.Name)
	case s.Kind == KindService:
		return fmt.Sprintf("docker service scale %s=%d", s.Name, s.Replicas)
	}
	cmds := []string{fmt.Sprintf("docker update --restart=%s %s", s.RestartPolicy, s.Name)}
	if s.Running {
		cmds = append(cmds, "docker start "+s.Name)
	}
	by := strings.Join(cmds, " && ")
	if s.Compose.Project != "" {
		by += fmt.Sprintf(" (or, if it is gone, docker compose -p %s up -d %s in %s)",
			s.Compose.Project, s.Compose.Service, s.Compose.WorkingDir)
	}
	return by
}
