package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Candidate is something that could be the target.
type Candidate struct {
	Name     string // what would be typed on the command line: "container:db"
	Kind     string // "container", "volume", "service"
	Image    string
	State    string // in words: "restarting, 41 times"
	Crashing bool   // listed first
	Detail   string
}

// sorted puts what crashes first and keeps the order otherwise.
func sorted(candidates []Candidate) []Candidate {
	out := slices.Clone(candidates)
	slices.SortStableFunc(out, func(a, b Candidate) int {
		switch {
		case a.Crashing == b.Crashing:
			return 0
		case a.Crashing:
			return -1
		}
		return 1
	})
	return out
}

func (c Candidate) glyph() string {
	if c.Crashing {
		return "XX"
	}
	return "  "
}

// matches is the filter: every word must be somewhere in the candidate.
func (c Candidate) matches(filter string) bool {
	all := strings.ToLower(strings.Join([]string{c.Name, c.Kind, c.Image, c.State, c.Detail}, " "))
	for _, w := range strings.Fields(strings.ToLower(filter)) {
		if !strings.Contains(all, w) {
			return false
		}
	}
	return true
}

// Pick lets the person choose a target on the terminal. ok is false when they leave.
func Pick(ctx context.Context, candidates []Candidate, opts Options) (name string, ok bool, err error) {
	t, err := newTerminal(os.Stdin, os.Stdout, os.Getenv)
	if err != nil {
		return "", false, err
	}
	p := newPicker(candidates, opts)
	if err := t.run(ctx, p); err != nil && !errors.Is(err, errStuck) {
		return "", false, fmt.Errorf("screen: %w", err)
	} else if err != nil {
		return "", false, nil
	}
	return p.choice, p.choice != "", p.err
}

// PickPlain is Pick with numbers, one line per candidate. An empty line or the end of in
// chooses nothing.
func PickPlain(ctx context.Context, candidates []Candidate, in io.Reader, out io.Writer, opts Options) (name string, ok bool, err error) {
	list := sorted(candidates)
	say := func(format string, args ...any) {
		s := clean(fmt.Sprintf(format, args...))
		if opts.ASCII {
			s = asciiFold(s)
		}
		if _, e := io.WriteString(out, s); e != nil && err == nil {
			err = fmt.Errorf("output: %w", e)
		}
	}
	for i, c := range list {
		word := ""
		if c.Crashing {
			word = "CRASHING, "
		}
		say("%d) %s: %s%s\n", i+1, cleanLine(c.Name), word, cleanLine(join(", ", c.State, c.Image, c.Detail)))
	}
	say("Type a number or a name; an empty line leaves.\n")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := readLines(ctx, in)
	for err == nil {
		select {
		case l, more := <-lines:
			text := strings.TrimSpace(l.text)
			if !more || text == "" {
				return "", false, err
			}
			if c, found := pickOne(list, text); found {
				return c.Name, true, nil
			}
			say("%s is none of them.\n", cleanLine(text))
		case <-ctx.Done():
			return "", false, nil
		}
	}
	return "", false, err
}

// pickOne finds a candidate by its name or number; a name wins.
func pickOne(list []Candidate, text string) (Candidate, bool) {
	names := make([]string, len(list))
	for i, c := range list {
		if c.Name == text {
			return c, true
		}
		names[i] = c.Name
	}
	if n := pick(engine.Question{Choices: names}, text); n != text {
		return list[slices.Index(names, n)], true
	}
	return Candidate{}, false
}

// picker is the model of the target list.
type picker struct {
	opts          Options
	styles        styles
	list          []Candidate
	filter        entry
	typing        bool
	chosen        int
	width, height int
	choice        string
	err           error
	keys          pickKeys
}

type pickKeys struct {
	Up, Down, Choose, Filter, Clear, Leave key.Binding
}

func newPicker(candidates []Candidate, opts Options) *picker {
	return &picker{opts: opts, styles: newStyles(opts), list: sorted(candidates), keys: pickKeys{
		Up: bind("up/k", "before", "up", "k"), Down: bind("down/j", "after", "down", "j"),
		Choose: bind("enter", "choose", "enter"), Filter: bind("/", "filter", "/"),
		Clear: bind("esc", "no filter", "esc"), Leave: bind("q", "leave", "q", "ctrl+c", "ctrl+d"),
	}}
}

// Init does nothing: the list is complete.
func (p *picker) Init() tea.Cmd { return nil }

// Update takes a message.
func (p *picker) Update(msg tea.Msg) (_ tea.Model, cmd tea.Cmd) {
	defer func() {
		if r := recover(); r != nil {
			p.err, cmd = &PanicError{r, debug.Stack()}, tea.Quit
		}
	}()
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.width, p.height = msg.Width, msg.Height
	case leaveMsg:
		return p, tea.Quit
	case repaintMsg:
		return p, tea.ClearScreen
	case tea.KeyMsg:
		return p, p.key(msg)
	}
	return p, nil
}

func (p *picker) key(k tea.KeyMsg) tea.Cmd {
	if p.typing && k.Type != tea.KeyCtrlC {
		switch k.Type {
		case tea.KeyEnter:
			p.typing = false
		case tea.KeyEsc:
			p.typing, p.filter = false, entry{}
		default:
			p.filter.key(k)
		}
		p.chosen = 0
		return nil
	}
	if burst(k) && k.Paste {
		return nil
	}
	for _, one := range split(k) {
		if p.oneKey(one) {
			return tea.Quit
		}
	}
	return nil
}

func (p *picker) oneKey(k tea.KeyMsg) (quit bool) {
	shown := p.shown()
	switch {
	case key.Matches(k, p.keys.Up):
		p.chosen = max(0, p.chosen-1)
	case key.Matches(k, p.keys.Down):
		p.chosen = max(0, min(len(shown)-1, p.chosen+1))
	case key.Matches(k, p.keys.Filter):
		p.typing, p.filter, p.chosen = true, entry{}, 0
	case key.Matches(k, p.keys.Clear):
		p.filter = entry{}
	case key.Matches(k, p.keys.Choose):
		if p.chosen < len(shown) && p.roomy() {
			p.choice = shown[p.chosen].Name
			return true
		}
	case key.Matches(k, p.keys.Leave):
		return true
	}
	return false
}

func (p *picker) roomy() bool { return p.width >= 40 && p.height >= 8 }

func (p *picker) shown() []Candidate {
	var out []Candidate
	for _, c := range p.list {
		if c.matches(p.filter.String()) {
			out = append(out, c)
		}
	}
	return out
}
