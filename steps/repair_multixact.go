package steps

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// RepairMultiXact mends pg_multixact and treats the rows that point into what is lost.
func RepairMultiXact() *engine.Step {
	return &engine.Step{
		Name: "repair-multixact", Title: "Repair multixact files", Doc: doc("repair_multixact"), Part: engine.Twice,
		Needs:   []engine.AnyFact{FactSite, FactReset, FactEvidence},
		Rewrite: &engine.Rewrite{Danger: engine.Original, Plan: planMultiXact, Apply: applyMultiXact, Verify: verifyMultiXact},
	}
}

// shownEdits bounds how many changes a plan lists one by one; all are in the edits file,
// and the digest covers them all.
const shownEdits = 200

// multiPayload is what the plan carries beside its changes.
type multiPayload struct {
	Count  int    `json:"count"`
	Digest string `json:"digest"` // over all edits
	SHA256 string `json:"sha256"` // of the edits file
}

// editsPath is where the edits of the plan with the digest wait for their consent.
func (w *Workspace) editsPath(digest string) string {
	return w.path("edits-" + digest[:min(len(digest), 16)] + ".jsonl")
}

func planMultiXact(ctx context.Context, p *engine.Pass) (engine.Plan, error) {
	at := here(p)
	req := agent.MultiXactRequest{Pieces: at.pieces}
	var err error
	if req.Evidence, err = FactEvidence.Get(p); err != nil {
		return engine.Plan{}, err
	}
	if req.Reset, err = FactReset.Get(p); err != nil {
		return engine.Plan{}, err
	}
	edits := &editFile{path: at.ws.path("edits.partial")}
	if err := edits.create(); err != nil {
		return engine.Plan{}, err
	}
	defer edits.close()
	// What the reset's values need comes first: the plan below was made for files that have it.
	for _, e := range req.Reset.Edits {
		if err := edits.add(e); err != nil {
			return engine.Plan{}, err
		}
	}
	res, err := inspectWith[agent.MultiXactRequest, agent.MultiXactResult](ctx, at, p, job[agent.MultiXactRequest]{
		name: agent.JobScanMultiXact, req: req, onRecord: agent.Each(edits.add), what: "looking for multixacts",
	})
	if err != nil {
		return engine.Plan{}, err
	}
	if err := edits.keep(at.ws.editsPath(res.Plan.Digest)); err != nil {
		return engine.Plan{}, err
	}
	if err := reportMultiXact(p, res); err != nil {
		return engine.Plan{}, err
	}
	res.Plan.Count += len(req.Reset.Edits)
	return multiPlan(res, edits)
}

func multiPlan(res agent.MultiXactResult, edits *editFile) (engine.Plan, error) {
	shown := edits.shown
	plan := engine.Plan{Summary: fmt.Sprintf("make %d changes: mend the multixact files and treat the rows that point into what is lost", res.Plan.Count), Loses: res.Plan.Losses}
	for _, e := range shown {
		plan.Changes = append(plan.Changes, engine.Change{Path: e.Path, After: fmt.Sprintf("%d bytes at %d", e.Len(), e.Offset), Why: e.Why, Loses: e.Loses})
	}
	if rest := res.Plan.Count - len(shown); rest > 0 {
		plan.Changes = append(plan.Changes, engine.Change{Path: "...", After: fmt.Sprintf("%d more changes of the same kinds, in the incident's edits file", rest)})
	}
	var err error
	plan.Payload, err = json.Marshal(multiPayload{Count: res.Plan.Count, Digest: res.Plan.Digest, SHA256: hex.EncodeToString(edits.sum.Sum(nil))})
	return plan, err
}

// reportMultiXact says what is missing, who depends on it, and what each fill would do.
func reportMultiXact(p *engine.Pass, res agent.MultiXactResult) error {
	r := res.Report
	var rows [][]string
	for _, d := range append(append([]pgops.SLRUDamage{}, r.Offsets...), r.Members...) {
		rows = append(rows, []string{d.Dir, d.File, d.Why, fmt.Sprintf("%d-%d", d.First, d.Last), fmt.Sprintf("%d-%d", d.FirstID, d.LastID)})
	}
	var errs []error
	if len(rows) > 0 {
		errs = append(errs,
			p.Report(engine.Finding{Severity: engine.Damaged, Title: fmt.Sprintf("pg_multixact is damaged: %d runs of pages are missing", len(rows)),
				Detail: fmt.Sprintf("%d rows point into multixacts, %d of them into what is lost: %d were only locked, %d updated, %d deleted or unknown",
					r.Total.Tuples, r.Total.Lost(), r.Total.Locked, r.Total.Updated, r.Total.Deleted)}),
			p.Show(engine.Exhibit{Title: "missing multixact pages", Columns: []string{"directory", "file", "why", "pages", "ids"}, Rows: rows}))
	} else {
		errs = append(errs, p.Say("the multixact files are complete from %d to %d; %d rows point into them", r.Oldest, r.Next, r.Total.Tuples))
	}
	errs = append(errs, showFills(p, r), showTreated(p, res.Plan), reportWiped(p, r))
	for _, w := range res.Plan.Warnings {
		errs = append(errs, p.Report(engine.Finding{Severity: engine.Warning, Title: w}))
	}
	return errors.Join(errs...)
}

