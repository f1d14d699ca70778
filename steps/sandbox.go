package steps

import (
	"context"
	"errors"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Sandbox makes the isolated container as it will run the server, without starting it, and
// reads from the container itself that it is isolated.
func Sandbox() *engine.Step {
	return &engine.Step{
		Name: "sandbox", Title: "Sandbox", Doc: doc("sandbox"), Part: engine.Twice,
		Needs: []engine.AnyFact{FactSite, FactSnapshot}, Observe: observeSandbox,
	}
}

func observeSandbox(ctx context.Context, p *engine.Pass) (err error) {
	at := here(p)
	if _, err := at.look(ctx); err != nil {
		return err
	}
	c, err := at.ws.docker(ctx)
	if err != nil {
		return err
	}
	spec := at.serverSpec(at.run)
	spec.Mounts = append(readOnly(at.data), spec.Mounts[len(at.data):]...)
	id, err := c.Create(ctx, spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Remove(context.WithoutCancel(ctx), id)) }()
	if err := at.proveIsolated(ctx, c, id, p); err != nil {
		return err
	}
	var rows [][]string
	for _, s := range at.settings() {
		rows = append(rows, []string{s.name, quoteEmpty(s.value), s.why})
	}
	if err := p.Show(engine.Exhibit{Title: "settings the server will run with", Columns: []string{"setting", "value", "why"}, Rows: rows}); err != nil {
		return err
	}
	return p.Judge(engine.Verdict{Subject: "sandbox", Result: engine.Passed,
		Evidence: []string{"docker inspect of the container that was made: no network, no ports, no capabilities, no mount of anything else"}})
}

func quoteEmpty(s string) string {
	if s == "" {
		return "(empty)"
	}
	return s
}
