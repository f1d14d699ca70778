package pgops

import (
	"context"
	"errors"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// maxPatchedPages bounds the SLRU pages that are kept in memory with what WAL restores: 32 MB.
const maxPatchedPages = 4096

// multiXacts reads pg_multixact as it would be with what WAL restores. It is not safe for concurrent use.
type multiXacts struct {
	c        *Cluster
	oldest   pgdisk.MultiXactID
	next     pgdisk.MultiXactID
	end      pgdisk.MultiXactOffset
	endKnown bool
	highest  pgdisk.MultiXactOffset // above every member that any evidence knows

	offsets, members []pgdisk.Segment
	disk             *pgdisk.SLRUFiles
	patched          map[slruKey][]byte
	restored         RestoredMultis
	fates            map[pgdisk.MultiXactID]multiFate
}

type slruKey struct {
	dir  string
	page pgdisk.PageNo
}

var _ pgdisk.SLRUPages = (*multiXacts)(nil)

// openMultiXacts settles the bounds and takes in what WAL restores.
func openMultiXacts(ctx context.Context, c *Cluster, ev *Evidence) (*multiXacts, error) {
	r := newResetting(ev, ResetOptions{})
	m := &multiXacts{c: c, disk: pgdisk.NewSLRUFiles(c.fsys), patched: map[slruKey][]byte{}, fates: map[pgdisk.MultiXactID]multiFate{}}
	m.next, _ = r.multiTruth()
	m.highest, _ = r.offsetTruth()
	m.oldest = r.oldestMulti(&Param{}, m.next)
	r.mark(m.next)
	if r.plan.Marker != nil {
		m.end, m.endKnown = r.plan.Marker.Offset, true
	}
	var err error
	if m.offsets, err = segmentsOf(c.fsys, pgdisk.OffsetsGeometry()); err != nil {
		return nil, err
	}
	if m.members, err = segmentsOf(c.fsys, pgdisk.MembersGeometry()); err != nil {
		return nil, err
	}
	if err := m.restore(ctx, ev); err != nil {
		return nil, err
	}
	return m, nil
}

// segmentsOf lists the files of a directory; one that is not there has none.
func segmentsOf(fsys fs.FS, g pgdisk.Geometry) ([]pgdisk.Segment, error) {
	segments, _, err := pgdisk.Segments(fsys, g)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return segments, err
}

// SLRUPage returns a page with what WAL restores in it. It is valid until the next call.
func (m *multiXacts) SLRUPage(g pgdisk.Geometry, p pgdisk.PageNo) ([]byte, error) {
	if page, ok := m.patched[slruKey{g.Dir, p}]; ok {
		return page, nil
	}
	return m.disk.SLRUPage(g, p)
}

// patch returns a page to be written into, nil when there are too many already.
func (m *multiXacts) patch(g pgdisk.Geometry, p pgdisk.PageNo) ([]byte, error) {
	key := slruKey{g.Dir, p}
	if page, ok := m.patched[key]; ok {
		return page, nil
	}
	if len(m.patched) >= maxPatchedPages {
		return nil, nil
	}
	page := make([]byte, pgdisk.BlockSize)
	there, err := m.disk.SLRUPage(g, p)
	var gone *pgdisk.SLRUPageError
	switch {
	case err == nil:
		copy(page, there)
	case errors.As(err, &gone) && gone.Kind == pgdisk.HoleShort:
		if err := m.cutPage(g, p, page); err != nil {
			return nil, err
		}
	case !errors.As(err, &gone):
		return nil, err
	}
	m.patched[key] = page
	return page, nil
}

// cutPage reads what is left of a page that the end of its file cuts.
func (m *multiXacts) cutPage(g pgdisk.Geometry, p pgdisk.PageNo, page []byte) error {
	loc := g.LocatePage(p)
	b, err := readSmall(m.c.fsys, loc.Path(), pgdisk.SLRUSegmentSize)
	if err != nil {
		return err
	}
	if int64(len(b)) > loc.PageByte {
		copy(page, b[loc.PageByte:])
	}
	return nil
}

// report starts the report with what the directories lack.
func (m *multiXacts) report() *MultiXactReport {
	rep := &MultiXactReport{Oldest: m.oldest, Next: m.next, End: m.end, EndKnown: m.endKnown, Restorable: m.restored}
	if m.oldest == m.next {
		return rep // no multixact exists
	}
	g := pgdisk.OffsetsGeometry()
	first, last := g.Locate(uint64(m.oldest)).Page, g.Locate(uint64(m.next-1)).Page
	rep.Offsets = damages(g, m.offsets, first, last)
	if from, ok := m.firstMember(); ok && m.highest != from {
		g := pgdisk.MembersGeometry()
		rep.Members = damages(g, m.members, g.Locate(uint64(from)).Page, g.Locate(uint64(m.highest-1)).Page)
	}
	return rep
}

// firstMember is where the members of the oldest multixact start: its offset, else the oldest file, else the
// start of the circle when nothing says that it was ever left.
func (m *multiXacts) firstMember() (pgdisk.MultiXactOffset, bool) {
	page, err := m.SLRUPage(pgdisk.OffsetsGeometry(), pgdisk.OffsetOf(m.oldest).Page)
	if err == nil {
		if o, err := pgdisk.PageOffset(page, m.oldest); err == nil && o != 0 {
			return o, true
		}
	}
	g := pgdisk.MembersGeometry()
	if oldest, ok := pgdisk.Oldest(g, m.members); ok {
		return pgdisk.MultiXactOffset(uint64(oldest.Number) * g.EntriesPerSegment()), true
	}
	return 1, m.oldest == pgdisk.FirstMultiXactID
}

func damages(g pgdisk.Geometry, segments []pgdisk.Segment, first, last pgdisk.PageNo) []SLRUDamage {
	var list []SLRUDamage
	for _, h := range pgdisk.Holes(g, segments, first, last) {
		list = append(list, SLRUDamage{Dir: g.Dir, File: h.Name, Why: h.Kind.String(), First: h.First, Last: h.Last,
			FirstID: g.FirstID(h.First), LastID: min(g.FirstID(h.Last+1), g.Entries) - 1})
	}
	return list
}
