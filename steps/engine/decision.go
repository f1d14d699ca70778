package engine

// DecisionKind says what the operator wants.
type DecisionKind string

// The decisions.
const (
	DecideAnswer  DecisionKind = "answer"  // Name, Value: answers the question asked
	DecideAgree   DecisionKind = "agree"   // to the gate shown; Digest and Typed as the gate wants them
	DecideDecline DecisionKind = "decline" // the gate shown
	DecideAbort   DecisionKind = "abort"   // stop as soon as that is safe; the incident can be resumed
	DecideNote    DecisionKind = "note"    // Value: a remark for the transcript
)

// Decision is what a front end sends. Step and Act must be those of the gate or
// question it answers: a decision that arrives late is refused, not applied to what
// has come up since.
type Decision struct {
	Kind   DecisionKind `json:"kind"`
	Act    Act          `json:"act,omitempty"`
	Step   string       `json:"step,omitempty"`
	Name   string       `json:"name,omitempty"`
	Value  string       `json:"value,omitempty"`
	Digest string       `json:"digest,omitempty"`
	Typed  string       `json:"typed,omitempty"`
	Reason string       `json:"reason,omitempty"`
	Actor  string       `json:"actor,omitempty"` // user@host of the person at the front end
}

// Message is what an engine sends to a front end: exactly one field is set.
type Message struct {
	Hello    *Hello    `json:"hello,omitempty"`
	Event    *Event    `json:"event,omitempty"`
	Progress *Progress `json:"progress,omitempty"`
	Refused  *Refusal  `json:"refused,omitempty"`
}

// Hello is the first message of a connection. Events from the first on follow it.
type Hello struct {
	Incident string `json:"incident"`
	Operator bool   `json:"operator"` // false: this viewer may only watch
	Past     int64  `json:"past"`     // events up to this number happened before
}

// Refusal says why a decision was not taken.
type Refusal struct {
	Reason string `json:"reason"`
}
