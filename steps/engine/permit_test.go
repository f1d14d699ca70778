package engine

import (
	"context"
	"errors"
	"testing"
)

// askedWorkspace notes the permits it is shown.
type askedWorkspace struct {
	Workspace
	permits []Permit
}

func (w *askedWorkspace) OriginalWriter(_ context.Context, _ *Pass, p Permit) (Writer, error) {
	w.permits = append(w.permits, p)
	return nil, nil
}

// TestPromise3PermitNeedsRehearsal: the last lock by itself, whatever those before it let
// through: no permit for the performance without a passed rehearsal of the very plan.
func TestPromise3PermitNeedsRehearsal(t *testing.T) {
	for name, tc := range map[string]struct {
		rehearsed *Rehearsed
		digest    string
		ok        bool
	}{
		"nothing rehearsed":      {nil, "d", false},
		"another plan":           {&Rehearsed{Plans: map[string]string{"s": "e"}}, "d", false},
		"another step":           {&Rehearsed{Plans: map[string]string{"x": "d"}}, "d", false},
		"this very plan":         {&Rehearsed{Plans: map[string]string{"s": "d"}}, "d", true},
		"an empty one, unplayed": {&Rehearsed{Plans: map[string]string{}}, "x", false},
	} {
		ws := &askedWorkspace{}
		s := &Session{ws: ws, view: View{Rehearsed: tc.rehearsed}}
		_, err := s.writer(t.Context(), &Pass{session: s, act: Performance, step: &Step{Name: "s"}}, Original, tc.digest)
		var e *Error
		if tc.ok {
			if err != nil || len(ws.permits) != 1 || !ws.permits[0].Valid() || ws.permits[0].Digest() != "d" || ws.permits[0].Step() != "s" {
				t.Errorf("%s: %v, permits %+v", name, err, ws.permits)
			}
		} else if !errors.As(err, &e) || e.Kind != Stale || len(ws.permits) != 0 {
			t.Errorf("%s: %v, permits %+v", name, err, ws.permits)
		}
	}
}
