package unload

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// xacts tells fates for one worker. Rows of one transaction lie together, so the last answer
// is the most likely next one.
type xacts struct {
	pgdisk.Visibility
	ask    pgdisk.XactStatusFunc
	last   pgdisk.XID
	status pgdisk.XactStatus
}

func newXacts(v pgdisk.Visibility) *xacts {
	x := &xacts{Visibility: v, ask: v.Xact}
	if x.ask != nil {
		x.Xact = x.statusOf
	}
	return x
}

func (x *xacts) statusOf(xid pgdisk.XID) (pgdisk.XactStatus, error) {
	if xid == x.last && xid != pgdisk.InvalidXID {
		return x.status, nil
	}
	s, err := x.ask(xid)
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
