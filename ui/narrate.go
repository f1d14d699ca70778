package ui

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// tone says how much attention a line wants; styles may colour it, words carry it.
type tone int

const (
	toneNormal tone = iota
	toneStrong      // acts, steps
	toneGood
	toneWarn
	toneBad
	toneFaint
	toneCommand
)

// line is one line of the incident's story, as Plain prints it and the log pane shows it.
type line struct {
	At     time.Time
	Act    engine.Act
	Step   string
	Indent int
	Tone   tone
	Text   string
	Fine   bool // particulars, which the screen has a tab for
}

// maxListed is how many changes of a plan the story lists; all are in the journal.
const maxListed = 40

// narrator turns events into the story. before and after are the views around the event.
type narrator struct {
	before, after engine.View
	event         engine.Event
	lines         []line
	fine          bool
}

// narrate tells an event in lines. Facts are for steps and have none.
func narrate(before, after engine.View, e engine.Event) []line {
	n := &narrator{before: before, after: after, event: e}
	n.tell()
	if after.Original != before.Original && before.Original != "" {
		t := toneWarn
		if after.Original == engine.Uncertain {
			t = toneBad
		}
		n.say(0, t, "original: %s", after.Original)
	}
	return n.lines
}

// say adds a line; text that spans lines is continued below.
func (n *narrator) say(indent int, t tone, format string, args ...any) {
	for i, s := range strings.Split(strings.TrimRight(clean(fmt.Sprintf(format, args...)), "\n"), "\n") {
		in := indent
		if i > 0 {
			in = max(1, indent)
		}
		n.lines = append(n.lines, line{n.event.At, n.event.Act, n.event.Step, in, t, strings.TrimRight(s, " "), n.fine})
	}
}

// data decodes an event's data; the fold has already decoded it once without an error.
func data[T any](e engine.Event) T {
	var v T
	if json.Unmarshal(e.Data, &v) != nil {
		var none T
		return none
	}
	return v
}

func (n *narrator) tell() {
	switch e := n.event; e.Kind {
	case engine.KindOpened:
		o := data[engine.Opened](e)
		n.say(0, toneStrong, "incident %s: %s (playbook %s)", o.Incident, o.Title, o.Playbook)
		n.say(1, toneNormal, "target %s, host %s, opened by %s, pgrescue %s", o.Target, o.Host, o.Actor, o.Version)
	case engine.KindReopened:
		r := data[engine.Reopened](e)
		n.say(0, toneStrong, "another engine process took over: %s (%s)", r.Reason, r.Actor)
	case engine.KindAct:
		a := data[engine.ActData](e)
		title := strings.ReplaceAll(actTitle(a.Act), "  ", " ")
		if a.Attempt > 1 {
			title += fmt.Sprintf(", attempt %d", a.Attempt)
		}
		n.say(0, toneStrong, "%s", title)
	case engine.KindSaid:
		n.say(1, toneNormal, "%s", data[engine.Said](e).Text)
	case engine.KindNote:
		note := data[engine.Note](e)
		n.say(1, toneNormal, "note by %s: %s", note.Actor, note.Text)
	case engine.KindFinding:
		n.finding(data[engine.Finding](e))
	case engine.KindExhibit:
		n.exhibit(data[engine.Exhibit](e))
	case engine.KindVerdict:
		n.verdict(data[engine.Verdict](e))
	case engine.KindIntent:
		i := data[engine.Intent](e)
		n.say(1, toneCommand, "command %s: %s", i.ID, commandLine(i))
	case engine.KindOutcome:
		n.outcome(data[engine.Outcome](e))
	case engine.KindClosed:
		n.closed(data[engine.Closed](e))
	default:
		n.tellStep()
	}
}

func (n *narrator) tellStep() {
	switch e := n.event; e.Kind {
	case engine.KindStarted:
		n.say(0, toneStrong, "%s: started", n.stepName())
	case engine.KindDone:
		n.say(0, toneGood, "%s: done%s", n.stepName(), n.took())
	case engine.KindFailed:
		p := data[engine.Problem](e)
		n.say(0, toneBad, "%s: FAILED (%s): %s", n.stepName(), p.Kind, p.Message)
		n.next(p.Hint)
	case engine.KindSkipped:
		n.say(0, toneFaint, "%s: skipped: %s", n.stepName(), data[engine.Said](e).Text)
	case engine.KindInterrupted:
		word := "stopped"
		if row := n.after.Row(e.Act, e.Step); row != nil {
			word = markOf(row.State).Word
		}
		n.say(0, toneWarn, "%s: %s: %s", n.stepName(), word, data[engine.Said](e).Text)
	case engine.KindAsked:
		q := data[engine.Question](e)
		n.say(1, toneStrong, "question %s: %s", q.Name, q.Prompt)
	case engine.KindAnswered:
		a := data[engine.Answered](e)
		n.say(1, toneNormal, "answer to %s: %s (%s)", a.Name, orWord(a.Value, "nothing"), a.Actor)
	case engine.KindPlanned:
		p := data[engine.Planned](e)
		n.plan(p.Plan, p.Digest)
	case engine.KindProposed:
		g := data[engine.Gate](e)
		n.say(1, toneStrong, "consent wanted (%s): %s", g.Danger, gateWords(g.Danger))
		if g.Unknown {
			n.say(1, toneWarn, "an earlier try of this step was interrupted; its outcome is not known")
		}
	case engine.KindAgreed:
		a := data[engine.Agreed](e)
		n.say(1, toneNormal, "agreed by %s%s, digest %s", a.Actor, typedWords(a.Typed), shortDigest(a.Digest))
	case engine.KindDeclined:
		a := data[engine.Agreed](e)
		n.say(0, toneWarn, "%s: declined by %s%s", n.stepName(), a.Actor, because(a.Reason))
	case engine.KindApplying:
		n.say(1, toneNormal, "applying the plan")
	case engine.KindRehearsed:
		r := data[engine.Rehearsed](e)
		n.say(0, toneGood, "the rehearsal has passed: %s, digest %s", count(len(r.Plans), "plan"), r.Digest)
	case engine.KindObligation:
		n.say(1, toneWarn, "to be given back later: %s", data[engine.Obligation](e).What)
	case engine.KindSettled:
		n.say(1, toneGood, "given back: %s", owed(n.before, data[engine.Settled](e).ID))
	}
}

