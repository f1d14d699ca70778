package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// rowKey names a row of the ladder.
type rowKey struct {
	Act  engine.Act
	Step string
}

// ladder is the left pane: every step once for each act it is played in.
type ladder struct {
	st       styles
	view     engine.View
	selected rowKey
	now      time.Time
}

// ladderGroup is an act with its rows.
type ladderGroup struct {
	act       engine.Act
	rows      []engine.Row
	collapsed bool
}

// groups are the acts that are shown. Undo is, once it is played.
func (l ladder) groups() []ladderGroup {
	var out []ladderGroup
	for _, act := range [...]engine.Act{engine.Prepare, engine.Rehearsal, engine.Performance, engine.Closing, engine.Undo} {
		g := ladderGroup{act: act}
		touched := l.view.Act == act
		for _, r := range l.view.Rows {
			if r.Act == act {
				g.rows = append(g.rows, r)
				touched = touched || r.State != engine.Pending
			}
		}
		if len(g.rows) > 0 && (act != engine.Undo || touched) {
			out = append(out, g)
		}
	}
	return out
}

// order lists the rows as they are shown, for moving the selection.
func (l ladder) order() []rowKey {
	var keys []rowKey
	for _, g := range l.groups() {
		for _, r := range g.rows {
			keys = append(keys, rowKey{r.Act, r.Step})
		}
	}
	return keys
}

// Render shows the ladder. Where it is too long, acts are folded to one line, those that
// are over first; what is still too long is scrolled to the selected row.
func (l ladder) Render(width, height int) []string {
	groups := l.groups()
	l.collapse(groups, height)
	var lines []string
	at := 0
	for _, g := range groups {
		lines = append(lines, l.heading(g, width))
		if g.collapsed {
			continue
		}
		for _, r := range g.rows {
			if (rowKey{r.Act, r.Step}) == l.selected {
				at = len(lines)
			}
			lines = append(lines, l.row(r, width))
		}
	}
	if len(lines) <= height {
		return lines
	}
	from := min(max(0, at-height/2), len(lines)-height)
	return lines[from : from+height]
}

// collapse folds acts until the ladder fits. The current and the selected one stay open.
func (l ladder) collapse(groups []ladderGroup, height int) {
	total := 0
	for _, g := range groups {
		total += 1 + len(g.rows)
	}
	fold := func(g *ladderGroup) {
		if total > height && !g.collapsed && g.act != l.view.Act && g.act != l.selected.Act {
			g.collapsed = true
			total -= len(g.rows)
		}
	}
	for i := range groups {
		if l.over(groups[i]) {
			fold(&groups[i])
		}
	}
	for i := len(groups) - 1; i >= 0; i-- {
		fold(&groups[i])
	}
}

func (l ladder) over(g ladderGroup) bool {
	for _, r := range g.rows {
		if !r.State.Final() {
			return false
		}
	}
	return true
}

func (l ladder) heading(g ladderGroup, width int) string {
	name, where := actWords(g.act)
	long := name
	if g.act == engine.Rehearsal || g.act == engine.Performance || g.act == engine.Undo {
		long += " " + where
	}
	note := l.note(g)
	for _, s := range []string{long, strings.Replace(long, " the ", " ", 1)} {
		if 1+ansi.StringWidth(s)+2+ansi.StringWidth(note)+1 <= width {
			name = s
			break
		}
	}
	return spread(" "+l.st.strong.Render(name), l.st.faint.Render(note)+" ", width)
}

// note says in a heading what its rows cannot.
func (l ladder) note(g ladderGroup) string {
	done := 0
	for _, r := range g.rows {
		if r.State == engine.Done || r.State == engine.Skipped {
			done++
		}
	}
	switch {
	case l.view.Opened.Options.RehearseOnly && (g.act == engine.Performance || g.act == engine.Closing) && l.view.Act != g.act:
		return "not now"
	case g.act == engine.Performance && l.view.Rehearsed == nil && done == 0:
		return "locked"
	case g.collapsed && done == len(g.rows):
		return fmt.Sprintf("ok %d done", done)
	case g.collapsed && done > 0:
		return fmt.Sprintf("%d of %d done", done, len(g.rows))
	case g.collapsed:
		return count(len(g.rows), "step")
	case l.view.Act == g.act && l.view.Attempt > 1:
		return fmt.Sprintf("attempt %d", l.view.Attempt)
	}
	return ""
}

func (l ladder) row(r engine.Row, width int) string {
	m := markOf(r.State)
	number := 0
	for i, s := range l.view.Opened.Steps {
		if s.Name == r.Step {
			number = i + 1
		}
	}
	right := m.Word
	elapsed := ""
	if !r.Began.IsZero() {
		end := r.Ended
		if end.IsZero() {
			end = l.now
		}
		elapsed = clock(end.Sub(r.Began))
	}
	switch {
	case r.State == engine.Done:
		right = elapsed
	case (r.State == engine.Running || r.State == engine.Applying) && width >= 36 && elapsed != "":
		right += " " + elapsed
	}
	marker := " "
	chosen := (rowKey{r.Act, r.Step}) == l.selected
	if chosen {
		marker = ">"
	}
	t := stateTone(r.State)
	if chosen {
		s := spread(fmt.Sprintf("%s%s %2d %s", marker, m.Glyph, number, cleanLine(r.Title)), right+" ", width)
		return l.st.selected.Render(s)
	}
	title := cleanLine(r.Title)
	if r.State == engine.Pending || r.State == engine.Skipped {
		title = l.st.faint.Render(title)
	}
	left := fmt.Sprintf("%s%s %2d %s", marker, l.st.paint(t, m.Glyph), number, title)
	if r.State == engine.Done {
		t = toneFaint
	}
	return spread(left, l.st.paint(t, right)+" ", width)
}
