package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// View is the state of an incident, folded from its events. It is a value: Fold
// returns a new one and never changes what an older one shows.
type View struct {
	Opened      Opened
	Seq         int64
	Started     time.Time // of the first event
	Last        time.Time // of the latest
	Act         Act
	Attempt     int // of the current act
	Rows        []Row
	Question    *Asked
	Gate        *Proposal
	Findings    []Placed[Finding]
	Exhibits    []Placed[Exhibit]
	Verdicts    []Placed[Verdict]
	Plans       []Placed[Planned]
	Said        []Placed[Said]
	Commands    []Command
	Notes       []Placed[Note]
	Consents    []Placed[Agreed]
	Answers     map[string]string
	Obligations []Obligation // not settled
	Rehearsed   *Rehearsed
	Original    OriginalState
	Closed      *Closed

	facts    map[factKey]json.RawMessage
	answered map[string]Act // where an answer was given
	attempts map[Act]int    // the latest attempt at each act
}

type factKey struct {
	act  Act
	name string
}

// Row is a step on the ladder, once for each act it is played in.
type Row struct {
	Act     Act
	Step    string
	Title   string
	State   State
	Began   time.Time
	Ended   time.Time
	Problem *Problem // of a failed step
	Digest  string   // of its latest plan
	Danger  Danger   // of the latest gate it waited at
	Touched bool     // an effect has begun in this act: from here on, look before doing
}

// Placed is something with the place and time it was journaled at.
type Placed[T any] struct {
	Seq     int64
	At      time.Time
	Act     Act
	Attempt int
	Step    string
	Item    T
}

// Asked is a question that waits for its answer.
type Asked struct {
	Act  Act
	Step string
	Question
}

// Proposal is a gate that waits for a decision, with the plan it is about.
type Proposal struct {
	Act  Act
	Step string
	Gate
	Plan Plan
}

// Command is one executed effect, with its outcome once that is known.
type Command struct {
	Seq  int64
	At   time.Time
	Act  Act
	Step string
	Intent
	Outcome *Outcome
}

// OriginalState says in a word what has happened to the original.
type OriginalState string

// The states of the original.
const (
	Untouched OriginalState = "UNTOUCHED"
	Writing   OriginalState = "BEING WRITTEN"
	Changed   OriginalState = "CHANGED"
	Uncertain OriginalState = "UNKNOWN"
	PutBack   OriginalState = "PUT BACK"
)

// Fact finds a fact as the act made it, or else as an act it builds on did. What a clone
// said is no evidence about the original, so a performance does not build on the rehearsal.
func (v View) Fact(act Act, name string) (json.RawMessage, bool) {
	for _, a := range append([]Act{act}, foundations(act)...) {
		if raw, ok := v.facts[factKey{a, name}]; ok {
			return raw, true
		}
	}
	return nil, false
}

// foundations are the acts whose facts hold in the act, the latest first.
func foundations(act Act) []Act {
	switch act {
	case Rehearsal, Performance:
		return []Act{Prepare}
	case Closing, Undo:
		return []Act{Performance, Rehearsal, Prepare}
	}
	return nil
}

// Row finds the step's row in the act, or nil.
func (v View) Row(act Act, step string) *Row {
	for i := range v.Rows {
		if v.Rows[i].Act == act && v.Rows[i].Step == step {
			return &v.Rows[i]
		}
	}
	return nil
}

// Current is the row that is being worked on or waited for, or the latest one that
// ended; nil before the first.
func (v View) Current() *Row {
	var latest *Row
	for i := range v.Rows {
		r := &v.Rows[i]
		if r.Act == v.Act && r.State != Pending && !r.State.Final() {
			return r
		}
		if r.State != Pending && (latest == nil || r.Ended.After(latest.Ended)) {
			latest = r
		}
	}
	return latest
}

// Fold adds one event. An event that cannot follow what is there is an error: the
// journal has been edited, or was written by a newer version.
func (v View) Fold(e Event) (View, error) {
	if e.V != EventVersion {
		return v, fmt.Errorf("event %d has version %d, this program knows %d", e.Seq, e.V, EventVersion)
	}
	if e.Seq != v.Seq+1 {
		return v, fmt.Errorf("event %d follows event %d", e.Seq, v.Seq)
	}
	if (e.Kind == KindOpened) != (e.Seq == 1) {
		return v, fmt.Errorf("event %d is %q: an incident is opened once, by its first event", e.Seq, e.Kind)
	}
	if e.Step == "" && moving(e.Kind) {
		return v, fmt.Errorf("event %d (%s) names no step", e.Seq, e.Kind)
	}
	v.Seq, v.Last = e.Seq, e.At
	if v.Started.IsZero() {
		v.Started = e.At
	}
	if e.Step != "" {
		var err error
		if v, err = v.moveRow(e); err != nil {
			return v, fmt.Errorf("event %d: %w", e.Seq, err)
		}
	}
	out, err := v.absorb(e)
	if err != nil {
		return v, fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
	}
	return out, nil
}

