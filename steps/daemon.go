package steps

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// daemonGone makes one sentence of all that fails when the Docker daemon goes away in the
// middle: the call, the agent behind it, the removal of its container. Other errors stay
// what they are.
func (w *Workspace) daemonGone(err error) error {
	if !errors.Is(err, dockerops.ErrDaemonGone) {
		return err
	}
	w.mu.Lock()
	w.lost = true
	w.mu.Unlock()
	return &engine.Error{Kind: engine.Failure, Hint: "start the Docker daemon, then run pgrescue resume: it removes what was left behind, looks again and goes on from here",
		Err: fmt.Errorf("%w any more: what it was doing may or may not have happened", dockerops.ErrDaemonGone)}
}

// askDaemon finds out whether an agent that ended without an answer did so because the
// daemon is gone. The container is the one the agent ran in.
func (w *Workspace) askDaemon(ctx context.Context, c *dockerops.Client, id string, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, asked := c.Container(ctx, id); errors.Is(asked, dockerops.ErrDaemonGone) {
		err = errors.Join(err, asked)
	}
	return w.daemonGone(err)
}
