package demo

import (
	"errors"
	"fmt"
	"regexp"
)

// Cut says which part of pg_multixact is cut short.
type Cut string

// The parts of pg_multixact that can be cut.
const (
	CutOffsets Cut = "offsets"
	CutMembers Cut = "members"
	CutNone    Cut = "none"
)

// MinRows is the smallest table that has every ingredient: rows that keep clear
// of multixacts, rows that have one each, and rows that get one after the checkpoint.
const MinRows = 3000

// Options describes the cluster to make and break. The zero value of every
// field but Name means something sensible.
type Options struct {
	// Name is the broken container's name; everything else made is named after it.
	Name string
	// Major is the PostgreSQL major version, 15 if 0. It chooses the image.
	Major int
	// Image overrides postgres:Major. It must be in the engine already: nothing is pulled.
	Image string
	// Checksums turns data checksums on where the major has them off by default (before 18).
	Checksums bool
	// FullPageWrites leaves full_page_writes on. Replay then brings the damaged
	// page back by itself, and the server dies of the cut in pg_multixact, if of anything.
	FullPageWrites bool
	// Cut is CutOffsets if empty.
	Cut Cut
	// Rows is the number of rows in the parent table, 5000 if 0; others scale with it.
	Rows int
	// Twin keeps the undamaged twin's volume, cleanly shut down, instead of removing it.
	Twin bool
	// Progress is told what is being done, in one line each. May be nil.
	Progress func(string)
}

// nameForm is what Docker takes for both containers and volumes.
var nameForm = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// withDefaults fills in what was left out and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	if !nameForm.MatchString(o.Name) {
		return o, fmt.Errorf("demo name %q is not a container name; use letters, digits and _.-", o.Name)
	}
	if o.Major == 0 {
		o.Major = 15
	}
	if o.Image == "" {
		o.Image = fmt.Sprintf("postgres:%d", o.Major)
	}
	if o.Cut == "" {
		o.Cut = CutOffsets
	}
	if o.Cut != CutOffsets && o.Cut != CutMembers && o.Cut != CutNone {
		return o, fmt.Errorf("cannot cut %q; choose %s, %s or %s", o.Cut, CutOffsets, CutMembers, CutNone)
	}
	if o.FullPageWrites && o.Cut == CutNone {
		return o, errors.New("full_page_writes on and nothing cut would leave nothing broken; choose one of the two")
	}
	if o.Rows == 0 {
		o.Rows = 5000
	}
	if o.Rows < MinRows {
		return o, fmt.Errorf("%d rows are too few to break in every way; ask for at least %d", o.Rows, MinRows)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o, nil
}
