package pgops

import (
	"errors"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// maxFates bounds how many verdicts on multixacts are remembered.
const maxFates = 1 << 17

// multiFate is the verdict on one multixact.
type multiFate struct {
	readable bool
	updater  bool // a member updated or deleted the row
	fromWAL  bool // readable only with what WAL restores
	fault    pgdisk.MultiXactFault
}

// fate tells whether the server would read the members of a multixact once WAL's share is restored.
func (m *multiXacts) fate(id pgdisk.MultiXactID) (multiFate, error) {
	if f, ok := m.fates[id]; ok {
		return f, nil
	}
	f, err := m.look(id)
	if err != nil {
		return f, err
	}
	if len(m.fates) >= maxFates {
		clear(m.fates)
	}
	m.fates[id] = f
	return f, nil
}

func (m *multiXacts) look(id pgdisk.MultiXactID) (multiFate, error) {
	if id.Precedes(m.oldest) {
		return multiFate{fault: multiGone}, nil
	}
	members, err := m.read(m, id)
	var fault *pgdisk.MultiXactError
	if errors.As(err, &fault) {
		return multiFate{fault: fault.Fault}, nil
	}
	if err != nil {
		return multiFate{}, err
	}
	f := multiFate{readable: true, updater: slices.ContainsFunc(members, func(m pgdisk.Member) bool { return m.Status.IsUpdate() })}
	if len(m.patched) > 0 {
		_, err := m.read(m.disk, id)
		f.fromWAL = err != nil
	}
	return f, nil
}

// multiGone says that a multixact is older than the oldest one, which is no fault that reading meets.
const multiGone pgdisk.MultiXactFault = 0

// read reads as the server will after nextMulti was advanced: the end of the last multixact then comes from the
// entry behind it, unless it is known.
func (m *multiXacts) read(pages pgdisk.SLRUPages, id pgdisk.MultiXactID) ([]pgdisk.Member, error) {
	if !id.Precedes(m.next) {
		return nil, &pgdisk.MultiXactError{ID: id, Fault: pgdisk.MultiXactNotCreated}
	}
	next := m.next
	if !m.endKnown {
		next = next.Next()
	}
	return pgdisk.ReadMultiXact(pages, id, next, m.end)
}

// faultWords explains a fault, the missing of the id included.
func faultWords(f pgdisk.MultiXactFault) string {
	if f == multiGone {
		return "it is older than the oldest multixact"
	}
	return f.String()
}

// lost reports whether a tuple's multixact cannot be used: it cannot be read, or it has no updater although the
// tuple says that it was updated, so that other members than its own stand there.
func (f multiFate) lost(t pgdisk.TupleHeader) bool {
	return !f.readable || !f.updater && !t.XmaxLockedOnly()
}
