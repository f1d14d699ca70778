package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// StartAndCheck starts the server in isolation, checks every table, and shuts it down.
func StartAndCheck() *engine.Step {
	return &engine.Step{
		Name: "start-and-check", Title: "Start and check tables", Doc: doc("start_and_check"), Part: engine.Twice,
		Needs: []engine.AnyFact{FactSite}, Makes: []engine.AnyFact{FactTables},
		Ask: []engine.Question{
			{Name: "check.statement-timeout", Prompt: "Seconds a single check may take before it counts as a hang?", Default: "600",
				Help: "a table whose check takes longer gets the verdict COULD NOT CHECK or FAIL, never PASS"},
			{Name: "check.on-failure", Prompt: "If a table fails its check: stop, or accept it and go on?", Choices: []string{"stop", "accept"}, Default: "stop",
				Help: "accept means: a database with damaged tables is better than none; each stays listed as FAIL"},
		},
		Rewrite: &engine.Rewrite{Danger: engine.Original, Plan: planStart, Apply: applyStart, Verify: verifyStart},
	}
}

func planStart(_ context.Context, p *engine.Pass) (engine.Plan, error) {
	plan := engine.Plan{
		Summary: "start PostgreSQL on the data in an isolated container, check every table, shut it down",
		Changes: []engine.Change{
			{Path: "all files", Argv: []string{"postgres", "-D", here(p).site.PGData}, Before: "not running", After: "started, checked, shut down in order",
				Why: "starting writes: the server marks itself started, extends its status files and writes a checkpoint"},
			{Path: "indexes", Before: "an index that fails its check, or that this server has no checker for", After: "rebuilt (REINDEX), and checked again where it can be",
				Why: "an index can be rebuilt from its table without loss; entries that lead to the wrong row cannot be left"},
		},
	}
	payload, err := json.Marshal(map[string]string{"image": here(p).site.ImageID, "settings": here(p).settingsText(), "timeout": p.Answer("check.statement-timeout"), "on-failure": p.Answer("check.on-failure")})
	plan.Payload = payload
	return plan, err
}

func applyStart(ctx context.Context, d *engine.Deed) error {
	at, err := there(d)
	if err != nil {
		return err
	}
	p := d.Pass()
	if err := at.startServer(ctx, p); err != nil {
		return err
	}
	options, err := at.checkOptions(ctx, p)
	if err != nil {
		return err
	}
	if err := showSettings(ctx, at, p, options); err != nil {
		return err
	}
	summary, err := checkTables(ctx, p, options)
	if err != nil {
		return err
	}
	if err := at.stopServer(ctx, p); err != nil {
		return err
	}
	return FactTables.Put(p, summary)
}

// checkOptions finds a superuser to connect as.
func (p *Place) checkOptions(ctx context.Context, pass *engine.Pass) (pgops.CheckOptions, error) {
	timeout, err := time.ParseDuration(pass.Answer("check.statement-timeout") + "s")
	if err != nil || timeout <= 0 {
		return pgops.CheckOptions{}, engine.Errorf(engine.Usage, "", "check.statement-timeout %q is no number of seconds", pass.Answer("check.statement-timeout"))
	}
	o := pgops.CheckOptions{Dial: p.dial, Major: p.site.Major, Workers: 2, StatementTimeout: timeout, RebuildIndexes: true}
	if evidence, err := FactEvidence.Get(pass); err == nil {
		o.Discarded = evidence.WAL.Touched
	}
	var tried []string
	for _, user := range []string{p.site.Target.Env["POSTGRES_USER"], "postgres", p.site.Target.Env["PGUSER"]} {
		if user == "" {
			continue
		}
		o.User = user
		conn, err := pgops.Connect(ctx, o, "template1")
		if err == nil {
			return o, conn.Close(ctx)
		}
		tried = append(tried, fmt.Sprintf("%s (%v)", user, err))
	}
	return o, engine.Errorf(engine.Damage, "the roles of this cluster may be damaged, or its superuser has another name: set POSTGRES_USER in the target's environment",
		"the server is up but no superuser can connect: tried %s", strings.Join(tried, ", "))
}

