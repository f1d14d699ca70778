package unload

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruCachePages bounds the pages that are kept of each SLRU directory: of pg_xact, 8 million
// transactions.
const slruCachePages = 256

// slruCache keeps pages of SLRU directories, also those that cannot be had.
type slruCache struct {
	files *pgdisk.SLRUFiles
	pages map[slruKey]slruEntry
}

type slruKey struct {
	dir  string
	page pgdisk.PageNo
}

type slruEntry struct {
	data []byte
	err  error
}

var _ pgdisk.SLRUPages = (*slruCache)(nil)

// SLRUPage returns one page.
func (c *slruCache) SLRUPage(g pgdisk.Geometry, p pgdisk.PageNo) ([]byte, error) {
	key := slruKey{g.Dir, p}
	if e, ok := c.pages[key]; ok {
		return e.data, e.err
	}
	data, err := c.files.SLRUPage(g, p)
	if len(c.pages) >= 3*slruCachePages {
		clear(c.pages)
	}
	e := slruEntry{data: append([]byte(nil), data...), err: err}
	c.pages[key] = e
	return e.data, e.err
}

// xacts tells fates for one worker. Rows of one transaction lie together, so the last answer
// is the most likely next one.
type xacts struct {
	pgdisk.Visibility
	pages  *slruCache
	last   pgdisk.XID
	status pgdisk.XactStatus
}

func newXacts(src *source) *xacts {
	x := &xacts{pages: &slruCache{files: pgdisk.NewSLRUFiles(src.fsys), pages: map[slruKey]slruEntry{}}}
	if src.noXact {
		return x
	}
	x.Xact = x.statusOf
	x.Members = func(m pgdisk.MultiXactID) ([]pgdisk.Member, error) {
		return pgdisk.ReadMultiXact(x.pages, m, src.next, src.nextOff)
	}
	return x
}

func (x *xacts) statusOf(xid pgdisk.XID) (pgdisk.XactStatus, error) {
	if xid == x.last && xid != pgdisk.InvalidXID {
		return x.status, nil
	}
	s, err := pgdisk.ReadXactStatus(x.pages, xid)
	if err == nil {
		x.last, x.status = xid, s
	}
	return s, err
}

// judge tells the fate of the tuple at hand. Hint bits are not believed of transactions that
// cannot have been: begun after the cluster was shut down, or so old that they must be
// frozen by now.
func (w *worker) judge() pgdisk.Verdict {
	h := w.tuple.TupleHeader
	v := w.xacts.Judge(h)
	if v.Doubtful || v.Fate == pgdisk.FateNotInserted {
		return v
	}
	switch next, frozen := w.src.nextXID, w.table.frozenXID; {
	case h.XminFrozen() || !h.Xmin.Normal():
	case next != 0 && !h.Xmin.Precedes(next):
		v.Doubtful, v.Why = true, fmt.Sprintf("xmin %d was not given out yet: the next transaction is %d", h.Xmin, next)
	case frozen != 0 && h.Xmin.Precedes(frozen):
		v.Doubtful, v.Why = true, fmt.Sprintf("xmin %d is from before relfrozenxid %d", h.Xmin, frozen)
	}
	if v.Fate == pgdisk.FateDeleted && !v.Doubtful && !h.XmaxIsMulti() && w.src.nextXID != 0 && h.Xmax.Normal() && !h.Xmax.Precedes(w.src.nextXID) {
		v.Doubtful, v.Why = true, fmt.Sprintf("xmax %d was not given out yet: the next transaction is %d", h.Xmax, w.src.nextXID)
	}
	return v
}
