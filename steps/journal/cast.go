package journal

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// The terminal the cast is made for.
const (
	castColumns = 100
	castRows    = 30
)

// cast writes the incident as a terminal recording, asciicast version 3, made from the
// events: output only, since nobody's keys are recorded, with a marker where each step
// begins. It illustrates; the journal is the evidence.
func (s *story) cast(w io.Writer) error {
	out := bufio.NewWriter(w)
	header, err := json.Marshal(map[string]any{
		"version": 3, "term": map[string]any{"cols": castColumns, "rows": castRows, "type": "dumb"},
		"timestamp": s.view.Started.Unix(), "idle_time_limit": 2, "title": oneLine("pgrescue "+s.view.Opened.Incident, castColumns),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n# journal head %s\n", header, s.replay.Head)
	c := caster{out: out, last: s.view.Started}
	for _, e := range s.replay.Events {
		switch e.Kind {
		case engine.KindAct:
			c.event(e.At, "m", actTitle(data[engine.ActData](e).Act))
		case engine.KindStarted:
			c.event(e.At, "m", oneLine(string(e.Act)+": "+s.title(e.Step), castColumns))
		}
		for i, line := range s.tell(e) {
			indent := "  "
			if e.Step == "" || e.Kind == engine.KindStarted || e.Kind == engine.KindDone || e.Kind == engine.KindFailed {
				indent = ""
			}
			if i > 0 {
				indent += "  "
			}
			c.event(e.At, "o", clock(e.At)+" "+indent+oneLine(line, maxLineRunes)+"\r\n")
		}
	}
	if closed := s.view.Closed; closed != nil {
		c.event(s.view.Last, "x", fmt.Sprint(closed.Exit))
	}
	if c.err != nil {
		return c.err
	}
	return out.Flush()
}

// caster writes events with the time since the one before. Rounding errors are carried on,
// so that a long cast does not drift.
type caster struct {
	out  io.Writer
	last time.Time // of what was written, rounded
	err  error
}

func (c *caster) event(at time.Time, code, text string) {
	// A clock that was set back makes no negative interval.
	interval := max(0, at.Sub(c.last)).Round(time.Millisecond)
	c.last = c.last.Add(interval)
	line, err := json.Marshal([]any{json.RawMessage(fmt.Sprintf("%.3f", interval.Seconds())), code, text})
	if err == nil {
		_, err = fmt.Fprintf(c.out, "%s\n", line)
	}
	if c.err == nil {
		c.err = err
	}
}
