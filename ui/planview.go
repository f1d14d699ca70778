package ui

import (
	"fmt"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// losesLines say what a plan loses, before anything else is said of it.
func losesLines(p engine.Plan, width int, st styles) []string {
	var out []string
	for _, l := range p.Loses {
		out = append(out, st.paintAll(toneBad, hang("LOSES "+cleanLine(l), "      ", width))...)
	}
	return out
}

// changeLines show a plan's changes, before and after under each other.
func changeLines(p engine.Plan, width int, st styles) []string {
	var out []string
	for i, c := range p.Changes {
		if i > 0 {
			out = append(out, "")
		}
		n := fmt.Sprintf("%d", i+1)
		in := fmt.Sprintf("%*s", len(n)+2, "")
		title, argv := cleanLine(c.Path), cleanLine(shellLine(c.Argv))
		if title == "" {
			title = "command"
		}
		out = append(out, st.paintAll(toneStrong, hang(n+"  "+title, in, width))...)
		add := func(t tone, mark, text string) {
			if text = clean(text); text != "" {
				for _, l := range hang(mark+text, "  ", width-len(in)) {
					out = append(out, in+st.paint(t, l))
				}
			}
		}
		if argv != "" {
			add(toneCommand, "$ ", argv)
		}
		add(toneNormal, "- ", c.Before)
		add(toneNormal, "+ ", c.After)
		if c.Why != "" {
			add(toneFaint, "  ", "because "+c.Why)
		}
		if c.Loses != "" {
			add(toneBad, "  ", "LOSES "+c.Loses)
		}
	}
	return out
}

// digestLines show a plan's identity in full.
func digestLines(v engine.View, act engine.Act, step, digest string, width int, st styles) []string {
	var out []string
	label, rest := "digest ", digest
	for room := max(leastColumn, width-len(label)); rest != ""; label = "       " {
		n := min(room, len(rest))
		out = append(out, label+rest[:n])
		rest = rest[n:]
	}
	if act != engine.Performance || v.Rehearsed == nil {
		return out
	}
	if v.Rehearsed.Plans[step] == digest {
		return append(out, st.paint(toneGood, "       the same as rehearsed"))
	}
	return append(out, st.paint(toneBad, "       NOT what was rehearsed"))
}

// latestPlan finds the plan that the step has in the act.
func latestPlan(v engine.View, act engine.Act, step string) (engine.Planned, bool) {
	row := v.Row(act, step)
	if row == nil || row.Digest == "" {
		return engine.Planned{}, false
	}
	for i := len(v.Plans) - 1; i >= 0; i-- {
		if p := v.Plans[i]; p.Act == act && p.Step == step && p.Item.Digest == row.Digest {
			return p.Item, true
		}
	}
	return engine.Planned{}, false
}
