package pgops

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruEdits lists what is done to pg_multixact itself: offsets first, then members, each in order of file and page.
func (p *multiRepair) slruEdits() error {
	m := p.m
	if err := p.putMark(); err != nil {
		return err
	}
	offsets, members := pgdisk.OffsetsGeometry(), pgdisk.MembersGeometry()
	needed := p.neededPages(offsets, m.offsets, m.report().Offsets, uint64(p.reset.Outcome.NextMulti))
	if err := p.fillOffsets(needed); err != nil {
		return err
	}
	if err := p.writePages(offsets, m.offsets, needed); err != nil {
		return err
	}
	needed = p.neededPages(members, m.members, m.report().Members, uint64(p.reset.Outcome.NextOffset))
	return p.writePages(members, m.members, needed)
}

// neededPages lists the pages that must be made: those that are missing in the range in use, up to a limit, and
// the one that the next id starts on when it is not the page's first.
func (p *multiRepair) neededPages(g pgdisk.Geometry, segments []pgdisk.Segment, missing []SLRUDamage, next uint64) []pgdisk.PageNo {
	var pages []pgdisk.PageNo
	total := uint64(0)
	for _, d := range missing {
		total += uint64(d.Last-d.First) + 1
	}
	if total > maxCreatedPages {
		p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf("%s: %d pages are missing, more than the %d that are made anew; only those that something refers to are made", g.Dir, total, maxCreatedPages))
		missing = nil
	}
	for _, d := range missing {
		for page := d.First; page <= d.Last; page++ {
			pages = append(pages, page)
		}
	}
	if at := g.Locate(next); at.Entry != 0 && len(damages(g, segments, at.Page, at.Page)) > 0 && !slices.Contains(pages, at.Page) {
		pages = append(pages, at.Page)
	}
	return pages
}

// putMark patches the entry behind the last multixact, without which reading that one ends in an error or never.
func (p *multiRepair) putMark() error {
	mark := p.reset.Marker
	if mark == nil || p.m.oldest == mark.Multi {
		return nil
	}
	_, ok, err := p.m.putOffset(mark.Multi, mark.Offset, false)
	if err == nil && !ok {
		p.plan.Warnings = append(p.plan.Warnings, "the mark behind the last multixact could not be set: too many pages are being restored")
	}
	return err
}

