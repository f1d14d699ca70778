package engine

import (
	"encoding/json"
	"time"
)

// EventVersion is the version of the journal's line format.
const EventVersion = 1

// Event is one line of the journal. Data holds the type that Kind names.
type Event struct {
	V    int             `json:"v"`
	Seq  int64           `json:"seq"`
	At   time.Time       `json:"ts"`
	Mono int64           `json:"mono_ms"` // since the engine process started
	Act  Act             `json:"act,omitempty"`
	Step string          `json:"step,omitempty"`
	Kind Kind            `json:"kind"`
	Data json.RawMessage `json:"data,omitempty"`
	Prev string          `json:"prev"` // sha256 of the previous line's bytes, newline included
}

// Kind of an event.
type Kind string

// The kinds, each with the type of its Data.
const (
	KindOpened      Kind = "opened"      // Opened
	KindReopened    Kind = "reopened"    // Reopened: another engine process took over
	KindAct         Kind = "act"         // ActData: an act, or a new attempt at it, begins
	KindStarted     Kind = "started"     // nothing
	KindSaid        Kind = "said"        // Said
	KindFact        Kind = "fact"        // FactData
	KindFinding     Kind = "finding"     // Finding
	KindExhibit     Kind = "exhibit"     // Exhibit
	KindVerdict     Kind = "verdict"     // Verdict
	KindPlanned     Kind = "planned"     // Planned
	KindAsked       Kind = "asked"       // Question
	KindAnswered    Kind = "answered"    // Answered
	KindProposed    Kind = "proposed"    // Gate
	KindAgreed      Kind = "agreed"      // Agreed
	KindDeclined    Kind = "declined"    // Agreed
	KindApplying    Kind = "applying"    // nothing; from here on an end without an outcome is unknown
	KindIntent      Kind = "intent"      // Intent
	KindOutcome     Kind = "outcome"     // Outcome
	KindDone        Kind = "done"        // nothing
	KindFailed      Kind = "failed"      // Problem
	KindSkipped     Kind = "skipped"     // Said
	KindInterrupted Kind = "interrupted" // Said: found at reopening
	KindRehearsed   Kind = "rehearsed"   // Rehearsed: act one holds
	KindObligation  Kind = "obligation"  // Obligation: written before something is stopped
	KindSettled     Kind = "settled"     // Settled
	KindNote        Kind = "note"        // Note: the operator's words
	KindClosed      Kind = "closed"      // Closed
)

// Opened is the incident's first event.
type Opened struct {
	Incident string     `json:"incident"`
	Playbook string     `json:"playbook"`
	Title    string     `json:"title"`
	Target   string     `json:"target"`
	Host     string     `json:"host"`
	Actor    string     `json:"actor"`
	Version  string     `json:"version"`
	Options  Options    `json:"options"`
	Steps    []StepInfo `json:"steps"`
}

// Options of a run, as the command line gave them.
type Options struct {
	RehearseOnly bool              `json:"rehearse_only,omitempty"`
	Settings     map[string]string `json:"settings,omitempty"` // for steps: image, archive, ...
}

// StepInfo is what a front end needs to know of a step.
type StepInfo struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Doc    string `json:"doc"`
	Part   Part   `json:"part"`
	Writes bool   `json:"writes"`
}

// Reopened says who had another engine process take over, and why. It decides anew
// whether the run ends after the rehearsal.
type Reopened struct {
	Actor        string `json:"actor"`
	Reason       string `json:"reason"`
	RehearseOnly bool   `json:"rehearse_only,omitempty"`
	// RehearseAgain drops a passed rehearsal, as long as the original is untouched.
	RehearseAgain bool `json:"rehearse_again,omitempty"`
}

// ActData begins an act. Attempt counts from 1.
type ActData struct {
	Act     Act `json:"act"`
	Attempt int `json:"attempt"`
}

// Said is a sentence for people.
type Said struct {
	Text string `json:"text"`
}

// FactData is a journaled fact.
type FactData struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// Severity of a finding, in words.
type Severity string

