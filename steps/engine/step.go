package engine

import (
	"context"
	"fmt"
)

// Act is a part of an incident. A step is not told which one it is in.
type Act string

// The acts, in order.
const (
	Prepare     Act = "prepare"     // look, stop writers, snapshot: the data is only read
	Rehearsal   Act = "rehearsal"   // every step on a clone
	Performance Act = "performance" // the same steps and plans on the original
	Closing     Act = "closing"     // give back what was stopped, report
	Undo        Act = "undo"        // put the original back as the snapshot has it
)

// Part says in which acts a step is played.
type Part string

// The parts a step can have.
const (
	Opening Part = "opening" // once, in Prepare
	Twice   Part = "twice"   // in Rehearsal and again in Performance
	Final   Part = "final"   // once, in Closing; after a performance only
	Putback Part = "putback" // only in Undo
)

// Danger is how much a step can harm; it decides what consent it needs.
type Danger int

// The four levels.
const (
	Reads      Danger = iota // looks only: no consent
	OnCopy                   // writes to snapshots, clones and sandboxes: enter
	Reversible               // changes the target but not its data, and can be put back: a distinct key, default no
	Original                 // rewrites the original: typed challenge
)

var dangerWords = [...]string{"reads only", "on a copy", "reversible on the target", "rewrites the original"}

func (d Danger) String() string {
	if d < 0 || int(d) >= len(dangerWords) {
		return fmt.Sprintf("danger %d", int(d))
	}
	return dangerWords[d]
}

// Step is one declared unit of work. Exactly one of Observe and Rewrite is set.
type Step struct {
	Name  string // stable, kebab-case: "reset-wal"
	Title string // on the ladder: "Reset WAL"
	Doc   string // what the operator reads: why, what, what it cannot know (markdown)
	Part  Part
	Needs []AnyFact // facts that an earlier step must have made
	Makes []AnyFact
	Ask   []Question // declared up front, asked before the step starts; no step asks in the middle

	Observe func(context.Context, *Pass) error
	Rewrite *Rewrite
}

// Rewrite is the body of a step that changes something.
type Rewrite struct {
	// Danger of the step. One of part Twice is Original in the performance and
	// OnCopy in the rehearsal, whatever is said here.
	Danger Danger
	// Plan looks and never writes. It may put facts and report findings. The same
	// data must give the same plan: no times, no names of containers.
	Plan func(context.Context, *Pass) (Plan, error)
	// Apply does what the plan says and nothing else. It must be safe to repeat
	// after having been interrupted anywhere.
	Apply func(context.Context, *Deed) error
	// Verify looks again, after Apply or after an interruption.
	Verify func(context.Context, *Deed) error
}

// Danger of the step when it is played in the act.
func (s *Step) Danger(act Act) Danger {
	switch {
	case s.Rewrite == nil:
		return Reads
	case act == Performance:
		return Original
	case act == Rehearsal:
		return OnCopy
	default:
		return s.Rewrite.Danger
	}
}

// Question is an answer the operator owes before a step can start.
type Question struct {
	Name    string   `json:"name"`
	Prompt  string   `json:"prompt"`
	Help    string   `json:"help,omitempty"`
	Choices []string `json:"choices,omitempty"` // empty: free text
	Default string   `json:"default"`           // taken when nobody is there to ask
}

// Validate says what is wrong with the answer in one sentence, or nil.
func (q Question) Validate(answer string) error {
	if len(q.Choices) == 0 {
		return nil
	}
	for _, c := range q.Choices {
		if c == answer {
			return nil
		}
	}
	return fmt.Errorf("%q is no answer to %s: want one of %v", answer, q.Name, q.Choices)
}
