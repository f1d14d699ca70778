package ui

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// wrap breaks plain text into lines of at most width cells, at spaces where it can and
// inside a word where it must. It never drops anything but spaces: the end of a command is
// what matters most. (ansi.Wrap drops a hyphen that falls on the edge.)
func wrap(s string, width int) []string {
	var out []string
	for _, l := range strings.Split(s, "\n") {
		if width <= 0 || ansi.StringWidth(l) <= width {
			out = append(out, l)
			continue
		}
		out = append(out, wrapLine(l, width)...)
	}
	return out
}

func wrapLine(l string, width int) []string {
	var out []string
	current := ""
	for l != "" {
		word := strings.TrimLeft(l, " ")
		gap := l[:len(l)-len(word)]
		if end := strings.IndexByte(word, ' '); end >= 0 {
			word = word[:end]
		}
		l = l[len(gap)+len(word):]
		if word == "" {
			break
		}
		if ansi.StringWidth(current)+len(gap)+ansi.StringWidth(word) <= width {
			current += gap + word
			continue
		}
		if current != "" {
			out = append(out, current)
		}
		for ansi.StringWidth(word) > width {
			head := headOf(word, width)
			out = append(out, head)
			word = word[len(head):]
		}
		current = word
	}
	if current != "" || len(out) == 0 {
		out = append(out, current)
	}
	return out
}

// headOf is as much of a word as fits, and at least its first character.
func headOf(word string, width int) string {
	if head := ansi.Truncate(word, width, ""); head != "" {
		return head
	}
	_, size := utf8.DecodeRuneInString(word)
	return word[:size]
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
