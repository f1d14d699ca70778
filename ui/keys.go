package ui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// keyMap holds every key of the main screen. Help and footer are made from it; a key that
// does nothing at the moment is disabled and so is not offered.
type keyMap struct {
	Agree     key.Binding
	Review    key.Binding
	Answer    key.Binding
	Decline   key.Binding
	Up        key.Binding
	Down      key.Binding
	Follow    key.Binding
	NextTab   key.Binding
	PrevTab   key.Binding
	Tab       key.Binding
	Plan      key.Binding
	Evidence  key.Binding
	PageDown  key.Binding
	PageUp    key.Binding
	LineDown  key.Binding
	LineUp    key.Binding
	Top       key.Binding
	Bottom    key.Binding
	All       key.Binding
	Zoom      key.Binding
	Copy      key.Binding
	Note      key.Binding
	Log       key.Binding
	Help      key.Binding
	Interrupt key.Binding
	Detach    key.Binding
	Leave     key.Binding
}

func bind(help, what string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, what))
}

func newKeyMap() keyMap {
	return keyMap{
		Agree:     bind("enter", "agree", "enter"),
		Review:    bind("g", "review and decide", "g"),
		Answer:    bind("enter", "answer", "enter"),
		Decline:   bind("x", "decline", "x"),
		Up:        bind("up/k", "step before", "up", "k"),
		Down:      bind("down/j", "step after", "down", "j"),
		Follow:    bind("f", "follow the work", "f"),
		NextTab:   bind("tab", "next tab", "tab", "right"),
		PrevTab:   bind("shift+tab", "tab before", "shift+tab", "left"),
		Tab:       bind("0-7", "tab by number", "0", "1", "2", "3", "4", "5", "6", "7"),
		Plan:      bind("p", "plan", "p"),
		Evidence:  bind("v", "evidence", "v"),
		PageDown:  bind("space", "page down", " ", "pgdown", "ctrl+f"),
		PageUp:    bind("b", "page up", "b", "pgup", "ctrl+b"),
		LineDown:  bind("J", "line down", "J", "ctrl+n"),
		LineUp:    bind("K", "line up", "K", "ctrl+p"),
		Top:       bind("home", "top", "home"),
		Bottom:    bind("end", "bottom", "end"),
		All:       bind("a", "all steps or this one", "a"),
		Zoom:      bind("z", "zoom", "z"),
		Copy:      bind("c", "copy command", "c"),
		Note:      bind("n", "note", "n"),
		Log:       bind("L", "whole log", "L"),
		Help:      bind("?", "help", "?"),
		Interrupt: bind("ctrl-c", "stop or leave", "ctrl+c"),
		Detach:    bind("ctrl-d", "detach", "ctrl+d", "D"),
		Leave:     bind("q", "leave", "q"),
	}
}

// groups are the help overlay's columns.
func (k keyMap) groups() []keyGroup {
	return []keyGroup{
		{"Decide", []key.Binding{k.Agree, k.Review, k.Answer, k.Decline}},
		{"Look", []key.Binding{k.Up, k.Down, k.Follow, k.NextTab, k.PrevTab, k.Tab, k.Plan, k.Evidence, k.All, k.Zoom, k.Log}},
		{"Scroll", []key.Binding{k.PageDown, k.PageUp, k.LineDown, k.LineUp, k.Top, k.Bottom}},
		{"Do", []key.Binding{k.Copy, k.Note, k.Help, k.Detach, k.Interrupt, k.Leave}},
	}
}

// short is the footer's list, the most wanted first.
func (k keyMap) short() []key.Binding {
	return []key.Binding{k.Agree, k.Review, k.Answer, k.Decline, k.Help, k.Detach, k.Leave, k.Plan, k.Evidence, k.Copy, k.Note, k.Log}
}

type keyGroup struct {
	Title string
	Keys  []key.Binding
}

// split takes apart keys that a slow line delivered in one read: "jj" is j twice. What was
// pasted stays in one piece.
func split(k tea.KeyMsg) []tea.KeyMsg {
	if k.Type != tea.KeyRunes || len(k.Runes) < 2 || k.Paste {
		return []tea.KeyMsg{k}
	}
	out := make([]tea.KeyMsg, len(k.Runes))
	for i, r := range k.Runes {
		out[i] = tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: k.Alt}
		if r == ' ' {
			out[i].Type = tea.KeySpace
		}
	}
	return out
}

// burst reports keys that no hand typed: pasted, or several in one read.
func burst(k tea.KeyMsg) bool {
	return k.Paste || k.Type == tea.KeyRunes && len(k.Runes) > 1
}

// paging moves an offset by a scrolling key; ok is false for any other key.
func (k keyMap) paging(msg tea.KeyMsg, page int) (by int, ok bool) {
	const far = 1 << 30
	switch {
	case key.Matches(msg, k.PageDown):
		return max(1, page-1), true
	case key.Matches(msg, k.PageUp):
		return -max(1, page-1), true
	case key.Matches(msg, k.LineDown):
		return 1, true
	case key.Matches(msg, k.LineUp):
		return -1, true
	case key.Matches(msg, k.Top):
		return -far, true
	case key.Matches(msg, k.Bottom):
		return far, true
	}
	return 0, false
}