// FoldAll folds a whole journal.
func FoldAll(events []Event) (View, error) {
	var v View
	for _, e := range events {
		var err error
		if v, err = v.Fold(e); err != nil {
			return v, err
		}
	}
	return v, nil
}

func (v View) moveRow(e Event) (View, error) {
	if !moving(e.Kind) {
		return v, nil
	}
	i := slices.IndexFunc(v.Rows, func(r Row) bool { return r.Act == e.Act && r.Step == e.Step })
	if i < 0 {
		return v, fmt.Errorf("no step %q in act %q", e.Step, e.Act)
	}
	row := v.Rows[i]
	to, err := next(row.State, e.Kind)
	if err != nil {
		return v, fmt.Errorf("step %s in %s: %w", e.Step, e.Act, err)
	}
	if to == Running && e.Kind == KindStarted {
		row.Began, row.Ended, row.Problem, row.Digest = e.At, time.Time{}, nil, ""
	}
	if to == Applying || to == Done {
		row.Touched = to == Applying
	}
	if to.Final() && row.Ended.IsZero() {
		row.Ended = e.At
	}
	row.State = to
	v.Rows = slices.Clone(v.Rows)
	v.Rows[i] = row
	if e.Kind != KindPlanned && e.Kind != KindProposed {
		v.Gate = nil
	}
	v.Question = nil
	v.Original = v.originalAfter(e)
	return v, nil
}

// originalAfter follows what is known about the original's bytes.
func (v View) originalAfter(e Event) OriginalState {
	if row := v.Row(e.Act, e.Step); row == nil || row.Danger != Original {
		return v.Original
	}
	switch e.Kind {
	case KindApplying:
		return Writing
	case KindInterrupted:
		if v.Row(e.Act, e.Step).State == Unsure {
			return Uncertain
		}
	case KindFailed:
		if v.Original == Writing {
			return Uncertain
		}
	case KindDone:
		if v.Original == Writing || v.Original == Uncertain {
			if e.Act == Undo {
				return PutBack
			}
			return Changed
		}
	}
	return v.Original
}

// undoBegan reports that putting the original back has begun, whether or not it ended.
func (v View) undoBegan() bool {
	return slices.ContainsFunc(v.Rows, func(r Row) bool {
		return r.Act == Undo && r.Danger == Original && (r.Touched || r.State == Done)
	})
}

func (v View) absorb(e Event) (View, error) {
	switch e.Kind {
	case KindOpened:
		return v.open(e)
	case KindAct:
		return v.begin(e)
	case KindReopened:
		var r Reopened
		if err := json.Unmarshal(e.Data, &r); err != nil {
			return v, err
		}
		v.Closed, v.Opened.Options.RehearseOnly = nil, r.RehearseOnly
		if r.RehearseAgain && v.Original == Untouched {
			v.Rehearsed = nil
		}
	case KindSaid:
		return v, place(e, v.Attempt, &v.Said)
	case KindFinding:
		return v, place(e, v.Attempt, &v.Findings)
	case KindExhibit:
		return v, place(e, v.Attempt, &v.Exhibits)
	case KindVerdict:
		return v, place(e, v.Attempt, &v.Verdicts)
	case KindNote:
		return v, place(e, v.Attempt, &v.Notes)
	case KindAgreed:
		return v, place(e, v.Attempt, &v.Consents)
	case KindFact:
		var f FactData
		if err := json.Unmarshal(e.Data, &f); err != nil {
			return v, err
		}
		v.facts = maps.Clone(v.facts)
		v.facts[factKey{e.Act, f.Name}] = f.Value
	case KindRehearsed:
		v.Rehearsed = new(Rehearsed)
		return v, json.Unmarshal(e.Data, v.Rehearsed)
	case KindClosed:
		v.Closed, v.Gate, v.Question = new(Closed), nil, nil
		return v, json.Unmarshal(e.Data, v.Closed)
	default:
		return v.absorbStep(e)
	}
	return v, nil
}

