package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// tab of the right pane.
type tab int

const (
	tabSteps tab = iota // the ladder, where there is room for one pane only
	tabDoc
	tabPlan
	tabFindings
	tabEvidence
	tabVerdicts
	tabLog
	tabResult // once the run has ended
	tabs
)

func (t tab) title() string {
	return [...]string{"Steps", "Doc", "Plan", "Findings", "Evidence", "Checks", "Log", "Result"}[t]
}

// detail is the right pane: one tab on the selected step.
type detail struct {
	st   styles
	view engine.View
	row  rowKey
	tab  tab
	all  bool // all steps instead of this one, where a tab can show both
	log  []line
	dir  string // where logs are kept
}

// contentKey is all that a tab's content depends on.
type contentKey struct {
	tab   tab
	row   rowKey
	all   bool
	seq   int64
	width int
}

// contents keeps the content last laid out: a screen is drawn far more often than its
// content changes, and evidence can be long.
type contents struct {
	key  contentKey
	kept []string
}

func (c *contents) of(d detail, width int) []string {
	if k := (contentKey{d.tab, d.row, d.all, d.view.Seq, width}); c.kept == nil || c.key != k {
		c.key, c.kept = k, d.lines(width)
	}
	return c.kept
}

// lines are the tab's content, wrapped to width.
func (d detail) lines(width int) []string {
	switch d.tab {
	case tabDoc:
		return d.doc(width)
	case tabPlan:
		return d.plan(width)
	case tabFindings:
		return d.findings(width)
	case tabEvidence:
		return d.evidence(width)
	case tabVerdicts:
		return d.verdicts(width)
	case tabLog:
		return d.story(width)
	case tabResult:
		return d.result(width)
	}
	return nil
}

func (d detail) info() engine.StepInfo {
	for _, s := range d.view.Opened.Steps {
		if s.Name == d.row.Step {
			return s
		}
	}
	return engine.StepInfo{}
}

// title is the pane's: which step, in which act.
func (d detail) title() string {
	for i, s := range d.view.Opened.Steps {
		if s.Name == d.row.Step {
			name, where := actWords(d.row.Act)
			if d.row.Act == engine.Prepare || d.row.Act == engine.Closing {
				where = ""
			}
			return d.st.strong.Render(fmt.Sprintf("%d %s", i+1, cleanLine(s.Title))) + " · " + join(" ", name, where)
		}
	}
	return cleanLine(d.view.Opened.Title)
}

// tabLine lists the tabs, the one shown in brackets.
func (d detail) tabLine(width int, withSteps bool) string {
	var loose, tight []string
	for t := tabSteps; t < tabs; t++ {
		if t == tabSteps && !withSteps || t == tabResult && d.view.Closed == nil {
			continue
		}
		name := t.title()
		if t == d.tab {
			name = d.st.strong.Render("[" + name + "]")
			loose = append(loose, name)
		} else {
			loose = append(loose, " "+name+" ")
		}
		tight = append(tight, name)
	}
	if s := strings.Join(loose, ""); ansi.StringWidth(s) <= width {
		return s
	}
	return ansi.Truncate(strings.Join(tight, " "), width, "…")
}

// doc is what the operator reads: how the step stands, its prose, what it has said.
func (d detail) doc(width int) []string {
	if d.row.Step == "" {
		return wrap("Waiting for the engine.", width)
	}
	var out []string
	if row := d.view.Row(d.row.Act, d.row.Step); row != nil {
		out = append(out, d.problem(*row, width)...)
	}
	out = append(out, markdown(d.info().Doc, min(width, readable), d.st)...)
	said := 0
	for _, s := range d.view.Said {
		if s.Act != d.row.Act || s.Step != d.row.Step || s.Attempt != attemptOf(d.view, d.row.Act) {
			continue
		}
		if said++; said == 1 {
			out = append(out, "", d.st.strong.Render("So far"))
		}
		out = append(out, hang("- "+cleanLine(s.Item.Text), "  ", width)...)
	}
	return out
}

// readable is how wide prose gets, however wide the screen is.
const readable = 96

func (d detail) problem(row engine.Row, width int) []string {
	m := markOf(row.State)
	switch row.State {
	case engine.Failed, engine.Unsure, engine.Interrupted, engine.Refused, engine.Skipped:
	default:
		return nil
	}
	text := m.Glyph + " " + m.Word
	if row.Problem != nil {
		text += ": " + cleanLine(row.Problem.Message)
	}
	out := d.st.paintAll(stateTone(row.State), hang(text, "   ", width))
	if row.Problem != nil && row.Problem.Hint != "" {
		out = append(out, hang("next: "+cleanLine(row.Problem.Hint), "      ", width)...)
	}
	return append(out, "")
}

func (d detail) plan(width int) []string {
	p, ok := latestPlan(d.view, d.row.Act, d.row.Step)
	if !ok {
		if !d.info().Writes {
			return wrap("This step only looks, so it has no plan.", width)
		}
		return wrap("The plan is made when the step runs, and shown here before anything is changed.", width)
	}
	out := d.st.paintAll(toneStrong, wrap(cleanLine(p.Plan.Summary), width))
	if loses := losesLines(p.Plan, width, d.st); len(loses) > 0 {
		out = append(append(out, ""), loses...)
	}
	if p.Plan.Empty() {
		out = append(out, "", "Nothing needs to be changed.")
	} else {
		out = append(append(out, ""), changeLines(p.Plan, width, d.st)...)
	}
	out = append(out, "")
	return append(out, digestLines(d.view, d.row.Act, d.row.Step, p.Digest, width, d.st)...)
}

// attemptOf is the latest attempt that the act has had.
func attemptOf(v engine.View, act engine.Act) int {
	if act == v.Act {
		return v.Attempt
	}
	n := 0
	for _, p := range v.Plans {
		if p.Act == act {
			n = max(n, p.Attempt)
		}
	}
	for _, p := range v.Said {
		if p.Act == act {
			n = max(n, p.Attempt)
		}
	}
	for _, p := range v.Findings {
		if p.Act == act {
			n = max(n, p.Attempt)
		}
	}
	for _, p := range v.Exhibits {
		if p.Act == act {
			n = max(n, p.Attempt)
		}
	}
	return n
}

// here filters to the selected step's latest attempt, or everything.
func here[T any](d detail, items []engine.Placed[T]) (mine []engine.Placed[T], others int) {
	attempt := attemptOf(d.view, d.row.Act)
	for _, p := range items {
		switch {
		case d.all || p.Act == d.row.Act && p.Step == d.row.Step && p.Attempt == attempt:
			mine = append(mine, p)
		default:
			others++
		}
	}
	return mine, others
}

// elsewhere tells that other steps have something to show.
func (d detail) elsewhere(none string, others int, width int) []string {
	s := none
	if others > 0 {
		s += fmt.Sprintf(" Other steps: %d; a shows them.", others)
	}
	return d.st.paintAll(toneFaint, wrap(s, width))
}
