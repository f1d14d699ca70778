package journal

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// story is an incident as the exports tell it: the journal, its fold, and the events
// sorted into acts and steps.
type story struct {
	dir      Dir
	replay   Replay
	view     engine.View
	chapters []*chapter
	titles   map[string]string // step to title
}

// chapter is one attempt at an act.
type chapter struct {
	act     engine.Act
	attempt int
	scenes  []*scene
}

// scene is one try at a step, with its events in order.
type scene struct {
	step   string
	state  engine.State // at its end
	events []engine.Event
}

func (s *scene) began() time.Time { return s.events[0].At }

func (s *scene) ended() time.Time { return s.events[len(s.events)-1].At }

// story reads the journal without locking it, so that a running incident can be exported.
func (d Dir) story() (*story, error) {
	rep, err := d.Read()
	if err != nil {
		return nil, err
	}
	if len(rep.Events) == 0 {
		return nil, engine.Errorf(engine.Precondition, "see engine.log in its directory", "incident %s has no events: its engine never began", d.ID())
	}
	s := &story{dir: d, replay: rep, titles: map[string]string{}}
	for _, e := range rep.Events {
		if s.view, err = s.view.Fold(e); err != nil {
			return nil, fmt.Errorf("journal of %s: %w", d.ID(), err)
		}
		s.place(e)
	}
	for _, info := range s.view.Opened.Steps {
		s.titles[info.Name] = info.Title
	}
	return s, nil
}

// place sorts an event that has just been folded.
func (s *story) place(e engine.Event) {
	if e.Kind == engine.KindAct {
		s.chapters = append(s.chapters, &chapter{act: s.view.Act, attempt: s.view.Attempt})
		return
	}
	if e.Step == "" {
		return
	}
	if n := len(s.chapters); n == 0 || s.chapters[n-1].act != e.Act {
		s.chapters = append(s.chapters, &chapter{act: e.Act, attempt: s.view.Attempt})
	}
	ch := s.chapters[len(s.chapters)-1]
	n := len(ch.scenes)
	if n == 0 || ch.scenes[n-1].step != e.Step || again(ch.scenes[n-1].state, e.Kind) {
		ch.scenes = append(ch.scenes, &scene{step: e.Step})
		n++
	}
	sc := ch.scenes[n-1]
	sc.events = append(sc.events, e)
	if row := s.view.Row(e.Act, e.Step); row != nil {
		sc.state = row.State
	}
}

// again reports whether the event begins another try at a step that had ended.
func again(state engine.State, k engine.Kind) bool {
	return state.Final() && (k == engine.KindStarted || k == engine.KindAsked)
}

// title is the step's name for people.
func (s *story) title(step string) string {
	if t := s.titles[step]; t != "" {
		return t
	}
	return step
}

// headline is what triage found out about the target, in words, or nothing.
func (s *story) headline() map[string]string {
	raw, ok := s.view.Fact(engine.Prepare, "headline")
	if !ok {
		return nil
	}
	var all map[string]any
	if json.Unmarshal(raw, &all) != nil {
		return nil // another version's headline: the header does without
	}
	h := map[string]string{}
	for k, v := range all {
		if text, ok := v.(string); ok {
			h[k] = text
		}
	}
	return h
}

// outcome says in words how the incident stands.
func (s *story) outcome() string {
	c := s.view.Closed
	if c == nil {
		return fmt.Sprintf("NOT ENDED: the journal stops in %s at %s", orNone(string(s.view.Act), "the opening"), stamp(s.view.Last))
	}
	return fmt.Sprintf("%s (exit %d): %s", c.Outcome, c.Exit, c.Summary)
}

// performed are the steps whose plan was carried out on the original, wholly or in part.
func (s *story) performed() []string {
	var steps []string
	for _, r := range s.view.Rows {
		if r.Act == engine.Performance && r.Danger == engine.Original && (r.State == engine.Done || r.Touched) {
			steps = append(steps, r.Step)
		}
	}
	return steps
}

// losses are what the plans say will be gone: those carried out on the original if there
// are any, otherwise the latest rehearsed ones.
func (s *story) losses() (lines []string, happened bool) {
	done := s.performed()
	happened = len(done) > 0 && s.view.Original != engine.PutBack
	latest := map[string]engine.Plan{}
	for _, p := range s.view.Plans {
		if p.Act == engine.Performance && slices.Contains(done, p.Step) || p.Act == engine.Rehearsal && !happened {
			latest[p.Step] = p.Item.Plan
		}
	}
	for _, info := range s.view.Opened.Steps {
		p, ok := latest[info.Name]
		if !ok {
			continue
		}
		for _, l := range p.Loses {
			lines = append(lines, s.title(info.Name)+": "+l)
		}
		for _, c := range p.Changes {
			if c.Loses != "" {
				lines = append(lines, fmt.Sprintf("%s, %s: %s", s.title(info.Name), c.Path, c.Loses))
			}
		}
	}
	return lines, happened
}

// promise is an obligation with the time it was met.
type promise struct {
	engine.Obligation
	made, settled time.Time
}

func (s *story) promises() []promise {
	var all []promise
	for _, e := range s.replay.Events {
		switch e.Kind {
		case engine.KindObligation:
			all = append(all, promise{Obligation: data[engine.Obligation](e), made: e.At})
		case engine.KindSettled:
			id := data[engine.Settled](e).ID
			for i := range all {
				if all[i].ID == id && all[i].settled.IsZero() {
					all[i].settled = e.At
				}
			}
		}
	}
	return all
}

// data decodes an event's data, which the fold has decoded before without an error or has
// no need of; then the zero value says so.
func data[T any](e engine.Event) T {
	var v T
	if len(e.Data) > 0 && json.Unmarshal(e.Data, &v) != nil {
		var none T
		return none
	}
	return v
}
