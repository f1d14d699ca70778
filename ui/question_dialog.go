package ui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// questionDialog asks for an answer that a step needs before it starts.
type questionDialog struct {
	st       styles
	question *engine.Asked
	actor    string
	arm      arming
	chosen   int
	text     entry
	said     string
	sent     bool
}

func newQuestionDialog(m *model) *questionDialog {
	q := m.view.Question
	d := &questionDialog{st: m.styles, question: q, actor: m.opts.Actor, text: newEntry(q.Default)}
	for i, c := range q.Choices {
		if c == q.Default {
			d.chosen = i
		}
	}
	return d
}

// Render fills the right pane.
func (d *questionDialog) Render(width, height int) []string {
	q := d.question
	out := d.st.paintAll(toneStrong, wrap(cleanLine(q.Prompt), width))
	if q.Help != "" {
		out = append(append(out, ""), markdown(q.Help, min(width, readable), d.st)...)
	}
	out = append(out, "")
	t, word := d.arm.word()
	bottom := []string{"", spread("", d.st.paint(t, word), width)}
	if d.said != "" {
		bottom = append(d.st.paintAll(toneBad, wrap("!! "+d.said, width)), bottom...)
	}
	if d.sent {
		bottom = []string{"", "Answered. Waiting for the engine."}
	}
	if len(q.Choices) == 0 {
		out = append(out, "> "+d.text.render(d.st, width-2))
		return append(out, bottom...)
	}
	return append(append(out, d.choices(width, height-len(out)-len(bottom))...), bottom...)
}

// choices are listed in at most height lines, scrolled to the chosen one.
func (d *questionDialog) choices(width, height int) []string {
	var out []string
	at := 0
	for i, c := range d.question.Choices {
		label := cleanLine(c)
		if c == d.question.Default {
			label += " (default)"
		}
		if i == d.chosen {
			at = len(out)
			for j, l := range hang("> "+label, "  ", width) {
				if j == 0 {
					l = fit(l, width)
				}
				out = append(out, d.st.selected.Render(l))
			}
			continue
		}
		out = append(out, hang("  "+label, "  ", width)...)
	}
	height = max(1, height)
	if len(out) > height {
		from := min(max(0, at-height/2), len(out)-height)
		out = out[from : from+height]
	}
	return out
}

func (d *questionDialog) key(k tea.KeyMsg) (decision *engine.Decision, back bool, cmd tea.Cmd) {
	if k.Type == tea.KeyEsc {
		return nil, true, nil
	}
	if d.sent {
		return nil, false, nil
	}
	if !d.arm.ready {
		return nil, false, d.arm.disarm()
	}
	if k.Type == tea.KeyEnter {
		return d.answer()
	}
	d.said = ""
	if len(d.question.Choices) == 0 {
		d.text.key(k)
		return nil, false, nil
	}
	if burst(k) {
		return nil, false, d.arm.disarm()
	}
	last := len(d.question.Choices) - 1
	switch k.String() {
	case "up", "k":
		d.chosen = max(0, d.chosen-1)
	case "down", "j":
		d.chosen = min(last, d.chosen+1)
	case "home":
		d.chosen = 0
	case "end":
		d.chosen = last
	}
	return nil, false, nil
}

func (d *questionDialog) answer() (*engine.Decision, bool, tea.Cmd) {
	value := d.text.String()
	if n := len(d.question.Choices); n > 0 {
		value = d.question.Choices[d.chosen]
	}
	if err := d.question.Validate(value); err != nil {
		d.said = cleanLine(err.Error())
		return nil, false, nil
	}
	d.sent = true
	decision := answer(d.question, value, d.actor)
	return &decision, false, nil
}

func (d *questionDialog) bindings() []key.Binding {
	out := []key.Binding{bind("enter", "answer", "enter")}
	if len(d.question.Choices) > 0 {
		out = append(out, bind("up/down", "choose", "up", "down"))
	}
	return append(out, bind("esc", "look around first", "esc"))
}