func showFills(p *engine.Pass, r *pgops.MultiXactReport) error {
	if len(r.Fills) == 0 {
		return nil
	}
	var rows [][]string
	for _, f := range r.Fills {
		rows = append(rows, []string{f.Fill, fmt.Sprint(f.Tuples), f.Effect})
	}
	return p.Show(engine.Exhibit{Title: "what each way to fill them would do", Columns: []string{"way", "rows hit", "effect"}, Rows: rows})
}

func showTreated(p *engine.Pass, plan *pgops.MultiXactPlan) error {
	if len(plan.Relations) == 0 {
		return nil
	}
	var rows [][]string
	for _, t := range plan.Relations {
		rows = append(rows, []string{t.Path, fmt.Sprint(t.Unlock), fmt.Sprint(t.Supersede), fmt.Sprint(t.Revive), fmt.Sprint(t.Kept)})
	}
	if err := p.Show(engine.Exhibit{Title: "rows treated", Columns: []string{"relation", "lock removed", "newer version followed", "update had failed", "kept, not known"}, Rows: rows}); err != nil {
		return err
	}
	if len(plan.Kept) == 0 {
		return nil
	}
	rows = nil
	for _, k := range plan.Kept {
		rows = append(rows, []string{k.Path, fmt.Sprint(k.At), k.Why})
	}
	return p.Show(engine.Exhibit{Title: "rows kept although they may have been deleted", Columns: []string{"relation", "row", "why"}, Rows: rows})
}

func reportWiped(p *engine.Pass, r *pgops.MultiXactReport) error {
	if r.WipedCount == 0 {
		return nil
	}
	var lines []string
	for _, w := range r.Wiped {
		lines = append(lines, w.String())
	}
	if err := FactUnreachable.Put(p, fmt.Sprintf("About %d rows on %d pages whose line pointers are gone stay out of reach of any server; their bytes are in the snapshot.", r.WipedRows, r.WipedCount)); err != nil {
		return err
	}
	return p.Report(engine.Finding{Severity: engine.Damaged, Title: fmt.Sprintf("%d pages hold rows that no server can see: about %d rows", r.WipedCount, r.WipedRows),
		Detail: "their line pointers are gone, so the server takes the pages for empty, without any error", Evidence: []string{strings.Join(lines, "\n")},
		Next: "the bytes stay in the snapshot: carve them from there"})
}

func multiPayloadOf(d *engine.Deed) (multiPayload, error) {
	var m multiPayload
	if err := json.Unmarshal(d.Plan.Payload, &m); err != nil {
		return m, fmt.Errorf("plan of repair-multixact: %w", err)
	}
	return m, nil
}

func applyMultiXact(ctx context.Context, d *engine.Deed) error {
	at, err := there(d)
	if err != nil {
		return err
	}
	payload, err := multiPayloadOf(d)
	if err != nil {
		return err
	}
	return eachBatch(at.ws.editsPath(payload.Digest), payload, func(edits []pgops.Edit) error {
		return patch(ctx, at, d.Pass(), at.changesOf(edits), "repair multixacts")
	})
}

// verifyMultiXact has every change looked for: a dry run must find all of them in place.
func verifyMultiXact(ctx context.Context, d *engine.Deed) error {
	at := here(d.Pass())
	payload, err := multiPayloadOf(d)
	if err != nil {
		return err
	}
	inPlace := 0
	err = eachBatch(at.ws.editsPath(payload.Digest), payload, func(edits []pgops.Edit) error {
		n, err := at.findInPlace(ctx, d.Pass(), at.changesOf(edits))
		inPlace += n
		return err
	})
	if err != nil {
		return err
	}
	return d.Pass().Judge(engine.Verdict{Subject: "multixact files", Result: engine.Passed, Evidence: []string{fmt.Sprintf("%d changes found in place", inPlace)}})
}

// findInPlace has the agent look for the changes, and is content with nothing less than all.
func (p *Place) findInPlace(ctx context.Context, pass *engine.Pass, changes []agent.Change) (int, error) {
	for _, part := range splitChanges(changes) {
		res, err := inspectWith[agent.PatchRequest, agent.PatchResult](ctx, p, pass, job[agent.PatchRequest]{
			name: agent.JobPatch, what: "looking for the changes", req: agent.PatchRequest{Pieces: p.pieces, Changes: part, DryRun: true}})
		if err != nil {
			return 0, err
		}
		if res.Already != len(part) {
			return 0, fmt.Errorf("%d of %d changes are not in place", len(part)-res.Already, len(part))
		}
	}
	return len(changes), nil
}
