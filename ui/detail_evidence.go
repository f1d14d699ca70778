package ui

import (
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

func (d detail) findings(width int) []string {
	mine, others := here(d, d.view.Findings)
	if len(mine) == 0 {
		return d.elsewhere("No findings in this step.", others, width)
	}
	var out []string
	for i, p := range mine {
		if i > 0 {
			out = append(out, "")
		}
		f := p.Item
		title := fmt.Sprintf("%s %s: %s", severityMark(f.Severity), f.Severity, cleanLine(f.Title))
		if d.all {
			title += " (" + cleanLine(p.Step) + ", " + string(p.Act) + ")"
		}
		out = append(out, d.st.paintAll(severityTone(f.Severity), hang(title, "   ", width))...)
		add := func(t tone, label, text string) {
			for _, l := range hang(label+text, strings.Repeat(" ", len(label)), width-3) {
				out = append(out, "   "+d.st.paint(t, l))
			}
		}
		if f.Detail != "" {
			add(toneNormal, "", clean(f.Detail))
		}
		for _, e := range f.Evidence {
			add(toneFaint, "evidence: ", cleanLine(e))
		}
		if f.Next != "" {
			add(toneStrong, "next: ", cleanLine(f.Next))
		}
	}
	if others > 0 {
		out = append(append(out, ""), d.elsewhere("", others, width)...)
	}
	return out
}

func (d detail) evidence(width int) []string {
	mine, others := here(d, d.view.Exhibits)
	if len(mine) == 0 {
		return d.elsewhere("No evidence in this step.", others, width)
	}
	var out []string
	for i, p := range mine {
		if i > 0 {
			out = append(out, "")
		}
		title := cleanLine(p.Item.Title)
		if d.all {
			title += " (" + cleanLine(p.Step) + ", " + string(p.Act) + ")"
		}
		out = append(out, d.st.paintAll(toneStrong, wrap(title, width))...)
		out = append(out, d.exhibitLines(p.Item, width)...)
	}
	if others > 0 {
		out = append(append(out, ""), d.elsewhere("", others, width)...)
	}
	return out
}

func (d detail) exhibitLines(x engine.Exhibit, width int) []string {
	out := d.st.paintTable(table{x.Columns, x.Rows}.lines(width))
	if text := strings.TrimRight(clean(x.Text), "\n"); text != "" {
		out = append(out, wrap(text, width)...)
	}
	return out
}

func (d detail) verdicts(width int) []string {
	all := latestVerdicts(d.view)
	var mine []engine.Placed[engine.Verdict]
	for _, p := range all {
		if p.Act == d.row.Act || d.all {
			mine = append(mine, p)
		}
	}
	if len(all) == 0 {
		return wrap("Nothing has been checked yet.", width)
	}
	var out []string
	if len(mine) == 0 {
		mine = lastChecked(d.view)
		name, where := actWords(mine[0].Act)
		out = append(out, "As checked in the "+name+" "+where+":")
	}
	passed, failed, unchecked := tally(mine)
	out = append(out, d.st.strong.Render(fmt.Sprintf("%d PASS   %d FAIL   %d COULD NOT CHECK", passed, failed, unchecked)), "")
	t := table{Columns: []string{"verdict", "what", "result", "on what evidence"}}
	for _, p := range mine {
		v := p.Item
		t.Rows = append(t.Rows, []string{resultMark(v.Result) + " " + string(v.Result), v.Subject, v.Detail, strings.Join(v.Evidence, ", ")})
	}
	if width < 70 { // two columns and the rest below
		return append(out, d.verdictBlocks(mine, width)...)
	}
	rows := d.st.paintTable(t.lines(width))
	for i, r := range rows {
		for _, result := range []engine.Result{engine.Passed, engine.Fail, engine.CouldNotCheck} {
			word := resultMark(result) + " " + string(result)
			if rest, ok := strings.CutPrefix(r, word); ok {
				rows[i] = d.st.paint(resultTone(result), word) + rest
			}
		}
	}
	return append(out, rows...)
}

func (d detail) verdictBlocks(verdicts []engine.Placed[engine.Verdict], width int) []string {
	var out []string
	for _, p := range verdicts {
		v := p.Item
		out = append(out, d.st.paintAll(resultTone(v.Result), hang(resultMark(v.Result)+" "+string(v.Result)+"  "+cleanLine(v.Subject), "   ", width))...)
		for _, l := range hang(join(" ", cleanLine(v.Detail), "("+cleanLine(strings.Join(v.Evidence, ", "))+")"), "", width-3) {
			out = append(out, "   "+l)
		}
	}
	return out
}

// story is what has happened: the lines that Plain would print, without the particulars.
func (d detail) story(width int) []string {
	return storyLines(coarse(d.log), width, false, d.st)
}

// coarse leaves out particulars.
func coarse(log []line) []line {
	var out []line
	for _, l := range log {
		if !l.Fine {
			out = append(out, l)
		}
	}
	return out
}

// storyLines lays out narrated lines.
func storyLines(log []line, width int, times bool, st styles) []string {
	var out []string
	for _, l := range log {
		in := strings.Repeat("  ", l.Indent)
		stamp := ""
		if times {
			stamp = l.At.UTC().Format("15:04:05") + " "
		}
		for i, s := range hang(in+l.Text, in+"  ", width-len(stamp)) {
			if i > 0 {
				stamp = strings.Repeat(" ", len(stamp))
			}
			out = append(out, stamp+st.paint(l.Tone, s))
		}
	}
	return out
}

// result is how the run ended and what to do next.
func (d detail) result(width int) []string {
	c := d.view.Closed
	if c == nil {
		return nil
	}
	out := []string{d.st.paint(closedTone(*c), strings.ToUpper(cleanLine(c.Outcome)))}
	out = append(out, wrap(cleanLine(c.Summary), width)...)
	out = append(out, "", "original: "+d.st.paint(originalTone(d.view.Original), string(d.view.Original)))
	if v := lastChecked(d.view); len(v) > 0 {
		passed, failed, unchecked := tally(v)
		out = append(out, fmt.Sprintf("checks:   %d PASS, %d FAIL, %d COULD NOT CHECK", passed, failed, unchecked))
	}
	for _, o := range d.view.Obligations {
		out = append(out, d.st.paintAll(toneWarn, hang("owed:     "+cleanLine(o.What), "          ", width))...)
	}
	if len(c.Next) > 0 {
		out = append(out, "", d.st.strong.Render("What to do next"))
		for _, n := range c.Next {
			out = append(out, hang("- "+cleanLine(n), "  ", width)...)
		}
	}
	if d.dir != "" {
		out = append(out, "", d.st.strong.Render("Kept in"))
		out = append(out, wrap(cleanLine(d.dir), width)...)
	}
	return append(out, "", "q leaves.")
}
