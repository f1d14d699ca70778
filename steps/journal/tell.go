package journal

import (
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// tell says what an event is in lines without markup; the first is a whole sentence by
// itself. Events that only programs read have none.
func (s *story) tell(e engine.Event) []string {
	switch e.Kind {
	case engine.KindOpened:
		o := data[engine.Opened](e)
		return []string{fmt.Sprintf("incident opened: %s (playbook %s) on %s, host %s", o.Title, o.Playbook, o.Target, o.Host)}
	case engine.KindReopened:
		return []string{"another engine process took over: " + orNone(data[engine.Reopened](e).Reason, "no reason given")}
	case engine.KindAct:
		a := data[engine.ActData](e)
		return []string{fmt.Sprintf("%s begins, attempt %d", actTitle(a.Act), a.Attempt)}
	case engine.KindNote:
		return []string{"note: " + data[engine.Note](e).Text}
	case engine.KindRehearsed:
		return []string{"the rehearsal passed, digest " + data[engine.Rehearsed](e).Digest}
	case engine.KindClosed:
		c := data[engine.Closed](e)
		return append([]string{fmt.Sprintf("%s (exit %d): %s", c.Outcome, c.Exit, c.Summary)}, c.Next...)
	case engine.KindFact:
		return nil
	}
	return s.tellStep(e)
}

func (s *story) tellStep(e engine.Event) []string {
	title := s.title(e.Step)
	switch e.Kind {
	case engine.KindStarted:
		return []string{title + ": started"}
	case engine.KindDone:
		return []string{title + ": done"}
	case engine.KindFailed:
		p := data[engine.Problem](e)
		return withHint(fmt.Sprintf("%s: FAILED (%s): %s", title, p.Kind, p.Message), p.Hint)
	case engine.KindSkipped, engine.KindInterrupted:
		return []string{fmt.Sprintf("%s: %s: %s", title, e.Kind, data[engine.Said](e).Text)}
	case engine.KindAsked:
		return []string{title + " asks: " + data[engine.Question](e).Prompt}
	case engine.KindAnswered:
		a := data[engine.Answered](e)
		return []string{fmt.Sprintf("%s: %s = %s", title, a.Name, orNone(a.Value, "(empty)"))}
	case engine.KindProposed:
		g := data[engine.Gate](e)
		return []string{fmt.Sprintf("%s waits for consent (%s): %s", title, g.Danger, g.Prompt)}
	case engine.KindAgreed, engine.KindDeclined:
		return []string{agreement(title, e.Kind, data[engine.Agreed](e))}
	case engine.KindApplying:
		return []string{title + ": being carried out"}
	}
	return s.tellResult(e, title)
}

// tellResult tells what a step reports.
func (s *story) tellResult(e engine.Event, title string) []string {
	switch e.Kind {
	case engine.KindSaid:
		return []string{data[engine.Said](e).Text}
	case engine.KindFinding:
		f := data[engine.Finding](e)
		return withHint(fmt.Sprintf("%s: %s", strings.ToUpper(string(f.Severity)), f.Title), f.Next)
	case engine.KindExhibit:
		return []string{"evidence shown: " + data[engine.Exhibit](e).Title}
	case engine.KindVerdict:
		v := data[engine.Verdict](e)
		return []string{fmt.Sprintf("%s %s: %s", v.Result, v.Subject, orNone(v.Detail, strings.Join(v.Evidence, "; ")))}
	case engine.KindPlanned:
		p := data[engine.Planned](e)
		return []string{fmt.Sprintf("%s: plan %.12s, %s: %s", title, p.Digest, many(len(p.Plan.Changes), "change"), p.Plan.Summary)}
	case engine.KindIntent:
		i := data[engine.Intent](e)
		if len(i.Argv) > 0 {
			return []string{fmt.Sprintf("$ %s    [%s]", shell(i.Argv), i.What)}
		}
		return []string{"> " + i.What}
	case engine.KindOutcome:
		return []string{ending(data[engine.Outcome](e))}
	case engine.KindObligation:
		return []string{"to be given back: " + data[engine.Obligation](e).What}
	case engine.KindSettled:
		return []string{"given back: " + data[engine.Settled](e).ID}
	}
	return nil
}

func withHint(text, hint string) []string {
	if hint == "" {
		return []string{text}
	}
	return []string{text, "next: " + hint}
}

func agreement(title string, k engine.Kind, a engine.Agreed) string {
	text := fmt.Sprintf("%s: %s by %s", title, k, a.Actor)
	if a.Digest != "" {
		text += fmt.Sprintf(", plan %.12s", a.Digest)
	}
	if a.Typed != "" {
		text += ", typed " + a.Typed
	}
	if a.Reason != "" {
		text += ": " + a.Reason
	}
	return text
}

// ending is how an effect ended.
func ending(o engine.Outcome) string {
	text := fmt.Sprintf("exit %d, %s", o.Exit, took(millis(o.Millis)))
	if o.Err != "" {
		text += ", FAILED: " + o.Err
	}
	if o.Lines > 0 {
		text += fmt.Sprintf(", output (%s) in %s", many(o.Lines, "line"), o.LogFile)
	}
	return text
}

// actTitle names an act for people.
func actTitle(a engine.Act) string {
	switch a {
	case engine.Prepare:
		return "Preparation: look, stop writers, snapshot"
	case engine.Rehearsal:
		return "Rehearsal on a copy"
	case engine.Performance:
		return "Performance on the original"
	case engine.Closing:
		return "Closing: give back, report"
	case engine.Undo:
		return "Undo: put the original back"
	}
	return string(a)
}

// owner is who did it: a person where one decided, else the program.
func owner(e engine.Event) string {
	who := data[struct {
		Actor string `json:"actor"`
	}](e).Actor
	return orNone(who, "pgrescue")
}

// source is where in the incident it happened.
func source(e engine.Event) string {
	switch {
	case e.Step != "":
		return string(e.Act) + "/" + e.Step
	case e.Act != "":
		return string(e.Act)
	}
	return "incident"
}
