package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// gateDialog is where a consent to change the target is given: the whole plan is on
// screen, and only then the way to agree. It refuses to agree where what must be read does
// not fit, where the list of changes has not been seen to its end, before a quiet moment,
// and to anything that no hand typed.
type gateDialog struct {
	st    styles
	view  engine.View
	gate  *engine.Proposal
	actor string
	keys  gateKeys

	arm    arming
	typed  []rune
	scroll int
	seen   bool // the changes' end has been in view at this size
	said   string
	sent   bool
}

type gateKeys struct {
	Yes, Type, Scroll, Back key.Binding
}

func newGateDialog(m *model) *gateDialog {
	d := &gateDialog{st: m.styles, view: m.view, gate: m.view.Gate, actor: m.opts.Actor}
	d.keys.Back = bind("esc", "look around first", "esc")
	d.keys.Scroll = bind("up/down", "scroll", "up", "down", "pgup", "pgdown", "home", "end")
	if d.original() {
		d.keys.Type = bind("enter", "agree, once it is typed", "enter")
	} else {
		d.keys.Yes = bind("y", "agree", "y")
	}
	return d
}

func (d *gateDialog) original() bool { return d.gate.Danger >= engine.Original }

// layout is what the dialog shows at a size.
type gateLayout struct {
	top, changes, bottom []string
	room                 int // lines for the changes
	fits                 bool
	read                 bool // to the end of the changes
}

// leastChanges is how many lines of the changes must be in view at once.
const leastChanges = 2

// layout leaves the blank lines out where room is short, and where it is shorter still
// puts what would be lost at the beginning of the list that has to be read to its end.
func (d *gateDialog) layout(width, height int) gateLayout {
	losses, changes := losesLines(d.gate.Plan, width, d.st), changeLines(d.gate.Plan, width, d.st)
	l := gateLayout{top: d.top(losses, width), changes: changes, bottom: d.bottom(width, false)}
	if l.measure(width, height); !l.fits {
		l.tighten(width, height)
	}
	if !l.fits && len(losses) > 0 {
		short := d.st.paintAll(toneBad, wrap("LOSES data: the list below begins with what.", width))
		l = gateLayout{top: d.top(short, width), changes: append(append(losses, ""), changes...), bottom: d.bottom(width, true)}
		l.tighten(width, height)
	}
	l.read = d.seen || len(l.changes) <= l.room
	return l
}

// tighten drops the blank lines around the changes.
func (l *gateLayout) tighten(width, height int) {
	l.top, l.bottom = l.top[:len(l.top)-1], l.bottom[1:]
	l.measure(width, height)
}

func (l *gateLayout) measure(width, height int) {
	l.room = height - len(l.top) - len(l.bottom)
	l.fits = width >= 40 && l.room >= min(leastChanges, len(l.changes))
}

// top is what must be read before anything is agreed to, with what is said of losses. It
// ends with a blank line, and bottom begins with one.
func (d *gateDialog) top(losses []string, width int) []string {
	t := toneWarn
	if d.original() {
		t = toneBad
	}
	out := d.st.paintAll(t, wrap(gateWords(d.gate.Danger), width))
	h := headline(d.view)
	where := "target " + cleanLine(h.Target)
	if h.Host != "" {
		where += " on host " + cleanLine(h.Host)
	}
	if n := len(h.SystemID); n > 4 {
		where += ", system ..." + cleanLine(h.SystemID[n-4:])
	}
	out = append(out, wrap(where, width)...)
	out = append(out, d.st.paintAll(toneStrong, hang("plan:  "+cleanLine(d.gate.Prompt), "       ", width))...)
	if d.gate.Unknown {
		out = append(out, d.st.paintAll(toneWarn, wrap("An earlier try was interrupted; what it left has been looked at again.", width))...)
	}
	if len(losses) > 0 {
		out = append(out, losses...)
	} else if d.original() {
		out = append(out, "Nothing is known to be lost.")
	}
	if d.gate.Digest != "" {
		out = append(out, digestLines(d.view, d.gate.Act, d.gate.Step, d.gate.Digest, width, d.st)...)
	}
	return append(out, "")
}

// bottom is the way to agree. Where it is tight, what was said stands in for how to, until
// the next key.
func (d *gateDialog) bottom(width int, tight bool) []string {
	t, word := d.arm.word()
	var out []string
	out = append(out, "")
	if d.said != "" {
		out = append(out, d.st.paintAll(toneBad, wrap("!! "+d.said, width))...)
	}
	switch {
	case d.sent:
		return append(out, "Agreed. Waiting for the engine.")
	case d.original():
		if d.said == "" || !tight {
			out = append(out, wrap("To agree, type "+cleanLine(d.gate.Challenge)+" and press enter. Anything else does nothing.", width)...)
		}
		return append(out, spread("> "+string(d.typed)+d.st.cursor.Render(" "), d.st.paint(t, word), width))
	}
	out = append(out, wrap("To agree, press y. Any other key does nothing.", width)...)
	return append(out, spread("", d.st.paint(t, word), width))
}

