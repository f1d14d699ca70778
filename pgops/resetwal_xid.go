package pgops

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// xactPage and xactSegment are the numbers of transactions on a pg_xact page and in a file.
const (
	xactPage    = 4 * pgdisk.BlockSize
	xactSegment = xactPage * pgdisk.SLRUPagesPerSegment
)

// farApart is how far two transaction ids may lie apart before their order on the circle is
// lost, less the ids that the server keeps in reserve (SetTransactionIdLimit, varsup.c).
const farApart = 1<<31 - 3_000_000

// claim is what one source says must be the next id at least.
type claim[T ~uint32 | ~uint64] struct {
	next T
	text string
}

// xidClaims collects what every source says about the next transaction id.
func (r *resetting) xidClaims() []claim[pgdisk.XID] {
	var claims []claim[pgdisk.XID]
	say := func(next pgdisk.XID, format string, args ...any) {
		claims = append(claims, claim[pgdisk.XID]{next, fmt.Sprintf(format, args...)})
	}
	ev := r.ev
	if r.control != nil {
		say(r.control.CheckpointCopy.NextXID.XID(), "pg_control: NextXID %s at the last checkpoint", r.control.CheckpointCopy.NextXID)
	}
	if ev.WAL.HaveXID {
		say(ev.WAL.NextXID.XID(), "pg_wal: %d records from %s to %s leave %d as the next transaction id", ev.WAL.Records+ev.WAL.Beyond, ev.WAL.From, ev.WAL.End, ev.WAL.NextXID.XID())
	}
	if ev.Xact.Used {
		say(pgdisk.XID(ev.Xact.LastUsed)+1, "pg_xact: last entry that is not zero is %d", ev.Xact.LastUsed)
	}
	if ev.Pages.MaxXID != 0 {
		say(ev.Pages.MaxXID+1, "tuples: highest transaction id is %d (%s)", ev.Pages.MaxXID, ev.Pages.MaxXIDAt)
	}
	for _, x := range ev.Files.Prepared {
		say(x+1, "pg_twophase: transaction %d is prepared", x)
	}
	return claims
}

// baseXID anchors 32-bit ids to an epoch: pg_control, else the newest checkpoint record in WAL, else
// the operator's word, else epoch 0.
func (r *resetting) baseXID() (pgdisk.FullXID, string, Confidence) {
	switch {
	case r.opt.Epoch != nil:
		return pgdisk.FullXID(*r.opt.Epoch)<<32 | pgdisk.FullXID(r.anyXID()), "given by the operator", Firm
	case r.control != nil:
		return r.control.CheckpointCopy.NextXID, "pg_control", Firm
	case r.ev.WAL.HaveXID && r.ev.WAL.EpochKnown:
		return r.ev.WAL.NextXID, "checkpoint record in pg_wal", Derived
	}
	return pgdisk.FullXID(r.anyXID()), "nothing tells it: 0 assumed", Weak
}

// anyXID is some id near the newest, to measure distances on the circle from.
func (r *resetting) anyXID() pgdisk.XID {
	switch {
	case r.control != nil:
		return r.control.CheckpointCopy.NextXID.XID()
	case r.ev.WAL.HaveXID:
		return r.ev.WAL.NextXID.XID()
	case r.ev.Xact.Files > 0:
		return pgdisk.XID(r.ev.Xact.AllocatedEnd - 1)
	}
	return r.ev.Pages.MaxXID
}

// nextXID decides -x and -e together: the id can pass 2^32 when it is rounded up.
func (r *resetting) nextXID() error {
	claims := r.xidClaims()
	if len(claims) == 0 {
		return fmt.Errorf("next transaction id: no pg_control, no pg_xact, no WAL and no tuple tells anything; restore one of them, a value cannot be guessed safely")
	}
	base, epochFrom, epochConfidence := r.baseXID()
	truth := base
	if r.control == nil {
		truth = 0
	}
	p := Param{Switch: switchXID, Name: "next transaction id", Confidence: Firm,
		IfWrong: "Too low: the server erases the fate of every transaction behind it at its next start, and new transactions share ids with rows that exist. More than 2147483648 ahead of the rows: everything looks as if it were from the future."}
	for _, c := range claims {
		truth = max(truth, advance(base, c.next))
		p.Evidence = append(p.Evidence, c.text)
	}
	if truth.XID() < pgdisk.FirstNormalXID {
		truth += pgdisk.FullXID(pgdisk.FirstNormalXID - truth.XID())
	}
	next := truth
	if r.control != nil && truth == r.control.CheckpointCopy.NextXID && (truth%xactPage == 0 || r.ev.Xact.holds(uint64(truth.XID()))) {
		p.Why = "not passed: pg_resetwal keeps pg_control's value, and nothing newer was found"
		p.Formula, p.Margin = "as in pg_control", "none needed"
	} else {
		next = r.roundXID(&p, truth)
	}
	p.Value = fmt.Sprint(uint32(next.XID()))
	r.plan.Outcome.NextXID = next
	r.add(p)
	r.epoch(next, epochFrom, epochConfidence)
	return r.checkSpan(next)
}

