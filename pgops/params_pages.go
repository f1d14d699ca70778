package pgops

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

const (
	readBlocks    = 64      // pages read at once: half a megabyte
	maxHighest    = 8       // pages listed by LSN
	maxUnreadable = 20      // files listed by read error
	xidWindow     = 1 << 20 // how far beyond the newest known id a tuple's id is believed
	multiWindow   = 1 << 18
	sampledPages  = 4096 // pages whose checksum is computed when checksums are said to be off
)

// pageScan collects what pages say.
type pageScan struct {
	c           *Cluster
	ev          *Evidence
	p           *PageEvidence
	report      Report
	perSegment  uint32
	checksums   bool // every page must carry a matching one
	walEnd      pgdisk.LSN
	recordsEnd  pgdisk.LSN
	oldest, top pgdisk.XID
	oldM, topM  pgdisk.MultiXactID
	done, total int64
	buf         []byte
}

func (c *Cluster) scanPages(ctx context.Context, ev *Evidence, report Report) error {
	s := newPageScan(c, ev, report)
	count := func(f relationFile) error {
		s.total += f.size
		if n := pgdisk.OID(f.Number); n > ev.Files.MaxFileNumber {
			ev.Files.MaxFileNumber, ev.Files.MaxFilePath = n, f.path
		}
		return nil
	}
	if _, err := walkRelations(ctx, c.fsys, count); err != nil {
		return err
	}
	problems, err := walkRelations(ctx, c.fsys, func(f relationFile) error { return s.file(ctx, f) })
	for _, p := range problems {
		ev.Missing = append(ev.Missing, p.Error())
	}
	return err
}

func newPageScan(c *Cluster, ev *Evidence, report Report) *pageScan {
	s := &pageScan{c: c, ev: ev, p: &ev.Pages, report: report, perSegment: pgdisk.RelSegmentBlocks, buf: make([]byte, readBlocks*pgdisk.BlockSize)}
	x, m := ev.anchorXID(), ev.anchorMulti()
	s.top, s.topM = x+xidWindow, m+multiWindow
	s.oldest, s.oldM = pgdisk.XID(ev.Xact.FirstID), pgdisk.MultiXactID(ev.Offsets.FirstID)
	if ev.Offsets.Files == 0 {
		s.oldM = m - 1<<30
	}
	if ev.Control.State == ControlGood {
		v := ev.Control.Values
		s.checksums = v.DataChecksumVersion != 0
		s.oldest, s.oldM = earlier(s.oldest, v.CheckpointCopy.OldestXID), v.CheckpointCopy.OldestMulti
		if v.RelSegSize != 0 {
			s.perSegment = v.RelSegSize
		}
	}
	if ev.WAL.Files > 0 && ev.WAL.SegSize != 0 {
		s.walEnd = pgdisk.LSN((ev.WAL.LastSegment + 1) * uint64(ev.WAL.SegSize))
	}
	if ev.WAL.Scanned {
		s.recordsEnd = ev.WAL.End
	}
	return s
}

// file reads one file. A read error is noted and the page skipped: one bad sector must not hide the rest.
func (s *pageScan) file(ctx context.Context, f relationFile) error {
	s.p.Files++
	highest := PageLSN{Path: f.path}
	err := readPages(ctx, s.c.fsys, f, s.buf, func(blk pgdisk.BlockNumber, page []byte) error {
		s.page(f, blk, page, &highest)
		return nil
	}, func(done int64) {
		s.report.send(Progress{What: "relation pages", Done: s.done + done, Total: s.total})
	})
	s.done += f.size
	s.keep(highest)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if f.size%pgdisk.BlockSize != 0 {
		s.p.Truncated++
	}
	if err != nil && len(s.p.Unreadable) < maxUnreadable {
		s.p.Unreadable = append(s.p.Unreadable, err.Error())
	}
	return nil
}

func (s *pageScan) page(f relationFile, in pgdisk.BlockNumber, page []byte, highest *PageLSN) {
	s.p.Pages++
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil || h.IsNew() {
		if err == nil && pgdisk.PageIsZero(page) {
			s.p.New++
		} else {
			s.p.BadHeader++
		}
		return
	}
	if f.Fork != pgdisk.FSMFork && !sane(h) {
		s.p.BadHeader++
		return
	}
	first, _ := f.FirstBlock(s.perSegment)
	if !s.checksum(h, page, first+in) && s.checksums {
		s.p.BadChecksum++
		return
	}
	s.lsn(h.LSN, first+in, highest)
	if f.Fork == pgdisk.MainFork && h.Special == pgdisk.BlockSize {
		s.tuples(f, first+in, h, page)
	}
}

