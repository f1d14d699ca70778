package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// logOverlay is the whole story without borders, so that it can be selected and copied
// with the terminal's own means.
type logOverlay struct {
	st     styles
	keys   keyMap
	offset int
	follow bool
	times  bool
	filter entry
	typing bool // the filter is being typed

	laid logKey
	kept []string
}

// story is the log as of an event.
type story struct {
	log []line
	seq int64
}

// logKey is all that the laid out log depends on.
type logKey struct {
	seq    int64
	filter string
	times  bool
	width  int
}

func newLogOverlay(m *model) *logOverlay {
	return &logOverlay{st: m.styles, keys: m.keys, follow: true}
}

// lines are laid out anew only when something has changed.
func (l *logOverlay) lines(s story, width int) []string {
	want := strings.ToLower(strings.TrimSpace(l.filter.String()))
	if k := (logKey{s.seq, want, l.times, width}); l.kept == nil || l.laid != k {
		l.laid, l.kept = k, storyLines(filtered(s.log, want), width, l.times, l.st)
	}
	return l.kept
}

func filtered(log []line, want string) []line {
	if want == "" {
		return log
	}
	var kept []line
	for _, x := range log {
		if strings.Contains(strings.ToLower(x.Text), want) {
			kept = append(kept, x)
		}
	}
	return kept
}

// Render shows the lines and below them one line about the view.
func (l *logOverlay) Render(log story, width, height int) []string {
	lines := l.lines(log, width-1)
	room := height - 1
	if l.follow {
		l.offset = len(lines)
	}
	l.offset = clampOffset(l.offset, len(lines), room)
	out := append([]string{}, window(lines, l.offset, room)...)
	for len(out) < room {
		out = append(out, "")
	}
	status := fmt.Sprintf("log: %s", count(len(lines), "line"))
	if p := position(l.offset, room, len(lines)); p != "" {
		status += ", " + p
	}
	if l.follow {
		status += ", following"
	}
	if f := l.filter.String(); f != "" && !l.typing {
		status += ", only with \"" + f + "\""
	}
	if l.typing {
		status = "/" + l.filter.render(l.st, width-1)
	}
	return append(out, fit(l.st.strong.Render(status), width))
}

func (l *logOverlay) key(k tea.KeyMsg, log story, width, height int) (back bool) {
	if l.typing {
		switch k.Type {
		case tea.KeyEnter:
			l.typing = false
		case tea.KeyEsc:
			l.typing, l.filter = false, entry{}
		default:
			l.filter.key(k)
		}
		return false
	}
	for _, one := range split(k) {
		if l.oneKey(one, log, width, height) {
			return true
		}
	}
	return false
}

func (l *logOverlay) oneKey(k tea.KeyMsg, log story, width, height int) (back bool) {
	by, paging := l.keys.paging(k, height-1)
	switch {
	case paging || k.Type == tea.KeyUp || k.Type == tea.KeyDown:
		if k.Type == tea.KeyUp {
			by = -1
		} else if k.Type == tea.KeyDown {
			by = 1
		}
		total := len(l.lines(log, width-1))
		l.offset = clampOffset(clampOffset(l.offset, total, height-1)+by, total, height-1)
		l.follow = l.offset >= total-(height-1)
	case key.Matches(k, l.keys.Follow):
		l.follow = !l.follow
	case k.String() == "t":
		l.times = !l.times
	case k.String() == "/":
		l.typing, l.filter = true, entry{}
	case k.Type == tea.KeyEsc && l.filter.String() != "":
		l.filter = entry{}
	case k.Type == tea.KeyEsc, k.String() == "q", key.Matches(k, l.keys.Log):
		return true
	}
	return false
}

func (l *logOverlay) bindings() []key.Binding {
	if l.typing {
		return []key.Binding{bind("enter", "filter", "enter"), bind("esc", "no filter", "esc")}
	}
	return []key.Binding{bind("esc", "back", "esc"), bind("/", "filter", "/"), bind("f", "follow", "f"), bind("t", "times", "t"), bind("space", "page down", " ")}
}
