package enginetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// workspace is an engine's hands in the world.
type workspace struct{ w *World }

var _ engine.Workspace = workspace{}

func (ws workspace) Original(context.Context, *engine.Pass) (engine.Target, error) {
	return &place{w: ws.w, original: true}, nil
}

func (ws workspace) Clone(_ context.Context, _ *engine.Pass, fresh bool) (engine.Writer, error) {
	if !fresh {
		return nil, errors.New("a rehearsal is never resumed: its clone must be fresh")
	}
	err := ws.w.effect(func() {
		ws.w.clone = maps.Clone(ws.w.snapshot)
		ws.w.clones++
	})
	if err != nil {
		return nil, err
	}
	return &place{w: ws.w, writable: true}, nil
}

func (ws workspace) OriginalWriter(_ context.Context, _ *engine.Pass, permit engine.Permit) (engine.Writer, error) {
	w := ws.w
	if !permit.Valid() {
		return nil, errors.New("permit is not valid")
	}
	if w.Allow != nil {
		if err := w.Allow(w.log.Events(), permit); err != nil {
			w.mu.Lock()
			w.Refusals = append(w.Refusals, err)
			w.mu.Unlock()
			return nil, err
		}
	}
	err := w.effect(func() {
		w.permits = append(w.permits, permit)
		w.opened++
	})
	if err != nil {
		// As a mount that failed half way: the fault may have left it open.
		w.mu.Lock()
		w.opened = 0
		w.mu.Unlock()
		return nil, err
	}
	return &place{w: w, original: true, writable: true, permit: permit}, nil
}

func (ws workspace) Unchanged(context.Context, *engine.Pass) ([]string, error) {
	ws.w.mu.Lock()
	defer ws.w.mu.Unlock()
	return differences(ws.w.original, ws.w.snapshot), nil
}

func differences(a, b map[string]string) []string {
	var d []string
	for _, k := range slices.Sorted(maps.Keys(a)) {
		if a[k] != b[k] {
			d = append(d, fmt.Sprintf("%s is %q, the snapshot has %q", k, a[k], b[k]))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[k]; !ok {
			d = append(d, k+" is missing")
		}
	}
	return d
}

func (workspace) Challenge(*engine.Pass) (string, error) { return Challenge, nil }

// TakeOver closes what a dead engine left open, as removing its containers does.
func (ws workspace) TakeOver(context.Context) error {
	ws.w.mu.Lock()
	defer ws.w.mu.Unlock()
	ws.w.opened = 0
	return nil
}

func (workspace) Release(context.Context, engine.Act) error { return nil }
