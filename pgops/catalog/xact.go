package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// maxXactPages bounds the cache of pg_xact: 32 MB, the fates of 134 million transactions.
const maxXactPages = 4096

// xactPages tells the fate of transactions from pg_xact, of which it keeps pages. It may be
// used by several goroutines.
type xactPages struct {
	last  atomic.Pointer[xactPage]
	mu    sync.Mutex
	pages map[pgdisk.PageNo]*xactPage
	files *pgdisk.SLRUFiles
	wiped []xidRun // that checkXacts found; not changed once rows are judged
}

// xidRun is transactions in a row, of which none has a fate.
type xidRun struct {
	first pgdisk.XID
	count uint32
}

// xactPage is a page of pg_xact, or why it cannot be had.
type xactPage struct {
	no   pgdisk.PageNo
	data []byte
	err  error
}

func newXactPages(fsys fs.FS) *xactPages {
	return &xactPages{pages: map[pgdisk.PageNo]*xactPage{}, files: pgdisk.NewSLRUFiles(fsys)}
}

// xactsPerPage is how many transactions have their fate on a page, four in a byte
// (CLOG_XACTS_PER_PAGE, access/transam/clog.c).
const xactsPerPage = 4 * pgdisk.BlockSize

// status is a pgdisk.XactStatusFunc that allocates nothing for a page it has.
func (x *xactPages) status(id pgdisk.XID) (pgdisk.XactStatus, error) {
	p := x.page(pgdisk.PageNo(id / xactsPerPage))
	if p.err != nil {
		return 0, fmt.Errorf("transaction %d: %w", id, p.err)
	}
	entry := id % xactsPerPage
	s := pgdisk.XactStatus(p.data[entry/4] >> (entry % 4 * 2) & 3)
	if s == pgdisk.XactInProgress {
		for _, run := range x.wiped {
			if uint32(id-run.first) < run.count {
				return 0, fmt.Errorf("transaction %d is one of %d in a row that pg_xact has no fate of", id, run.count)
			}
		}
	}
	return s, nil
}

// page returns a page from the cache or the file.
func (x *xactPages) page(no pgdisk.PageNo) *xactPage {
	if p := x.last.Load(); p != nil && p.no == no {
		return p
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	p, ok := x.pages[no]
	if !ok {
		data, err := x.files.SLRUPage(pgdisk.XactGeometry(), no)
		p = &xactPage{no: no, data: slices.Clone(data), err: err}
		if len(x.pages) >= maxXactPages {
			clear(x.pages)
		}
		x.pages[no] = p
	}
	x.last.Store(p)
	return p
}

// multixacts reads the members of multixacts. It may be used by several goroutines.
type multixacts struct {
	mu    sync.Mutex
	pages *pgdisk.SLRUFiles
	next  pgdisk.MultiXactID     // 0 when pg_control does not tell
	end   pgdisk.MultiXactOffset // of the members of next-1
}

// members reads a multixact. One that is younger than what pg_control knows, which after a
// crash is behind, ends where the following one begins.
func (m *multixacts) members(id pgdisk.MultiXactID) ([]pgdisk.Member, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next, end := m.next, m.end
	if next == 0 || !id.Precedes(next) {
		next, end = id.Next().Next(), 0
	}
	return pgdisk.ReadMultiXact(m.pages, id, next, end)
}

// visibility returns what tells the fate of tuples in this cluster, as far as the files for
// it are there.
func visibility(fsys fs.FS, control *pgdisk.Control, found *problems) (v pgdisk.Visibility, fates *xactPages) {
	fates = newXactPages(fsys)
	lost := func(g pgdisk.Geometry, cost string) bool {
		segments, _, err := pgdisk.Segments(fsys, g)
		switch {
		case err != nil:
			found.file(g.Dir, "%v: %s", err, cost)
		case len(segments) == 0:
			found.file(g.Dir, "there are no files: %s", cost)
		}
		return len(segments) == 0
	}
	if !lost(pgdisk.XactGeometry(), "which rows are visible is told by hint bits alone") {
		v.Xact = fates.status
	}
	offsets := lost(pgdisk.OffsetsGeometry(), "rows deleted within a multixact count as visible")
	if members := lost(pgdisk.MembersGeometry(), "rows deleted within a multixact count as visible"); !offsets && !members {
		m := &multixacts{pages: pgdisk.NewSLRUFiles(fsys)}
		if control != nil {
			m.next, m.end = control.CheckpointCopy.NextMulti, control.CheckpointCopy.NextMultiOffset
		}
		v.Members = m.members
	}
	return v, fates
}

// minBlank is how many transactions in a row without any fate are no coincidence.
const minBlank = 256

// checkXacts looks for what pg_control says that pg_xact must hold: pages that are not there,
// and sectors in which no transaction ever ended. One that was lost and came back as zeroes
// looks like this: everything on it would count as never committed, its rows be gone from sight
// without any error, and those it deleted be back. Its transactions count as unknown instead.
func checkXacts(ctx context.Context, fsys fs.FS, control *pgdisk.Control, fates *xactPages, found *problems) error {
	first, next := control.CheckpointCopy.OldestXID, control.CheckpointCopy.NextXID.XID()
	if !first.Normal() || !next.Normal() || !first.Precedes(next) {
		return nil
	}
	g := pgdisk.XactGeometry()
	w := &xactWalk{g: g, found: found, fates: fates, first: first, next: next}
	segments, _, err := pgdisk.Segments(fsys, g)
	if err != nil || len(segments) == 0 {
		return nil // said by visibility
	}
	for _, h := range pgdisk.Holes(g, segments, g.Locate(uint64(first)).Page, g.Locate(uint64(next-1)).Page) {
		found.file(g.Dir+"/"+h.Name, "%s: the fate of the transactions from %d on is not known", h.Kind, g.FirstID(h.First))
	}
	buf := make([]byte, pgdisk.SLRUSegmentSize)
	for _, s := range segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.segment(fsys, s, buf)
	}
	return nil
}