// roundXID moves the id to the start of a page, behind everything that was allocated when WAL cannot
// vouch for the end.
func (r *resetting) roundXID(p *Param, truth pgdisk.FullXID) pgdisk.FullXID {
	p.Given = true
	p.Why = "ids were given out after the last checkpoint, which pg_control does not know"
	unit, floor := pgdisk.FullXID(xactPage), truth
	p.Formula = fmt.Sprintf("highest of the above, up to the next multiple of %d (one pg_xact page, so that the server erases nothing)", xactPage)
	if !r.walVouches() {
		unit, p.Confidence = xactSegment, Derived
		p.Why = "pg_control or WAL does not tell where the ids end"
		p.Formula = fmt.Sprintf("(newest pg_xact file + 1) * %#x", xactSegment)
		if r.ev.Xact.Files > 0 {
			floor = max(floor, advance(truth, pgdisk.XID(r.ev.Xact.AllocatedEnd-1))+1)
		}
	}
	next := (floor + unit - 1) / unit * unit
	p.Margin = fmt.Sprintf("%d ids", next-truth)
	if next.XID() == 0 {
		next += pgdisk.FullXID(pgdisk.FirstNormalXID)
		p.Formula += "; that is 2^32, so it wraps around to 3 and the epoch grows by one"
		r.createPage(pgdisk.XactGeometry(), r.ev.Xact, "the first pg_xact page must exist, because 3 is not the start of a page")
	}
	return next
}

// walVouches reports that pg_control and WAL together know every id that reached a data file.
func (r *resetting) walVouches() bool {
	return r.control != nil && (r.control.State.Clean() || r.ev.WAL.Scanned && !r.ev.WAL.Damaged)
}

func (r *resetting) epoch(next pgdisk.FullXID, from string, c Confidence) {
	p := Param{Switch: switchEpoch, Name: "epoch of the next transaction id", Value: fmt.Sprint(next.Epoch()), Confidence: c,
		Evidence: []string{"epoch: " + from},
		Formula:  "last known epoch, plus one when the ids have passed 4294967295 since",
		Margin:   "none",
		IfWrong:  "Too low: 64-bit transaction ids go backwards, which confuses logical replication, xid8 columns and outbox tables. The 32-bit ids in tuples are not affected."}
	switch {
	case r.control != nil && next.Epoch() == r.control.CheckpointCopy.NextXID.Epoch():
		p.Why = "not passed: pg_resetwal keeps pg_control's epoch"
	case r.control != nil:
		p.Given, p.Why = true, "the ids wrap around between pg_control's value and the new one"
	default:
		p.Given, p.Why = true, "pg_resetwal would take the epoch of a pg_control that cannot be believed, or 0"
	}
	r.add(p)
}

// checkSpan refuses a next id from which the oldest could no longer be told from the future.
func (r *resetting) checkSpan(next pgdisk.FullXID) error {
	oldest := r.plan.Outcome.OldestXID
	if span := uint32(next.XID() - oldest); span > farApart {
		return fmt.Errorf("transaction ids: oldest %d and next %d are %d apart, more than half of the circle: one of pg_xact's files or pg_control is not this cluster's", oldest, next.XID(), span)
	}
	return nil
}

// oldestXID decides -u.
func (r *resetting) oldestXID() error {
	p := Param{Switch: switchOldest, Name: "oldest transaction id", Confidence: Firm, Margin: "none: the oldest id is never in doubt upwards",
		IfWrong: "Too high: the next vacuum removes pg_xact files that rows still need. Too low: the server refuses commands early for fear of wraparound."}
	db, xact := r.ev.Databases, r.ev.Xact
	if db.MinFrozenXID != 0 {
		p.Evidence = append(p.Evidence, fmt.Sprintf("pg_database: oldest datfrozenxid is %d (%s)", db.MinFrozenXID, db.MinFrozenOf))
	}
	if xact.Files > 0 {
		p.Evidence = append(p.Evidence, fmt.Sprintf("pg_xact: oldest file %s starts at %d", xact.Oldest, xact.FirstID))
	}
	var oldest pgdisk.XID
	switch {
	case r.control != nil:
		oldest = r.control.CheckpointCopy.OldestXID
		p.Evidence = append([]string{fmt.Sprintf("pg_control: oldestXID %d", oldest)}, p.Evidence...)
		p.Formula, p.Why = "as in pg_control", "not passed: pg_resetwal keeps pg_control's value"
	case db.MinFrozenXID != 0:
		oldest, p.Given, p.Formula = db.MinFrozenXID, true, "the oldest datfrozenxid of all databases, which is its definition"
		p.Why, p.Confidence = "pg_control does not tell it", Derived
	case xact.Files > 0:
		oldest, p.Given = max(pgdisk.XID(xact.FirstID), pgdisk.FirstNormalXID), true
		p.Formula = fmt.Sprintf("oldest pg_xact file * %#x, but at least 3", xactSegment)
		p.Why, p.Confidence = "pg_control does not tell it", Derived
	default:
		return fmt.Errorf("oldest transaction id: pg_control, pg_database and pg_xact are all unreadable; restore pg_xact, a value cannot be guessed safely")
	}
	p.Value = fmt.Sprint(uint32(oldest))
	r.plan.Outcome.OldestXID = oldest
	if r.opt.Tool.known() && !r.opt.Tool.OldestXID {
		r.withoutOldest(&p)
	}
	r.add(p)
	return nil
}

// withoutOldest explains what binaries from before August 2021 do: they set oldestXid themselves
// whenever -x is passed.
func (r *resetting) withoutOldest(p *Param) {
	p.Given = false
	p.Why = fmt.Sprintf("not passed: pg_resetwal %s has no such switch", r.opt.Tool.Version)
	r.warn("pg_resetwal %s sets the oldest transaction id to 2000000000 before the next one whenever -x is passed: at its next start the server vacuums every table against wraparound, even with autovacuum off. Use an image with a newer minor release.", r.opt.Tool.Version)
}
