package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// helpOverlay lists the keys that do something now, and what the signs mean.
type helpOverlay struct {
	st     styles
	keys   keyMap
	offset int
}

func (h helpOverlay) lines(width int) []string {
	var out []string
	for _, g := range h.keys.groups() {
		var rows []string
		for _, k := range g.Keys {
			if k.Enabled() {
				rows = append(rows, "  "+fit(k.Help().Key, 11)+k.Help().Desc)
			}
		}
		if len(rows) > 0 {
			out = append(append(out, h.st.strong.Render(g.Title)), rows...)
		}
	}
	if half := (width - 2) / 2; half >= 38 && len(out) > 8 {
		middle := (len(out) + 1) / 2
		left, right := out[:middle], out[middle:]
		for i := range left {
			left[i] = fit(left[i], half)
			if i < len(right) {
				left[i] += "  " + right[i]
			}
		}
		out = left
	}
	out = append(out, "", h.st.strong.Render("Signs"))
	var signs []string
	for _, s := range []engine.State{engine.Done, engine.Running, engine.Asking, engine.Waiting, engine.Failed,
		engine.Skipped, engine.Refused, engine.Interrupted, engine.Unsure} {
		m := markOf(s)
		signs = append(signs, fmt.Sprintf("%s %s", m.Glyph, orWord(m.Word, string(s))))
	}
	out = append(out, indent(wrap(strings.Join(signs, "   "), width-2), "  ")...)
	out = append(out, "", h.st.strong.Render("Consent"))
	for _, s := range []string{
		"Reading needs none. Writing to a copy: enter.",
		"Changing the target, but not its data: g to review, then y.",
		"Rewriting the original: g to review, then type what the screen asks for, by hand.",
		"Leaving, or losing the line, never stops the engine.",
	} {
		out = append(out, indent(hang(s, "", width-2), "  ")...)
	}
	return out
}

// Render fills the screen between header and footer.
func (h *helpOverlay) Render(width, height int) []string {
	lines := h.lines(width - 4)
	h.offset = clampOffset(h.offset, len(lines), height-2)
	return h.st.box(h.st.strong.Render("Help"), position(h.offset, height-2, len(lines)), indent(window(lines, h.offset, height-2), " "), width, height)
}

// window is the part of lines that is in view.
func window(lines []string, offset, height int) []string {
	offset = clampOffset(offset, len(lines), height)
	return lines[offset:min(len(lines), offset+max(0, height))]
}

func clampOffset(offset, total, height int) int {
	return max(0, min(offset, total-height))
}

// position says which lines are in view, where there are more.
func position(offset, height, total int) string {
	if total <= height {
		return ""
	}
	s := fmt.Sprintf("%d-%d of %d", offset+1, min(total, offset+height), total)
	if offset+height < total {
		s += ", space: more"
	}
	return ansi.Truncate(s, 40, "")
}
