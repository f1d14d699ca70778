package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
	"github.com/pgrescue/pgrescue/ui"
)

const (
	socketName    = "engine.sock"
	engineLogName = "engine.log"
)

// engineMode is what an engine process is started for.
type engineMode struct {
	undo          bool
	rehearseOnly  bool // of a resumed incident
	rehearseAgain bool
	reason        string
}

// spawn starts the incident's engine in a session of its own, so that the end of this
// terminal does not end the repair, and attaches to it.
func spawn(ctx context.Context, dir journal.Dir, mode engineMode) (ui.Link, error) {
	if err := awaitFree(ctx, dir); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	log, err := os.OpenFile(dir.Path(engineLogName), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("engine log: %w", err)
	}
	defer log.Close()
	args := []string{"engine", string(dir), "--actor", actor(), "--reason", mode.reason}
	if mode.undo {
		args = append(args, "--undo")
	}
	if mode.rehearseOnly {
		args = append(args, "--rehearse-only")
	}
	if mode.rehearseAgain {
		args = append(args, "--rehearse-again")
	}
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the engine: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return awaitEngine(ctx, dir, cmd.Process.Pid, ended)
}

// awaitFree waits for an engine that has closed the incident and is cleaning up. One that is
// still at work is not disturbed.
func awaitFree(ctx context.Context, dir journal.Dir) error {
	for deadline := time.Now().Add(3 * time.Minute); journal.Held(dir); {
		v, err := viewOf(dir)
		if err != nil || v.Closed == nil || time.Now().After(deadline) {
			return engine.Errorf(engine.Locked, "pgrescue attach "+dir.ID()+" shows it", "incident %s is being worked on by another process", dir.ID())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// awaitEngine attaches as soon as the engine listens, or says why it does not. Another
// engine may be at work on the incident and listen as well: ours is the one that holds the
// lock.
func awaitEngine(ctx context.Context, dir journal.Dir, pid int, ended <-chan error) (ui.Link, error) {
	deadline := time.After(20 * time.Second)
	for {
		if holder(dir) == pid {
			if client, err := attachTo(ctx, dir); err == nil {
				return client, nil
			}
		}
		select {
		case err := <-ended:
			return engineEnded(dir, err)
		case <-deadline:
			return nil, fmt.Errorf("the engine of incident %s does not answer: see %s", dir.ID(), dir.Path(engineLogName))
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// holder is the process that took the incident's lock last, 0 if none has.
func holder(dir journal.Dir) int {
	b, err := os.ReadFile(dir.Path("lock"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0 // it is just being written
	}
	return pid
}

// engineEnded shows what a run that was over at once has left in the journal, or repeats
// the engine's last words.
func engineEnded(dir journal.Dir, ended error) (ui.Link, error) {
	kind := engine.Failure
	var exit *exec.ExitError
	if errors.As(ended, &exit) && exit.ExitCode() == engine.Locked.Exit() {
		kind = engine.Locked
	}
	// An engine that failed has not played: how an earlier run ended is no answer.
	if rep, err := dir.Read(); err == nil && ended == nil {
		if v, err := engine.FoldAll(rep.Events); err == nil && v.Closed != nil {
			return &pastLink{events: rep.Events}, nil
		}
	}
	b, err := os.ReadFile(dir.Path(engineLogName))
	if err != nil {
		return nil, fmt.Errorf("engine log: %w", err)
	}
	last := "it said nothing"
	for line := range strings.SplitSeq(string(b), "\n") {
		if said, ok := strings.CutPrefix(line, "pgrescue: "); ok {
			last = said
		}
	}
	return nil, engine.Errorf(kind, "pgrescue attach "+dir.ID(), "the engine did not start: %s", last)
}

func attachTo(ctx context.Context, dir journal.Dir) (*engine.Client, error) {
	path, done, err := dir.SocketPath(socketName)
	if err != nil {
		return nil, err
	}
	defer done()
	return engine.Attach(ctx, path)
}
