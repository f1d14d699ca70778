package pgops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

const (
	xactsPerPage = 32768 // CLOG_XACTS_PER_PAGE, access/transam/clog.c
	minBlank     = 256   // transactions without any fate that are no coincidence
	maxBlank     = 200   // blank pages that are listed
)

// scanBlankXact looks for pages of pg_xact on which no transaction ever ended, among those
// that pg_control says are in use. A page that was lost and came back as zeros looks like
// this: everything on it counts as never committed, and its rows are gone from sight
// without any error. A transaction that was running with hundreds of subtransactions does
// too, so it is said, not judged.
func (c *Cluster) scanBlankXact(ctx context.Context, ev *Evidence) error {
	if ev.Control.Values == nil {
		return nil
	}
	first, next := ev.Control.Values.CheckpointCopy.OldestXID, ev.Control.Values.CheckpointCopy.NextXID.XID()
	if !first.Normal() || !next.Normal() || !first.Precedes(next) {
		return nil
	}
	g := pgdisk.XactGeometry()
	for left, at := uint32(next-first), first; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(left, xactsPerPage-uint32(at)%xactsPerPage)
		segment := uint64(at) / xactsPerPage / pgdisk.SLRUPagesPerSegment
		page := uint64(at) / xactsPerPage % pgdisk.SLRUPagesPerSegment
		data, err := readSmall(c.fsys, fmt.Sprintf("%s/%04X", g.Dir, segment), pgdisk.SLRUSegmentSize)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if blankXacts(data, int(page)*pgdisk.BlockSize, uint32(at)%xactsPerPage, n) && len(ev.Xact.Blank) < maxBlank {
			ev.Xact.Blank = append(ev.Xact.Blank, BlankXacts{First: at, Count: n})
		}
		left -= n
		at += pgdisk.XID(n)
	}
	return nil
}

// BlankXacts is a run of transactions on one page of pg_xact none of which has a fate.
type BlankXacts struct {
	First pgdisk.XID
	Count uint32
}

// blankXacts reports whether count entries of the page at offset, from the entry-th on, are
// all zero. A page that is not there at all is the business of others.
func blankXacts(data []byte, offset int, entry, count uint32) bool {
	if count < minBlank || offset+pgdisk.BlockSize > len(data) {
		return false
	}
	page := data[offset : offset+pgdisk.BlockSize]
	for e := entry; e < entry+count; e++ {
		if page[e/4]>>(e%4*2)&3 != 0 {
			return false
		}
	}
	return true
}

// blankXact warns of transactions whose fate may have been wiped.
func (r *resetting) blankXact() {
	for _, b := range r.ev.Xact.Blank {
		r.warn("pg_xact says of none of the %d transactions from %d on that it ended: either one transaction with as many subtransactions was running, or their fate was wiped, and then every row they wrote is out of sight, without any error, and every row they deleted is back", b.Count, uint32(b.First))
	}
}
