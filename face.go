package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/pgrescue/pgrescue/playbooks"
	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/journal"
	"github.com/pgrescue/pgrescue/ui"
)

// addUIFlags gives a command the choice of its front end.
func addUIFlags(cmd *cobra.Command) {
	cmd.Flags().String("ui", "auto", "front end: auto, tui, plain or json")
	cmd.Flags().String("answers", "", "file with the answers, for runs without a person (see the README)")
	cmd.Flags().Bool("ascii", false, "draw with ASCII characters only")
	cmd.Flags().Bool("no-color", false, "no colours")
	cmd.Flags().Bool("times", false, "begin each line of the plain front end with its time")
}

// face is the chosen front end.
type face struct {
	kind    string
	answers ui.Answers
	opts    ui.Options
	in      io.Reader
	out     io.Writer
	errOut  io.Writer
}

func newFace(cmd *cobra.Command) (face, error) {
	f := face{in: cmd.InOrStdin(), out: cmd.OutOrStdout(), errOut: cmd.ErrOrStderr()}
	f.kind, _ = cmd.Flags().GetString("ui")
	switch f.kind {
	case "tui", "plain", "json":
	case "auto":
		f.kind = "plain"
		if isatty.IsTerminal(os.Stdout.Fd()) && isatty.IsTerminal(os.Stdin.Fd()) && !ui.PreferPlain(os.Getenv) {
			f.kind = "tui"
		}
	default:
		return f, engine.Errorf(engine.Usage, "choose auto, tui, plain or json", "there is no front end %q", f.kind)
	}
	f.opts = ui.Options{Actor: actor(), Version: version}.FromEnv(os.Getenv)
	if on, _ := cmd.Flags().GetBool("ascii"); on {
		f.opts.ASCII = true
	}
	if on, _ := cmd.Flags().GetBool("no-color"); on {
		f.opts.NoColor = true
	}
	f.opts.Times, _ = cmd.Flags().GetBool("times")
	path, _ := cmd.Flags().GetString("answers")
	if path == "" {
		return f, nil
	}
	answers, err := ui.LoadAnswers(path, playbooks.Questions())
	f.answers = answers
	return f, err
}

// show runs the front end until the incident closes or the person leaves, and says how to
// come back.
func (f face) show(ctx context.Context, link ui.Link, dir journal.Dir) error {
	link = &durableLink{Link: link, dir: dir}
	f.opts.Dir = string(dir)
	f.opts.AttachHint = "pgrescue attach " + dir.ID()
	f.opts.ResumeHint = "pgrescue resume " + dir.ID()
	var end ui.Exit
	var err error
	switch f.kind {
	case "tui":
		end, err = ui.TUI(ctx, link, f.opts)
	default:
		interrupts := make(chan os.Signal, 2)
		signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(interrupts)
		f.opts.Interrupts = interrupts
		if f.kind == "plain" {
			end, err = ui.Plain(ctx, link, f.in, f.out, f.answers, f.opts)
		} else {
			end, err = ui.JSON(ctx, link, f.in, f.out, f.answers, f.opts)
		}
	}
	if err != nil {
		return err
	}
	if end.Closed != nil {
		awaitRelease(ctx, dir)
	}
	f.farewell(end, dir)
	return exit(end.Code)
}

// releaseTime is how long an engine that has closed its incident may take to write the
// reports and let go of it.
const releaseTime = 5 * time.Second

// awaitRelease waits for that, so that whoever reads the report or runs the next command
// at once is not too early.
func awaitRelease(ctx context.Context, dir journal.Dir) {
	deadline := time.After(releaseTime)
	for journal.Held(dir) {
		select {
		case <-ctx.Done():
			return
		case <-deadline:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// farewell is what remains on the terminal after the full screen is gone.
func (f face) farewell(end ui.Exit, dir journal.Dir) {
	if end.Mute {
		return // a terminal that takes nothing would hold us for ever
	}
	if end.Message != "" {
		fmt.Fprintln(f.errOut, end.Message)
	}
	if f.kind != "tui" || end.Closed == nil {
		return
	}
	fmt.Fprintf(f.errOut, "%s: %s\n", end.Closed.Outcome, end.Closed.Summary)
	for _, next := range end.Closed.Next {
		fmt.Fprintf(f.errOut, "  %s\n", next)
	}
	fmt.Fprintf(f.errOut, "transcript: %s\n", dir.Path("report.md"))
}

// pastLink shows an incident nobody is working on.
type pastLink struct {
	events []engine.Event
	sent   int
}

var _ ui.Link = (*pastLink)(nil)

func (l *pastLink) Next() (engine.Message, error) {
	l.sent++
	switch {
	case l.sent == 1:
		return engine.Message{Hello: &engine.Hello{Past: int64(len(l.events))}}, nil
	case l.sent-2 < len(l.events):
		return engine.Message{Event: &l.events[l.sent-2]}, nil
	}
	return engine.Message{}, io.EOF
}

func (l *pastLink) Decide(engine.Decision) error {
	return fmt.Errorf("this incident is not running: pgrescue resume goes on with it")
}

func (l *pastLink) Close() error { return nil }