// Render fills the body.
func (d *gateDialog) Render(width, height int) []string {
	l := d.layout(width, height)
	if !l.fits {
		need := len(l.top) + len(l.bottom) + min(leastChanges, len(l.changes))
		s := fmt.Sprintf("This window is too small to show what would be agreed to, so nothing can be agreed to here. Make it %d lines higher.", need-height)
		if width < 40 {
			s = "This window is too narrow to show what would be agreed to, so nothing can be agreed to here."
		}
		return d.st.paintAll(toneBad, wrap(s, width))
	}
	from := min(d.scroll, max(0, len(l.changes)-l.room))
	shown := l.changes[from:min(len(l.changes), from+l.room)]
	out := append([]string{}, l.top...)
	out = append(out, shown...)
	if rest := len(l.changes) - from - len(shown); rest > 0 {
		out[len(out)-1] = d.st.warn.Render(fmt.Sprintf("-- %s more, to be read first: down or end --", count(rest+1, "line")))
	}
	for len(out)+len(l.bottom) < height && len(l.changes) > l.room {
		out = append(out, "")
	}
	return append(out, l.bottom...)
}

// resized disarms: what was on screen is not what is now.
func (d *gateDialog) resized() tea.Cmd {
	d.typed, d.seen, d.scroll = nil, false, 0
	return d.arm.disarm()
}

// look notes whether the end of the changes is in view.
func (d *gateDialog) look(l gateLayout) {
	if d.scroll+l.room >= len(l.changes) {
		d.seen = true
	}
}

// key takes a key; decision is what it decides, if anything, and back leaves the dialog.
func (d *gateDialog) key(k tea.KeyMsg, width, height int) (decision *engine.Decision, back bool, cmd tea.Cmd) {
	if key.Matches(k, d.keys.Back) && !burst(k) {
		return nil, true, nil
	}
	l := d.layout(width, height)
	if burst(k) {
		d.typed, d.said = nil, "Pasted text is refused. Type it by hand."
		return nil, false, d.arm.disarm()
	}
	if d.scrolled(k, l) {
		d.look(l)
		if !d.arm.ready {
			cmd = d.arm.disarm()
		}
		return nil, false, cmd
	}
	if d.sent || !l.fits {
		return nil, false, nil
	}
	if !d.arm.ready {
		return nil, false, d.arm.disarm()
	}
	if !l.read {
		d.said = "Read the changes to their end first: down, page down, end."
		return nil, false, nil
	}
	d.said = ""
	if d.original() {
		return d.typing(k)
	}
	if key.Matches(k, d.keys.Yes) && !k.Alt {
		return d.agreed(""), false, nil
	}
	return nil, false, d.arm.disarm()
}

// typing takes a key of the challenge.
func (d *gateDialog) typing(k tea.KeyMsg) (*engine.Decision, bool, tea.Cmd) {
	switch {
	case k.Type == tea.KeyEnter && !k.Alt:
		if string(d.typed) == d.gate.Challenge && d.gate.Challenge != "" {
			return d.agreed(string(d.typed)), false, nil
		}
		d.typed = nil
		d.said = "That is not " + cleanLine(d.gate.Challenge) + ". Nothing was done."
		return nil, false, d.arm.disarm()
	case k.Type == tea.KeyBackspace:
		d.typed = d.typed[:max(0, len(d.typed)-1)]
	case k.Type == tea.KeyCtrlU:
		d.typed = nil
	case (k.Type == tea.KeyRunes || k.Type == tea.KeySpace) && !k.Alt && len(k.Runes) == 1 && len(d.typed) < 80:
		d.typed = append(d.typed, []rune(strings.ToValidUTF8(cleanInput(string(k.Runes)), "?"))...)
	}
	return nil, false, nil
}

func (d *gateDialog) agreed(typed string) *engine.Decision {
	d.sent = true // once; a refusal makes a new dialog
	decision := agree(d.gate, typed, d.actor)
	return &decision
}

func (d *gateDialog) scrolled(k tea.KeyMsg, l gateLayout) bool {
	page := max(1, l.room-2)
	switch k.Type {
	case tea.KeyUp:
		d.scroll--
	case tea.KeyDown:
		d.scroll++
	case tea.KeyPgUp:
		d.scroll -= page
	case tea.KeyPgDown:
		d.scroll += page
	case tea.KeyHome:
		d.scroll = 0
	case tea.KeyEnd:
		d.scroll = len(l.changes)
	default:
		return false
	}
	d.scroll = min(max(0, d.scroll), max(0, len(l.changes)-l.room))
	return true
}

// bindings are for the footer.
func (d *gateDialog) bindings(width, height int) []key.Binding {
	out := []key.Binding{d.keys.Back}
	if l := d.layout(width, height); !l.fits || d.sent {
		return out
	}
	if d.original() {
		out = append(out, d.keys.Type)
	} else {
		out = append(out, d.keys.Yes)
	}
	return append(out, d.keys.Scroll)
}
