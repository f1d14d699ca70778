package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// TUI shows the incident on the whole terminal and takes the operator's decisions. It
// uses the process's own stdin and stdout, which must be terminals. It returns when the
// person leaves, the run has ended and has been looked at, or the terminal or context is
// gone; the engine goes on in any case. The terminal is as it was when it returns.
func TUI(ctx context.Context, link Link, opts Options) (Exit, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t, err := newTerminal(os.Stdin, os.Stdout, os.Getenv)
	if err != nil {
		return Exit{Code: 2}, err
	}
	m := newModel(ctx, link, opts)
	m.copier = copier{out: t.writer, tmux: os.Getenv("TMUX") != ""}
	err = t.run(ctx, m)
	exit, err := outcome(m, opts, err)
	exit.Mute = t.mute
	return exit, err
}

// outcome is how the screen ended; err is what running it returned.
func outcome(m *model, opts Options, err error) (Exit, error) {
	switch {
	case errors.Is(err, errStuck):
		return opts.detached(), nil // whoever left has left; the model is still the program's
	case m.err != nil:
		return m.exit, m.err
	case err != nil:
		return opts.detached(), fmt.Errorf("screen: %w", err)
	}
	return m.exit, nil
}
