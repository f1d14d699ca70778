package dockerops

import (
	"context"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// Host is what the daemon says about itself and its machine. Free space is not
// among it: the API does not tell, so look from inside a container that mounts
// the volume.
type Host struct {
	Name          string // the daemon's host name
	ServerVersion string // such as "20.10.24"
	APIVersion    string // the version agreed upon
	StorageDriver string // of images and container layers, not of volumes
	BackingFS     string // file system under RootDir as the daemon names it, "" if it does not say
	RootDir       string // volumes of the local driver live in RootDir/volumes/NAME/_data
	Kernel        string
	OS            string
	Arch          string // as in uname -m, "x86_64"
	CPUs          int
	MemoryBytes   int64
	Rootless      bool // daemon runs without root: uids in volumes are shifted
	UserNS        bool // userns-remap is on: uids in volumes are shifted
	LiveRestore   bool
	Swarm         SwarmState
}

// SwarmState is the host's part in a swarm.
type SwarmState struct {
	Active  bool
	Manager bool   // services can be read and changed only from a manager
	NodeID  string // "" if not active
}

// Host asks the daemon for its facts.
func (c *Client) Host(ctx context.Context) (Host, error) {
	call, cancel := short(ctx)
	defer cancel()
	info, err := c.api.Info(call)
	if err != nil {
		return Host{}, wrap(ctx, err, "asking docker about its host")
	}
	h := Host{
		Name: info.Name, ServerVersion: info.ServerVersion, APIVersion: c.api.ClientVersion(),
		StorageDriver: info.Driver, RootDir: info.DockerRootDir, Kernel: info.KernelVersion,
		OS: info.OperatingSystem, Arch: info.Architecture, CPUs: info.NCPU, MemoryBytes: info.MemTotal,
		Rootless: hasSecurityOption(info.SecurityOptions, "rootless"),
		UserNS:   hasSecurityOption(info.SecurityOptions, "userns"), LiveRestore: info.LiveRestoreEnabled,
		Swarm: SwarmState{
			Active:  info.Swarm.LocalNodeState == swarm.LocalNodeStateActive,
			Manager: info.Swarm.ControlAvailable, NodeID: info.Swarm.NodeID,
		},
	}
	for _, kv := range info.DriverStatus {
		if kv[0] == "Backing Filesystem" {
			h.BackingFS = kv[1]
		}
	}
	return h, nil
}

// hasSecurityOption looks for name in strings such as "name=rootless".
func hasSecurityOption(options []string, name string) bool {
	return slices.ContainsFunc(options, func(o string) bool {
		return slices.Contains(strings.Split(o, ","), "name="+name)
	})
}
