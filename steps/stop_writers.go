package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// StopWriters stops what restarts the server, having written down how to put it back.
func StopWriters() *engine.Step {
	return &engine.Step{
		Name: "stop-writers", Title: "Stop writers", Doc: doc("stop_writers"), Part: engine.Opening,
		Needs: []engine.AnyFact{FactSite}, Makes: []engine.AnyFact{FactStopped},
		Rewrite: &engine.Rewrite{Danger: engine.Reversible, Plan: planStopBroken, Apply: applyStop, Verify: verifyStop},
	}
}

// StopForUndo stops what was given back, so that the original can be put back under it.
func StopForUndo() *engine.Step {
	return &engine.Step{
		Name: "stop-for-undo", Title: "Stop writers", Doc: doc("stop_writers"), Part: engine.Putback,
		Rewrite: &engine.Rewrite{Danger: engine.Reversible, Plan: planStopForUndo, Apply: applyStop, Verify: verifyStop},
	}
}

// planStopBroken refuses to stop a server that serves: this playbook is for one that does
// not, and stopping a healthy database is an outage.
func planStopBroken(ctx context.Context, p *engine.Pass) (engine.Plan, error) {
	site, err := FactSite.Get(p)
	if err != nil {
		return engine.Plan{}, err
	}
	c, err := here(p).ws.docker(ctx)
	if err != nil {
		return engine.Plan{}, err
	}
	ok, err := serving(ctx, c, site.Target)
	if err != nil {
		return engine.Plan{}, err
	}
	if ok {
		return engine.Plan{}, engine.Errorf(engine.Precondition, "nothing was changed; if tables are damaged, dump what can be read first",
			"%s is running and accepts connections: there is no crash loop to heal", site.Target)
	}
	if err := refuseOtherPostmaster(ctx, c, site); err != nil {
		return engine.Plan{}, err
	}
	if err := requireSpace(ctx, c, site); err != nil {
		return engine.Plan{}, err
	}
	if site.Refuse != "" {
		return engine.Plan{}, engine.Errorf(engine.Precondition, refuseNext, "%s must not be reset: %s", site.Target, site.Refuse)
	}
	return planStop(ctx, p)
}

// refuseOtherPostmaster refuses while a live server of somebody else has the data.
func refuseOtherPostmaster(ctx context.Context, c *dockerops.Client, site Site) error {
	users, err := c.Users(ctx, site.sources()...)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Is(site.Target) || u.Incident != "" || !u.Running {
			continue
		}
		alive, err := hasPostmaster(ctx, c, u)
		if err != nil {
			return err
		}
		if alive {
			return engine.Errorf(engine.Precondition, "find out which of the two is the right one and shut the other down in an orderly way",
				"a live postmaster in %s %s shares the data with %s", u.Kind, u.Name, site.Target)
		}
	}
	return nil
}

func planStopForUndo(ctx context.Context, p *engine.Pass) (engine.Plan, error) {
	if _, err := FactSnapshot.Get(p); err != nil || p.View().Original == engine.Untouched {
		return engine.Plan{Summary: "the original was never changed, so nothing is stopped"}, nil
	}
	plan, err := planStop(ctx, p)
	if errors.Is(err, dockerops.ErrNotFound) {
		return engine.Plan{Summary: "the container or service is gone, so there is nothing to stop"}, p.Report(engine.Finding{
			Severity: engine.Warning, Title: "what was stopped and given back does not exist any more", Detail: err.Error()})
	}
	return plan, err
}

