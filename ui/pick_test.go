package ui

import (
	"bytes"
	"context"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

func candidates() []Candidate {
	return []Candidate{
		{Name: "container:web", Kind: "container", Image: "postgres:17", State: "running, up 3 days"},
		{Name: "container:db", Kind: "container", Image: "postgres:15.18", State: "restarting, 41 times", Crashing: true, Detail: "volume db-data, exit code 134"},
		{Name: "volume:old", Kind: "volume", State: "not in use", Detail: "PostgreSQL 13"},
		{Name: "service:shop_db", Kind: "service", Image: "postgres:18", State: "0 of 1 running", Crashing: true},
	}
}

func pickKeysOn(t *testing.T, opts Options, w, h int, keys ...string) (*picker, bool) {
	t.Helper()
	p := newPicker(candidates(), opts)
	p.Update(tea.WindowSizeMsg{Width: w, Height: h})
	quit := false
	for _, k := range keys {
		if _, cmd := p.Update(keyMsg(k)); cmd != nil {
			quit = true
		}
		lines := strings.Split(p.View(), "\n")
		if len(lines) > h {
			t.Fatalf("%d lines of %d", len(lines), h)
		}
		for _, l := range lines {
			if ansi.StringWidth(l) > w {
				t.Fatalf("too wide: %q", l)
			}
		}
	}
	return p, quit
}

func TestPick(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []string
		want string
		quit bool
	}{
		{"what crashes is first", []string{"enter"}, "container:db", true},
		{"down", []string{"down", "down", "enter"}, "container:web", true},
		{"not past the end", []string{"jjjjjjjj", "enter"}, "volume:old", true},
		{"filter", []string{"/", "o", "l", "d", "enter", "enter"}, "volume:old", true},
		{"filter in one burst", []string{"/", "old", "enter", "enter"}, "volume:old", true},
		{"filter without a match", []string{"/", "zzz", "enter", "enter"}, "", false},
		{"filter dropped", []string{"/", "zzz", "esc", "enter"}, "container:db", true},
		{"q", []string{"q"}, "", true},
		{"q is a letter in the filter", []string{"/", "q"}, "", false},
		{"ctrl-c in the filter", []string{"/", "ctrl+c"}, "", true},
	} {
		p, quit := pickKeysOn(t, dumb(), 80, 24, c.keys...)
		if p.choice != c.want || quit != c.quit {
			t.Errorf("%s: chose %q, quit %v", c.name, p.choice, quit)
		}
	}
	if p, _ := pickKeysOn(t, dumb(), 30, 5, "enter"); p.choice != "" {
		t.Error("chose from a list that is not shown")
	}
}

func TestPickScreen(t *testing.T) {
	var all strings.Builder
	for _, size := range [][2]int{{80, 24}, {60, 20}, {120, 30}} {
		p, _ := pickKeysOn(t, dumb(), size[0], size[1], "down")
		all.WriteString(p.View() + "\n")
	}
	golden(t, "pick", all.String())
}

func TestPickPlain(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"1\n", "container:db"}, {"3\n", "container:web"}, {"volume:old\n", "volume:old"},
		{"9\nnothing\n2\n", "service:shop_db"}, {"\n", ""}, {"", ""},
	} {
		var out bytes.Buffer
		name, ok, err := PickPlain(context.Background(), candidates(), strings.NewReader(c.in), &out, testOptions())
		if err != nil || name != c.want || ok != (c.want != "") {
			t.Errorf("%q: got %q, %v, %v\n%s", c.in, name, ok, err, out.String())
		}
		if c.in == "9\nnothing\n2\n" {
			golden(t, "pick-plain", out.String())
		}
	}
}
