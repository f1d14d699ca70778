package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// ResetValues computes what pg_resetwal has to be told, each value with its evidence.
func ResetValues() *engine.Step {
	return &engine.Step{
		Name: "reset-values", Title: "Compute reset values", Doc: doc("reset_values"), Part: engine.Twice,
		Needs: []engine.AnyFact{FactSite, FactControl}, Makes: []engine.AnyFact{FactEvidence, FactReset}, Observe: observeResetValues,
	}
}

func observeResetValues(ctx context.Context, p *engine.Pass) error {
	at := here(p)
	evidence, err := inspectWith[agent.ScanRequest, *pgops.Evidence](ctx, at, p, job[agent.ScanRequest]{
		name: agent.JobScanParams, req: agent.ScanRequest{Pieces: at.pieces}, what: "collecting evidence",
	})
	if err != nil {
		return err
	}
	if err := FactEvidence.Put(p, evidence); err != nil {
		return err
	}
	tool, err := resetTool(ctx, at, p)
	if err != nil {
		return err
	}
	plan, err := pgops.PlanReset(*evidence, pgops.ResetOptions{Tool: tool})
	var contradiction *pgops.ContradictionError
	if errors.As(err, &contradiction) {
		return explainContradictions(p, contradiction)
	}
	if err != nil {
		return err
	}
	if err := showParams(p, plan); err != nil {
		return err
	}
	if err := compareWithGood(ctx, at, p, evidence); err != nil {
		return err
	}
	if err := sayLosses(p, pgops.WhatResetLoses(*evidence)); err != nil {
		return err
	}
	return FactReset.Put(p, plan)
}

// resetTool asks the image's pg_resetwal what it can do.
func resetTool(ctx context.Context, at *Place, p *engine.Pass) (pgops.ResetTool, error) {
	version, err := at.tool(ctx, p, "pg_resetwal", "--version")
	if err != nil {
		return pgops.ResetTool{}, err
	}
	if err := toolFailed("pg_resetwal --version", version); err != nil {
		return pgops.ResetTool{}, &engine.Error{Kind: engine.Precondition, Hint: "use an image that has it", Err: err}
	}
	help, err := at.tool(ctx, p, "pg_resetwal", "--help")
	if err != nil {
		return pgops.ResetTool{}, err
	}
	return pgops.ParseResetTool(string(version.Stdout), string(help.Stdout))
}

func explainContradictions(p *engine.Pass, c *pgops.ContradictionError) error {
	for _, x := range c.Contradictions {
		if err := p.Report(engine.Finding{Severity: engine.Blocker, Title: "two sources contradict each other: " + string(x.Kind),
			Detail: x.Means, Evidence: []string{x.One, x.Other}, Next: x.Next}); err != nil {
			return err
		}
	}
	return engine.Errorf(engine.Damage, "read the findings: a value chosen against one of them can destroy rows", "%w", c)
}

func showParams(p *engine.Pass, plan *pgops.ResetPlan) error {
	var rows [][]string
	var why strings.Builder
	for _, v := range plan.Params {
		given := "not given"
		if v.Given {
			given = "given"
		}
		rows = append(rows, []string{v.Switch, v.Value, given, v.Name, v.Margin, string(v.Confidence)})
		fmt.Fprintf(&why, "%s %s (%s)\n  %s\n", v.Switch, v.Value, v.Name, v.Why)
		for _, e := range v.Evidence {
			fmt.Fprintf(&why, "  evidence: %s\n", e)
		}
		fmt.Fprintf(&why, "  formula:  %s\n  margin:   %s\n  if wrong: %s\n", v.Formula, v.Margin, v.IfWrong)
	}
	var errs []error
	errs = append(errs,
		p.Show(engine.Exhibit{Title: "pg_resetwal values", Columns: []string{"switch", "value", "", "what", "margin", "confidence"}, Rows: rows}),
		p.Show(engine.Exhibit{Title: "why these values", Text: why.String()}))
	for _, w := range plan.Warnings {
		errs = append(errs, p.Report(engine.Finding{Severity: engine.Warning, Title: w}))
	}
	return errors.Join(errs...)
}

func sayLosses(p *engine.Pass, loss pgops.ResetLoss) error {
	f := engine.Finding{Severity: engine.Warning, Title: "what resetting the log would lose", Detail: strings.Join(loss.Sentences, " ")}
	if loss.From == loss.To && !loss.Unknown {
		f.Severity = engine.Info
	}
	return p.Report(f)
}

// compareWithGood shows where the cluster differs from one the operator trusts.
func compareWithGood(ctx context.Context, at *Place, p *engine.Pass, evidence *pgops.Evidence) error {
	good := p.Setting(SettingGood)
	if good == "" {
		return nil
	}
	control, err := goodControl(ctx, at, p, good)
	if err != nil {
		return &engine.Error{Kind: engine.Precondition, Hint: "check --good", Err: err}
	}
	differences, err := evidence.CompareWith(control)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, d := range differences {
		rows = append(rows, []string{d.Field, d.Ours, d.Theirs, d.Means})
	}
	return p.Show(engine.Exhibit{Title: "compared with the known-good cluster", Columns: []string{"field", "here", "there", "meaning"}, Rows: rows})
}

// FactEvidence is what the scan of the cluster found.
var FactEvidence = engine.NewFact[*pgops.Evidence]("evidence")
