package pgops

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Bounds of a plan.
const (
	DefaultMaxEdits = 100_000 // some 40 MB of memory
	maxKept         = 1000    // rows listed whose fate nothing tells
	maxCreatedPages = 32_768  // pages of SLRU files made anew: 256 MB
)

// TooManyEditsError refuses a plan that would not fit into memory. StreamMultiXactRepair gives the same edits one
// by one.
type TooManyEditsError struct{ Max int }

func (e *TooManyEditsError) Error() string {
	return fmt.Sprintf("plan multixact repair: more than %d changes are needed, too many to hold and to show at once; stream them, or restore pg_multixact from a backup, which would make them unnecessary", e.Max)
}

// Treatment is what is done to a tuple whose multixact is lost.
type Treatment string

// The treatments.
const (
	TreatUnlock   Treatment = "unlock"    // it only locked the row: the lock is removed, nothing is lost
	TreatSupersed Treatment = "supersede" // a committed newer version exists: its transaction becomes xmax
	TreatRevive   Treatment = "revive"    // the newer version's transaction aborted: the row is current
	TreatKeep     Treatment = "keep"      // nothing tells: the row is kept, which may bring back a deleted or old one
)

// Treated counts treatments in one relation.
type Treated struct {
	Path                            string
	Unlock, Supersede, Revive, Kept uint64
	Pages                           uint64
}

// KeptRow is a tuple that is kept although it may have been deleted or updated.
type KeptRow struct {
	Path string
	At   pgdisk.TID
	Why  string
}

// MultiXactPlan is the repair of pg_multixact and of the tuples that refer to what is lost. The same files give the
// same plan, byte for byte.
type MultiXactPlan struct {
	Edits     []Edit // in the order in which they are to be made; nil when they were streamed
	Count     int
	Digest    string // over all edits
	Created   uint64 // SLRU pages made anew
	Restored  RestoredMultis
	Relations []Treated
	Total     Treated
	Kept      []KeptRow // at most 1000 of Total.Kept
	Losses    []string
	Warnings  []string
}

// PlanMultiXactRepair lists every change: first pages restored from WAL or made anew and the mark behind the last
// multixact, then tuples, page by page. max bounds the list (0: DefaultMaxEdits); beyond it, a *TooManyEditsError.
//
// The reset's values decide which pages must exist; the plan of the reset must come from the same evidence.
func PlanMultiXactRepair(ctx context.Context, pieces Pieces, ev *Evidence, reset *ResetPlan, max int, report Report) (*MultiXactPlan, error) {
	if max <= 0 {
		max = DefaultMaxEdits
	}
	var edits []Edit
	plan, err := StreamMultiXactRepair(ctx, pieces, ev, reset, report, func(e Edit) error {
		if len(edits) >= max {
			return &TooManyEditsError{Max: max}
		}
		edits = append(edits, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	plan.Edits = edits
	return plan, nil
}

// StreamMultiXactRepair is PlanMultiXactRepair without holding the edits: emit gets them in order.
func StreamMultiXactRepair(ctx context.Context, pieces Pieces, ev *Evidence, reset *ResetPlan, report Report, emit func(Edit) error) (*MultiXactPlan, error) {
	if reset == nil {
		return nil, errors.New("plan multixact repair: the values of the WAL reset must be decided first, they say which pages have to exist")
	}
	c, err := OpenCluster(pieces)
	if err != nil {
		return nil, err
	}
	m, err := openMultiXacts(ctx, c, ev)
	if err != nil {
		return nil, err
	}
	p := &multiRepair{c: c, ev: ev, m: m, reset: reset, plan: &MultiXactPlan{Restored: m.restored}, sum: newDigest(), emitTo: emit}
	if err := p.slruEdits(); err != nil {
		return nil, fmt.Errorf("plan multixact repair: %w", err)
	}
	if err := p.tupleEdits(ctx, report); err != nil {
		return nil, fmt.Errorf("plan multixact repair: %w", err)
	}
	p.finish()
	return p.plan, nil
}

// multiRepair is the state of one plan.
type multiRepair struct {
	c      *Cluster
	ev     *Evidence
	m      *multiXacts
	reset  *ResetPlan
	plan   *MultiXactPlan
	sum    digest
	emitTo func(Edit) error
}

func (p *multiRepair) emit(e Edit) error {
	p.plan.Count++
	p.sum.add(e)
	return p.emitTo(e)
}

// finish says what the plan gives up.
func (p *multiRepair) finish() {
	p.plan.Digest = p.sum.String()
	t := p.plan.Total
	say := func(n uint64, format string) {
		if n > 0 {
			p.plan.Losses = append(p.plan.Losses, fmt.Sprintf(format, n))
		}
	}
	say(t.Kept, "%d rows are kept although they may have been deleted or updated: nothing tells. They are listed; look for duplicates and for rows that should be gone.")
	say(t.Unlock, "Nothing: %d rows lose a lock of transactions that no longer run.")
	say(t.Supersede, "Nothing: %d old row versions are marked as replaced by the transaction that wrote the newer version.")
	say(t.Revive, "Nothing: %d rows whose update was rolled back become plain rows again.")
	if p.m.restored.Skipped > 0 {
		p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf("%d multixacts could have been restored from WAL but lie on more than %d pages; their tuples are treated instead", p.m.restored.Skipped, maxPatchedPages))
	}
}
