package ui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// choice is what a choiceDialog was left with.
type choice int

const (
	choseNothing choice = iota
	choseBack
	choseDetach
	choseAbort
	choseDecline
)

// choiceDialog asks what a key that could do harm is meant to do: ctrl-c, or declining.
// It says exactly what would happen.
type choiceDialog struct {
	st     styles
	title  string
	text   []string // paragraphs
	offers []offer
	arm    arming
	armed  *offer // chosen, waits for its y
}

// offer is one thing to do, behind its own key.
type offer struct {
	binding key.Binding
	what    choice
	sure    string // asked before it is done; empty does it at once
}

// Render fills the body.
func (d *choiceDialog) Render(width, height int) []string {
	var out []string
	for _, p := range d.text {
		out = append(append(out, wrap(p, min(width, readable))...), "")
	}
	if d.armed != nil {
		t, word := d.arm.word()
		out = append(out, d.st.paintAll(toneWarn, wrap(d.armed.sure+" Press y to do it, any other key not to.", width))...)
		return append(out, spread("", d.st.paint(t, word), width))
	}
	for _, o := range d.offers {
		h := o.binding.Help()
		out = append(out, hang(fit(h.Key, 8)+h.Desc, "        ", width)...)
	}
	return out
}

func (d *choiceDialog) key(k tea.KeyMsg) (choice, tea.Cmd) {
	if burst(k) {
		return choseNothing, d.arm.disarm()
	}
	if d.armed != nil {
		switch {
		case !d.arm.ready:
			return choseNothing, d.arm.disarm()
		case k.String() == "y":
			return d.armed.what, nil
		}
		d.armed = nil
		return choseNothing, nil
	}
	for i, o := range d.offers {
		if !key.Matches(k, o.binding) {
			continue
		}
		if o.sure == "" {
			return o.what, nil
		}
		d.armed = &d.offers[i]
		return choseNothing, d.arm.disarm()
	}
	return choseNothing, nil
}

// interruptDialog is what ctrl-c opens. A second ctrl-c detaches.
func interruptDialog(m *model) *choiceDialog {
	d := &choiceDialog{st: m.styles, title: "Leave, or stop?"}
	d.text = []string{m.interruptWords()}
	d.offers = []offer{
		{bind("d", "detach: leave the engine to go on. Attach again with: "+m.opts.attachHint()+". Ctrl-c again does this too.", "d", "D", "ctrl+c", "ctrl+d"), choseDetach, ""},
	}
	if m.mayDecide() {
		d.offers = append(d.offers, offer{bind("a", "abort: "+m.abortWords(), "a"), choseAbort, "Abort? " + m.abortWords()})
	}
	d.offers = append(d.offers, offer{bind("esc", "go back: nothing is interrupted", "esc", "q"), choseBack, ""})
	return d
}

func declineDialog(m *model) *choiceDialog {
	g := m.view.Gate
	return &choiceDialog{st: m.styles, title: "Decline this plan?",
		text: []string{cleanLine(g.Prompt), "Nothing of it is done. The run ends here; what was stopped stays stopped until it is resumed or given back. It can be resumed with: " + m.opts.resumeHint()},
		offers: []offer{
			{bind("n", "decline it", "n"), choseDecline, "Decline: are you sure?"},
			{bind("esc", "go back: the plan goes on waiting", "esc", "q"), choseBack, ""},
		}}
}
