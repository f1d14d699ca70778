// Package ui shows an incident and takes the operator's decisions.
//
// There are three faces over one stream of events: TUI (a full screen), Plain (one line
// per event, numbered prompts, no cursor movement: for screen readers, dumb terminals,
// logs and tests) and JSON (one object per line, for programs). All three fold the same
// events with engine.View and validate decisions with the same rules, in consent.go.
//
// The package knows no step, no PostgreSQL and no Docker. What it knows of the target
// comes from the fact named "headline" (see Headline).
//
// A front end is expendable: it holds no truth, and leaving it never ends the engine.
package ui
