package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

const (
	socketName    = "engine.sock"
	engineLogName = "engine.log"
)

// engineMode is what an engine process is started for.
type engineMode struct {
	undo         bool
	rehearseOnly bool // of a resumed incident
	reason       string
}

// spawn starts the incident's engine in a session of its own, so that the end of this
// terminal does not end the repair, and attaches to it.
func spawn(ctx context.Context, dir journal.Dir, mode engineMode) (*engine.Client, error) {
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
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the engine: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return awaitEngine(ctx, dir, ended)
}

// awaitEngine attaches as soon as the engine listens, or says why it does not.
func awaitEngine(ctx context.Context, dir journal.Dir, ended <-chan error) (*engine.Client, error) {
	deadline := time.After(20 * time.Second)
	for {
		if client, err := attachTo(ctx, dir); err == nil {
			return client, nil
		}
		select {
		case <-ended:
			return nil, engineFailed(dir)
		case <-deadline:
			return nil, fmt.Errorf("the engine of incident %s does not answer: see %s", dir.ID(), dir.Path(engineLogName))
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// engineFailed repeats the engine's last words with their exit code.
func engineFailed(dir journal.Dir) error {
	b, _ := os.ReadFile(dir.Path(engineLogName))
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	last := strings.TrimPrefix(lines[len(lines)-1], "pgrescue: ")
	if rep, err := dir.Read(); err == nil {
		if v, err := engine.FoldAll(rep.Events); err == nil && v.Closed != nil {
			return &engine.Error{Kind: engine.Failure, Msg: v.Closed.Summary}
		}
	}
	if last == "" {
		return errors.New("the engine ended at once and said nothing")
	}
	return fmt.Errorf("the engine did not start: %s", last)
}

func attachTo(ctx context.Context, dir journal.Dir) (*engine.Client, error) {
	path, done, err := dir.SocketPath(socketName)
	if err != nil {
		return nil, err
	}
	defer done()
	return engine.Attach(ctx, path)
}
