package ui

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/x/ansi"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// The sizes at which the layout changes.
const (
	leastWidth  = 60 // below either there is one status line and no dangerous key
	leastHeight = 20
	twoPanes    = 76  // from this width ladder and detail stand side by side
	wideLadder  = 120 // from this width the ladder has room for words
	threePanes  = 160 // from this width the story runs along at the right
)

func (m *model) tiny() bool   { return m.width < leastWidth || m.height < leastHeight }
func (m *model) single() bool { return m.width < twoPanes }

// View is the whole screen: never higher or wider than the terminal.
func (m *model) View() (s string) {
	defer func() {
		if p := recover(); p != nil {
			// Update ends the program at the next message.
			if m.err == nil {
				m.err = &PanicError{p, debug.Stack()}
			}
			s = "internal error; ctrl-d leaves"
		}
	}()
	if m.width == 0 || m.height == 0 {
		return ""
	}
	return m.clamp(m.screen())
}

// clamp cuts lines to the terminal. The layout never needs it for what must be read.
func (m *model) clamp(lines []string) string {
	if len(lines) > m.height {
		lines = lines[:m.height]
	}
	for i, l := range lines {
		if ansi.StringWidth(l) > m.width {
			l = ansi.Truncate(l, m.width, "")
		}
		if m.opts.ASCII {
			l = asciiFold(l)
		}
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

func (m *model) screen() []string {
	if m.tiny() {
		return m.status()
	}
	var out []string
	out = append(out, m.header().Render(m.width)...)
	body := m.body()
	for len(body) < m.bodyHeight() {
		body = append(body, "")
	}
	out = append(out, body[:m.bodyHeight()]...)
	return append(out, m.footer().Render(m.width)...)
}

// status is all there is room for.
func (m *model) status() []string {
	h := m.header()
	o := m.view.Original
	if o == "" {
		o = engine.Untouched
	}
	s := join(" ", "pgrescue:", "original", string(o)+";", h.state())
	if m.choice != nil {
		return []string{s, "ctrl-c: detach"}[:min(2, m.height)]
	}
	lines := []string{s, fmt.Sprintf("Too small: %dx%d is needed.", leastWidth, leastHeight), "ctrl-d detaches."}
	return lines[:min(len(lines), m.height)]
}

func (m *model) header() header {
	return header{m.styles, m.view, m.now, m.busy(), m.watching, m.gone != nil}
}

func (m *model) footer() footer {
	f := footer{st: m.styles, view: m.view, keys: m.bindings(), notice: m.notice, urgent: m.urgent}
	if m.note != nil {
		f.notice, f.urgent = "note: "+m.note.render(m.styles, m.width-12), false
	}
	return f
}

// bindings are the keys of what is on top.
func (m *model) bindings() []key.Binding {
	switch {
	case m.choice != nil:
		return nil // the dialog lists them
	case m.note != nil:
		return []key.Binding{bind("enter", "save the note", "enter"), bind("esc", "drop it", "esc")}
	case m.help != nil:
		return []key.Binding{bind("esc", "back", "esc")}
	case m.logs != nil:
		return m.logs.bindings()
	case m.gate != nil:
		return m.gate.bindings(m.dialogSize())
	case m.question != nil:
		return m.question.bindings()
	}
	return m.keys.short()
}

func (m *model) headerHeight() int {
	if m.width >= oneLine {
		return 1
	}
	return 2
}

func (m *model) bodyHeight() int { return max(0, m.height-m.headerHeight()-2) }

// dialogSize is the room inside a dialog that takes the whole body.
func (m *model) dialogSize() (width, height int) { return m.width - 4, m.bodyHeight() - 2 }

func (m *model) body() []string {
	w, h := m.width, m.bodyHeight()
	full := func(title string, lines []string) []string {
		return m.styles.box(m.styles.strong.Render(title), "", indent(lines, " "), w, h)
	}
	dw, dh := m.dialogSize()
	switch {
	case m.choice != nil:
		return full(m.choice.title, m.choice.Render(dw, dh))[:h]
	case m.help != nil:
		return m.help.Render(w, h)
	case m.logs != nil:
		return m.logs.Render(story{m.log, m.view.Seq}, w, h)
	case m.gate != nil:
		return full(m.gateTitle(), m.gate.Render(dw, dh))
	}
	return m.panes(w, h)
}

func (m *model) gateTitle() string {
	g := m.gate.gate
	name, where := actWords(g.Act)
	title := g.Step
	for i, s := range m.view.Opened.Steps {
		if s.Name == g.Step {
			title = fmt.Sprintf("Consent: %d %s", i+1, cleanLine(s.Title))
		}
	}
	if g.Act == engine.Prepare || g.Act == engine.Closing {
		where = ""
	}
	return title + " · " + join(" ", name, where)
}

// paneWidths divide the screen; 0 leaves a pane out.
func (m *model) paneWidths() (left, middle, right int) {
	switch {
	case m.single() || m.zoom:
		return 0, m.width, 0
	case m.width < wideLadder:
		left = 32
		if m.width < 90 {
			left = 30
		}
		return left, m.width - left, 0
	case m.width < threePanes:
		return 40, m.width - 40, 0
	}
	middle = (m.width - 42) * 11 / 20
	return 42, middle, m.width - 42 - middle
}

func (m *model) panes(w, h int) []string {
	left, middle, right := m.paneWidths()
	var blocks [][]string
	if left > 0 {
		title := cleanLine(orWord(m.view.Opened.Playbook, "pgrescue"))
		blocks = append(blocks, m.styles.box(m.styles.strong.Render(title), "", m.ladder().Render(left-2, h-2), left, h))
	}
	blocks = append(blocks, m.detailBox(middle, h))
	if right > 0 {
		recent := m.log[max(0, len(m.log)-4*h):] // a few more than are seen: some are left out
		lines := storyLines(coarse(recent), right-4, false, m.styles)
		lines = window(lines, len(lines), h-2)
		blocks = append(blocks, m.styles.box(m.styles.strong.Render("Log"), "L: whole log", indent(lines, " "), right, h))
	}
	return beside(blocks...)
}

func (m *model) ladder() ladder { return ladder{m.styles, m.view, m.selected, m.now} }

func (m *model) detail() detail {
	return detail{st: m.styles, view: m.view, row: m.selected, tab: m.tab, all: m.all, log: m.log, dir: m.opts.Dir}
}

// detailWidth is the width of the detail pane's text.
func (m *model) detailWidth() int {
	_, middle, _ := m.paneWidths()
	return max(1, middle-4)
}

// detailRoom is how many lines of the tab's content are in view.
func (m *model) detailRoom() int {
	return max(1, m.bodyHeight()-2-2-len(m.bar(m.detailWidth())))
}

func (m *model) detailBox(width, height int) []string {
	d, inner := m.detail(), m.detailWidth()
	if m.question != nil {
		return m.styles.box(m.styles.warn.Render("Question")+" · "+cleanLine(d.info().Title), "", indent(m.question.Render(inner, height-2), " "), width, height)
	}
	bar := m.bar(inner)
	room := m.detailRoom()
	content := []string{d.tabLine(inner, m.single()), ""}
	lines, offset := []string(nil), 0
	if m.tab == tabSteps {
		lines = m.ladder().Render(inner, room)
	} else {
		lines = m.contents.of(d, inner)
		offset = clampOffset(m.offset, len(lines), room)
		if m.tab == tabLog && m.logFollow {
			offset = clampOffset(len(lines), len(lines), room)
		}
	}
	content = append(content, window(lines, offset, room)...)
	for len(content) < room+2 {
		content = append(content, "")
	}
	content = append(content, bar...)
	return m.styles.box(d.title(), position(offset, room, len(lines)), indent(content, " "), width, height)
}
