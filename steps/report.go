package steps

import (
	"context"
	"fmt"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Report says where the transcript is and what remains to be done. The files themselves are
// written by the journal when the run closes, whatever its outcome.
func Report() *engine.Step {
	return &engine.Step{Name: "report", Title: "Report", Doc: doc("report"), Part: engine.Final, Observe: observeReport}
}

func observeReport(_ context.Context, p *engine.Pass) error {
	v := p.View()
	var failed, unknown int
	for _, x := range v.Verdicts {
		switch x.Item.Result {
		case engine.Fail:
			failed++
		case engine.CouldNotCheck:
			unknown++
		}
	}
	if err := p.Say("%d verdicts: %d failed, %d could not be checked", len(v.Verdicts), failed, unknown); err != nil {
		return err
	}
	for _, next := range []string{
		"take a backup now: there is none yet of the healed state",
		"dump every database and load it into a fresh cluster: after a WAL reset the files may disagree in ways no check finds",
		"rebuild standbys and replication slots: they follow a history that no longer exists",
		"keep the snapshot until the application's owners agree that nothing is missing: pgrescue clean --snapshot removes it",
	} {
		if err := p.Report(engine.Finding{Severity: engine.Info, Title: next}); err != nil {
			return err
		}
	}
	return p.Say("transcript: report.md, post-mortem: postmortem.md, events: journal.jsonl in %s", fmt.Sprintf("incident %s", p.Incident()))
}
