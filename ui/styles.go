package ui

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// styles are the screen's tokens. There are sixteen colours, bold and reverse; no colour
// carries a meaning that a word or glyph does not.
type styles struct {
	strong   lipgloss.Style
	good     lipgloss.Style
	warn     lipgloss.Style
	bad      lipgloss.Style
	faint    lipgloss.Style
	command  lipgloss.Style
	selected lipgloss.Style
	border   lipgloss.Style
	key      lipgloss.Style
	cursor   lipgloss.Style
}

// newStyles makes them for the terminal at hand. The renderer is our own: the global one
// would look at the environment, and under NO_COLOR it would drop bold and reverse too.
func newStyles(o Options) styles {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.ANSI)
	if o.Dumb {
		r.SetColorProfile(termenv.Ascii)
	}
	r.SetHasDarkBackground(true) // decides nothing: no adaptive colours are used
	colour := func(s lipgloss.Style, c string) lipgloss.Style {
		if o.NoColor {
			return s
		}
		return s.Foreground(lipgloss.Color(c))
	}
	plain := r.NewStyle()
	return styles{
		strong:   plain.Bold(true),
		good:     colour(plain, "2"),
		warn:     colour(plain.Bold(true), "3"),
		bad:      colour(plain.Bold(true), "1"),
		faint:    plain.Faint(true),
		command:  colour(plain, "6"),
		selected: plain.Reverse(true),
		border:   plain.Faint(true),
		key:      plain.Bold(true),
		cursor:   plain.Reverse(true),
	}
}

func (st styles) of(t tone) lipgloss.Style {
	switch t {
	case toneStrong:
		return st.strong
	case toneGood:
		return st.good
	case toneWarn:
		return st.warn
	case toneBad:
		return st.bad
	case toneFaint:
		return st.faint
	case toneCommand:
		return st.command
	}
	return lipgloss.Style{}
}

// paint styles a line of text without padding or wrapping it.
func (st styles) paint(t tone, s string) string {
	if t == toneNormal || s == "" {
		return s
	}
	return st.of(t).Render(s)
}

// paintAll styles lines.
func (st styles) paintAll(t tone, lines []string) []string {
	if t == toneNormal {
		return lines
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = st.paint(t, l)
	}
	return out
}

// paintTable makes a table's heading recede.
func (st styles) paintTable(lines []string) []string {
	for i, l := range lines {
		if l != "" && strings.Trim(l, "- ") == "" {
			return append(st.paintAll(toneFaint, lines[:i+1]), lines[i+1:]...)
		}
	}
	return lines
}

func stateTone(s engine.State) tone {
	switch s {
	case engine.Done:
		return toneGood
	case engine.Running, engine.Applying, engine.Consented:
		return toneStrong
	case engine.Waiting, engine.Asking, engine.Interrupted, engine.Refused:
		return toneWarn
	case engine.Failed, engine.Unsure:
		return toneBad
	}
	return toneFaint
}

func originalTone(o engine.OriginalState) tone {
	switch o {
	case engine.Untouched, engine.PutBack, "":
		return toneGood
	case engine.Uncertain:
		return toneBad
	}
	return toneWarn
}

// box frames lines: title in the upper border, foot in the lower one. It is exactly width
// wide and height high; what does not fit is cut at the bottom.
func (st styles) box(title, foot string, lines []string, width, height int) []string {
	if width < 4 || height < 2 {
		return nil
	}
	inner := width - 2
	edge := func(left, right, label string, atEnd bool) string {
		if label != "" {
			label = " " + ansi.Truncate(label, max(0, inner-4), "…") + " "
		}
		rest := strings.Repeat("─", max(0, inner-ansi.StringWidth(label)-1))
		if atEnd {
			return st.border.Render(left+rest) + label + st.border.Render("─"+right)
		}
		return st.border.Render(left+"─") + label + st.border.Render(rest+right)
	}
	out := make([]string, 0, height)
	out = append(out, edge("┌", "┐", title, false))
	side := st.border.Render("│")
	for i := range height - 2 {
		l := ""
		if i < len(lines) {
			l = lines[i]
		}
		out = append(out, side+fit(l, inner)+side)
	}
	return append(out, edge("└", "┘", foot, true))
}

// beside joins blocks of lines of equal height from left to right.
func beside(blocks ...[]string) []string {
	var out []string
	for _, b := range blocks {
		for i, l := range b {
			if i == len(out) {
				out = append(out, "")
			}
			out[i] += l
		}
	}
	return out
}

// indent moves lines to the right.
func indent(lines []string, by string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = by + l
	}
	return out
}
