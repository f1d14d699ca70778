package engine

import "fmt"

// State of a step within an act.
type State string

// The states.
const (
	Pending     State = "pending"
	Asking      State = "asking"  // waits for the answer to a question
	Running     State = "running" // observing or planning
	Waiting     State = "waiting" // waits for consent to its plan
	Consented   State = "agreed"
	Applying    State = "applying" // the effect may have begun
	Done        State = "done"
	Failed      State = "failed"
	Skipped     State = "skipped"
	Refused     State = "declined"
	Interrupted State = "interrupted" // stopped before any effect
	Unsure      State = "unknown"     // stopped between an effect's beginning and its end
)

type move struct {
	from State
	kind Kind
}

// moves is the whole machine of a step: what may follow what. Kinds that are not in it
// (facts, findings, commands) leave the state alone. In the performance a step reaches
// Applying from Consented only, and Consented from Waiting only: there is no other way to
// the original.
func moves() map[move]State {
	return map[move]State{
		{Pending, KindAsked}:           Asking,
		{Asking, KindAsked}:            Asking,
		{Asking, KindAnswered}:         Asking,
		{Asking, KindStarted}:          Running,
		{Pending, KindStarted}:         Running,
		{Pending, KindSkipped}:         Skipped,
		{Running, KindPlanned}:         Running,
		{Running, KindProposed}:        Waiting,
		{Running, KindDone}:            Done,
		{Running, KindFailed}:          Failed,
		{Running, KindSkipped}:         Skipped,
		{Running, KindInterrupted}:     Interrupted,
		{Asking, KindFailed}:           Failed,
		{Asking, KindInterrupted}:      Interrupted,
		{Waiting, KindAgreed}:          Consented,
		{Waiting, KindDeclined}:        Refused,
		{Waiting, KindFailed}:          Failed,
		{Waiting, KindInterrupted}:     Interrupted,
		{Consented, KindApplying}:      Applying,
		{Consented, KindFailed}:        Failed,
		{Consented, KindInterrupted}:   Interrupted,
		{Applying, KindDone}:           Done,
		{Applying, KindFailed}:         Failed,
		{Applying, KindInterrupted}:    Unsure,
		{Interrupted, KindStarted}:     Running,
		{Interrupted, KindAsked}:       Asking,
		{Unsure, KindStarted}:          Running, // look again; never straight to Applying
		{Failed, KindStarted}:          Running,
		{Failed, KindAsked}:            Asking,
		{Refused, KindStarted}:         Running,
		{Refused, KindAsked}:           Asking,
		{Done, KindStarted}:            Running, // prepare may look again
		{Interrupted, KindSkipped}:     Skipped,
		{Failed, KindSkipped}:          Skipped,
		{Refused, KindInterrupted}:     Refused,
		{Interrupted, KindFailed}:      Failed,
		{Unsure, KindFailed}:           Unsure, // looking again failed: still not known
		{Skipped, KindStarted}:         Running,
		{Pending, KindInterrupted}:     Pending,
		{Done, KindInterrupted}:        Done,
		{Failed, KindInterrupted}:      Failed,
		{Unsure, KindInterrupted}:      Unsure,
		{Skipped, KindInterrupted}:     Skipped,
		{Interrupted, KindInterrupted}: Interrupted,
	}
}

// moving lists the kinds that change a step's state.
func moving(k Kind) bool {
	switch k {
	case KindAsked, KindAnswered, KindStarted, KindPlanned, KindProposed, KindAgreed, KindDeclined,
		KindApplying, KindDone, KindFailed, KindSkipped, KindInterrupted:
		return true
	}
	return false
}

// next is the state after the event, or an error when the move does not exist.
func next(from State, k Kind) (State, error) {
	if !moving(k) {
		return from, nil
	}
	to, ok := moves()[move{from, k}]
	if !ok {
		return from, fmt.Errorf("a step that is %s cannot have the event %q", from, k)
	}
	return to, nil
}

// Final reports a state that only a new attempt leaves.
func (s State) Final() bool {
	switch s {
	case Done, Failed, Skipped, Refused, Interrupted, Unsure:
		return true
	}
	return false
}
