package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/playbooks"
	"github.com/pgrescue/pgrescue/steps"
	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
)

// newEngine is the incident's engine process. People do not call it: run, resume, undo and
// apply do.
func newEngine() *cobra.Command {
	var o engineMode
	var who string
	cmd := &cobra.Command{
		Use:    "engine DIR",
		Short:  "play an incident (internal)",
		Hidden: true,
		Args:   usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runEngine(cmd.Context(), journal.Dir(args[0]), o, who)
		},
	}
	cmd.Flags().BoolVar(&o.undo, "undo", false, "put the original back")
	cmd.Flags().BoolVar(&o.rehearseOnly, "rehearse-only", false, "end after the rehearsal")
	cmd.Flags().BoolVar(&o.rehearseAgain, "rehearse-again", false, "drop a passed rehearsal")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why a new engine takes over")
	cmd.Flags().StringVar(&who, "actor", "", "who started it")
	return cmd
}

func runEngine(ctx context.Context, dir journal.Dir, mode engineMode, who string) error {
	// The terminal that started us may go away at any time; only SIGTERM ends an engine,
	// and then as an abort: at the next safe point.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	syscall.Umask(0o077)
	log, past, err := journal.Open(dir)
	if err != nil {
		return err
	}
	defer log.Close()
	req, err := loadRequest(dir)
	if err != nil {
		return err
	}
	pb, ok := playbooks.ByName(req.Playbook)
	if !ok {
		return engine.Errorf(engine.Usage, "", "playbook %q is not known", req.Playbook)
	}
	unlock, err := lockTarget(dir, req.Target)
	if err != nil {
		return err
	}
	defer unlock()
	ws := steps.NewWorkspace(steps.Config{Incident: dir.ID(), Dir: string(dir), Target: req.Target, Host: shortHost(), Version: version, Owed: func() []engine.Obligation { return owedByOthers(dir) }})
	session, err := engine.Open(pb, ws, log, past, engine.Reopened{Actor: who, Reason: mode.reason,
		RehearseOnly: mode.rehearseOnly, RehearseAgain: mode.rehearseAgain})
	if err != nil {
		return err
	}
	if len(past) == 0 {
		o := engine.Opened{Incident: dir.ID(), Target: req.Target, Host: shortHost(), Actor: req.Actor, Version: version, Options: req.Options}
		if err := session.Begin(o); err != nil {
			return err
		}
	}
	return serveSession(ctx, dir, session, mode)
}

// serveSession plays the session while front ends come and go, and writes the reports.
func serveSession(ctx context.Context, dir journal.Dir, session *engine.Session, mode engineMode) error {
	listener, err := listen(dir)
	if err != nil {
		return err
	}
	terminated, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(terminated, func() { _ = session.Decide(engine.Decision{Kind: engine.DecideAbort, Actor: "SIGTERM"}) })
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	server := &engine.Server{Incident: dir.ID(), Hub: session.Hub(), Decide: session.Decide}
	served := make(chan error, 1)
	go func() { served <- server.Serve(serving, listener) }()

	play := session.Run
	if mode.undo {
		play = session.RunUndo
	}
	_, err = play(ctx)
	err = errors.Join(err, dir.WriteReports())
	// A front end that keeps up reads the end; one that hangs is not waited for.
	stopServing()
	select {
	case e := <-served:
		err = errors.Join(err, e)
	case <-time.After(3 * time.Second):
	}
	return err
}

// lockTarget keeps two incidents from working on one target at the same time.
func lockTarget(dir journal.Dir, target string) (func(), error) {
	sum := sha256.Sum256([]byte(target))
	path := filepath.Join(filepath.Dir(string(dir)), ".target-"+hex.EncodeToString(sum[:8])+".lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock of the target: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, engine.Errorf(engine.Locked, "pgrescue incidents shows it", "another incident is working on %s", target)
	}
	return func() { f.Close() }, nil
}

// owedByOthers collects what other incidents stopped and have not given back. One whose
// journal cannot be read is left out here; pgrescue incidents shows it.
func owedByOthers(dir journal.Dir) []engine.Obligation {
	all, err := journal.List(filepath.Dir(string(dir)))
	if err != nil {
		return nil
	}
	var owed []engine.Obligation
	for _, other := range slices.Backward(all) { // the oldest first: the latest record wins last
		if other == dir {
			continue
		}
		if v, err := viewOf(other); err == nil {
			owed = append(owed, v.Obligations...)
		}
	}
	return owed
}

func listen(dir journal.Dir) (net.Listener, error) {
	path, done, err := dir.SocketPath(socketName)
	if err != nil {
		return nil, err
	}
	defer done()
	// The lock is ours, so a socket that is there belongs to a dead engine.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("engine socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("engine socket: %w", err)
	}
	return l, nil
}
