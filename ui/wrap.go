package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// wrap breaks s into lines of at most width cells, at spaces where it can and inside a
// word where it must. It never drops text: the end of a command is what matters most.
func wrap(s string, width int) []string {
	if width <= 0 {
		return strings.Split(s, "\n")
	}
	var out []string
	for _, l := range strings.Split(s, "\n") {
		if ansi.StringWidth(l) <= width {
			out = append(out, l)
			continue
		}
		for _, w := range strings.Split(ansi.Wrap(l, width, ""), "\n") {
			out = append(out, ansi.Truncate(w, width, ""))
		}
	}
	return out
}

// hang wraps s and indents all lines but the first.
func hang(s, indent string, width int) []string {
	in := ansi.StringWidth(indent)
	if width <= in+leastColumn {
		return wrap(s, width)
	}
	s, more, broken := strings.Cut(s, "\n")
	first := wrap(s, width)
	out := first[:1]
	if rest, ok := strings.CutPrefix(s, first[0]); ok && len(first) > 1 {
		for _, l := range wrap(strings.TrimLeft(rest, " "), width-in) {
			out = append(out, indent+l)
		}
	} else {
		out = first
	}
	if broken {
		for _, l := range wrap(more, width-in) {
			out = append(out, indent+l)
		}
	}
	return out
}

// fit makes s exactly width cells wide, cutting with an ellipsis where it must.
func fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	w := ansi.StringWidth(s)
	if w > width {
		s = ansi.Truncate(s, width, "…")
		w = ansi.StringWidth(s)
	}
	return s + strings.Repeat(" ", max(0, width-w))
}

// spread puts left at the left and right at the right of a line; left gives way.
func spread(left, right string, width int) string {
	r := ansi.StringWidth(right)
	if r >= width {
		return fit(right, width)
	}
	if right == "" {
		return fit(left, width)
	}
	return fit(left, width-r-1) + " " + right
}