// xactWalk goes through the files of pg_xact.
type xactWalk struct {
	g           pgdisk.Geometry
	found       *problems
	fates       *xactPages
	first, next pgdisk.XID
}

// segment looks at the pages of a file.
func (w *xactWalk) segment(fsys fs.FS, s pgdisk.Segment, buf []byte) {
	path := w.g.Dir + "/" + s.Name
	f, err := fsys.Open(path)
	if err != nil {
		w.found.file(path, "%v", err)
		return
	}
	defer f.Close()
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		w.found.file(path, "%v", err)
	}
	for at := 0; at+pgdisk.BlockSize <= n; at += pgdisk.BlockSize {
		w.page(path, buf[at:at+pgdisk.BlockSize], pgdisk.PageNo(uint64(s.Number)*pgdisk.SLRUPagesPerSegment+uint64(at/pgdisk.BlockSize)))
	}
}

// xactsPerSector is how many transactions have their fate in 512 bytes, the least that a
// disk loses.
const xactsPerSector = 4 * 512

// page reports the runs of sectors without any fate.
func (w *xactWalk) page(path string, page []byte, no pgdisk.PageNo) {
	var first pgdisk.XID // of the run
	count := uint32(0)
	report := func() {
		if count >= minBlank {
			w.found.file(path, "of the %d transactions from %d on none ever ended: one with as many subtransactions was running, they were skipped by a reset, or their fate was wiped; rows that hang on them count as visible and are in doubt", count, first)
			w.fates.wiped = append(w.fates.wiped, xidRun{first, count})
		}
		count = 0
	}
	for at := pgdisk.XID(0); at < xactsPerPage; at += xactsPerSector {
		start := pgdisk.XID(w.g.FirstID(no)) + at
		last := start + xactsPerSector - 1
		if !start.Normal() {
			start = pgdisk.FirstNormalXID
		}
		if start.Precedes(w.first) {
			start = w.first
		}
		if !last.Precedes(w.next) {
			last = w.next - 1
		}
		if last.Precedes(start) {
			continue
		}
		if !blank(page, start, last) {
			report()
			continue
		}
		if count == 0 {
			first = start
		}
		count += uint32(last-start) + 1
	}
	report()
}

// blank reports whether the entries from start to last, both on the page, are all zero.
func blank(page []byte, start, last pgdisk.XID) bool {
	for x := start; ; x++ {
		if s, err := pgdisk.PageXactStatus(page, x); err != nil || s != pgdisk.XactInProgress {
			return false
		}
		if x == last {
			return true
		}
	}
}