// sane refuses what the server's own check on reading would refuse (PageIsVerified), and little more.
func sane(h pgdisk.PageHeader) bool {
	return h.Lower >= pgdisk.PageHeaderSize && h.Lower <= h.Upper && h.Upper <= h.Special && h.Special <= pgdisk.BlockSize &&
		h.Special%8 == 0 && h.Size == pgdisk.BlockSize && h.LayoutVersion == pgdisk.PageLayoutVersion
}

// checksum samples, or verifies every page where checksums are on.
func (s *pageScan) checksum(h pgdisk.PageHeader, page []byte, blk pgdisk.BlockNumber) bool {
	switch {
	case h.Checksum == 0 && !s.checksums:
		s.p.Unchecked++
		return true
	case !s.checksums && s.p.Checksummed+s.p.Mismatched >= sampledPages:
		return true
	}
	if pgdisk.PageChecksum(page, blk) == h.Checksum {
		s.p.Checksummed++
		return true
	}
	s.p.Mismatched++
	return false
}

func (s *pageScan) lsn(lsn pgdisk.LSN, blk pgdisk.BlockNumber, highest *PageLSN) {
	s.p.MaxLSN = max(s.p.MaxLSN, lsn)
	if lsn > highest.LSN {
		highest.LSN, highest.Block = lsn, blk
	}
	if s.walEnd != 0 && lsn > s.walEnd {
		s.p.AfterWAL++
	}
	if s.recordsEnd != 0 && lsn > s.recordsEnd {
		s.p.AfterRecords++
	}
}

// keep merges one file's highest page into the list.
func (s *pageScan) keep(p PageLSN) {
	if p.LSN == 0 {
		return
	}
	s.p.Highest = append(s.p.Highest, p)
	slices.SortStableFunc(s.p.Highest, func(a, b PageLSN) int { return cmp.Compare(b.LSN, a.LSN) })
	s.p.Highest = s.p.Highest[:min(len(s.p.Highest), maxHighest)]
}

// tuples takes in the ids of a heap page.
func (s *pageScan) tuples(f relationFile, blk pgdisk.BlockNumber, h pgdisk.PageHeader, page []byte) {
	n := min(h.LinePointers(), pgdisk.MaxHeapTuplesPerPage)
	for item := 1; item <= n; item++ {
		t, ok := tupleAt(page, h, item, n)
		if !ok {
			continue
		}
		s.p.HeapTuples++
		at := func() string { return fmt.Sprintf("%s (%d,%d)", f.path, blk, item) }
		if !t.XminFrozen() {
			s.xid(t.Xmin, t.XminInvalid(), at)
		}
		switch {
		case t.XmaxIsMulti() && !t.XmaxInvalid():
			s.multi(pgdisk.MultiXactID(t.Xmax), t.LockedUpgraded(), at)
		case !t.XmaxIsMulti():
			s.xid(t.Xmax, t.XmaxInvalid(), at)
		}
	}
}

// tupleAt decodes the header of a tuple that the line pointer of that number leads to.
func tupleAt(page []byte, h pgdisk.PageHeader, item, count int) (pgdisk.TupleHeader, bool) {
	id := pgdisk.DecodeItemID(binary.LittleEndian.Uint32(page[pgdisk.PageHeaderSize+(item-1)*pgdisk.ItemIDSize:]))
	if id.Flags != pgdisk.ItemNormal || id.Problem(h, item, count) != nil {
		return pgdisk.TupleHeader{}, false
	}
	t, err := pgdisk.DecodeTupleHeader(pgdisk.Item(page, id))
	return t, err == nil
}

// xid believes an id within the window; a stale one that no longer counts is not held against the page.
func (s *pageScan) xid(x pgdisk.XID, stale bool, at func() string) {
	switch {
	case !x.Normal():
	case int32(x-s.oldest) >= 0 && int32(s.top-x) >= 0:
		if s.p.MaxXID == 0 || int32(x-s.p.MaxXID) > 0 {
			s.p.MaxXID, s.p.MaxXIDAt = x, at()
		}
	case !stale:
		s.p.OddXIDs++
	}
}

func (s *pageScan) multi(m pgdisk.MultiXactID, upgraded bool, at func() string) {
	switch {
	case m == 0 || upgraded:
	case int32(m-s.oldM) >= 0 && int32(s.topM-m) >= 0:
		if s.p.MaxMulti == 0 || int32(m-s.p.MaxMulti) > 0 {
			s.p.MaxMulti, s.p.MaxMultiAt = m, at()
		}
	default:
		s.p.OddMultis++
	}
}
