package dockerops

import (
	"time"
)

// Kind is what a target is.
type Kind string

// The kinds of targets. As a prefix ("volume:db-data") they name one in full.
const (
	KindContainer Kind = "container"
	KindVolume    Kind = "volume"
	KindService   Kind = "service"
	KindDir       Kind = "dir"
)

// Target is what the operator pointed at, and the container that stands for
// it: itself, the newest task of a service, or the one that uses the volume or
// directory. It holds no secrets and may be stored.
type Target struct {
	Kind Kind
	Name string // container, volume or service name; cleaned absolute path for a directory

	// The container. ContainerID is "" if there is none, or if several with
	// different images use the volume or directory; then UsedBy lists them and
	// Client.Container describes each.
	ContainerID   string
	ContainerName string
	Image         string // reference as the container was created with
	ImageID       string // "sha256:..." of the image itself; "" if it is not on this host
	Entrypoint    []string
	Cmd           []string
	Env           map[string]string // only the names in Client.KeepEnv
	User          string            // "" is the image's default, root
	WorkingDir    string
	StopSignal    string // "" is SIGTERM
	ShmSize       int64  // bytes of /dev/shm, 0 if not known
	Mounts        []Mount
	RestartPolicy RestartPolicy
	AutoRemove    bool // docker run --rm: stopping deletes it and its anonymous volumes
	Compose       Compose
	State         State

	ServiceID string   // Swarm service that the container is a task of, or the service itself
	Service   *Service // set for KindService
	UsedBy    []User   // set for KindVolume and KindDir: containers and services with it
}

// String is the target's full name, as Resolve takes it.
func (t Target) String() string { return string(t.Kind) + ":" + t.Name }

// RestartPolicy is what Docker does when the container exits.
type RestartPolicy struct {
	Name       string // "no", "always", "unless-stopped", "on-failure"
	MaxRetries int    // for "on-failure", 0 means no limit
}

// Compose names the compose project that made the container, from its labels.
type Compose struct {
	Project     string
	Service     string
	WorkingDir  string // host directory of the project
	ConfigFiles string // comma-separated host paths
}

// State is how the container is, and how it last ended.
type State struct {
	Status       string // created, running, paused, restarting, removing, exited, dead
	Running      bool   // true also while Restarting
	Paused       bool
	Restarting   bool // in the pause between two starts
	RestartCount int  // since it was last started by hand
	ExitCode     int  // of the last end
	OOMKilled    bool
	Error        string // Docker's own reason why it did not start
	StartedAt    time.Time
	FinishedAt   time.Time
	Health       string // "", "starting", "healthy", "unhealthy"
}

// loopWindow is how short a run must be for its start to count as one more
// turn of a crash loop rather than as recovery.
const loopWindow = 2 * time.Minute

// Looping reports whether the container keeps being restarted: it waits for
// its next start, or was restarted at least once and has run only briefly, or
// the restarts were given up on.
func (t Target) Looping() bool {
	s := t.State
	if t.Service != nil && t.Service.FailedTasks > 1 && t.Service.RunningFor() < loopWindow {
		return true
	}
	switch {
	case s.Restarting:
		return true
	case s.RestartCount == 0:
		return false
	case s.Running:
		return time.Since(s.StartedAt) < loopWindow
	}
	return s.ExitCode != 0
}

// Service is the state of a Swarm service.
type Service struct {
	Mode         ServiceMode
	Replicas     uint64        // wanted; 0 for a global service
	StopGrace    time.Duration // time between SIGTERM and SIGKILL of its tasks; 10 s if it does not say
	RunningTasks int
	FailedTasks  int // in the history that Swarm keeps (5 per slot by default)
	Task         Task
	UpdateState  string // "" if never updated, else as docker service inspect shows
}

// RunningFor is for how long the newest task has been running, 0 if it is not.
func (s *Service) RunningFor() time.Duration {
	if s.Task.State != "running" {
		return 0
	}
	return time.Since(s.Task.At)
}

// ServiceMode says how Swarm decides on the number of tasks.
type ServiceMode string

// The modes that can be stopped and put back. Jobs cannot.
const (
	ModeReplicated ServiceMode = "replicated"
	ModeGlobal     ServiceMode = "global"
)

// Task is the newest task of a service.
type Task struct {
	ID          string
	State       string // pending, preparing, running, failed, rejected, ...
	Message     string
	Err         string
	ExitCode    int
	NodeID      string
	ContainerID string
	At          time.Time // when it came into State
}
