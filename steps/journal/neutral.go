package journal

import (
	"encoding/json"
	"io"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// NeutralVersion is the version of the JSON export's shape.
const NeutralVersion = 1

// Neutral is an incident in a shape that incident tools take: a summary, and a timeline of
// {time_utc, source, actor, description, details}.
type Neutral struct {
	Schema      string              `json:"schema"` // "pgrescue-incident"
	Version     int                 `json:"schema_version"`
	Summary     NeutralSummary      `json:"summary"`
	Findings    []NeutralFinding    `json:"findings"`
	Losses      []string            `json:"losses"` // of the plans carried out, or of the rehearsed ones
	Verdicts    []NeutralVerdict    `json:"verdicts"`
	Obligations []NeutralObligation `json:"obligations"`
	Timeline    []NeutralEntry      `json:"timeline"`
}

// NeutralSummary says what the incident was and how it stands.
type NeutralSummary struct {
	Incident        string               `json:"incident"`
	Title           string               `json:"title"`
	Playbook        string               `json:"playbook"`
	Target          string               `json:"target"`
	Host            string               `json:"host"`
	Actor           string               `json:"actor"`
	Tool            string               `json:"pgrescue"`
	Headline        map[string]string    `json:"headline,omitempty"`
	Started         time.Time            `json:"started_utc"`
	Last            time.Time            `json:"last_event_utc"`
	Ended           bool                 `json:"ended"`
	Outcome         string               `json:"outcome,omitempty"`
	Exit            *int                 `json:"exit,omitempty"`
	Text            string               `json:"text"`
	Next            []string             `json:"next,omitempty"`
	Original        engine.OriginalState `json:"original"`
	RehearsalDigest string               `json:"rehearsal_digest,omitempty"`
	Events          int64                `json:"journal_events"`
	Head            string               `json:"journal_head"`
}

// NeutralEntry is one event of the timeline.
type NeutralEntry struct {
	Time        time.Time      `json:"time_utc"`
	Source      string         `json:"source"` // act/step
	Actor       string         `json:"actor"`
	Description string         `json:"description"`
	Details     map[string]any `json:"details"` // seq, kind, and the event's own data
}

// NeutralFinding is a finding with the places that reported it.
type NeutralFinding struct {
	engine.Finding
	ReportedBy []string `json:"reported_by"`
}

// NeutralVerdict is a verdict with its place.
type NeutralVerdict struct {
	Time    time.Time  `json:"time_utc"`
	Act     engine.Act `json:"act"`
	Attempt int        `json:"attempt"`
	Step    string     `json:"step"`
	engine.Verdict
}

// NeutralObligation is something that was stopped, and whether it was given back.
type NeutralObligation struct {
	ID      string     `json:"id"`
	What    string     `json:"what"`
	Made    time.Time  `json:"made_utc"`
	Settled *time.Time `json:"settled_utc"` // null: still owed
}

func (s *story) neutral(w io.Writer) error {
	n := Neutral{Schema: "pgrescue-incident", Version: NeutralVersion, Summary: s.summary(),
		Findings: []NeutralFinding{}, Losses: []string{}, Verdicts: []NeutralVerdict{}, Obligations: []NeutralObligation{}}
	for _, f := range s.findings() {
		n.Findings = append(n.Findings, NeutralFinding{f.Finding, f.where})
	}
	lines, _ := s.losses()
	n.Losses = append(n.Losses, lines...)
	for _, v := range s.view.Verdicts {
		n.Verdicts = append(n.Verdicts, NeutralVerdict{v.At.UTC(), v.Act, v.Attempt, v.Step, v.Item})
	}
	for _, o := range s.promises() {
		entry := NeutralObligation{ID: o.ID, What: o.What, Made: o.made.UTC()}
		if !o.settled.IsZero() {
			at := o.settled.UTC()
			entry.Settled = &at
		}
		n.Obligations = append(n.Obligations, entry)
	}
	for _, e := range s.replay.Events {
		if lines := s.tell(e); len(lines) > 0 {
			n.Timeline = append(n.Timeline, NeutralEntry{Time: e.At.UTC(), Source: source(e), Actor: owner(e), Description: lines[0], Details: details(e)})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(n)
}

func (s *story) summary() NeutralSummary {
	v, o := s.view, s.view.Opened
	sum := NeutralSummary{Incident: o.Incident, Title: o.Title, Playbook: o.Playbook, Target: o.Target, Host: o.Host, Actor: o.Actor, Tool: o.Version,
		Headline: s.headline(), Started: v.Started.UTC(), Last: v.Last.UTC(), Text: s.outcome(), Original: v.Original, Events: v.Seq, Head: s.replay.Head}
	if c := v.Closed; c != nil {
		sum.Ended, sum.Outcome, sum.Exit, sum.Next, sum.Text = true, c.Outcome, &c.Exit, c.Next, c.Summary
	}
	if v.Rehearsed != nil {
		sum.RehearsalDigest = v.Rehearsed.Digest
	}
	return sum
}

// details are an event's data without what is bulky or only of use to the program: the
// bytes a plan writes, records, the printed output, the steps' prose.
func details(e engine.Event) map[string]any {
	d := data[map[string]any](e)
	if d == nil {
		d = map[string]any{}
	}
	for _, k := range [...]string{"record", "output", "steps"} {
		delete(d, k)
	}
	if plan, ok := d["plan"].(map[string]any); ok {
		delete(plan, "payload")
	}
	d["seq"], d["kind"] = e.Seq, e.Kind
	if e.Step != "" {
		d["act"], d["step"] = e.Act, e.Step
	}
	return d
}
