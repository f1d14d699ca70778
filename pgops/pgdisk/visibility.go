package pgdisk

import "fmt"

// Fate says what became of a tuple in a cluster where nothing runs: what a server would find
// after recovery, with every transaction that did not commit taken as aborted.
type Fate uint8

// Fates of tuples.
const (
	FateVisible     Fate = iota + 1 // the current version of a row
	FateNotInserted                 // its inserting transaction did not commit
	FateDeleted                     // deleted or superseded by a transaction that committed
)

// String gives the fate in words.
func (f Fate) String() string {
	switch f {
	case FateVisible:
		return "visible"
	case FateNotInserted:
		return "not inserted"
	case FateDeleted:
		return "deleted"
	}
	return fmt.Sprintf("fate %d", uint8(f))
}

// Verdict is the fate of a tuple and how sure it is.
type Verdict struct {
	Fate     Fate
	Doubtful bool   // taken without proof: pg_xact or a multixact could not tell
	Why      string // of a doubtful verdict: what could not be read
}

// Visibility tells the fate of tuples from hint bits, and where those are not set from
// pg_xact and the multixacts. The zero value goes by hint bits alone.
type Visibility struct {
	Xact    XactStatusFunc                        // nil: pg_xact is lost
	Members func(m MultiXactID) ([]Member, error) // nil: multixacts are lost
}

// Judge tells the fate of a tuple (HeapTupleSatisfiesMVCC, access/heap/heapam_visibility.c,
// with a snapshot in which nothing runs).
//
// Prepared transactions count as not committed, as they do for a server until someone
// decides them. What cannot be told is taken in favour of the row: visible and doubtful.
// An entry of pg_xact that was wiped to zero reads as "in progress" and is believed here.
// Where the hint bits suffice nothing is allocated and neither function is called.
func (v Visibility) Judge(h TupleHeader) Verdict {
	var doubt string
	if h.Infomask&HeapXminCommitted == 0 {
		if h.Infomask&HeapXminInvalid != 0 {
			return Verdict{Fate: FateNotInserted}
		}
		verdict, inserted := v.judgeXmin(h)
		if !inserted {
			return verdict
		}
		doubt = verdict.Why
	}
	if h.XmaxInvalid() || h.XmaxLockedOnly() {
		return v.visible(h, doubt)
	}
	switch verdict := v.judgeXmax(h); {
	case verdict.Fate == FateDeleted:
		return verdict
	case doubt == "":
		doubt = verdict.Why
	}
	if doubt != "" && h.Xmax == h.Xmin && !h.XmaxIsMulti() {
		return Verdict{Fate: FateDeleted, Doubtful: true, Why: doubt} // by the transaction that inserted it
	}
	return v.visible(h, doubt)
}

// visible is the verdict on a tuple that nobody deleted. A speculative insertion is confirmed
// before its transaction commits (heap_finish_speculative, access/heap/heapam.c).
func (v Visibility) visible(h TupleHeader, doubt string) Verdict {
	if h.CTID.Item == SpecTokenItem && doubt == "" {
		doubt = "a speculative insertion that was not confirmed"
	}
	return Verdict{Fate: FateVisible, Doubtful: doubt != "", Why: doubt}
}

// judgeXmin tells whether a tuple without a hint bit for xmin was inserted; if so, the verdict
// has only a doubt.
func (v Visibility) judgeXmin(h TupleHeader) (verdict Verdict, inserted bool) {
	switch {
	case h.Infomask&HeapMovedOff != 0:
		o := v.outcome(XID(h.Field3))
		if o.known && o.committed {
			return Verdict{Fate: FateDeleted}, false
		}
		return Verdict{Why: o.why}, true
	case h.Infomask&HeapMovedIn != 0:
		return insertedBy(v.outcome(XID(h.Field3)))
	}
	return insertedBy(v.outcome(h.Xmin))
}

func insertedBy(o outcome) (Verdict, bool) {
	if o.known && !o.committed {
		return Verdict{Fate: FateNotInserted, Doubtful: o.why != "", Why: o.why}, false
	}
	return Verdict{Why: o.why}, true
}

// judgeXmax tells whether the tuple was deleted by an xmax that counts and is no lock.
func (v Visibility) judgeXmax(h TupleHeader) Verdict {
	if h.XmaxIsMulti() {
		return v.judgeMulti(MultiXactID(h.Xmax))
	}
	if h.XmaxCommitted() {
		return Verdict{Fate: FateDeleted}
	}
	o := v.outcome(h.Xmax)
	if o.known && o.committed {
		return Verdict{Fate: FateDeleted}
	}
	return Verdict{Fate: FateVisible, Why: o.why}
}

// judgeMulti looks for the member that updated the tuple (HeapTupleGetUpdateXid). Only tuples
// that are not merely locked get here, so there must be one.
func (v Visibility) judgeMulti(m MultiXactID) Verdict {
	if v.Members == nil {
		return Verdict{Fate: FateVisible, Why: "multixacts are lost"}
	}
	members, err := v.Members(m)
	if err != nil {
		return Verdict{Fate: FateVisible, Why: err.Error()}
	}
	why := ""
	updaters := 0
	for _, member := range members {
		if !member.Status.IsUpdate() {
			continue
		}
		updaters++
		o := v.outcome(member.XID)
		if o.known && o.committed {
			return Verdict{Fate: FateDeleted}
		}
		why = o.why
	}
	if updaters == 0 {
		why = fmt.Sprintf("multixact %d has no member that updated the row", m)
	}
	return Verdict{Fate: FateVisible, Why: why}
}

// outcome is how a transaction ended; why says what makes it doubtful.
type outcome struct {
	committed, known bool
	why              string
}

// outcome asks pg_xact (TransactionIdDidCommit, access/transam/transam.c). What is decided by
// a parent counts as not committed: the parent was known to pg_subtrans alone, which does not
// outlive the server.
func (v Visibility) outcome(x XID) outcome {
	switch {
	case x == InvalidXID:
		return outcome{known: true}
	case !x.Normal(): // BootstrapXID, FrozenXID
		return outcome{committed: true, known: true}
	case v.Xact == nil:
		return outcome{why: "pg_xact is lost"}
	}
	status, err := v.Xact(x)
	switch {
	case err != nil:
		return outcome{why: err.Error()}
	case status == XactSubCommitted:
		return outcome{known: true, why: fmt.Sprintf("transaction %d is sub-committed: its parent is not known", x)}
	}
	return outcome{committed: status == XactCommitted, known: true}
}
