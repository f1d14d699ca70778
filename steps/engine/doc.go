// Package engine plays a playbook: first on a clone of the data, then, with consent,
// on the original.
//
// An incident is one run of one playbook against one target. It goes through four
// acts: prepare (look, stop writers, snapshot), rehearsal (every rewriting step on a
// clone), performance (the same steps, the same plans, on the original) and closing
// (give back what was stopped, report). Everything that happens is an Event, appended
// durably to a Log before its effect takes place. State is nothing but the fold of
// those events (View.Fold), so a live screen, a resumed run, a second viewer and the
// transcript cannot disagree.
//
// The engine decides what may happen (moves.go), the Workspace and the steps do it.
// A Writer on the original is handed out for a Permit alone, and only Session can
// make one: from a passed rehearsal of a plan with the same digest and a consent
// typed for it.
//
// The package uses the standard library alone and knows no PostgreSQL, no Docker and
// no terminal.
package engine
