package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruMulti is what the SLRU directories know of a multixact.
type slruMulti struct {
	Multi    pgdisk.MultiXactID `json:"multixact"`
	Offset   *slruEntry         `json:"offset,omitempty"`
	Next     *slruEntry         `json:"next_offset,omitempty"` // of the following multixact: where the members end
	Members  []slruMember       `json:"members"`
	Notes    []string           `json:"notes,omitempty"`
	Findings []string           `json:"findings,omitempty"`
}

// slruEntry is an entry of the offsets.
type slruEntry struct {
	slruPlace
	Value uint32 `json:"value"`
}

type slruMember struct {
	XID    pgdisk.XID `json:"xid"`
	Status string     `json:"status"`
	slruPlace
	XIDByte int64 `json:"xid_byte"` // Byte is that of the status
}

// SLRUMultiXact tells the members of a multixact and where they lie. A fault is a finding.
func SLRUMultiXact(ctx context.Context, src SLRUSource, m pgdisk.MultiXactID, asJSON bool, w io.Writer) (findings int, err error) {
	next, nextOffset, err := slruMultiEnds(ctx, src)
	if err != nil {
		return 0, err
	}
	pages := pgdisk.NewSLRUFiles(src.FS)
	a := &slruMulti{Multi: m, Offset: slruOffset(pages, m), Members: []slruMember{}}
	if m.Next() != next {
		a.Next = slruOffset(pages, m.Next())
	}
	if src.control() != nil && m.Precedes(src.Control.CheckpointCopy.OldestMulti) {
		a.Notes = append(a.Notes, fmt.Sprintf("older than oldestMultiXid %d: no row may refer to it any more", src.Control.CheckpointCopy.OldestMulti))
	}
	members, err := pgdisk.ReadMultiXact(pages, m, next, nextOffset)
	var fault *pgdisk.MultiXactError
	if errors.As(err, &fault) {
		a.Findings = append(a.Findings, fault.Error())
	} else if err != nil {
		return 0, err
	}
	if a.Offset != nil {
		a.place(pgdisk.MultiXactOffset(a.Offset.Value), members)
	}
	p := newSLRUPrinter(w, asJSON)
	if asJSON {
		p.object(a)
	} else {
		a.print(p)
	}
	return len(a.Findings), p.err
}

// place gives each member its bytes; slot 0 is skipped as reading skips it.
func (a *slruMulti) place(at pgdisk.MultiXactOffset, members []pgdisk.Member) {
	for _, member := range members {
		if at == 0 && member.XID == pgdisk.InvalidXID {
			at++
		}
		l := pgdisk.MemberOf(at)
		a.Members = append(a.Members, slruMember{XID: member.XID, Status: member.Status.String(),
			slruPlace: slruPlace{File: l.Path(), Page: uint64(l.Page), Byte: l.FlagByte}, XIDByte: l.XIDByte})
		at++
	}
}

func slruOffset(pages pgdisk.SLRUPages, m pgdisk.MultiXactID) *slruEntry {
	l := pgdisk.OffsetOf(m)
	page, err := pages.SLRUPage(pgdisk.OffsetsGeometry(), l.Page)
	if err != nil {
		return nil // the reading of the members says why
	}
	o, err := pgdisk.PageOffset(page, m)
	if err != nil {
		return nil
	}
	return &slruEntry{slruPlace: slruPlace{File: l.Path(), Page: uint64(l.Page), Byte: l.Byte}, Value: uint32(o)}
}

// slruMultiEnds returns the next multixact and the next member to be given out: pg_control's
// after an orderly stop. Otherwise pg_control is behind, or not there, and what the files hold
// decides where that is more.
func slruMultiEnds(ctx context.Context, src SLRUSource) (next pgdisk.MultiXactID, nextOffset pgdisk.MultiXactOffset, err error) {
	if src.control() != nil {
		next, nextOffset = src.Control.CheckpointCopy.NextMulti, src.Control.CheckpointCopy.NextMultiOffset
	}
	if src.clean() {
		return next, nextOffset, nil
	}
	offsets, err := pgdisk.SurveySLRU(ctx, src.FS, pgdisk.OffsetsGeometry())
	if err != nil {
		return 0, 0, err
	}
	members, err := pgdisk.SurveySLRU(ctx, src.FS, pgdisk.MembersGeometry())
	if err != nil {
		return 0, 0, err
	}
	if end := pgdisk.MultiXactOffset(members.LastUsed + 1); members.Used && (src.control() == nil || int32(end-nextOffset) > 0) {
		nextOffset = end
	}
	last := pgdisk.MultiXactID(offsets.LastUsed)
	if !offsets.Used || src.control() != nil && last.Precedes(next) {
		return next, nextOffset, nil
	}
	next = last.Next()
	// Minor versions since the end of 2025 write the entry of the next multixact ahead.
	if e := slruOffset(pgdisk.NewSLRUFiles(src.FS), last); e != nil && e.Value == uint32(nextOffset) {
		next = last
	}
	return next, nextOffset, nil
}

func (a *slruMulti) print(p *slruPrinter) {
	p.line("multixact %d: %s", a.Multi, slruCount(len(a.Members), "member"))
	for _, e := range []struct {
		name string
		*slruEntry
	}{{"offset", a.Offset}, {"next offset", a.Next}} {
		if e.slruEntry != nil {
			p.line("  %s %d: %s, page %d, byte %d", e.name, e.Value, e.File, e.Page, e.Byte)
		}
	}
	for _, m := range a.Members {
		p.line("  member %d %s: %s, page %d, status at byte %d, id at byte %d", m.XID, m.Status, m.File, m.Page, m.Byte, m.XIDByte)
	}
	for _, f := range a.Findings {
		p.line("  FINDING %s", f)
	}
	for _, n := range a.Notes {
		p.line("  note %s", n)
	}
}
