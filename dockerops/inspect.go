package dockerops

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// Labels that compose and Swarm put on their containers.
const (
	labelComposeProject = "com.docker.compose.project"
	labelComposeService = "com.docker.compose.service"
	labelComposeDir     = "com.docker.compose.project.working_dir"
	labelComposeFiles   = "com.docker.compose.project.config_files"
	labelSwarmServiceID = "com.docker.swarm.service.id"
	labelKubernetesPod  = "io.kubernetes.pod.name"
)

// Container describes one container by name or id.
func (c *Client) Container(ctx context.Context, nameOrID string) (Target, error) {
	in, err := c.inspect(ctx, nameOrID)
	if err != nil {
		return Target{}, err
	}
	return c.targetOf(in), nil
}

// inspect asks for the whole truth about a container.
func (c *Client) inspect(ctx context.Context, nameOrID string) (container.InspectResponse, error) {
	call, cancel := short(ctx)
	defer cancel()
	in, err := c.api.ContainerInspect(call, nameOrID)
	return in, wrap(ctx, err, "inspecting container %s", nameOrID)
}

// targetOf turns an inspect answer into a Target of KindContainer.
func (c *Client) targetOf(in container.InspectResponse) Target {
	t := Target{
		Kind: KindContainer, Name: strings.TrimPrefix(in.Name, "/"),
		ContainerID: in.ID, ContainerName: strings.TrimPrefix(in.Name, "/"),
		ImageID: in.Image, Mounts: mountsOf(in), State: stateOf(in),
	}
	if h := in.HostConfig; h != nil {
		t.RestartPolicy = RestartPolicy{Name: string(h.RestartPolicy.Name), MaxRetries: h.RestartPolicy.MaximumRetryCount}
		if t.RestartPolicy.Name == "" {
			t.RestartPolicy.Name = string(container.RestartPolicyDisabled)
		}
		t.AutoRemove = h.AutoRemove
		t.ShmSize = h.ShmSize
	}
	if cfg := in.Config; cfg != nil {
		t.Image, t.User, t.WorkingDir, t.StopSignal = cfg.Image, cfg.User, cfg.WorkingDir, cfg.StopSignal
		t.Entrypoint, t.Cmd = slices.Clone(cfg.Entrypoint), slices.Clone(cfg.Cmd)
		t.Env = c.keptEnv(cfg.Env)
		t.Compose = composeOf(cfg.Labels)
		t.ServiceID = cfg.Labels[labelSwarmServiceID]
	}
	return t
}

// keptEnv picks the variables that the caller has named from "NAME=value"
// strings.
func (c *Client) keptEnv(env []string) map[string]string {
	kept := make(map[string]string)
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if slices.Contains(c.KeepEnv, name) {
			kept[name] = value
		}
	}
	return kept
}

// composeOf reads the labels of compose.
func composeOf(labels map[string]string) Compose {
	return Compose{
		Project: labels[labelComposeProject], Service: labels[labelComposeService],
		WorkingDir: labels[labelComposeDir], ConfigFiles: labels[labelComposeFiles],
	}
}

// stateOf reads the state of a container.
func stateOf(in container.InspectResponse) State {
	s := State{RestartCount: in.RestartCount}
	st := in.State
	if st == nil {
		return s
	}
	s.Status, s.Running, s.Paused, s.Restarting = st.Status, st.Running, st.Paused, st.Restarting
	s.ExitCode, s.OOMKilled, s.Error = st.ExitCode, st.OOMKilled, st.Error
	s.StartedAt, s.FinishedAt = dockerTime(st.StartedAt), dockerTime(st.FinishedAt)
	if st.Health != nil && st.Health.Status != container.NoHealthcheck {
		s.Health = st.Health.Status
	}
	return s
}

// dockerTime reads a time as the API writes it; what cannot be read, and
// Docker's own "never", are the zero time.
func dockerTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
