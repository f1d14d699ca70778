package ui

import (
	"errors"
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// maxLog is how many lines of the story the screen keeps; the journal keeps all.
const maxLog = 20_000

// feed takes what came from the engine.
func (m *model) feed(batch feedMsg) tea.Cmd {
	m.now = m.opts.now()
	for _, a := range batch {
		if crash := (*PanicError)(nil); errors.As(a.err, &crash) {
			m.err, m.exit = crash, m.opts.detached()
			return tea.Quit
		}
		if a.err != nil {
			m.ended(a.err)
			return m.arrange()
		}
		if err := m.take(a.message); err != nil {
			m.ended(err)
			return m.arrange()
		}
	}
	return tea.Batch(m.arrange(), m.listen())
}

func (m *model) take(msg engine.Message) error {
	switch {
	case msg.Hello != nil:
		m.past, m.watching = msg.Hello.Past, !msg.Hello.Operator
		if m.watching {
			m.say(false, "Another front end is the operator: this one only watches.")
		}
	case msg.Event != nil:
		return m.event(*msg.Event)
	case msg.Progress != nil:
		m.progress = msg.Progress
		if m.shown == nil || m.shown.Step != m.progress.Step || m.shown.What != m.progress.What {
			m.shown = m.progress
		}
	case msg.Refused != nil:
		m.say(true, "Refused: "+cleanLine(msg.Refused.Reason))
		m.decided, m.gate = pending{}, nil
		if m.question != nil {
			m.question.sent, m.question.said = false, cleanLine(msg.Refused.Reason)
		}
	}
	return nil
}

func (m *model) event(e engine.Event) error {
	after, err := m.view.Fold(e)
	if err != nil {
		return fmt.Errorf("what the engine sent cannot be followed: %w", err)
	}
	m.log = append(m.log, narrate(m.view, after, e)...)
	if len(m.log) > maxLog {
		m.log = append([]line(nil), m.log[len(m.log)-maxLog/2:]...)
	}
	m.view = after
	if e.Kind == engine.KindStarted || e.Kind == engine.KindDone || e.Kind == engine.KindFailed || e.Kind == engine.KindAct {
		m.progress, m.shown = nil, nil
	}
	if e.Step == "" && e.Kind == engine.KindNote {
		m.say(false, "The note is in the journal.")
	}
	return nil
}

func (m *model) ended(err error) {
	m.gone = err
	if m.view.Closed == nil {
		m.say(true, "The engine has ended without finishing.") // the bar says what to do
	}
}

// arrange brings the screen in line with the view: what is selected, which dialog is
// open, whether the clock runs.
func (m *model) arrange() tea.Cmd {
	m.followWork()
	var cmds []tea.Cmd
	if now := pendingIn(m.view); now != m.pend {
		m.pend, m.aside = now, false
		m.decided = pending{}
		cmds = append(cmds, m.arm.disarm())
		if m.choice != nil && m.choice.armed != nil {
			m.choice = nil // it was about what is no longer asked
		}
	}
	if m.gate != nil && (m.gate.gate != m.view.Gate || !m.mayDecide()) {
		m.gate = nil
	}
	if m.question != nil && (m.question.question != m.view.Question || !m.mayDecide()) {
		m.question = nil
	}
	if m.view.Question != nil && m.question == nil && !m.aside && m.mayDecide() && m.view.Seq >= m.past {
		m.question = newQuestionDialog(m)
		cmds = append(cmds, m.question.arm.disarm())
	}
	m.enable()
	return tea.Batch(append(cmds, m.wind())...)
}

// followWork keeps the selection on what happens, while the person has not moved it.
func (m *model) followWork() {
	current := m.view.Current()
	switch {
	case m.view.Closed != nil && m.tab != tabResult && m.follow:
		m.tab, m.offset = tabResult, 0
	case m.view.Closed == nil && m.tab == tabResult:
		m.tab, m.offset = tabDoc, 0
	}
	if current == nil {
		return
	}
	at := rowKey{current.Act, current.Step}
	if m.selected == (rowKey{}) {
		m.selected = at
	}
	if !m.follow {
		return
	}
	if at != m.selected {
		m.selected, m.offset = at, 0
		if m.tab != tabLog && m.tab != tabSteps && m.tab != tabResult {
			m.tab = tabDoc
		}
	}
	if g := m.view.Gate; g != nil && pendingIn(m.view) != m.pend {
		m.tab, m.offset = tabPlan, 0
	}
}

// busy reports work in progress: only then does the clock run.
func (m *model) busy() bool {
	if m.view.Closed != nil || m.gone != nil || m.view.Gate != nil || m.view.Question != nil {
		return false
	}
	if m.view.Act == "" {
		return false
	}
	if m.progress != nil {
		return true
	}
	r := m.view.Current()
	return r != nil && (r.State == engine.Running || r.State == engine.Applying || r.State == engine.Consented)
}

// wind starts the clock when work begins.
func (m *model) wind() tea.Cmd {
	if !m.busy() {
		m.ticking = 0
		return nil
	}
	if m.ticking != 0 {
		return nil
	}
	m.ticks++
	m.ticking = m.ticks
	return nextTick(m.ticking)
}

// tickEvery is how often a running step's figures change on screen.
const tickEvery = time.Second

func nextTick(generation int) tea.Cmd {
	return tea.Tick(tickEvery, func(time.Time) tea.Msg { return tickMsg{generation} })
}

func (m *model) tick(msg tickMsg) tea.Cmd {
	if msg.generation != m.ticking || !m.busy() {
		return nil
	}
	m.now, m.shown = m.opts.now(), m.progress
	return nextTick(m.ticking)
}
