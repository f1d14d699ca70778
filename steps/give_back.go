package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// GiveBack starts what was stopped, as it was, and checks once more.
func GiveBack() *engine.Step {
	return &engine.Step{
		Name: "give-back", Title: "Start the service", Doc: doc("give_back"), Part: engine.Final,
		Rewrite: &engine.Rewrite{Danger: engine.Reversible, Plan: planGiveBack, Apply: applyGiveBack, Verify: verifyServes},
	}
}

// GiveBackAfterUndo starts what was stopped, without expecting it to be well.
func GiveBackAfterUndo() *engine.Step {
	return &engine.Step{
		Name: "give-back-undone", Title: "Give back the service", Doc: doc("give_back"), Part: engine.Putback,
		Rewrite: &engine.Rewrite{Danger: engine.Reversible, Plan: planGiveBack, Apply: applyGiveBack, Verify: verifyGivenBack},
	}
}

func owed(p *engine.Pass) ([]dockerops.Supervision, error) {
	var records []dockerops.Supervision
	for _, o := range p.View().Obligations {
		var r dockerops.Supervision
		if err := json.Unmarshal(o.Record, &r); err != nil {
			return nil, fmt.Errorf("obligation %s: %w", o.ID, err)
		}
		records = append(records, r)
	}
	return records, nil
}

func planGiveBack(_ context.Context, p *engine.Pass) (engine.Plan, error) {
	records, err := owed(p)
	if err != nil {
		return engine.Plan{}, err
	}
	plan := engine.Plan{Summary: fmt.Sprintf("start %d container(s) or service(s) as before they were stopped", len(records))}
	for _, r := range records {
		plan.Changes = append(plan.Changes, engine.Change{Path: r.String(), Before: "stopped", After: supervisionWords(r), Why: "it was stopped by this incident"})
	}
	plan.Payload, err = json.Marshal(records)
	return plan, err
}

func applyGiveBack(ctx context.Context, d *engine.Deed) error {
	records, err := stoppedRecords(d)
	if err != nil {
		return err
	}
	ws := here(d.Pass()).ws
	c, err := ws.docker(ctx)
	if err != nil {
		return err
	}
	// Our own containers let go of the data before its owner comes back.
	if err := ws.Release(ctx, engine.Closing); err != nil {
		return err
	}
	for _, r := range records {
		err := d.Pass().Do(ctx, "start "+r.String(), nil, func(ctx context.Context) (engine.Output, error) {
			return engine.Output{}, c.Restore(ctx, r)
		})
		if err != nil {
			return err
		}
		if err := d.Pass().Settle(obligationID(r)); err != nil {
			return err
		}
	}
	return nil
}

func verifyGivenBack(ctx context.Context, d *engine.Deed) error {
	records, err := stoppedRecords(d)
	if err != nil {
		return err
	}
	c, err := here(d.Pass()).ws.docker(ctx)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := c.VerifyRestored(ctx, r); err != nil {
			// A crash loop that was given back is between two starts half of the time.
			return d.Pass().Report(engine.Finding{Severity: engine.Warning, Title: r.String() + " was started and is not up", Detail: err.Error()})
		}
	}
	return nil
}

// serveWait is how long a server may take from its start to its first connection.
const serveWait = 3 * time.Minute

// verifyServes waits until the server accepts connections in its own container, stays up,
// and counts the tables there.
func verifyServes(ctx context.Context, d *engine.Deed) error {
	site, err := FactSite.Get(d.Pass())
	if err != nil {
		return err
	}
	c, err := here(d.Pass()).ws.docker(ctx)
	if err != nil {
		return err
	}
	records, err := stoppedRecords(d)
	if err != nil {
		return err
	}
	if !anyRunning(records) {
		return d.Pass().Judge(engine.Verdict{Subject: "service", Result: engine.CouldNotCheck,
			Evidence: []string{"it was not running when the incident began, so it was not started"}})
	}
	t, err := awaitReady(ctx, c, site, d.Pass())
	if err != nil {
		return err
	}
	if err := d.Pass().Judge(engine.Verdict{Subject: "service", Result: engine.Passed,
		Evidence: []string{"pg_isready in container " + t.ContainerName + " answers that it accepts connections"}}); err != nil {
		return err
	}
	return recount(ctx, c, t, d.Pass())
}

func anyRunning(records []dockerops.Supervision) bool {
	for _, r := range records {
		if r.Running {
			return true
		}
	}
	return false
}

// awaitReady polls pg_isready inside the container; for a service, in its newest task.
func awaitReady(ctx context.Context, c *dockerops.Client, site Site, p *engine.Pass) (dockerops.Target, error) {
	deadline := time.Now().Add(serveWait)
	last := "it has not answered yet"
	for time.Now().Before(deadline) {
		t, err := c.Resolve(ctx, site.Target.String())
		if err != nil {
			return t, err
		}
		if t.ContainerID != "" && t.State.Running && !t.State.Restarting {
			out, errOut, code, err := c.Output(ctx, t.ContainerID, "pg_isready", "-t", "5")
			if err == nil && code == 0 {
				return t, nil
			}
			last = strings.TrimSpace(string(out) + string(errOut))
		} else {
			last = "its container is " + t.State.Status
		}
		p.Progress(engine.Progress{What: "waiting for the server: " + last})
		select {
		case <-ctx.Done():
			return t, ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return dockerops.Target{}, fmt.Errorf("the server does not accept connections after %s: %s", serveWait, last)
}
