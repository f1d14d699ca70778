package journal

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// todo marks what only people can write.
const todo = "**TODO**"

// postmortem writes a skeleton: filled in where the journal knows, TODO elsewhere.
func (s *story) postmortem(b *bytes.Buffer) {
	p := page{b}
	v, o := s.view, s.view.Opened
	fmt.Fprintf(p, "# Post-mortem: %s on %s\n\n", md(o.Title), md(o.Target))
	fmt.Fprintf(p, "Owner: %s · Incident: %s · Journal head: %s\n\n", todo, md(o.Incident), s.replay.Head)

	p.heading(2, "Overview")
	p.para("On %s PostgreSQL in %s on host %s was worked on with pgrescue (playbook %s) by %s for %s. Outcome: %s. The original data: %s.",
		stamp(v.Started), o.Target, o.Host, o.Playbook, o.Actor, took(v.Last.Sub(v.Started)), s.outcome(), v.Original)

	p.heading(2, "What happened")
	fmt.Fprintf(p, "%s When did users notice, and what did they see?\n\n", todo)
	for _, f := range s.findings() {
		if f.Severity == engine.Damaged || f.Severity == engine.Blocker {
			p.item("%s", strings.TrimSuffix(f.Title+": "+f.Detail, ": "))
		}
	}
	p.gap()

	p.heading(2, "Impact")
	fmt.Fprintf(p, "%s How long was the service down, and for whom?\n\n", todo)
	s.impact(p)

	p.heading(2, "Contributing factors")
	fmt.Fprintf(p, "- %s Why could the data be damaged (settings, storage, how it was stopped)?\n- %s Why was it noticed when it was?\n", todo, todo)
	s.resolution(p)
	s.timeline(p)

	p.heading(2, "How did we do?")
	fmt.Fprintf(p, "- What went well: %s\n- What did not: %s\n- Where we were lucky: %s\n", todo, todo, todo)
	s.actions(p)
}

func (s *story) impact(p page) {
	lines, happened := s.losses()
	switch {
	case !happened:
		p.para("The original data was not changed by the repair, or was put back.")
	case len(lines) == 0:
		p.para("No plan that was carried out knew of anything that it would lose.")
	default:
		p.para("Lost by the repair, as said before it was agreed to:")
		for _, l := range lines {
			p.item("%s", l)
		}
		p.gap()
	}
	for _, t := range s.tallies() {
		p.item("Checks, %s: %s", t.act, counts(t.count))
	}
}

func (s *story) resolution(p page) {
	p.heading(2, "Resolution")
	done := s.performed()
	if len(done) == 0 {
		p.para("Nothing was carried out on the original.")
		return
	}
	for _, step := range done {
		for i := len(s.view.Plans) - 1; i >= 0; i-- {
			if pl := s.view.Plans[i]; pl.Act == engine.Performance && pl.Step == step {
				p.item("%s: %s (plan %.12s)", s.title(step), pl.Item.Plan.Summary, pl.Item.Digest)
				break
			}
		}
	}
	p.gap()
}

// timeline lists what moved the incident on; the transcript has every event.
func (s *story) timeline(p page) {
	p.heading(2, "Timeline")
	p.para("All times are UTC.")
	var rows [][]string
	for _, e := range s.replay.Events {
		if lines := s.tell(e); milestone(e) && len(lines) > 0 {
			rows = append(rows, []string{stamp(e.At), source(e), lines[0], owner(e)})
		}
	}
	p.table([]string{"Time", "Source", "Description", "Owner"}, rows, maxVerdicts, reportName+" and "+journalName)
}

func milestone(e engine.Event) bool {
	switch e.Kind {
	case engine.KindOpened, engine.KindReopened, engine.KindAct, engine.KindDone, engine.KindFailed, engine.KindSkipped, engine.KindInterrupted,
		engine.KindAgreed, engine.KindDeclined, engine.KindAnswered, engine.KindObligation, engine.KindSettled, engine.KindNote,
		engine.KindRehearsed, engine.KindClosed:
		return true
	case engine.KindFinding:
		return data[engine.Finding](e).Severity != engine.Info
	case engine.KindVerdict:
		return data[engine.Verdict](e).Result != engine.Passed
	case engine.KindIntent:
		return e.Act == engine.Performance || e.Act == engine.Undo
	}
	return false
}

func (s *story) actions(p page) {
	p.heading(2, "Action items")
	var rows [][]string
	add := func(what, owner string) { rows = append(rows, []string{what, owner, ""}) }
	if c := s.view.Closed; c != nil {
		for _, next := range c.Next {
			add(next, "TODO")
		}
	}
	for _, f := range s.findings() {
		switch {
		case f.Severity == engine.Info:
			add(f.Title, "TODO")
		case f.Next != "":
			add(f.Next, "TODO")
		}
	}
	add("TODO: what keeps it from happening again", "TODO")
	p.table([]string{"Action", "Owner", "Due"}, rows, 2*maxListed, reportName)
}
