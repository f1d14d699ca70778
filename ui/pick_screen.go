package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/x/ansi"
)

// View lists the candidates, each with its state in words.
func (p *picker) View() string {
	if p.width == 0 || p.height == 0 {
		return ""
	}
	m := model{opts: p.opts, width: p.width, height: p.height}
	if !p.roomy() {
		return m.clamp([]string{"pgrescue: enlarge the window to pick a target; q leaves"})
	}
	out := []string{spread(" "+p.styles.strong.Render("pgrescue")+"  Which database needs help?", count(len(p.list), "candidate")+" ", p.width)}
	out = append(out, p.styles.box(p.styles.strong.Render("Targets"), "", p.rows(p.width-2, p.height-6), p.width, p.height-4)...)
	out = append(out, p.describe())
	f := footer{st: p.styles}
	if p.typing {
		out = append(out, " /"+p.filter.render(p.styles, p.width-3))
	} else {
		f.keys = []key.Binding{p.keys.Choose, p.keys.Filter, p.keys.Up, p.keys.Down, p.keys.Leave}
		out = append(out, " "+f.help(p.width-2))
	}
	out = append(out, p.styles.paint(toneFaint, " Choosing only looks: nothing is written or stopped without asking."))
	return m.clamp(out)
}

// rows are in columns; what crashes says so.
func (p *picker) rows(width, height int) []string {
	shown := p.shown()
	if len(p.list) == 0 {
		return []string{"", "  Nothing here looks like PostgreSQL. Name a target: pgrescue triage dir:PATH"}
	}
	if len(shown) == 0 {
		return []string{"", "  Nothing matches the filter."}
	}
	names, images := 0, 0
	for _, c := range shown {
		names = max(names, ansi.StringWidth(cleanLine(c.Name)))
		images = max(images, ansi.StringWidth(cleanLine(c.Image)))
	}
	names, images = min(names, width/3), min(images, width/4)
	var out []string
	for i, c := range shown {
		marker := " "
		if i == p.chosen {
			marker = ">"
		}
		state := cleanLine(c.State)
		if c.Crashing {
			state = "CRASHING  " + state
		}
		l := fmt.Sprintf("%s %s  %s  %s  %s", marker, c.glyph(), fit(cleanLine(c.Name), names), fit(cleanLine(c.Image), images), state)
		switch {
		case i == p.chosen:
			l = p.styles.selected.Render(fit(l, width))
		case c.Crashing:
			l = p.styles.paint(toneBad, ansi.Truncate(l, width, "…"))
		}
		out = append(out, fit(l, width))
	}
	from := min(max(0, p.chosen-height/2), max(0, len(out)-height))
	return window(out, from, height)
}

// describe says more of the chosen one.
func (p *picker) describe() string {
	shown := p.shown()
	if p.chosen >= len(shown) {
		return ""
	}
	c := shown[p.chosen]
	return fit(" "+strings.TrimSpace(join(", ", cleanLine(c.Kind), cleanLine(c.State), cleanLine(c.Image), cleanLine(c.Detail))), p.width)
}
