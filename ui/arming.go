package ui

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// quietTime is how long no key may have come before a consent can be given. Keys that were
// meant for what was on screen before are swallowed this way, without a limit: whoever
// keeps typing keeps it disarmed.
const quietTime = 500 * time.Millisecond

// arming makes a consent wait for quiet.
type arming struct {
	generation int
	ready      bool
}

// armMsg says that quietTime has passed since the generation was begun.
type armMsg struct{ generation int }

// disarm starts the wait anew.
func (a *arming) disarm() tea.Cmd {
	a.ready = false
	a.generation++
	generation := a.generation
	return tea.Tick(quietTime, func(time.Time) tea.Msg { return armMsg{generation} })
}

// quiet takes the end of a wait; one that was begun anew meanwhile does not count.
func (a *arming) quiet(m armMsg) {
	if m.generation == a.generation {
		a.ready = true
	}
}

// word is how the state is shown.
func (a arming) word() (tone, string) {
	if a.ready {
		return toneGood, "[ready]"
	}
	return toneWarn, "[wait: keys count after 0.5 s of quiet]"
}
