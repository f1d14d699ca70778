package journal

import (
	"fmt"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// tried tells every act and step in order: plan, commands, evidence, result.
func (s *story) tried(p page) {
	p.heading(2, "What was tried, and with what result")
	for _, ch := range s.chapters {
		p.heading(3, "%s%s", actTitle(ch.act), attemptWords(ch.attempt))
		if len(ch.scenes) == 0 {
			p.para("No step of it began.")
		}
		for _, sc := range ch.scenes {
			p.heading(4, "%s: %s (%s to %s, %s)", s.title(sc.step), strings.ToUpper(string(sc.state)),
				clock(sc.began()), clock(sc.ended()), took(sc.ended().Sub(sc.began())))
			s.scene(p, sc)
		}
	}
	s.notes(p)
}

func attemptWords(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(", attempt %d", n)
}

func (s *story) scene(p page, sc *scene) {
	verdicts := map[engine.Result]int{}
	outcomes := map[string]engine.Outcome{}
	for _, e := range sc.events {
		if e.Kind == engine.KindOutcome {
			o := data[engine.Outcome](e)
			outcomes[o.ID] = o
		}
	}
	for _, e := range sc.events {
		switch e.Kind {
		case engine.KindPlanned:
			s.plan(p, data[engine.Planned](e))
		case engine.KindIntent:
			p.effect(e, outcomes)
		case engine.KindExhibit:
			s.exhibit(p, data[engine.Exhibit](e))
		case engine.KindVerdict:
			verdicts[data[engine.Verdict](e).Result]++
		case engine.KindStarted, engine.KindDone, engine.KindApplying, engine.KindOutcome, engine.KindProposed, engine.KindFact, engine.KindFinding:
			// told by the heading, by the command or in a section of its own
		default:
			for _, line := range s.tell(e) {
				fmt.Fprintf(p, "%s %s\n\n", clock(e.At), md(line))
			}
		}
	}
	if len(verdicts) > 0 {
		p.para("%s verdicts: %s.", s.title(sc.step), counts(verdicts))
	}
}

func counts(n map[engine.Result]int) string {
	return fmt.Sprintf("%d PASS, %d FAIL, %d COULD NOT CHECK", n[engine.Passed], n[engine.Fail], n[engine.CouldNotCheck])
}

func (s *story) plan(p page, planned engine.Planned) {
	plan := planned.Plan
	p.para("Plan %s: %s.", planned.Digest, strings.TrimSuffix(plan.Summary, "."))
	if len(plan.Changes) == 0 {
		return
	}
	rows := make([][]string, 0, len(plan.Changes))
	for _, c := range plan.Changes {
		what := c.Path
		if len(c.Argv) > 0 {
			what += ": " + shell(c.Argv)
		}
		rows = append(rows, []string{what, c.Before, c.After, c.Why, c.Loses})
	}
	p.table([]string{"what", "before", "after", "why", "loses"}, rows, maxListed, journalName)
	for _, l := range plan.Loses {
		p.item("loses: %s", l)
	}
	if len(plan.Loses) > 0 {
		p.gap()
	}
}

// effect shows an effect exactly as it was run, with how it ended. What it printed is
// not repeated: a server's messages can quote rows.
func (p page) effect(intent engine.Event, outcomes map[string]engine.Outcome) {
	i := data[engine.Intent](intent)
	end := "NO OUTCOME: it may or may not have taken place"
	if o, ok := outcomes[i.ID]; ok {
		end = ending(o)
	}
	if len(i.Argv) == 0 {
		fmt.Fprintf(p, "%s effect %s: %s (%s)\n\n", clock(intent.At), i.ID, md(i.What), md(end))
		return
	}
	fmt.Fprintf(p, "%s command %s: %s\n\n", clock(intent.At), i.ID, md(i.What))
	p.command(shell(i.Argv), oneLine(end, maxLineRunes))
}

// command shows one that can be copied: it is never shortened, whatever its length.
func (p page) command(line, end string) {
	marks := fenceFor(line + "\n" + end)
	fmt.Fprintf(p, "%ssh\n%s\n# %s\n%s\n\n", marks, line, end, marks)
}

func (s *story) exhibit(p page, x engine.Exhibit) {
	p.para("%s:", x.Title)
	if len(x.Columns) > 0 {
		p.table(x.Columns, x.Rows, maxListed*2, journalName)
	}
	if x.Text != "" {
		p.fence(x.Text, journalName)
	}
}

func (s *story) notes(p page) {
	if len(s.view.Notes) == 0 {
		return
	}
	p.heading(3, "Notes of the operators")
	for _, n := range s.view.Notes {
		p.item("%s %s: %s", stamp(n.At), n.Item.Actor, n.Item.Text)
	}
	p.gap()
}
