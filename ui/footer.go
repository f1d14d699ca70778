package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/x/ansi"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// footer is the command strip, and below it the keys and the state of the original. It
// never scrolls off.
type footer struct {
	st     styles
	view   engine.View
	keys   []key.Binding
	notice string // instead of the command, until the next key
	urgent bool   // the notice is a refusal or a loss
}

// Render makes two lines.
func (f footer) Render(width int) []string {
	strip := f.strip(width)
	if f.notice != "" {
		t, mark := toneStrong, " -- "
		if f.urgent {
			t, mark = toneBad, " !! "
		}
		strip = fit(f.st.paint(t, ansi.Truncate(mark+f.notice, width, "…")), width)
	}
	original := f.original()
	room := width - ansi.StringWidth(original) - 5
	return []string{strip, spread(" "+f.help(room), original+" ", width)}
}

// original is the one thing that must always be seen.
func (f footer) original() string {
	o := f.view.Original
	if o == "" {
		o = engine.Untouched
	}
	return "original: " + f.st.paint(originalTone(o), string(o))
}

// strip shows the last command with how it ended.
func (f footer) strip(width int) string {
	n := len(f.view.Commands)
	if n == 0 {
		return fit("", width)
	}
	c := f.view.Commands[n-1]
	mark := " - "
	if len(c.Argv) > 0 {
		mark = " $ "
	}
	right := "running"
	if o := c.Outcome; o != nil {
		right = fmt.Sprintf("exit %d  %s", o.Exit, millis(o.Millis))
		if o.Err != "" {
			right = f.st.bad.Render("FAILED") + "  " + right
		}
		if o.Lines > 0 && width >= 80 {
			right += "  log " + count(o.Lines, "line")
		}
	}
	left := f.st.command.Render(ansi.Truncate(mark+commandLine(c.Intent), max(1, width-ansi.StringWidth(right)-3), "…"))
	return spread(left, right+" ", width)
}

// help lists as many enabled keys as fit.
func (f footer) help(width int) string {
	var b strings.Builder
	used := 0
	for _, k := range f.keys {
		if !k.Enabled() {
			continue
		}
		h := k.Help()
		w := ansi.StringWidth(h.Key) + 1 + ansi.StringWidth(h.Desc)
		if used > 0 {
			w += 2
		}
		if used+w > width {
			continue
		}
		if used > 0 {
			b.WriteString("  ")
		}
		b.WriteString(f.st.key.Render(h.Key) + " " + h.Desc)
		used += w
	}
	return b.String()
}
