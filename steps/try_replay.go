package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// TryReplay starts the server on a throw-away clone without any remedy. A cluster that
// recovers by itself must not lose its log.
func TryReplay() *engine.Step {
	return &engine.Step{
		Name: "try-replay", Title: "Try without a remedy", Doc: doc("try_replay"), Part: engine.Opening,
		Needs:   []engine.AnyFact{FactSite, FactSnapshot},
		Rewrite: &engine.Rewrite{Danger: engine.OnCopy, Plan: planTryReplay, Apply: applyTryReplay, Verify: verifyTryReplay},
	}
}

func planTryReplay(context.Context, *engine.Pass) (engine.Plan, error) {
	return engine.Plan{
		Summary: "start the server on a throw-away clone, without any repair, to see whether it recovers by itself",
		Changes: []engine.Change{{Path: "a clone of the snapshot", Before: "does not exist", After: "started once, then thrown away",
			Why: "a reset of the log would lose what a replay can still bring back"}},
	}, nil
}

func applyTryReplay(ctx context.Context, d *engine.Deed) (err error) {
	p := d.Pass()
	clone, err := here(p).ws.newClone(ctx, p, "a throw-away clone")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clone.discard(context.WithoutCancel(ctx))) }()
	began := clone.startServer(ctx, p)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if began == nil {
		return engine.Errorf(engine.Precondition,
			"nothing was changed. Look for the reason of the restarts in its configuration, its disk or its memory; pgrescue undo starts the target again",
			"the server recovers by itself on a copy: a reset of its log would lose what it can still replay")
	}
	c, err := here(p).ws.docker(ctx)
	if err != nil {
		return err
	}
	return judgeDeath(ctx, p, began, clone.serverLog(ctx, c, clone.server))
}

// judgeDeath goes on only if the server died of its data: of something that is known as
// damage, or of a PANIC or a signal. A FATAL that nobody knows may be the sandbox's fault.
func judgeDeath(ctx context.Context, p *engine.Pass, death error, log string) error {
	catalogue, err := pgops.NewCatalogue()
	if err != nil {
		return err
	}
	report, err := catalogue.Match(ctx, strings.NewReader(log))
	if err != nil {
		return err
	}
	ofDamage := strings.Contains(log, "PANIC:") || len(report.Log.Signals) > 0
	for _, h := range report.Hits {
		if h.NotCorruption && !ofDamage {
			return engine.Errorf(engine.Precondition, h.Next, "it does not die of damage: %s", h.Line)
		}
		weight := h.Weighed()
		ofDamage = ofDamage || !h.NotCorruption && (weight == pgops.SeverityFatal || weight == pgops.SeverityDamage)
	}
	if !ofDamage {
		return engine.Errorf(engine.Precondition, "nothing was changed. Its last words are in the evidence; if they do name damage, report them",
			"it cannot be told that the server dies of damage: %w", death)
	}
	return p.Say("it does not recover by itself; on a throw-away clone: %v", death)
}

func verifyTryReplay(context.Context, *engine.Deed) error { return nil }

// discard stops what runs on the clone and removes its volumes.
func (p *Place) discard(ctx context.Context) error {
	p.kill()
	if err := p.Close(ctx); err != nil {
		return fmt.Errorf("throwing the clone away: %w", err)
	}
	c, err := p.ws.docker(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, made := range p.clones {
		errs = append(errs, c.RemoveClone(ctx, made))
	}
	return errors.Join(errs...)
}
