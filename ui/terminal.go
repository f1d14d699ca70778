package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/term"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// watchedInput tells when the terminal is gone: Bubble Tea itself would go on forever,
// blind and silent.
type watchedInput struct {
	*os.File
	lost func()
}

func (w watchedInput) Read(p []byte) (int, error) {
	n, err := w.File.Read(p)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.lost()
	}
	return n, err
}

// The rates at which the screen is drawn, at most, when it changes at all.
const (
	framesHere    = 20
	framesOverSSH = 10
)

// drainTime is how long the last frame may take to reach the terminal.
const drainTime = 500 * time.Millisecond

// stuckTime is how long the program may take to end before the terminal is put back
// without it.
const stuckTime = 3 * time.Second

// terminal runs a Bubble Tea program so that no way of losing the terminal, and no
// terminal that stands still, keeps it from ending, and that the terminal is always left
// as it was found.
type terminal struct {
	in, out *os.File
	getenv  func(string) string
	program *tea.Program
	writer  *screenWriter
	lost    chan struct{} // closed when the terminal is gone
	once    sync.Once
	mute    bool // it took nothing, to the end
}

func newTerminal(in, out *os.File, getenv func(string) string) (*terminal, error) {
	if !term.IsTerminal(in.Fd()) || !term.IsTerminal(out.Fd()) {
		return nil, engine.Errorf(engine.Usage, "use --ui plain", "the screen needs a terminal for input and output")
	}
	t := &terminal{in: in, out: out, getenv: getenv, lost: make(chan struct{})}
	t.writer = newScreenWriter(out, t.gone, t.repaint)
	return t, nil
}

func (t *terminal) gone() { t.once.Do(func() { close(t.lost) }) }

// repaint runs in the writer's goroutine, which the program does not wait for.
func (t *terminal) repaint() { t.program.Send(repaintMsg{}) }

// run shows the model until it quits. SIGHUP and SIGTERM, a lost terminal and the end of
// the context make it leave; the model decides what that means.
func (t *terminal) run(ctx context.Context, m tea.Model) error {
	state, err := term.GetState(t.in.Fd())
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	frames := framesHere
	if t.getenv("SSH_CONNECTION") != "" || t.getenv("SSH_TTY") != "" {
		frames = framesOverSSH
	}
	t.program = tea.NewProgram(m, tea.WithInput(watchedInput{t.in, t.gone}), tea.WithOutput(t.writer),
		tea.WithAltScreen(), tea.WithFPS(frames), tea.WithoutSignalHandler())

	ended := make(chan error, 1)
	go func() {
		_, err := t.program.Run()
		ended <- err
	}()
	err = t.supervise(ctx, ended)
	if !t.writer.drain(drainTime) || errors.Is(err, errStuck) {
		t.mute = !t.reset()
	}
	if e := term.Restore(t.in.Fd(), state); e != nil && err == nil && !t.isLost() {
		err = fmt.Errorf("terminal was not put back: %w; run reset", e)
	}
	return err
}

func (t *terminal) isLost() bool {
	select {
	case <-t.lost:
		return true
	default:
		return false
	}
}

var errStuck = errors.New("the screen did not end in time")

// supervise waits for the program and tells it to leave when it should.
func (t *terminal) supervise(ctx context.Context, ended <-chan error) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	lost, done := t.lost, ctx.Done()
	var stuck <-chan time.Time
	leave := func(why string) {
		lost, done = nil, nil
		if stuck == nil {
			stuck = time.After(stuckTime)
			go t.program.Send(leaveMsg{why})
		}
	}
	for {
		select {
		case err := <-ended:
			return err
		case s := <-signals:
			leave(s.String())
		case <-lost:
			leave("the terminal is gone")
		case <-done:
			leave("asked to")
		case <-stuck:
			t.program.Kill()
			return errStuck
		}
	}
}

// reset puts an ordinary screen back without waiting for a terminal that stands still. It
// reports whether the terminal took it.
func (t *terminal) reset() bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.WriteString(t.out, "\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m") // nothing is left to tell an error to
	}()
	select {
	case <-done:
		return true
	case <-time.After(drainTime):
		return false
	}
}