func (n *narrator) stepName() string {
	for i, s := range n.after.Opened.Steps {
		if s.Name == n.event.Step {
			return fmt.Sprintf("step %d of %d, %s", i+1, len(n.after.Opened.Steps), s.Title)
		}
	}
	return "step " + n.event.Step
}

func (n *narrator) took() string {
	row := n.after.Row(n.event.Act, n.event.Step)
	if row == nil || row.Began.IsZero() {
		return ""
	}
	return " in " + clock(row.Ended.Sub(row.Began))
}

func (n *narrator) next(hint string) {
	if hint != "" {
		n.say(1, toneNormal, "next: %s", hint)
	}
}

func (n *narrator) finding(f engine.Finding) {
	n.say(1, severityTone(f.Severity), "finding (%s): %s", f.Severity, f.Title)
	if f.Detail != "" {
		n.say(2, toneNormal, "%s", f.Detail)
	}
	for _, e := range f.Evidence {
		n.say(2, toneFaint, "evidence: %s", e)
	}
	if f.Next != "" {
		n.say(2, toneNormal, "next: %s", f.Next)
	}
}

func (n *narrator) exhibit(x engine.Exhibit) {
	n.say(1, toneNormal, "evidence: %s", x.Title)
	n.fine = true
	for _, row := range (table{x.Columns, x.Rows}).lines(0) {
		n.say(2, toneNormal, "%s", row)
	}
	if x.Text != "" {
		n.say(2, toneNormal, "%s", x.Text)
	}
}

func (n *narrator) verdict(v engine.Verdict) {
	s := fmt.Sprintf("verdict %s: %s", v.Result, v.Subject)
	if v.Detail != "" {
		s += ": " + v.Detail
	}
	n.say(1, resultTone(v.Result), "%s (%s)", s, strings.Join(v.Evidence, "; "))
}

func (n *narrator) plan(p engine.Plan, digest string) {
	if p.Empty() {
		n.say(1, toneNormal, "plan: %s (nothing to change)", p.Summary)
		return
	}
	n.say(1, toneStrong, "plan: %s", p.Summary)
	n.fine = true
	for i, c := range p.Changes {
		if i == maxListed {
			n.say(2, toneNormal, "and %s more, all in the journal", count(len(p.Changes)-i, "change"))
			break
		}
		n.say(2, toneNormal, "change %d: %s", i+1, changeWords(c))
	}
	n.fine = false
	for _, l := range p.Loses {
		n.say(2, toneBad, "LOSES: %s", l)
	}
	n.fine = true
	n.say(2, toneNormal, "digest %s", digest)
}

// changeWords tells a change in one line.
func changeWords(c engine.Change) string {
	var s []string
	if c.Path != "" {
		s = append(s, c.Path)
	}
	if len(c.Argv) > 0 {
		s = append(s, shellLine(c.Argv))
	}
	if c.Before != "" || c.After != "" {
		s = append(s, fmt.Sprintf("%s -> %s", orWord(c.Before, "nothing"), orWord(c.After, "nothing")))
	}
	if c.Why != "" {
		s = append(s, "because "+c.Why)
	}
	if c.Loses != "" {
		s = append(s, "LOSES "+c.Loses)
	}
	return strings.Join(s, "; ")
}

func (n *narrator) outcome(o engine.Outcome) {
	t, s := toneFaint, fmt.Sprintf("command %s: exit %d in %s", o.ID, o.Exit, millis(o.Millis))
	if o.Lines > 0 {
		s += ", " + count(o.Lines, "line")
	}
	if o.LogFile != "" {
		s += ", kept in " + o.LogFile
	}
	if o.Err != "" {
		t, s = toneBad, s+", error: "+o.Err
	}
	n.say(1, t, "%s", s)
}

func (n *narrator) closed(c engine.Closed) {
	n.say(0, closedTone(c), "closed: %s: %s", c.Outcome, c.Summary)
	n.say(1, toneNormal, "original: %s", n.after.Original)
	for _, next := range c.Next {
		n.say(1, toneNormal, "next: %s", next)
	}
}

func closedTone(c engine.Closed) tone {
	switch c.Exit {
	case 0, engine.ExitPending:
		return toneGood
	case engine.Declined.Exit():
		return toneWarn
	}
	return toneBad
}

func severityTone(s engine.Severity) tone {
	switch s {
	case engine.Info:
		return toneNormal
	case engine.Warning:
		return toneWarn
	}
	return toneBad
}

func resultTone(r engine.Result) tone {
	switch r {
	case engine.Passed:
		return toneGood
	case engine.Fail:
		return toneBad
	}
	return toneWarn
}

func owed(v engine.View, id string) string {
	for _, o := range v.Obligations {
		if o.ID == id {
			return o.What
		}
	}
	return id
}

func typedWords(typed string) string {
	if typed == "" {
		return ""
	}
	return ", who typed " + typed
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// count is "1 plan" or "3 plans".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%s %ss", grouped(int64(n)), noun)
}
