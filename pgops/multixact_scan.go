package pgops

import (
	"context"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

const (
	maxWiped    = 1000 // wiped pages listed
	maxExamples = 5    // tuples named for each relation
)

// heapReader visits the sound heap pages of all main forks, in a fixed order.
type heapReader struct {
	c          *Cluster
	perSegment uint32
	checksums  bool
	report     Report
	what       string

	done, total int64
	bad         uint64
	unreadable  []string
	buf         []byte
}

func newHeapReader(c *Cluster, ev *Evidence, what string, report Report) *heapReader {
	h := &heapReader{c: c, perSegment: pgdisk.RelSegmentBlocks, what: what, report: report, buf: make([]byte, readBlocks*pgdisk.BlockSize)}
	if ev.Control.State == ControlGood {
		h.checksums = ev.Control.Values.DataChecksumVersion != 0
		if n := ev.Control.Values.RelSegSize; n != 0 {
			h.perSegment = n
		}
	} else {
		on, known := ev.Pages.ChecksumsOn()
		h.checksums = on && known
	}
	return h
}

// each visits pages. blk counts across the files of the relation.
func (r *heapReader) each(ctx context.Context, visit func(f relationFile, blk pgdisk.BlockNumber, h pgdisk.PageHeader, page []byte) error) error {
	r.done, r.total = 0, 0
	if _, err := walkRelations(ctx, r.c.fsys, func(f relationFile) error {
		if f.Fork == pgdisk.MainFork {
			r.total += f.size
		}
		return nil
	}); err != nil {
		return err
	}
	_, err := walkRelations(ctx, r.c.fsys, func(f relationFile) error {
		if f.Fork != pgdisk.MainFork {
			return nil
		}
		var stop error
		err := readPages(ctx, r.c.fsys, f, r.buf, func(in pgdisk.BlockNumber, page []byte) error {
			first, _ := f.FirstBlock(r.perSegment)
			h, ok := r.sound(first+in, page)
			if ok {
				stop = visit(f, first+in, h, page)
			}
			return stop
		}, func(done int64) { r.report.send(Progress{What: r.what, Done: r.done + done, Total: r.total}) })
		r.done += f.size
		if stop != nil || ctx.Err() != nil {
			return err
		}
		if err != nil && len(r.unreadable) < maxUnreadable {
			r.unreadable = append(r.unreadable, err.Error())
		}
		return nil
	})
	return err
}

// sound accepts the pages of heaps that hold together. Those of indexes and sequences have a special part.
func (r *heapReader) sound(blk pgdisk.BlockNumber, page []byte) (pgdisk.PageHeader, bool) {
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil || h.IsNew() && pgdisk.PageIsZero(page) {
		return h, false
	}
	if h.IsNew() || !sane(h) || r.checksums && pgdisk.PageChecksum(page, blk) != h.Checksum {
		r.bad++
		return h, false
	}
	return h, h.Special == pgdisk.BlockSize
}

// multiScan counts the tuples.
type multiScan struct {
	m       *multiXacts
	rep     *MultiXactReport
	heap    *heapReader
	current MultiTuples
}

func newMultiScan(c *Cluster, ev *Evidence, m *multiXacts, rep *MultiXactReport, report Report) *multiScan {
	return &multiScan{m: m, rep: rep, heap: newHeapReader(c, ev, "tuples with multixacts", report)}
}

func (s *multiScan) run(ctx context.Context) error {
	err := s.heap.each(ctx, s.page)
	s.flush("")
	s.rep.Unreadable, s.rep.BadPages = s.heap.unreadable, s.heap.bad
	return err
}

// flush ends the counting for a relation when another begins.
func (s *multiScan) flush(next string) {
	if next == s.current.Path {
		return
	}
	if s.current.Tuples > 0 {
		s.rep.Relations = append(s.rep.Relations, s.current)
		s.rep.Total.add(s.current)
	}
	s.current = MultiTuples{Path: next}
}

func (s *multiScan) page(f relationFile, blk pgdisk.BlockNumber, h pgdisk.PageHeader, page []byte) error {
	s.flush(relationPath(f.RelFile))
	n := min(h.LinePointers(), pgdisk.MaxHeapTuplesPerPage)
	for item := 1; item <= n; item++ {
		t, ok := tupleAt(page, h, item, n)
		if !ok {
			continue
		}
		if id, ok := t.Multi(); ok && !t.LockedUpgraded() {
			if err := s.tuple(t, id, pgdisk.TID{Block: blk, Item: uint16(item)}); err != nil {
				return err
			}
		}
	}
	if n == 0 && h.Upper < h.Special {
		s.wiped(f, blk, h, page)
	}
	return nil
}

// relationPath is the path of a relation's first file, which names it.
func relationPath(f pgdisk.RelFile) string {
	f.Segment = 0
	return f.Path()
}

func (s *multiScan) tuple(t pgdisk.TupleHeader, id pgdisk.MultiXactID, at pgdisk.TID) error {
	fate, err := s.m.fate(id)
	if err != nil {
		return err
	}
	r := &s.current
	r.Tuples++
	if !fate.lost(t) {
		r.Readable++
		if fate.fromWAL {
			r.FromWAL++
		}
		return nil
	}
	switch {
	case t.XmaxLockedOnly():
		r.Locked++
	case t.Superseded(at):
		r.Updated++
	default:
		r.Deleted++
	}
	if len(r.Examples) < maxExamples {
		r.Examples = append(r.Examples, fmt.Sprintf("%s refers to multixact %d: %s", at, id, faultWords(fate.fault)))
	}
	return nil
}

func (s *multiScan) wiped(f relationFile, blk pgdisk.BlockNumber, h pgdisk.PageHeader, page []byte) {
	rows, kept := countUnreachable(page, h, blk)
	if rows == 0 {
		return
	}
	s.rep.WipedCount++
	s.rep.WipedRows += uint64(rows)
	if len(s.rep.Wiped) < maxWiped {
		s.rep.Wiped = append(s.rep.Wiped, WipedPage{Path: relationPath(f.RelFile), Block: blk, Bytes: int(h.Special - h.Upper), Rows: rows, PointersLeft: kept})
	}
}
