package dockerops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// stopGrace is how long a container may take to shut down. Docker's own 10 s
// is too short for a database server that has a checkpoint to write.
const stopGrace = 120 * time.Second

// Supervision is what keeps a container or service alive, and what has to be
// put back after it was stopped. It is plain data: store it before Disarm, so
// that Restore can follow even if this process dies in between. It holds no
// secrets.
type Supervision struct {
	Kind Kind   // KindContainer or KindService
	ID   string // container or service id
	Name string

	// A container.
	RestartPolicy RestartPolicy
	Running       bool // it ran, or waited for its next start
	Paused        bool
	Compose       Compose

	// A Swarm service.
	Mode        ServiceMode
	Replicas    uint64        // ModeReplicated
	Constraints []string      // ModeGlobal: placement constraints
	StopGrace   time.Duration // how long its tasks get before SIGKILL; cannot be changed without restarting them
}

// String names what is supervised.
func (s Supervision) String() string { return string(s.Kind) + " " + s.Name }

// Supervise records what keeps the target alive: the container or service
// itself; for a volume or directory each container and service that uses it
// writable. A container that is a task of a service is recorded as the
// service: stopping the task would only make Swarm start another. Containers
// of pgrescue are left out. Nothing is changed.
func (c *Client) Supervise(ctx context.Context, t Target) ([]Supervision, error) {
	switch {
	case t.Kind == KindService:
		return one(c.superviseService(ctx, t.ServiceID))
	case t.Kind == KindContainer:
		return one(c.superviseTask(ctx, t.ContainerID, t.ServiceID))
	}
	var out []Supervision
	seen := make(map[string]bool)
	for _, u := range t.UsedBy {
		id := u.ID
		if u.ServiceID != "" {
			id = u.ServiceID
		}
		if u.Incident != "" || u.Mount.ReadOnly || seen[id] {
			continue
		}
		seen[id] = true
		rec, err := c.superviseTask(ctx, u.ID, u.ServiceID)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}

// one makes a list of one record.
func one(rec Supervision, err error) ([]Supervision, error) {
	if err != nil {
		return nil, err
	}
	return []Supervision{rec}, nil
}

// superviseTask records the service if there is one, else the container. A
// container may outlive its service.
func (c *Client) superviseTask(ctx context.Context, id, serviceID string) (Supervision, error) {
	if serviceID == "" {
		return c.superviseContainer(ctx, id)
	}
	rec, err := c.superviseService(ctx, serviceID)
	if isNotFound(err) && id != serviceID {
		return c.superviseContainer(ctx, id)
	}
	return rec, err
}

// superviseContainer records a container, and refuses those that this package
// could stop but not put back.
func (c *Client) superviseContainer(ctx context.Context, id string) (Supervision, error) {
	in, err := c.inspect(ctx, id)
	if err != nil {
		return Supervision{}, err
	}
	t := c.targetOf(in)
	if in.Config != nil && in.Config.Labels[labelKubernetesPod] != "" {
		return Supervision{}, &HandsError{
			What: fmt.Sprintf("container %s belongs to a Kubernetes pod and would be started again", t.Name),
			Do:   "scale its workload to 0 with kubectl, then name the volume or directory as the target",
		}
	}
	if t.AutoRemove {
		return Supervision{}, autoRemoveError(t)
	}
	return Supervision{
		Kind: KindContainer, ID: t.ContainerID, Name: t.Name, RestartPolicy: t.RestartPolicy,
		Running: t.State.Running || t.State.Restarting, Paused: t.State.Paused, Compose: t.Compose,
	}, nil
}

// autoRemoveError says what stopping a --rm container would destroy.
func autoRemoveError(t Target) error {
	what := fmt.Sprintf("container %s was made with --rm: docker deletes it when it stops", t.Name)
	if slices.ContainsFunc(t.Mounts, func(m Mount) bool { return m.Anonymous }) {
		what += ", and its anonymous volumes with the data in them"
	}
	return &HandsError{What: what, Do: "docker create --volumes-from " + t.Name + " IMAGE keeps the volumes; " +
		"then stop the container and name the volume as the target"}
}

// superviseService records a service.
func (c *Client) superviseService(ctx context.Context, id string) (Supervision, error) {
	host, err := c.Host(ctx)
	if err != nil {
		return Supervision{}, err
	}
	if err := host.Swarm.usable(id); err != nil {
		return Supervision{}, err
	}
	svc, err := c.serviceInspect(ctx, id)
	if err != nil {
		return Supervision{}, err
	}
	state := serviceState(svc, nil)
	rec := Supervision{
		Kind: KindService, ID: svc.ID, Name: svc.Spec.Name, Mode: state.Mode,
		Replicas: state.Replicas, StopGrace: state.StopGrace,
	}
	switch state.Mode {
	case ModeReplicated:
		rec.Running = state.Replicas > 0
	case ModeGlobal:
		rec.Constraints = slices.Clone(placement(svc.Spec).Constraints)
		rec.Running = !slices.Contains(rec.Constraints, neverConstraint)
	default:
		return Supervision{}, &HandsError{
			What: fmt.Sprintf("service %s is a job, which cannot be stopped and put back", svc.Spec.Name),
			Do:   "wait for it to end, or docker service rm " + svc.Spec.Name,
		}
	}
	return rec, nil
}

// Disarm makes sure that nothing starts the container or service again, and
// then stops it: a container gets restart policy "no" and 120 s to shut down;
// a replicated service 0 replicas; a global one a placement constraint that no
// node meets. It returns when no container of it runs. It may be repeated.
//
// The error is a *HandsError if a person has to finish the job.
func (c *Client) Disarm(ctx context.Context, rec Supervision) error {
	var err error
	if rec.Kind == KindService {
		err = c.disarmService(ctx, rec)
	} else {
		err = c.disarmContainer(ctx, rec)
	}
	if err == nil {
		err = c.VerifyDisarmed(ctx, rec)
	}
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrDaemonGone) {
		return err
	}
	return &HandsError{What: fmt.Sprintf("stopping %s", rec), Do: rec.disarmCommand(), Err: err}
}

