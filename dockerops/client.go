package dockerops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"
)

// callTimeout bounds every call that only asks or sets something. A daemon
// that needs longer than this is not usable for a repair.
const callTimeout = 30 * time.Second

// slowTimeout bounds the calls that move data or wait for the file system:
// creating, removing, importing.
const slowTimeout = 3 * time.Minute

// Client talks to one Docker daemon. It is safe for concurrent use once
// KeepEnv has been set.
type Client struct {
	// KeepEnv names the environment variables that Target.Env carries.
	// All others are dropped as soon as they are read: they may be secret.
	KeepEnv []string

	api  *client.Client
	host string
}

// Connect reaches the daemon that the environment names (DOCKER_HOST and its
// companions, else the local socket) and agrees on an API version with it.
// The error is one sentence that says what to do.
func Connect(ctx context.Context) (*Client, error) {
	if h := os.Getenv(client.EnvOverrideHost); strings.HasPrefix(h, "ssh://") {
		return nil, fmt.Errorf("DOCKER_HOST=%s is reached through ssh, which pgrescue does not do: "+
			"log in to that host and run pgrescue there", h)
	}
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, fmt.Errorf("cannot use the docker settings of the environment (DOCKER_HOST, DOCKER_CERT_PATH): %w", err)
	}
	c := &Client{api: api, host: api.DaemonHost()}
	short, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := api.Ping(short); err != nil {
		return nil, errors.Join(c.connectError(ctx, err), api.Close())
	}
	return c, nil
}

// Close drops idle connections.
func (c *Client) Close() error { return c.api.Close() }

// DaemonHost is the address of the daemon, as in DOCKER_HOST.
func (c *Client) DaemonHost() string { return c.host }

// connectError turns the first call's failure into a sentence.
func (c *Client) connectError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("connecting to docker at %s: %w", c.host, context.Cause(ctx))
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errdefs.IsPermissionDenied(err),
		strings.Contains(err.Error(), "permission denied"):
		return fmt.Errorf("not allowed to use docker at %s: run as root or as a member of the group docker: %w", c.host, err)
	case isGone(err), strings.Contains(err.Error(), "no such file"):
		return fmt.Errorf("no docker daemon answers at %s: start it (systemctl start docker) or set DOCKER_HOST: %w: %w",
			c.host, ErrDaemonGone, err)
	}
	return fmt.Errorf("docker at %s refused the first call: %w", c.host, err)
}

// short returns a context for a call that should take moments.
func short(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, callTimeout)
}

// slow returns a context for a call that moves data.
func slow(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, slowTimeout)
}
