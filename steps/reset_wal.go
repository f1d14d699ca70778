package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// ResetWAL runs the image's own pg_resetwal with the values computed before.
func ResetWAL() *engine.Step {
	return &engine.Step{
		Name: "reset-wal", Title: "Reset WAL", Doc: doc("reset_wal"), Part: engine.Twice,
		Needs:   []engine.AnyFact{FactSite, FactControl, FactReset, FactEvidence},
		Rewrite: &engine.Rewrite{Danger: engine.Original, Plan: planReset, Apply: applyReset, Verify: verifyReset},
	}
}

// resetPayload is what the plan carries beside its changes.
type resetPayload struct {
	Plan   *pgops.ResetPlan `json:"plan"`
	Before []byte           `json:"before"`         // pg_control
	Lock   []byte           `json:"lock,omitempty"` // postmaster.pid
	Image  string           `json:"image"`          // whose pg_resetwal runs
}

func planReset(ctx context.Context, p *engine.Pass) (engine.Plan, error) {
	at := here(p)
	reset, err := FactReset.Get(p)
	if err != nil {
		return engine.Plan{}, err
	}
	evidence, err := FactEvidence.Get(p)
	if err != nil {
		return engine.Plan{}, err
	}
	control, err := FactControl.Get(p)
	if err != nil {
		return engine.Plan{}, err
	}
	payload := resetPayload{Plan: reset, Before: control.Raw, Image: at.site.ImageID}
	if payload.Lock, err = readFile(ctx, at, p, "postmaster.pid", 4096); err != nil {
		return engine.Plan{}, err
	}
	if payload.Lock == nil && payload.Before != nil && len(reset.Makes) == 0 {
		if err := dryRun(ctx, at, p, reset); err != nil {
			return engine.Plan{}, err
		}
	}
	plan := engine.Plan{Summary: "discard the write-ahead log with pg_resetwal and start from the files as they are",
		Loses: pgops.WhatResetLoses(*evidence).Sentences}
	if unreachable, err := FactUnreachable.Get(p); err == nil {
		plan.Loses = append(plan.Loses, unreachable)
	}
	for _, dir := range reset.Makes {
		plan.Changes = append(plan.Changes, engine.Change{Path: dir, After: "a directory, made with mode 0700 if it is not there",
			Why: "without it pg_resetwal fails after it has deleted the log"})
	}
	if payload.Before == nil {
		plan.Changes = append(plan.Changes, engine.Change{Path: pgdisk.ControlFilePath, Before: "missing", After: "an empty file",
			Why: "pg_resetwal takes its own guesses for what an empty one does not tell, and refuses where there is none"})
	}
	if payload.Lock != nil {
		plan.Changes = append(plan.Changes, engine.Change{Path: "postmaster.pid", Before: "left by the server that died", After: "removed", Why: "pg_resetwal refuses while it is there; no server is alive on the data"})
	}
	plan.Changes = append(plan.Changes, engine.Change{
		Path: "pg_wal, " + pgdisk.ControlFilePath, Argv: reset.Argv(at.site.PGData),
		Before: fmt.Sprintf("%d WAL segments", evidence.WAL.Files), After: "one new segment, " + reset.Outcome.FirstSegment,
		Why: "the server cannot replay this log",
	})
	plan.Payload, err = json.Marshal(payload)
	return plan, err
}

// dryRun shows what pg_resetwal -n says beside what we expect. It only reads. A lock file, a
// missing pg_control or a missing page keeps it from answering, so where the plan has to mend that first it runs
// between the mending and the reset.
func dryRun(ctx context.Context, at *Place, p *engine.Pass, reset *pgops.ResetPlan) error {
	out, err := at.tool(ctx, p, reset.DryRunArgv(at.site.PGData)...)
	if err != nil {
		return err
	}
	if err := toolFailed("pg_resetwal -n", out); err != nil {
		return err
	}
	parsed, err := pgops.ParseResetDryRun(string(out.Stdout))
	if err != nil {
		return err
	}
	var rows [][]string
	var wrong []string
	for _, r := range reset.Compare(parsed) {
		agree := "yes"
		if !r.Agree && !laterSegment(r.Name, r.Ours, r.Theirs) {
			agree = "NO"
			wrong = append(wrong, fmt.Sprintf("%s: ours %s, pg_resetwal %s", r.Name, r.Ours, r.Theirs))
		}
		rows = append(rows, []string{r.Name, r.Ours, r.Theirs, agree})
	}
	if err := p.Show(engine.Exhibit{Title: "pg_resetwal -n beside our values", Columns: []string{"value", "ours", "pg_resetwal -n", "agree"}, Rows: rows}); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return engine.Errorf(engine.Failure, "do not go on: report this with both tables", "pg_resetwal would do something else than computed: %v", wrong)
	}
	return nil
}

