package pgops

import (
	"bytes"
	"context"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// restore goes through all of pg_wal, also before the redo point, and takes in every creation of a multixact
// that is not on disk as WAL says.
func (m *multiXacts) restore(ctx context.Context, ev *Evidence) error {
	if ev.WAL.SegSize == 0 || ev.WAL.Files == 0 {
		return nil
	}
	return m.c.eachRecord(ctx, ev, func(rec *pgdisk.WALRecord) error {
		mk, ok := rec.WALMultiCreate()
		if !ok || mk.Multi == 0 || mk.Multi.Precedes(m.oldest) || !mk.Multi.Precedes(m.next) || mk.Len() == 0 {
			return nil
		}
		m.restored.Seen++
		return m.restoreOne(&mk)
	})
}

// restoreOne compares one creation with the disk and patches what differs.
func (m *multiXacts) restoreOne(mk *pgdisk.WALMultiCreate) error {
	differs, skipped := false, false
	note := func(changed, ok bool, err error) error {
		differs, skipped = differs || changed, skipped || !ok
		return err
	}
	if err := note(m.putOffset(mk.Multi, mk.Offset, true)); err != nil {
		return err
	}
	end := mk.NextOffset()
	if end == 0 {
		end = 1 // offset 0 is never given out (GetNewMultiXactId)
	}
	if err := note(m.putOffset(mk.Next(), end, false)); err != nil {
		return err
	}
	for i := range mk.Len() {
		member := mk.Member(i)
		if err := note(m.putMember(mk.Offset+pgdisk.MultiXactOffset(i), pgdisk.Member{XID: member.XID, Status: pgdisk.MemberStatus(member.Status)})); err != nil {
			return err
		}
	}
	switch {
	case skipped:
		m.restored.Skipped++
	case differs:
		m.restored.Restored++
	}
	m.restored.Pages = len(m.patched)
	return nil
}

// putOffset writes an entry unless it is there already; with own false only where nothing is there yet. ok is
// false when no more pages can be kept.
func (m *multiXacts) putOffset(id pgdisk.MultiXactID, o pgdisk.MultiXactOffset, own bool) (changed, ok bool, err error) {
	g, at := pgdisk.OffsetsGeometry(), pgdisk.OffsetOf(id)
	if page, err := m.SLRUPage(g, at.Page); err == nil {
		if was, err := pgdisk.PageOffset(page, id); err == nil && (was == o || was != 0 && !own) {
			return false, true, nil
		}
	}
	page, err := m.patch(g, at.Page)
	if err != nil || page == nil {
		return false, err != nil, err
	}
	return true, true, pgdisk.PutPageOffset(page, id, o)
}

func (m *multiXacts) putMember(o pgdisk.MultiXactOffset, member pgdisk.Member) (changed, ok bool, err error) {
	g, at := pgdisk.MembersGeometry(), pgdisk.MemberOf(o)
	if page, err := m.SLRUPage(g, at.Page); err == nil {
		if was, err := pgdisk.PageMember(page, o); err == nil && was == member {
			return false, true, nil
		}
	}
	page, err := m.patch(g, at.Page)
	if err != nil || page == nil {
		return false, err != nil, err
	}
	return true, true, pgdisk.PutPageMember(page, o, member)
}

// eachRecord visits every valid record in pg_wal, in order of position, stepping over what is damaged. The same
// record is visited once; recycled segments have none.
func (c *Cluster) eachRecord(ctx context.Context, ev *Evidence, visit func(*pgdisk.WALRecord) error) error {
	wal, err := fs.Sub(c.fsys, "pg_wal")
	if err != nil {
		return err
	}
	dir, err := pgdisk.ReadWALDir(wal, ev.WAL.SegSize)
	if err != nil {
		return nil // said in the evidence
	}
	src := pgdisk.WALSource{FS: wal, SegSize: ev.WAL.SegSize, Timeline: max(ev.WAL.Timeline, 1)}
	if ev.Control.State == ControlGood {
		src.SystemID = ev.Control.Values.SystemIdentifier
	}
	r, err := pgdisk.NewWALReader(src, 0)
	if err != nil {
		return nil
	}
	defer r.Close()
	var done pgdisk.LSN
	for _, f := range dir.Segments {
		start, end := f.Segment.Start(src.SegSize), (f.Segment.Number+1)*uint64(src.SegSize)
		for at := max(start, done); uint64(at) < end; {
			if done, err = readStretch(ctx, r, at, visit); err != nil {
				return err
			}
			at = max((done+pgdisk.BlockSize)&^(pgdisk.BlockSize-1), at+pgdisk.BlockSize)
			done = max(done, at)
		}
	}
	return nil
}

// readStretch visits the records from the first one at or behind at up to the first that is not valid, and
// returns where it stopped.
func readStretch(ctx context.Context, r *pgdisk.WALReader, at pgdisk.LSN, visit func(*pgdisk.WALRecord) error) (pgdisk.LSN, error) {
	if _, err := r.First(ctx, at); err != nil {
		return at, ctx.Err()
	}
	for {
		rec, err := r.Next(ctx)
		if err != nil {
			return max(at, r.Position()), ctx.Err()
		}
		if err := visit(rec); err != nil {
			return at, err
		}
	}
}

// trimEqual bounds the bytes in which a page differs from what was there, which can be shorter.
func trimEqual(before, after []byte) (from, to int) {
	for from < len(after) && from < len(before) && before[from] == after[from] {
		from++
	}
	to = len(after)
	if len(before) == len(after) {
		for to > from && before[to-1] == after[to-1] {
			to--
		}
	}
	return from, to
}

// allZero reports whether a page is all zeros.
func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
