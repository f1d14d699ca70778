package ui

import (
	"fmt"
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// key routes a key: what is on top takes it, and nothing reaches what lies below.
func (m *model) key(k tea.KeyMsg) tea.Cmd {
	m.say(false, "")
	if key.Matches(k, m.keys.Interrupt) && m.choice == nil {
		return m.interrupt()
	}
	switch {
	case m.tiny():
		return m.tinyKey(k)
	case m.choice != nil:
		return m.choiceKey(k)
	case m.note != nil:
		return m.noteKey(k)
	case m.help != nil:
		return m.helpKey(k)
	case m.logs != nil:
		if m.logs.key(k, story{m.log, m.view.Seq}, m.width, m.bodyHeight()) {
			m.logs = nil
		}
		return nil
	case m.gate != nil:
		return m.gateKey(k)
	case m.question != nil:
		return m.questionKey(k)
	}
	if burst(k) {
		// Whatever it is, it was not meant as a consent.
		cmd := m.arm.disarm()
		if k.Paste {
			m.say(true, "Pasted text does nothing here.")
			return cmd
		}
		cmds := []tea.Cmd{cmd}
		for _, one := range split(k) {
			cmds = append(cmds, m.press(one))
		}
		return tea.Batch(cmds...)
	}
	return m.press(k)
}

// interrupt opens the dialog, where there is something to interrupt. Where it does not
// fit, the second ctrl-c still detaches.
func (m *model) interrupt() tea.Cmd {
	if m.view.Closed != nil || m.gone != nil {
		m.leave()
		return tea.Quit
	}
	m.choice = interruptDialog(m)
	return nil
}

// tinyKey knows no key that could do harm: there is no room to say what it would do.
func (m *model) tinyKey(k tea.KeyMsg) tea.Cmd {
	if key.Matches(k, m.keys.Detach) || m.choice != nil && key.Matches(k, m.keys.Interrupt) ||
		key.Matches(k, m.keys.Leave) && !m.mayDecide() {
		m.leave()
		return tea.Quit
	}
	m.choice = nil
	return nil
}

func (m *model) choiceKey(k tea.KeyMsg) tea.Cmd {
	chosen, cmd := m.choice.key(k)
	switch chosen {
	case choseBack:
		m.choice = nil
	case choseDetach:
		m.leave()
		return tea.Quit
	case choseAbort:
		m.choice = nil
		m.say(false, "The engine was asked to stop as soon as that is safe.")
		return m.send(engine.Decision{Kind: engine.DecideAbort, Actor: m.opts.Actor})
	case choseDecline:
		m.choice = nil
		if g := m.view.Gate; g != nil {
			return m.send(decline(g, "", m.opts.Actor))
		}
	}
	return cmd
}

func (m *model) noteKey(k tea.KeyMsg) tea.Cmd {
	switch k.Type {
	case tea.KeyEsc:
		m.note = nil
	case tea.KeyEnter:
		text := m.note.String()
		m.note = nil
		return m.send(engine.Decision{Kind: engine.DecideNote, Value: text, Actor: m.opts.Actor})
	default:
		m.note.key(k)
	}
	return nil
}

func (m *model) helpKey(k tea.KeyMsg) tea.Cmd {
	for _, one := range split(k) {
		if by, ok := m.keys.paging(one, m.bodyHeight()-2); ok {
			m.help.offset = max(0, min(m.help.offset, 1000)+by)
			continue
		}
		if one.Type == tea.KeyEsc || one.String() == "q" || key.Matches(one, m.keys.Help) {
			m.help = nil
			return nil
		}
	}
	return nil
}

func (m *model) gateKey(k tea.KeyMsg) tea.Cmd {
	w, h := m.dialogSize()
	decision, back, cmd := m.gate.key(k, w, h)
	if back {
		m.gate = nil
		return nil
	}
	if decision != nil {
		return m.send(*decision)
	}
	return cmd
}

func (m *model) questionKey(k tea.KeyMsg) tea.Cmd {
	decision, back, cmd := m.question.key(k)
	if back {
		m.question, m.aside = nil, true
		m.enable()
		return nil
	}
	if decision != nil {
		return m.send(*decision)
	}
	return cmd
}

// press takes a single key of the main screen.
func (m *model) press(k tea.KeyMsg) tea.Cmd {
	defer m.enable()
	cmd := m.pressed(k)
	if m.view.Gate != nil && !m.arm.ready && cmd == nil {
		cmd = m.arm.disarm() // still typing
	}
	return cmd
}

func (m *model) pressed(k tea.KeyMsg) tea.Cmd {
	if by, ok := m.keys.paging(k, m.detailRoom()); ok {
		m.scroll(by)
		return nil
	}
	switch {
	case key.Matches(k, m.keys.Agree):
		return m.agreeOnCopy()
	case key.Matches(k, m.keys.Answer):
		m.aside = false
		return m.arrange()
	case key.Matches(k, m.keys.Review):
		return m.review()
	case key.Matches(k, m.keys.Decline):
		m.choice = declineDialog(m)
	case key.Matches(k, m.keys.Up):
		m.move(-1)
	case key.Matches(k, m.keys.Down):
		m.move(1)
	case key.Matches(k, m.keys.Follow):
		m.follow = !m.follow
		m.followWork()
	case key.Matches(k, m.keys.NextTab):
		m.turn(1)
	case key.Matches(k, m.keys.PrevTab):
		m.turn(-1)
	case key.Matches(k, m.keys.Tab):
		m.show(tab(k.Runes[0] - '0'))
	case key.Matches(k, m.keys.Plan):
		m.show(tabPlan)
	case key.Matches(k, m.keys.Evidence):
		m.show(tabEvidence)
	case key.Matches(k, m.keys.All):
		m.all, m.offset = !m.all, 0
	case key.Matches(k, m.keys.Zoom):
		m.zoom = !m.zoom
	default:
		return m.act(k)
	}
	return nil
}

// act takes the keys that open something or leave.
func (m *model) act(k tea.KeyMsg) tea.Cmd {
	switch {
	case key.Matches(k, m.keys.Copy):
		return m.copy()
	case key.Matches(k, m.keys.Note):
		m.note = new(entry)
	case key.Matches(k, m.keys.Log):
		m.logs = newLogOverlay(m)
	case key.Matches(k, m.keys.Help):
		m.help = &helpOverlay{st: m.styles, keys: m.keys}
	case key.Matches(k, m.keys.Detach):
		m.leave()
		return tea.Quit
	case key.Matches(k, m.keys.Leave):
		if m.mayDecide() {
			return m.interrupt()
		}
		m.leave()
		return tea.Quit
	}
	return nil
}

// agreeOnCopy consents to what writes to a copy only: once the plan is what the screen
// shows, and after a quiet moment.
func (m *model) agreeOnCopy() tea.Cmd {
	g := m.view.Gate
	if g == nil || g.Danger > engine.OnCopy || m.decided.any() && m.decided.same(m.view) {
		return nil
	}
	if at := (rowKey{g.Act, g.Step}); m.selected != at || m.tab != tabPlan {
		m.selected, m.tab, m.offset, m.follow = at, tabPlan, 0, true
		return m.arm.disarm()
	}
	if !m.arm.ready {
		return m.arm.disarm()
	}
	return m.send(agree(g, "", m.opts.Actor))
}

// review opens the consent dialog, or shows a copy's plan, which needs none.
func (m *model) review() tea.Cmd {
	g := m.view.Gate
	if g == nil || !m.mayDecide() {
		return nil
	}
	m.selected, m.tab, m.offset, m.follow = rowKey{g.Act, g.Step}, tabPlan, 0, true
	if g.Danger <= engine.OnCopy || m.decided.any() && m.decided.same(m.view) {
		return nil
	}
	m.gate = newGateDialog(m)
	return m.gate.arm.disarm()
}

func (m *model) scroll(by int) {
	total := len(m.contents.of(m.detail(), m.detailWidth()))
	room := m.detailRoom()
	if m.tab == tabLog && m.logFollow {
		m.offset = clampOffset(total, total, room)
	}
	m.offset = clampOffset(clampOffset(m.offset, total, room)+by, total, room)
	if m.tab == tabLog {
		m.logFollow = m.offset >= total-room
	}
}

// move selects another step; the screen stops following the work.
func (m *model) move(by int) {
	order := m.ladder().order()
	i := slices.Index(order, m.selected)
	if next := i + by; i >= 0 && next >= 0 && next < len(order) {
		m.selected, m.follow, m.offset = order[next], false, 0
		if m.tab == tabResult {
			m.tab = tabDoc
		}
	}
}

func (m *model) show(t tab) {
	if t == tabSteps && !m.single() || t == tabResult && m.view.Closed == nil || t >= tabs {
		return
	}
	if t != m.tab {
		m.tab, m.offset, m.logFollow = t, 0, true
	}
}

func (m *model) turn(by int) {
	for t := m.tab; ; {
		t = (t + tab(by) + tabs) % tabs
		if t == m.tab {
			return
		}
		before := m.tab
		if m.show(t); m.tab != before {
			return
		}
	}
}

func (m *model) copy() tea.Cmd {
	n := len(m.view.Commands)
	if n == 0 {
		return nil
	}
	text := commandLine(m.view.Commands[n-1].Intent)
	copier, dir := m.copier, m.opts.Dir
	return safely(func() tea.Msg { return copier.copy(text, dir) })
}

// interruptWords say what is going on and what leaving means for it.
func (m *model) interruptWords() string {
	r := m.view.Current()
	switch {
	case m.view.Question != nil || m.view.Gate != nil:
		return "The engine waits for a decision. If you leave, it goes on waiting."
	case r == nil || r.State.Final():
		return "The engine is between two steps. If you leave, it goes on by itself until it needs a decision."
	}
	return fmt.Sprintf("Step %s is %s. If you leave, it goes on by itself until it needs a decision.", cleanLine(r.Title), markOf(r.State).Word)
}

// abortWords say what stopping does to what is going on.
func (m *model) abortWords() string {
	if r := m.view.Current(); r != nil && (r.Act == engine.Performance || r.Act == engine.Undo) && r.State == engine.Applying {
		return "stop after this step. It is writing the original and will not be interrupted in the middle. The incident can be resumed."
	}
	return "stop as soon as that is safe. The incident can be resumed."
}

// enable offers exactly the keys that do something now.
func (m *model) enable() {
	g, ask := m.view.Gate, m.view.Question != nil && m.aside
	free := m.mayDecide() && (!m.decided.any() || !m.decided.same(m.view))
	m.keys.Agree.SetEnabled(free && g != nil && g.Danger <= engine.OnCopy)
	m.keys.Review.SetEnabled(free && g != nil && g.Danger > engine.OnCopy)
	m.keys.Decline.SetEnabled(free && g != nil)
	m.keys.Answer.SetEnabled(free && ask)
	m.keys.Copy.SetEnabled(len(m.view.Commands) > 0)
	m.keys.Note.SetEnabled(m.gone == nil && m.view.Closed == nil)
	m.keys.Detach.SetEnabled(m.gone == nil && m.view.Closed == nil)
	m.keys.Leave.SetEnabled(!m.mayDecide())
	m.keys.Zoom.SetEnabled(!m.single())
}
