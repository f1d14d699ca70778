package ui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// entry is a line being typed. It reads no clipboard and blinks no cursor.
type entry struct {
	runes []rune
	at    int
}

func newEntry(s string) entry {
	r := []rune(s)
	return entry{r, len(r)}
}

func (e entry) String() string { return string(e.runes) }

// key edits the line; it reports whether the key meant anything here. Pasted text is
// taken as typed, without line ends.
func (e *entry) key(k tea.KeyMsg) bool {
	switch k.Type {
	case tea.KeyRunes, tea.KeySpace:
		if k.Alt {
			return false
		}
		e.insert([]rune(cleanInput(string(k.Runes))))
	case tea.KeyBackspace:
		if e.at > 0 {
			e.runes = append(e.runes[:e.at-1:e.at-1], e.runes[e.at:]...)
			e.at--
		}
	case tea.KeyDelete:
		if e.at < len(e.runes) {
			e.runes = append(e.runes[:e.at:e.at], e.runes[e.at+1:]...)
		}
	case tea.KeyLeft:
		e.at = max(0, e.at-1)
	case tea.KeyRight:
		e.at = min(len(e.runes), e.at+1)
	case tea.KeyHome, tea.KeyCtrlA:
		e.at = 0
	case tea.KeyEnd, tea.KeyCtrlE:
		e.at = len(e.runes)
	case tea.KeyCtrlU:
		*e = entry{}
	default:
		return false
	}
	return true
}

// maxEntry bounds what can be typed or pasted.
const maxEntry = 4096

func (e *entry) insert(r []rune) {
	if len(e.runes)+len(r) > maxEntry {
		return
	}
	tail := append([]rune(nil), e.runes[e.at:]...)
	e.runes = append(append(e.runes[:e.at:e.at], r...), tail...)
	e.at += len(r)
}

func cleanInput(s string) string {
	return strings.ReplaceAll(clean(strings.NewReplacer("\n", " ", "\t", " ").Replace(s)), "\r", " ")
}

// render shows the line with its cursor in width cells, scrolled so that the cursor is
// seen.
func (e entry) render(st styles, width int) string {
	if width < 2 {
		return ""
	}
	runes, at := e.runes, e.at
	for len(runes) > 0 && runesWidth(runes[:at])+2 > width {
		runes, at = runes[1:], at-1
	}
	under, rest := " ", ""
	if at < len(runes) {
		under, rest = string(runes[at]), string(runes[at+1:])
	}
	return fit(string(runes[:at])+st.cursor.Render(under)+rest, width)
}

func runesWidth(r []rune) int { return ansi.StringWidth(string(r)) }
