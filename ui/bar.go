package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// bar is what stands at the foot of the detail pane: what is wanted from the person, or
// how far the running step is.
func (m *model) bar(width int) []string {
	switch {
	case m.gone != nil && m.view.Closed == nil:
		return append([]string{m.styles.border.Render(strings.Repeat("─", width))},
			m.styles.paintAll(toneBad, hang("!! "+cleanLine(m.opts.gone(m.view).Message), "   ", width))...)
	case m.view.Gate != nil:
		return append([]string{m.styles.border.Render(strings.Repeat("─", width))}, m.gateBar(width)...)
	case m.view.Question != nil:
		return append([]string{m.styles.border.Render(strings.Repeat("─", width))},
			m.styles.paintAll(toneWarn, hang("?? "+cleanLine(m.view.Question.Prompt)+" Press enter to answer.", "   ", width))...)
	case m.shown != nil && m.busy():
		return append([]string{m.styles.border.Render(strings.Repeat("─", width))}, m.progressBar(*m.shown, width)...)
	}
	return nil
}

func (m *model) gateBar(width int) []string {
	g := m.view.Gate
	t := toneWarn
	if g.Danger >= engine.Original {
		t = toneBad
	}
	out := m.styles.paintAll(t, hang("!! "+gateWords(g.Danger), "   ", width))
	switch {
	case m.watching:
		return append(out, "The operator decides; this front end watches.")
	case m.decided.any() && m.decided.same(m.view):
		return append(out, "Decided. Waiting for the engine.")
	case g.Danger > engine.OnCopy:
		return append(out, spread(m.styles.key.Render("g")+" review and decide", "", width))
	case m.tab != tabPlan || m.selected != (rowKey{g.Act, g.Step}):
		return append(out, spread(m.styles.key.Render("enter")+" show the plan", "", width))
	}
	mark, word := m.arm.word()
	keys := m.styles.key.Render("enter") + " agree  " + m.styles.key.Render("x") + " decline"
	if ansi.StringWidth(keys)+ansi.StringWidth(word)+2 > width {
		word = "[wait]"
		if m.arm.ready {
			word = "[ready]"
		}
	}
	return append(out, spread(keys, m.styles.paint(mark, word), width))
}

// progressBar shows the work in two lines. It moves once a second at most.
func (m *model) progressBar(p engine.Progress, width int) []string {
	pc := paceOf(p, m.now)
	what := join("  ", cleanLine(p.What), amount(p))
	if pc.Percent != "" {
		cells := max(0, width-ansi.StringWidth(what)-8)
		if cells > 40 {
			cells = 40
		}
		if cells >= 10 {
			done := int(min(p.Total, max(0, p.Done)) * int64(cells) / p.Total)
			what = spread(what, "["+strings.Repeat("#", done)+strings.Repeat(".", cells-done)+"]"+" "+pc.Percent, width)
		} else {
			what = spread(what, pc.Percent, width)
		}
	}
	quiet := ""
	if pc.Quiet != "" {
		quiet = m.styles.warn.Render(pc.Quiet)
	}
	return []string{fit(what, width), fit(join("  ", pc.Rate, pc.Left, quiet), width)}
}
