package ui

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// model is the one tea.Model of the screen. What is true comes from the engine's events;
// the model holds only what the person looks at and is typing. Components are structs
// that render; nothing here does input or output, commands do.
type model struct {
	ctx      context.Context
	opts     Options
	link     Link
	arrivals <-chan arrival
	copier   copier
	post     func(engine.Decision) tea.Cmd // carries a decision to the engine
	styles   styles
	keys     keyMap

	width, height int
	view          engine.View
	log           []line
	watching      bool
	past          int64
	gone          error // the line to the engine has ended
	progress      *engine.Progress
	shown         *engine.Progress // what the screen shows of it: changes once a second
	now           time.Time
	ticking       int // generation of the running clock; 0: it stands still
	ticks         int // generations so far

	selected  rowKey
	follow    bool // the selection follows the work
	tab       tab
	all       bool
	zoom      bool
	offset    int // of the right pane
	contents  contents
	logFollow bool
	arm       arming  // of enter on a copy's gate
	pend      pending // what the screen has been arranged for
	aside     bool    // the question has been put aside
	decided   pending

	gate     *gateDialog
	question *questionDialog
	choice   *choiceDialog
	help     *helpOverlay
	logs     *logOverlay
	note     *entry

	notice string
	urgent bool
	exit   Exit
	err    error
}

func newModel(ctx context.Context, link Link, opts Options) *model {
	m := &model{ctx: ctx, opts: opts, link: link, styles: newStyles(opts), keys: newKeyMap(),
		follow: true, tab: tabDoc, logFollow: true, now: opts.now()}
	m.post = func(d engine.Decision) tea.Cmd {
		return safely(func() tea.Msg { return decidedMsg{link.Decide(d)} })
	}
	m.enable()
	return m
}

// Messages of our own.
type (
	feedMsg    []arrival
	tickMsg    struct{ generation int }
	leaveMsg   struct{ why string } // a signal, the context, a lost terminal
	repaintMsg struct{}             // frames were dropped
	decidedMsg struct{ err error }
	copiedMsg  struct {
		words string
		err   error
	}
	crashMsg struct{ err *PanicError }
)

// safely keeps a panic in a command from leaving the terminal raw and the story untold.
func safely(cmd func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		defer func() {
			if p := recover(); p != nil {
				msg = crashMsg{&PanicError{p, debug.Stack()}}
			}
		}()
		return cmd()
	}
}

// Init starts listening to the engine.
func (m *model) Init() tea.Cmd {
	m.arrivals = follow(m.ctx, m.link)
	return m.listen()
}

// maxBatch is how many events are taken at a time, so that a long past is drawn a few
// times only.
const maxBatch = 512

// listen waits for messages from the engine. It never lets the engine wait for the
// screen: the engine writes to a socket, and this reads from it.
func (m *model) listen() tea.Cmd {
	arrivals := m.arrivals
	return safely(func() tea.Msg {
		a, ok := <-arrivals
		if !ok {
			return feedMsg{{err: io.EOF}}
		}
		batch := feedMsg{a}
		for len(batch) < maxBatch && a.err == nil {
			select {
			case a, ok = <-arrivals:
				if !ok {
					return batch
				}
				batch = append(batch, a)
			default:
				return batch
			}
		}
		return batch
	})
}

// Update takes a message. A panic ends the program in order.
func (m *model) Update(msg tea.Msg) (_ tea.Model, cmd tea.Cmd) {
	defer func() {
		if p := recover(); p != nil {
			m.err = &PanicError{p, debug.Stack()}
			m.exit = m.opts.detached()
			cmd = tea.Quit
		}
	}()
	return m, m.update(msg)
}

func (m *model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return m.resize(msg)
	case tea.KeyMsg:
		return m.key(msg)
	case feedMsg:
		return m.feed(msg)
	case tickMsg:
		return m.tick(msg)
	case armMsg:
		m.quiet(msg)
	case decidedMsg:
		if msg.err != nil {
			m.say(true, "The engine cannot be told: "+cleanLine(msg.err.Error()))
			m.decided = pending{}
		}
	case copiedMsg:
		m.say(msg.err != nil, msg.words)
	case repaintMsg:
		return tea.ClearScreen
	case leaveMsg:
		m.leave()
		return tea.Quit
	case crashMsg:
		m.err, m.exit = msg.err, m.opts.detached()
		return tea.Quit
	}
	return nil
}

func (m *model) resize(msg tea.WindowSizeMsg) tea.Cmd {
	changed := m.width != 0 && (m.width != msg.Width || m.height != msg.Height)
	m.width, m.height = msg.Width, msg.Height
	if m.tab == tabSteps && !m.single() {
		m.tab = tabDoc // the ladder has a tab of its own on a small screen only
	}
	if !changed {
		return nil
	}
	cmds := []tea.Cmd{m.arm.disarm()}
	if m.gate != nil {
		cmds = append(cmds, m.gate.resized())
	}
	if m.question != nil {
		cmds = append(cmds, m.question.arm.disarm())
	}
	if m.choice != nil {
		m.choice.armed = nil
	}
	return tea.Batch(cmds...)
}

// quiet hands the end of a wait to whoever waits.
func (m *model) quiet(msg armMsg) {
	switch {
	case m.choice != nil:
		m.choice.arm.quiet(msg)
	case m.gate != nil:
		m.gate.arm.quiet(msg)
	case m.question != nil:
		m.question.arm.quiet(msg)
	}
	m.arm.quiet(msg)
}

func (m *model) say(urgent bool, words string) { m.notice, m.urgent = words, urgent }

// leave sets the exit of a person who goes.
func (m *model) leave() {
	switch {
	case m.view.Closed != nil:
		m.exit = closed(m.view.Closed)
	case m.gone != nil:
		m.exit = m.opts.gone(m.view)
		if !errors.Is(m.gone, io.EOF) {
			m.err = m.gone
		}
	default:
		m.exit = m.opts.detached()
	}
}

// mayDecide reports whether decisions can be sent at all.
func (m *model) mayDecide() bool { return !m.watching && m.gone == nil && m.view.Closed == nil }

// send carries a decision to the engine, after the same check as in every front end.
func (m *model) send(d engine.Decision) tea.Cmd {
	if err := checkDecision(m.view, d); err != nil {
		m.say(true, "Refused: "+cleanLine(err.Error()))
		return nil
	}
	if d.Kind != engine.DecideNote && !m.mayDecide() {
		m.say(true, "Refused: this front end only watches")
		return nil
	}
	if d.Kind != engine.DecideNote {
		m.decided = pendingIn(m.view)
	}
	return m.post(d)
}