// planStop lists everything that is or may be running on the data: the target, and whoever
// else mounts it writable.
func planStop(ctx context.Context, p *engine.Pass) (engine.Plan, error) {
	site, err := FactSite.Get(p)
	if err != nil {
		return engine.Plan{}, err
	}
	c, err := here(p).ws.docker(ctx)
	if err != nil {
		return engine.Plan{}, err
	}
	records, err := c.Supervise(ctx, site.Target)
	if err != nil {
		return engine.Plan{}, &engine.Error{Kind: engine.Precondition, Hint: "do as it says, then run pgrescue resume", Err: err}
	}
	// An earlier, interrupted try has stopped it already: its record is the true one.
	if earlier, err := FactStopped.Get(p); err == nil {
		records = earlier
	}
	records, adopted, err := here(p).ws.adopt(ctx, c, records)
	if err != nil {
		return engine.Plan{}, err
	}
	if err := FactStopped.Put(p, records); err != nil {
		return engine.Plan{}, err
	}
	var plan engine.Plan
	for _, r := range records {
		if err := c.VerifyDisarmed(ctx, r); err == nil && !adopted[r.ID] {
			continue
		}
		plan.Changes = append(plan.Changes, engine.Change{
			Path: r.String(), Before: supervisionWords(r), After: "stopped, and not started again by Docker",
			Why: "its crash recovery writes to the only copy of the data at every start",
		})
	}
	plan.Summary = fmt.Sprintf("stop %d container(s) or service(s), remembering how to give them back", len(plan.Changes))
	plan.Payload, err = json.Marshal(records)
	return plan, err
}

// planned reports whether the plan stops it, or owes it from an earlier incident.
func planned(plan engine.Plan, r dockerops.Supervision) bool {
	return slices.ContainsFunc(plan.Changes, func(c engine.Change) bool { return c.Path == r.String() })
}

// adopt takes over what an earlier incident stopped and still owes: how the target was before
// that is how it is to be given back, not stopped as it is now. What is not stopped now has
// been given back since, whatever that incident's journal says.
func (w *Workspace) adopt(ctx context.Context, c *dockerops.Client, records []dockerops.Supervision) ([]dockerops.Supervision, map[string]bool, error) {
	adopted := map[string]bool{}
	if w.cfg.Owed == nil {
		return records, adopted, nil
	}
	for _, o := range w.cfg.Owed() {
		var earlier dockerops.Supervision
		if err := json.Unmarshal(o.Record, &earlier); err != nil {
			return nil, nil, fmt.Errorf("obligation of an earlier incident: %w", err)
		}
		for i, r := range records {
			if r.ID == earlier.ID && (adopted[r.ID] || c.VerifyDisarmed(ctx, r) == nil) {
				records[i], adopted[r.ID] = earlier, true
			}
		}
	}
	return records, adopted, nil
}

func supervisionWords(r dockerops.Supervision) string {
	if r.Kind == dockerops.KindService {
		if r.Mode == dockerops.ModeGlobal {
			return "a task on every node"
		}
		return fmt.Sprintf("%d replica(s)", r.Replicas)
	}
	state := "stopped"
	if r.Running {
		state = "running or restarting"
	}
	return fmt.Sprintf("%s, restart policy %q", state, r.RestartPolicy.Name)
}

func stoppedRecords(d *engine.Deed) ([]dockerops.Supervision, error) {
	var records []dockerops.Supervision
	if err := json.Unmarshal(d.Plan.Payload, &records); err != nil {
		return nil, fmt.Errorf("plan of stop-writers: %w", err)
	}
	return records, nil
}

func applyStop(ctx context.Context, d *engine.Deed) error {
	records, err := stoppedRecords(d)
	if err != nil {
		return err
	}
	c, err := here(d.Pass()).ws.docker(ctx)
	if err != nil {
		return err
	}
	for _, r := range records {
		if !planned(d.Plan, r) {
			continue
		}
		if err := d.Pass().Oblige(obligationID(r), "start "+r.String()+" again ("+supervisionWords(r)+")", r); err != nil {
			return err
		}
		err := d.Pass().Do(ctx, "stop "+r.String(), nil, func(ctx context.Context) (engine.Output, error) {
			return engine.Output{}, c.Disarm(ctx, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func obligationID(r dockerops.Supervision) string { return string(r.Kind) + "/" + r.ID }

// verifyStop looks that nothing is left that could write, whoever started it.
func verifyStop(ctx context.Context, d *engine.Deed) error {
	records, err := stoppedRecords(d)
	if err != nil {
		return err
	}
	ws := here(d.Pass()).ws
	c, err := ws.docker(ctx)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := c.VerifyDisarmed(ctx, r); err != nil {
			return err
		}
	}
	site, err := FactSite.Get(d.Pass())
	if err != nil {
		return err
	}
	return ws.requireQuiet(ctx, site)
}
