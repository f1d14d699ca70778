package dockerops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"
)

// ErrDaemonGone means that the Docker daemon stopped answering: the connection
// was refused or broken, or a call that should take moments ran out of time.
// What the daemon was doing may or may not have happened: look again.
var ErrDaemonGone = errors.New("the docker daemon is not answering")

// ErrNotFound means that a named container, volume, service or image is not
// known to the daemon.
var ErrNotFound = errors.New("not found")

// ErrNoLogs means that the container's log driver cannot be read back.
var ErrNoLogs = errors.New("the log driver cannot be read")

// AmbiguousError says that a bare name fits several targets.
type AmbiguousError struct {
	Name       string
	Candidates []string // full target strings, such as "volume:db-data"
}

// Error implements error.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q could be any of %s: name one of them in full", e.Name, joinOr(e.Candidates))
}

// NotFoundError says that no target has this name, and which names are near.
// It matches ErrNotFound.
type NotFoundError struct {
	Name string
	Near []string // full target strings of similarly named targets, best first
}

// Error implements error.
func (e *NotFoundError) Error() string {
	if len(e.Near) == 0 {
		return fmt.Sprintf("no container, volume or service is named %q: run docker ps -a and docker volume ls to see what there is", e.Name)
	}
	return fmt.Sprintf("no container, volume or service is named %q: did you mean %s?", e.Name, joinOr(e.Near))
}

// Is makes errors.Is(err, ErrNotFound) hold.
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// HandsError says that something could not be done through the API, and the
// command with which a person can do it.
type HandsError struct {
	What string // what could not be done
	Do   string // what is left to do by hand
	Err  error  // the cause, or nil
}

// Error implements error.
func (e *HandsError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: by hand: %s", e.What, e.Do)
	}
	return fmt.Sprintf("%s: %v: by hand: %s", e.What, e.Err, e.Do)
}

// Unwrap returns the cause.
func (e *HandsError) Unwrap() error { return e.Err }

// wrap says what failed and sorts the cause into ErrDaemonGone, ErrNotFound or
// itself. parent is the caller's context: if that one has ended, the caller
// stopped the call and the daemon is not to blame.
func wrap(parent context.Context, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	switch {
	case parent.Err() != nil:
		return fmt.Errorf("%s: %w", what, context.Cause(parent))
	case errors.Is(err, ErrDaemonGone), errors.Is(err, ErrNotFound):
		return fmt.Errorf("%s: %w", what, err)
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%s: %w: %w", what, ErrNotFound, err)
	case isGone(err):
		return fmt.Errorf("%s: %w: %w", what, ErrDaemonGone, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// isGone reports whether err is what a vanished daemon looks like from here.
// A deadline counts, because wrap has ruled out that it was the caller's.
func isGone(err error) bool {
	var op *net.OpError
	return client.IsErrConnectionFailed(err) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNREFUSED) ||
		errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) ||
		errors.As(err, &op)
}

// isNotFound reports whether err says that a thing is not there.
func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// isConflict reports whether the daemon refused because of the state a thing
// is in (HTTP 409).
func isConflict(err error) bool { return err != nil && errdefs.IsConflict(err) }