// fillOffsets gives the entries of new pages that WAL does not restore the offset of the next known multixact: it
// reads as a multixact without members, which ends in neither an error nor an endless wait, and which a later
// vacuum cannot mistake for the start of the members, as it would a zero. Nothing refers to it once the tuples
// were treated.
func (p *multiRepair) fillOffsets(pages []pgdisk.PageNo) error {
	value := p.m.highest
	sorted := slices.Clone(pages)
	from := uint64(p.m.oldest)
	slices.SortFunc(sorted, func(a, b pgdisk.PageNo) int { // youngest first on the circle
		return cmp.Compare(uint32(uint64(b)*offsetsPage-from/offsetsPage*offsetsPage), uint32(uint64(a)*offsetsPage-from/offsetsPage*offsetsPage))
	})
	for i, no := range sorted {
		if i == 0 || sorted[i-1] != no+1 {
			value = p.firstKnown(no+1, value)
		}
		page, err := p.m.patch(pgdisk.OffsetsGeometry(), no)
		if err != nil {
			return err
		}
		if page == nil {
			return fmt.Errorf("more than %d pages of pg_multixact would have to be rebuilt: restore the directory from a backup or a standby instead", maxPatchedPages)
		}
		for entry := offsetsPage - 1; entry >= 0; entry-- {
			id := pgdisk.MultiXactID(uint64(no)*offsetsPage + uint64(entry))
			if id == 0 || id.Precedes(p.m.oldest) || !id.Precedes(p.m.next) {
				continue
			}
			o, err := pgdisk.PageOffset(page, id)
			if err != nil {
				return err
			}
			if o != 0 {
				value = o
			} else if err := pgdisk.PutPageOffset(page, id, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// firstKnown is the first entry that is not zero on a page, or the fallback.
func (p *multiRepair) firstKnown(no pgdisk.PageNo, fallback pgdisk.MultiXactOffset) pgdisk.MultiXactOffset {
	page, err := p.m.SLRUPage(pgdisk.OffsetsGeometry(), no)
	if err != nil {
		return fallback
	}
	for entry := range uint64(offsetsPage) {
		id := pgdisk.MultiXactID(uint64(no)*offsetsPage + entry)
		if !id.Precedes(p.m.next) {
			return fallback
		}
		if o, err := pgdisk.PageOffset(page, id); err == nil && o != 0 {
			return o
		}
	}
	return fallback
}

// writePages emits the edits of one directory, in order of position: the bytes that differ of a page that is there,
// the rest of one that is cut, and whole pages behind the end of a file, without leaving a hole before them.
func (p *multiRepair) writePages(g pgdisk.Geometry, segments []pgdisk.Segment, needed []pgdisk.PageNo) error {
	last := map[pgdisk.SegmentNo]pgdisk.PageNo{}
	sizes := map[pgdisk.SegmentNo]int64{}
	for _, s := range segments {
		sizes[s.Number] = s.Size
	}
	pages := slices.Clone(needed)
	for key := range p.m.patched {
		if key.dir == g.Dir {
			pages = append(pages, key.page)
		}
	}
	for _, no := range pages {
		at := g.LocatePage(no)
		last[at.Segment] = max(last[at.Segment], no)
	}
	for _, no := range slices.Sorted(maps.Keys(last)) {
		size, exists := sizes[no]
		w := &slruWriter{p: p, g: g, size: size, create: !exists}
		if err := w.file(no, last[no]); err != nil {
			return err
		}
	}
	return nil
}

// slruWriter emits the edits of one file.
type slruWriter struct {
	p      *multiRepair
	g      pgdisk.Geometry
	size   int64
	create bool
	zeros  Edit // a run of new pages without content, not emitted yet
}

func (w *slruWriter) file(segment pgdisk.SegmentNo, last pgdisk.PageNo) error {
	for no := pgdisk.PageNo(uint64(segment) * pgdisk.SLRUPagesPerSegment); no <= last; no++ {
		at := w.g.LocatePage(no)
		_, changed := w.p.m.patched[slruKey{w.g.Dir, no}]
		var err error
		switch {
		case at.PageByte+pgdisk.BlockSize <= w.size && changed:
			err = w.there(at)
		case at.PageByte+pgdisk.BlockSize > w.size:
			w.p.plan.Created++
			err = w.beyond(at)
		}
		if err != nil {
			return err
		}
	}
	return w.flush()
}

// there emits what differs on a page that is on disk.
func (w *slruWriter) there(at pgdisk.Location) error {
	before, err := w.p.m.disk.SLRUPage(w.g, at.Page)
	if err != nil {
		return err
	}
	after := w.p.m.patched[slruKey{w.g.Dir, at.Page}]
	from, to := trimEqual(before, after)
	if from >= to {
		return nil
	}
	return w.p.emit(Edit{Path: at.Path(), Offset: at.PageByte + int64(from), Before: slices.Clone(before[from:to]), After: slices.Clone(after[from:to]), Why: w.why()})
}

// beyond emits a page that the end of the file cuts, or that lies wholly behind it.
func (w *slruWriter) beyond(at pgdisk.Location) error {
	have := max(w.size-at.PageByte, 0)
	after, changed := w.p.m.patched[slruKey{w.g.Dir, at.Page}]
	if !changed {
		after = make([]byte, pgdisk.BlockSize)
		if have > 0 {
			if err := w.p.m.cutPage(w.g, at.Page, after); err != nil {
				return err
			}
		}
	}
	if have == 0 && allZero(after) {
		return w.zeroPage(at)
	}
	before := make([]byte, pgdisk.BlockSize)
	if have > 0 {
		if err := w.p.m.cutPage(w.g, at.Page, before); err != nil {
			return err
		}
	}
	from, _ := trimEqual(before[:have], after)
	if err := w.flush(); err != nil {
		return err
	}
	e := Edit{Path: at.Path(), Offset: at.PageByte + int64(from), Before: slices.Clone(before[from:have]), After: slices.Clone(after[from:]), Create: w.create, Why: w.why()}
	w.create = false
	return w.p.emit(e)
}

// zeroPage joins neighbouring empty pages to one edit.
func (w *slruWriter) zeroPage(at pgdisk.Location) error {
	if w.zeros.Zeros > 0 {
		w.zeros.Zeros += pgdisk.BlockSize
		return nil
	}
	w.zeros = Edit{Path: at.Path(), Offset: at.PageByte, Zeros: pgdisk.BlockSize, Create: w.create, Why: "the server needs these pages of " + w.g.Dir + ", and they are not there"}
	w.create = false
	return nil
}

func (w *slruWriter) flush() error {
	e := w.zeros
	w.zeros = Edit{}
	if e.Zeros == 0 {
		return nil
	}
	return w.p.emit(e)
}

func (w *slruWriter) why() string {
	if w.g.Dir == pgdisk.OffsetsGeometry().Dir {
		return "offsets restored from WAL, the mark behind the last multixact, and for lost ones a value that reads as a multixact without members"
	}
	return "members restored from WAL"
}