// Restore puts back exactly what the record says, and starts the container if
// it ran. What is so already is left alone, so it may be repeated. A container
// that was stopped stays stopped.
func (c *Client) Restore(ctx context.Context, rec Supervision) error {
	var err error
	if rec.Kind == KindService {
		err = c.restoreService(ctx, rec)
	} else {
		err = c.restoreContainer(ctx, rec)
	}
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrDaemonGone) {
		return err
	}
	return &HandsError{What: fmt.Sprintf("putting back %s", rec), Do: rec.restoreCommand(), Err: err}
}

// VerifyDisarmed looks whether the container or service is stopped and will
// not be started by Docker.
func (c *Client) VerifyDisarmed(ctx context.Context, rec Supervision) error {
	if rec.Kind == KindService {
		return c.verifyServiceDown(ctx, rec)
	}
	t, err := c.Container(ctx, rec.ID)
	switch {
	case err != nil:
		return err
	case t.RestartPolicy.Name != "no":
		return fmt.Errorf("%s has restart policy %s again", rec, t.RestartPolicy.Name)
	case t.State.Running || t.State.Restarting:
		return fmt.Errorf("%s runs", rec)
	}
	return nil
}

// VerifyRestored looks whether the restart policy, replicas or constraints are
// those of the record, and whether the container runs if it did. It does not
// judge whether what runs is well.
func (c *Client) VerifyRestored(ctx context.Context, rec Supervision) error {
	if rec.Kind == KindService {
		return c.verifyServiceRestored(ctx, rec)
	}
	t, err := c.Container(ctx, rec.ID)
	switch {
	case err != nil:
		return err
	case t.RestartPolicy != rec.RestartPolicy:
		return fmt.Errorf("%s has restart policy %v, had %v", rec, t.RestartPolicy, rec.RestartPolicy)
	case rec.Running && !t.State.Running && !t.State.Restarting:
		return fmt.Errorf("%s does not run: it is %s with exit status %d %s", rec, t.State.Status, t.State.ExitCode, t.State.Error)
	}
	return nil
}
