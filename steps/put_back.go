package steps

import (
	"context"
	"fmt"
	"strconv"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// PutBack makes the original again what the sealed snapshot holds. It is what pgrescue undo
// plays, and the one rewrite of the original that needs no rehearsal: its outcome is known.
func PutBack() *engine.Step {
	return &engine.Step{
		Name: "put-back", Title: "Put the original back", Doc: doc("put_back"), Part: engine.Putback,
		Rewrite: &engine.Rewrite{Danger: engine.Original, Plan: planPutBack, Apply: applyPutBack, Verify: verifyPutBack},
	}
}

func planPutBack(ctx context.Context, p *engine.Pass) (engine.Plan, error) {
	plan := engine.Plan{Summary: "put every changed file of the original back as the snapshot has it"}
	snap, err := FactSnapshot.Get(p)
	if err != nil {
		return engine.Plan{Summary: "there is no snapshot, so nothing was changed"}, nil
	}
	if p.View().Original == engine.Untouched {
		return engine.Plan{Summary: "the original was never changed"}, nil
	}
	at := here(p)
	if err := at.ws.requireQuiet(ctx, *at.site); err != nil {
		return plan, err
	}
	if err := requireSameCluster(ctx, at, p); err != nil {
		return plan, err
	}
	res, err := compare(ctx, at, at.ws.recordsPath(snap), true, p)
	if err != nil {
		return plan, err
	}
	for _, d := range res.Diffs {
		plan.Changes = append(plan.Changes, engine.Change{Path: d.Piece + "/" + string(d.Path), Before: d.What + " differs: " + d.Got, After: "as in the snapshot " + d.Want})
	}
	if res.Count > int64(len(res.Diffs)) {
		plan.Changes = append(plan.Changes, engine.Change{Path: "...", After: fmt.Sprintf("%d more", res.Count-int64(len(res.Diffs)))})
	}
	if len(plan.Changes) > 0 {
		plan.Loses = []string{"everything written to the original after the snapshot was taken"}
	}
	return plan, nil
}

// requireSameCluster refuses to put the snapshot over another cluster that has come to live
// in the same place since.
func requireSameCluster(ctx context.Context, at *Place, p *engine.Pass) error {
	raw, err := readFile(ctx, at, p, pgdisk.ControlFilePath, pgdisk.ControlFileSize)
	if err != nil {
		return err
	}
	control, err := pgdisk.DecodeControl(raw)
	if err != nil || at.site.SystemID == "" {
		return p.Report(engine.Finding{Severity: engine.Warning, Title: "it cannot be checked that this still is the cluster of the snapshot",
			Detail: "pg_control does not tell a system identifier, now or when the incident began"})
	}
	if id := strconv.FormatUint(control.SystemIdentifier, 10); id != at.site.SystemID {
		return engine.Errorf(engine.Precondition, "the snapshot's volumes still hold the old one; copy it to a place of its own",
			"another cluster lives here now: its system identifier is %s, the snapshot's %s", id, at.site.SystemID)
	}
	return nil
}

func applyPutBack(ctx context.Context, d *engine.Deed) error {
	at, err := there(d)
	if err != nil {
		return err
	}
	snap, err := FactSnapshot.Get(d.Pass())
	if err != nil {
		return err
	}
	records, closeRecords, err := readRecords(at.ws.recordsPath(snap))
	if err != nil {
		return err
	}
	defer closeRecords()
	mounts := append(at.source, snap.mounts(at.site, true)...)
	return d.Pass().Do(ctx, "restore the original from the snapshot", nil, func(ctx context.Context) (engine.Output, error) {
		_, err := changeWith[agent.RestoreRequest, agent.RestoreResult](ctx, at, mounts, d.Pass(), job[agent.RestoreRequest]{
			name: agent.JobRestore, input: records, what: "put back",
			req: agent.RestoreRequest{Snapshot: at.site.copyPieces(), Target: at.pieces},
		})
		return engine.Output{}, err
	})
}

func verifyPutBack(ctx context.Context, d *engine.Deed) error {
	at := here(d.Pass())
	snap, err := FactSnapshot.Get(d.Pass())
	if err != nil {
		return err
	}
	res, err := compare(ctx, at, at.ws.recordsPath(snap), true, d.Pass())
	if err != nil {
		return err
	}
	if !res.Equal {
		return fmt.Errorf("%d things still differ from the snapshot: %v", res.Count, describeDifferences(res))
	}
	return d.Pass().Judge(engine.Verdict{Subject: "original", Result: engine.Passed,
		Evidence: []string{fmt.Sprintf("content of %d files (%s) equals the snapshot's records", res.Files, humanBytes(res.Bytes))}})
}