// showSettings asks the running server itself whether it is isolated.
func showSettings(ctx context.Context, at *Place, p *engine.Pass, o pgops.CheckOptions) error {
	conn, err := pgops.Connect(ctx, o, "template1")
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var rows [][]string
	var bad []string
	for _, s := range at.settings() {
		got, err := show(ctx, conn, s.name)
		if err != nil {
			return err
		}
		// archive_command reads (disabled) while archive_mode is off.
		ok := got == s.value || s.name == "archive_command" && got == "(disabled)"
		if !ok {
			bad = append(bad, fmt.Sprintf("%s is %q, want %q", s.name, got, s.value))
		}
		rows = append(rows, []string{s.name, quoteEmpty(got), quoteEmpty(s.value), okWord(ok)})
	}
	if err := p.Show(engine.Exhibit{Title: "isolation, from the server's own SHOW", Columns: []string{"setting", "SHOW", "want", ""}, Rows: rows}); err != nil {
		return err
	}
	if len(bad) > 0 {
		return engine.Errorf(engine.Failure, "report this", "the server does not run with the settings it was given: %s", strings.Join(bad, "; "))
	}
	return p.Judge(engine.Verdict{Subject: "isolation", Result: engine.Passed, Evidence: []string{fmt.Sprintf("SHOW of %d settings on the running server", len(rows))}})
}

func show(ctx context.Context, conn *pgx.Conn, name string) (string, error) {
	var value string
	err := conn.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value)
	if err != nil {
		return "", fmt.Errorf("SHOW %s: %w", name, err)
	}
	return value, nil
}

// checkTables journals a verdict for every table.
func checkTables(ctx context.Context, p *engine.Pass, o pgops.CheckOptions) (TableSummary, error) {
	var sum TableSummary
	began := time.Now()
	err := pgops.CheckTables(ctx, o, func(v pgops.TableVerdict) error {
		sum.add(v)
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		var evidence []string
		for _, c := range v.Checks {
			evidence = append(evidence, c.String())
		}
		return p.Judge(engine.Verdict{Subject: v.Subject(), Result: engine.Result(v.Result), Evidence: evidence, Detail: v.Detail, Data: raw})
	}, func(pr pgops.CheckProgress) {
		p.Progress(engine.Progress{What: pr.What, Done: pr.Done, Total: pr.Total, Unit: "tables", Since: began})
	})
	return sum, err
}

func (s *TableSummary) add(v pgops.TableVerdict) {
	s.Tables++
	s.Rows += max(v.Rows, 0)
	if v.Kind != "catalog" {
		s.users.tables++
		s.users.rows += max(v.Rows, 0)
		if engine.Result(v.Result) == engine.Fail {
			s.users.failed++
		}
		if engine.Result(v.Result) == engine.CouldNotCheck && len(s.Unchecked) < maxNamed {
			s.Unchecked = append(s.Unchecked, v.Subject())
		}
		if engine.Result(v.Result) == engine.Fail && len(s.Damaged) < maxNamed {
			s.Damaged = append(s.Damaged, v.Subject())
		}
		s.Users = fmt.Sprintf("%d tables, %d rows, %d damaged", s.users.tables, s.users.rows, s.users.failed)
	}
	switch engine.Result(v.Result) {
	case engine.Passed:
		s.Passed++
	case engine.Fail:
		s.Failed++
	default:
		s.Unknown++
	}
}

func judgeSummary(p *engine.Pass, s TableSummary) error {
	if err := p.Say("%d tables checked, %d rows: %d PASS, %d FAIL, %d COULD NOT CHECK", s.Tables, s.Rows, s.Passed, s.Failed, s.Unknown); err != nil {
		return err
	}
	if s.Failed > 0 && p.Answer("check.on-failure") != "accept" {
		return engine.Errorf(engine.Damage, "look at the verdicts; to go on in spite of them: pgrescue resume, with the answer check.on-failure = accept",
			"%d of %d tables fail their check", s.Failed, s.Tables)
	}
	return nil
}

// verifyStart looks that the server was shut down in order.
func verifyStart(ctx context.Context, d *engine.Deed) error {
	p := d.Pass()
	raw, err := readFile(ctx, here(p), p, pgdisk.ControlFilePath, pgdisk.ControlFileSize)
	if err != nil {
		return err
	}
	control, err := pgdisk.DecodeControl(raw)
	if err != nil {
		return fmt.Errorf("pg_control after the shutdown: %w", err)
	}
	if control.State != pgdisk.ShutDown {
		return fmt.Errorf("the cluster is %q, want it shut down", control.State)
	}
	summary, err := FactTables.Get(p)
	if err != nil {
		return fmt.Errorf("the tables have not been checked: %w", err)
	}
	if err := compareWithRehearsal(p, summary); err != nil {
		return err
	}
	return judgeSummary(p, summary)
}

// compareWithRehearsal holds the original's tables against the clone's: the same plan on the
// same bytes must give the same rows.
func compareWithRehearsal(p *engine.Pass, now TableSummary) error {
	v := p.View()
	if v.Act != engine.Performance {
		return nil
	}
	then, err := FactTables.From(v, engine.Rehearsal)
	if err != nil || then.Users == now.Users {
		return err
	}
	return engine.Errorf(engine.Damage, "compare the verdicts of the two acts; pgrescue undo puts the original back",
		"the original's tables differ from the rehearsed ones: rehearsed %s, now %s", then.Users, now.Users)
}
