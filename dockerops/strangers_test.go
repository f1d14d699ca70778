package dockerops

import (
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// containerCmd is the configuration of a container that runs the tool.
func containerCmd(argv ...string) container.Config { return container.Config{Cmd: argv} }

// withVolume mounts a volume at /data.
func withVolume(name string) container.HostConfig {
	return container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: name, Target: "/data"}}}
}

// withBind mounts a host directory at /data.
func withBind(dir string, readOnly bool) container.HostConfig {
	return container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeBind, Source: dir, Target: "/data", ReadOnly: readOnly}}}
}

// restarting adds a restart policy.
func restarting(h container.HostConfig, policy string, retries int) container.HostConfig {
	h.RestartPolicy = container.RestartPolicy{Name: container.RestartPolicyMode(policy), MaximumRetryCount: retries}
	return h
}
