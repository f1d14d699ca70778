package ui

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// header names the target and where the incident stands. It never scrolls off.
type header struct {
	st       styles
	view     engine.View
	now      time.Time
	busy     bool
	watching bool
	gone     bool
}

// oneLine is from which width the header needs one line only.
const oneLine = 110

// Render makes one line, or two on a narrow screen.
func (h header) Render(width int) []string {
	name := h.st.strong.Render("pgrescue")
	facts := headline(h.view)
	act, state, clock := h.act(), h.state(), h.clock()
	if width >= oneLine {
		right := join("  ", act, state, clock)
		left := " " + name + "  " + fitParts(facts.parts(), width-len(" pgrescue  ")-ansi.StringWidth(right)-3)
		return []string{spread(left, right+" ", width)}
	}
	left := " " + name + "  " + fitParts(facts.parts(), width-len(" pgrescue  ")-ansi.StringWidth(clock)-3)
	return []string{spread(left, clock+" ", width), spread(" "+act, state+" ", width)}
}

// fitParts joins as many facts as fit, and never drops the first.
func fitParts(parts []string, width int) string {
	for len(parts) > 1 && ansi.StringWidth(strings.Join(parts, " · ")) > width {
		parts = parts[:len(parts)-1]
	}
	return ansi.Truncate(strings.Join(parts, " · "), max(1, width), "…")
}

func join(sep string, parts ...string) string {
	var full []string
	for _, p := range parts {
		if p != "" {
			full = append(full, p)
		}
	}
	return strings.Join(full, sep)
}

func (h header) act() string {
	if h.view.Act == "" {
		return ""
	}
	t := toneStrong
	if h.view.Act == engine.Performance || h.view.Act == engine.Undo {
		t = toneWarn
	}
	return h.st.paint(t, actTitle(h.view.Act))
}

// state says what there is to wait for, in words.
func (h header) state() string {
	switch {
	case h.view.Closed != nil:
		return h.st.paint(closedTone(*h.view.Closed), strings.ToUpper(cleanLine(h.view.Closed.Outcome)))
	case h.gone:
		return h.st.bad.Render("THE ENGINE HAS ENDED")
	case h.view.Question != nil || h.view.Gate != nil:
		if h.watching {
			return h.st.warn.Render("waits for the operator")
		}
		return h.st.warn.Render("WAITS FOR YOU")
	case h.watching:
		return "watching"
	case h.busy:
		return "working"
	}
	return ""
}

// clock is the time since the incident began, up to now while something works and up to
// the latest event otherwise: a screen on which nothing happens does not move.
func (h header) clock() string {
	if h.view.Started.IsZero() {
		return ""
	}
	end := h.view.Last
	if h.busy && h.now.After(end) {
		end = h.now
	}
	d := max(0, end.Sub(h.view.Started)) / time.Second
	return pad2(d/3600) + ":" + pad2(d/60%60) + ":" + pad2(d%60)
}

func pad2(n time.Duration) string {
	if n < 10 {
		return "0" + grouped(int64(n))
	}
	return grouped(int64(n))
}