// The severities.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Damaged Severity = "damage"
	Blocker Severity = "blocker"
)

// Finding is something a step noticed, with its evidence and the next action.
type Finding struct {
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	Detail   string   `json:"detail,omitempty"`
	Evidence []string `json:"evidence,omitempty"`
	Next     string   `json:"next,omitempty"`
}

// Exhibit is evidence to look at: a table when Columns are set, otherwise text.
type Exhibit struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns,omitempty"`
	Rows    [][]string `json:"rows,omitempty"`
	Text    string     `json:"text,omitempty"`
}

// Result of a check. There is no fourth.
type Result string

// The three results.
const (
	Passed        Result = "PASS"
	Fail          Result = "FAIL"
	CouldNotCheck Result = "COULD NOT CHECK"
)

// Verdict is the result of checking one thing, and on what evidence.
type Verdict struct {
	Subject  string          `json:"subject"` // "shop.public.orders"
	Result   Result          `json:"result"`
	Evidence []string        `json:"evidence"`
	Detail   string          `json:"detail,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"` // machine-readable particulars
}

// Planned carries a plan and its digest.
type Planned struct {
	Plan   Plan   `json:"plan"`
	Digest string `json:"digest"`
}

// Answered is the operator's (or the default) answer to a question.
type Answered struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Actor string `json:"actor"`
}

// Gate is where a step waits for consent.
type Gate struct {
	Danger    Danger `json:"danger"`
	Prompt    string `json:"prompt"`
	Digest    string `json:"digest,omitempty"`
	Challenge string `json:"challenge,omitempty"` // for Original: what must be typed, host/1234
	Unknown   bool   `json:"unknown,omitempty"`   // the outcome of an earlier try is not known
}

// Agreed is a consent, or with KindDeclined its refusal.
type Agreed struct {
	Digest string `json:"digest,omitempty"`
	Typed  string `json:"typed,omitempty"`
	Reason string `json:"reason,omitempty"`
	Actor  string `json:"actor"`
}

// Intent is durable before an effect begins. Argv is set when it is a command.
type Intent struct {
	ID   string   `json:"id"`
	What string   `json:"what"`
	Argv []string `json:"argv,omitempty"`
}

// Outcome ends an Intent.
type Outcome struct {
	ID      string `json:"id"`
	Exit    int    `json:"exit"`
	Err     string `json:"err,omitempty"`
	Millis  int64  `json:"ms"`
	Lines   int    `json:"lines,omitempty"`  // of output
	Output  string `json:"output,omitempty"` // its beginning
	LogFile string `json:"log,omitempty"`    // relative to the incident directory
}

// Rehearsed holds what act one proved.
type Rehearsed struct {
	Digest  string            `json:"digest"` // over all plans: what apply --approve takes
	Plans   map[string]string `json:"plans"`  // step to digest
	Attempt int               `json:"attempt"`
}

// Obligation is something owed to the target, such as a stopped container.
type Obligation struct {
	ID     string          `json:"id"`
	What   string          `json:"what"`
	Record json.RawMessage `json:"record"`
}

// Settled ends an Obligation.
type Settled struct {
	ID string `json:"id"`
}

// Note is the operator's own remark.
type Note struct {
	Text  string `json:"text"`
	Actor string `json:"actor"`
}

// Closed ends a run. A closed incident can be reopened while something is pending.
type Closed struct {
	Outcome string   `json:"outcome"` // healed, rehearsed, declined, failed, aborted, stale, unknown, undone, nothing-wrong, damage-found
	Exit    int      `json:"exit"`
	Summary string   `json:"summary"`
	Next    []string `json:"next,omitempty"`
}

// Progress of the running step. It is not journaled.
type Progress struct {
	Act   Act       `json:"act"`
	Step  string    `json:"step"`
	What  string    `json:"what"`
	Done  int64     `json:"done"`
	Total int64     `json:"total"` // 0: not known
	Unit  string    `json:"unit"`  // "bytes", "pages", "tables"
	At    time.Time `json:"at"`    // of the last activity
	Since time.Time `json:"since"` // start of this piece of work
}
