package engine

import "context"

// Target is a place a step may look at: the original read-only, or a clone. What can be
// done with it is between the Workspace and the steps; the engine only decides who
// gets which one.
type Target interface {
	// Place names it for people: "clone 2 of volume db-data".
	Place() string
}

// Writer is a place a step may change. A Writer on the original exists only between
// OriginalWriter and Close.
type Writer interface {
	Target
	Close(context.Context) error
}

// Workspace is where the engine's decisions meet the world.
type Workspace interface {
	// Original is the target's data, read-only by mount.
	Original(context.Context, *Pass) (Target, error)
	// Clone is the rehearsal's place; fresh means: throw the old one away first.
	Clone(ctx context.Context, p *Pass, fresh bool) (Writer, error)
	// OriginalWriter makes the original writable for the length of one step. It must
	// refuse a permit that is not Valid.
	OriginalWriter(context.Context, *Pass, Permit) (Writer, error)
	// Unchanged compares the original with the snapshot. Its differences are sentences.
	Unchanged(context.Context, *Pass) (differences []string, err error)
	// Challenge is what the operator must type to consent to a change of the original:
	// the host's short name, a slash, the last four digits of the system identifier.
	Challenge(*Pass) (string, error)
	// TakeOver stops what an engine that died has left running.
	TakeOver(context.Context) error
	// Release stops what runs on behalf of the act: sandboxes, helpers, servers.
	Release(context.Context, Act) error
}

// Permit allows one step of one plan to write to the original. Only Session makes valid
// ones.
type Permit struct {
	act    Act
	step   string
	digest string
}

// Valid reports whether the engine made the permit.
func (p Permit) Valid() bool {
	return p.step != "" && p.digest != "" && (p.act == Performance || p.act == Undo)
}

// Step is the step the permit was made for, and Digest its plan's digest.
func (p Permit) Step() string { return p.step }

// Digest identifies the plan the operator consented to.
func (p Permit) Digest() string { return p.digest }