func (v View) absorbStep(e Event) (View, error) {
	switch e.Kind {
	case KindPlanned:
		if err := place(e, v.Attempt, &v.Plans); err != nil {
			return v, err
		}
		v.Row(e.Act, e.Step).Digest = v.Plans[len(v.Plans)-1].Item.Digest
	case KindAsked:
		v.Question = &Asked{Act: e.Act, Step: e.Step}
		return v, json.Unmarshal(e.Data, &v.Question.Question)
	case KindAnswered:
		var a Answered
		if err := json.Unmarshal(e.Data, &a); err != nil {
			return v, err
		}
		v.Answers, v.answered = maps.Clone(v.Answers), maps.Clone(v.answered)
		v.Answers[a.Name], v.answered[a.Name] = a.Value, e.Act
	case KindProposed:
		v.Gate = &Proposal{Act: e.Act, Step: e.Step}
		if n := len(v.Plans); n > 0 && v.Plans[n-1].Step == e.Step && v.Plans[n-1].Act == e.Act {
			v.Gate.Plan = v.Plans[n-1].Item.Plan
		}
		if err := json.Unmarshal(e.Data, &v.Gate.Gate); err != nil {
			return v, err
		}
		v.Row(e.Act, e.Step).Danger = v.Gate.Danger
	case KindFailed:
		row := v.Row(e.Act, e.Step)
		row.Problem = new(Problem)
		return v, json.Unmarshal(e.Data, row.Problem)
	case KindIntent:
		c := Command{Seq: e.Seq, At: e.At, Act: e.Act, Step: e.Step}
		if err := json.Unmarshal(e.Data, &c.Intent); err != nil {
			return v, err
		}
		v.Commands = append(v.Commands, c)
	case KindOutcome:
		return v.settleCommand(e)
	case KindObligation:
		var o Obligation
		if err := json.Unmarshal(e.Data, &o); err != nil {
			return v, err
		}
		v.Obligations = append(slices.DeleteFunc(slices.Clone(v.Obligations),
			func(x Obligation) bool { return x.ID == o.ID }), o)
	case KindSettled:
		var s Settled
		if err := json.Unmarshal(e.Data, &s); err != nil {
			return v, err
		}
		v.Obligations = slices.DeleteFunc(slices.Clone(v.Obligations),
			func(o Obligation) bool { return o.ID == s.ID })
	}
	return v, nil
}

func (v View) settleCommand(e Event) (View, error) {
	var o Outcome
	if err := json.Unmarshal(e.Data, &o); err != nil {
		return v, err
	}
	v.Commands = slices.Clone(v.Commands)
	for i := range v.Commands {
		if v.Commands[i].ID == o.ID {
			v.Commands[i].Outcome = &o
			return v, nil
		}
	}
	return v, fmt.Errorf("outcome of %q without its intent", o.ID)
}

func (v View) open(e Event) (View, error) {
	if err := json.Unmarshal(e.Data, &v.Opened); err != nil {
		return v, err
	}
	v.Original = Untouched
	v.facts, v.Answers, v.answered = map[factKey]json.RawMessage{}, map[string]string{}, map[string]Act{}
	v.attempts = map[Act]int{}
	// What the command line has said already is not asked again.
	maps.Copy(v.Answers, v.Opened.Options.Settings)
	for _, act := range [...]Act{Prepare, Rehearsal, Performance, Closing, Undo} {
		for _, s := range v.Opened.Steps {
			if plays(s.Part, act) {
				v.Rows = append(v.Rows, Row{Act: act, Step: s.Name, Title: s.Title, State: Pending})
			}
		}
	}
	return v, nil
}

// plays reports whether a step of the part is played in the act.
func plays(p Part, a Act) bool {
	switch p {
	case Opening:
		return a == Prepare
	case Twice:
		return a == Rehearsal || a == Performance
	case Final:
		return a == Closing
	case Putback:
		return a == Undo
	}
	return false
}

// begin enters an act. A new attempt at the rehearsal forgets what the last one found
// out and was told: a fresh clone is a fresh world.
func (v View) begin(e Event) (View, error) {
	var a ActData
	if err := json.Unmarshal(e.Data, &a); err != nil {
		return v, err
	}
	v.Act, v.Attempt = a.Act, a.Attempt
	v.attempts = maps.Clone(v.attempts)
	v.attempts[a.Act] = max(v.attempts[a.Act], a.Attempt)
	if a.Act != Rehearsal {
		return v, nil
	}
	v.Rehearsed = nil
	v.Rows = slices.Clone(v.Rows)
	for i := range v.Rows {
		if r := &v.Rows[i]; r.Act == Rehearsal {
			*r = Row{Act: r.Act, Step: r.Step, Title: r.Title, State: Pending}
		}
	}
	v.facts, v.Answers = maps.Clone(v.facts), maps.Clone(v.Answers)
	maps.DeleteFunc(v.facts, func(k factKey, _ json.RawMessage) bool { return k.act == Rehearsal })
	maps.DeleteFunc(v.Answers, func(name, _ string) bool { return v.answered[name] == Rehearsal })
	return v, nil
}

// place decodes the event's data and appends it. Histories are linear: an older View keeps
// its own length of the shared list.
func place[T any](e Event, attempt int, list *[]Placed[T]) error {
	p := Placed[T]{Seq: e.Seq, At: e.At, Act: e.Act, Attempt: attempt, Step: e.Step}
	if err := json.Unmarshal(e.Data, &p.Item); err != nil {
		return err
	}
	*list = append(*list, p)
	return nil
}
