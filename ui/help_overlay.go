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
	out := h.keyLines(width)
	out = append(out, "", h.st.strong.Render("Signs"))
	var signs []string
	for _, s := range []engine.State{engine.Done, engine.Running, engine.Asking, engine.Waiting, engine.Failed,
		engine.Skipped, engine.Refused, engine.Interrupted, engine.Unsure} {
		m := markOf(s)
		signs = append(signs, fit(m.Glyph+" "+m.Word, 14))
	}
	for perLine := max(1, (width-2)/14); len(signs) > 0; {
		n := min(perLine, len(signs))
		out = append(out, "  "+strings.Join(signs[:n], ""))
		signs = signs[n:]
	}
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

// keyLines list the keys by group, in two columns where there is room.
func (h helpOverlay) keyLines(width int) []string {
	var columns [2][]string
	half := (width - 2) / 2
	total := 0
	for _, g := range h.keys.groups() {
		total += len(g.Keys) + 1
	}
	for _, g := range h.keys.groups() {
		var rows []string
		for _, k := range g.Keys {
			if k.Enabled() {
				rows = append(rows, "  "+fit(k.Help().Key, 11)+k.Help().Desc)
			}
		}
		to := 0
		if half >= 35 && len(columns[0])+len(rows) > total/2 {
			to = 1
		}
		if len(rows) > 0 {
			columns[to] = append(append(columns[to], h.st.strong.Render(g.Title)), rows...)
		}
	}
	out := columns[0]
	for i, r := range columns[1] {
		if i == len(out) {
			out = append(out, "")
		}
		out[i] = fit(out[i], half) + "  " + r
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