func resetOf(d *engine.Deed) (resetPayload, error) {
	var r resetPayload
	if err := json.Unmarshal(d.Plan.Payload, &r); err != nil {
		return r, fmt.Errorf("plan of reset-wal: %w", err)
	}
	return r, nil
}

func applyReset(ctx context.Context, d *engine.Deed) error {
	at, err := there(d)
	if err != nil {
		return err
	}
	payload, err := resetOf(d)
	if err != nil {
		return err
	}
	var changes []agent.Change
	if payload.Lock != nil {
		changes = append(changes, agent.Change{Piece: agent.RoleData, Path: "postmaster.pid", Op: agent.OpRemove, Before: payload.Lock,
			UID: at.site.UID, GID: at.site.GID, Mode: 0o600})
	}
	if payload.Before == nil {
		changes = append(changes, agent.Change{Piece: agent.RoleData, Path: pgdisk.ControlFilePath, Op: agent.OpCreate,
			UID: at.site.UID, GID: at.site.GID, Mode: 0o600})
	}
	for _, dir := range payload.Plan.Makes {
		changes = append(changes, at.makeDir(dir))
	}
	if err := patch(ctx, at, d.Pass(), changes, "prepare the reset"); err != nil {
		return err
	}
	if err := dryRun(ctx, at, d.Pass(), payload.Plan); err != nil {
		return err
	}
	out, err := at.toolWriting(ctx, d.Pass(), payload.Plan.Argv(at.site.PGData)...)
	if err != nil {
		return err
	}
	return toolFailed("pg_resetwal", out)
}

// verifyReset asserts that only what was meant to change has changed.
func verifyReset(ctx context.Context, d *engine.Deed) error {
	payload, err := resetOf(d)
	if err != nil {
		return err
	}
	p := d.Pass()
	raw, err := readFile(ctx, here(p), p, pgdisk.ControlFilePath, pgdisk.ControlFileSize)
	if err != nil {
		return err
	}
	after, err := pgdisk.DecodeControl(raw)
	if err != nil {
		return fmt.Errorf("pg_control after the reset: %w", err)
	}
	if err := onlyLaterSegment(payload.Plan.Check(after)); err != nil {
		return err
	}
	if err := requireNewSegment(ctx, here(p), p, after); err != nil {
		return err
	}
	evidence := []string{"pg_control holds the values computed", "pg_wal holds the one new segment that it names"}
	before, err := pgdisk.DecodeControl(payload.Before)
	var badCRC *pgdisk.ControlCRCError
	if err == nil || errors.As(err, &badCRC) {
		if err := pgops.AssertAfterReset(before, after); err != nil {
			return err
		}
		evidence = append(evidence, "system identifier, checksum setting, segment size and char signedness are what they were")
	}
	return p.Judge(engine.Verdict{Subject: "WAL reset", Result: engine.Passed, Evidence: evidence})
}

// laterSegment excuses a first WAL segment above the planned one. It comes out so when an
// interrupted pg_resetwal is run again, and is safe: only one that is too low destroys.
func laterSegment(field, planned, found string) bool {
	return field == "first WAL segment" && len(found) == len(planned) && found > planned
}

// onlyLaterSegment drops that excuse from a list of differences.
func onlyLaterSegment(err error) error {
	var diffs *pgops.AfterResetError
	if !errors.As(err, &diffs) {
		return err
	}
	for _, d := range diffs.Differences {
		if !laterSegment(d.Field, d.Ours, d.Theirs) {
			return err
		}
	}
	return nil
}

// requireNewSegment looks for the WAL file that pg_control names. pg_resetwal rewrites
// pg_control first and makes the segment last: a crash in between leaves a pg_control that
// looks finished and a server that cannot start.
func requireNewSegment(ctx context.Context, at *Place, p *engine.Pass, after *pgdisk.Control) error {
	piece, dir := at.pieceOf("pg_wal")
	res, err := inspectWith[agent.ReadRequest, agent.ReadResult](ctx, at, p, job[agent.ReadRequest]{name: agent.JobRead,
		req: agent.ReadRequest{Pieces: at.pieces, Items: []agent.ReadItem{{Piece: piece, Path: dir, What: agent.ReadList}}}})
	if err != nil {
		return err
	}
	if len(res.Items) != 1 || res.Items[0].Err != nil {
		return fmt.Errorf("pg_wal cannot be listed after the reset: %v", res.Items)
	}
	size := after.WALSegmentSize
	want := pgdisk.WALSegmentAt(after.CheckpointCopy.ThisTimeLineID, after.CheckpointCopy.Redo, size).Name(size)
	for _, e := range res.Items[0].Entries {
		if string(e.Path) == want || strings.HasSuffix(string(e.Path), "/"+want) {
			if e.Size != int64(size) {
				return fmt.Errorf("the new WAL segment %s is %d bytes, want %d", want, e.Size, size)
			}
			return nil
		}
	}
	return fmt.Errorf("pg_wal does not hold the new segment %s: the reset was interrupted", want)
}
