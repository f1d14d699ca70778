package pgops

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// ContradictionKind names a pair of sources that cannot both be right.
type ContradictionKind string

// The kinds.
const (
	ContradictMajor      ContradictionKind = "major"  // PG_VERSION, pg_control and WAL name different majors
	ContradictSystem     ContradictionKind = "system" // pg_control and WAL name different clusters
	ContradictSegSize    ContradictionKind = "segment-size"
	ContradictCheckpoint ContradictionKind = "checkpoint"  // pg_control's checkpoint lies behind all of pg_wal
	ContradictShutdown   ContradictionKind = "shutdown"    // pg_control says shut down, WAL goes on
	ContradictXactEnd    ContradictionKind = "xact-end"    // pg_xact ends before pg_control's next id
	ContradictXactStart  ContradictionKind = "xact-start"  // pg_xact starts after the oldest id in use
	ContradictXactAhead  ContradictionKind = "xact-ahead"  // pg_xact knows transactions that pg_control and WAL do not
	ContradictFrozen     ContradictionKind = "frozen"      // a database is older than pg_control's oldest id
	ContradictPageLSN    ContradictionKind = "page-lsn"    // pages from beyond the end of pg_wal
	ContradictTupleXID   ContradictionKind = "tuple-xid"   // tuples from transactions that WAL does not know
	ContradictTupleMulti ContradictionKind = "tuple-multi" // the same for multixacts
)

// Contradiction is one such pair, in words.
type Contradiction struct {
	Kind  ContradictionKind
	One   string // what the first source says
	Other string // what the second says
	Means string // what may have happened
	Next  string // what to do about it
}

func (c Contradiction) String() string {
	return fmt.Sprintf("%s: %s, but %s. %s %s", c.Kind, c.One, c.Other, c.Means, c.Next)
}

// ContradictionError stops a plan: values computed from sources that cannot all be right would be
// wrong in a way that nobody sees. ResetOptions.Accept lets a person overrule it by kind.
type ContradictionError struct {
	Contradictions []Contradiction
}

func (e *ContradictionError) Error() string {
	lines := make([]string, len(e.Contradictions))
	for i, c := range e.Contradictions {
		lines[i] = c.String()
	}
	return "sources contradict each other: " + strings.Join(lines, "; ")
}

// contradictions stops on those that were not accepted.
func (r *resetting) contradictions() error {
	var open []Contradiction
	for _, check := range []func() *Contradiction{
		r.majors, r.systemIDs, r.segSizes, r.checkpointBehind, r.shutdownButGoesOn, r.xactEnd, r.xactStart, r.xactAhead,
		r.frozen, r.pageLSN, r.tupleXID, r.tupleMulti,
	} {
		switch c := check(); {
		case c == nil:
		case slices.Contains(r.opt.Accept, c.Kind):
			r.plan.Overrode = append(r.plan.Overrode, c.Kind)
			r.warn("accepted contradiction %s", c)
		default:
			open = append(open, *c)
		}
	}
	if len(open) > 0 {
		return &ContradictionError{Contradictions: open}
	}
	return nil
}

func (r *resetting) majors() *Contradiction {
	ev := r.ev
	one := fmt.Sprintf("%s says PostgreSQL %d", ev.MajorFrom, ev.Major)
	means := "A directory was mixed from two clusters, or an upgrade stopped half-way."
	next := "Find out which major the base directory belongs to before anything else; pg_resetwal obeys PG_VERSION."
	if c := r.control; c != nil && c.Major() != ev.Major {
		return &Contradiction{ContradictMajor, one, fmt.Sprintf("pg_control is of PostgreSQL %d", c.Major()), means, next}
	}
	for major := range ev.WAL.Majors {
		if major != ev.Major {
			return &Contradiction{ContradictMajor, one, fmt.Sprintf("%d files in pg_wal are of PostgreSQL %d", ev.WAL.Majors[major], major), means, next}
		}
	}
	return nil
}

// systems lists the system identifiers in WAL.
func (r *resetting) systems() string {
	ids := make([]string, 0, len(r.ev.WAL.Systems))
	for id := range r.ev.WAL.Systems {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return strings.Join(ids, ", ")
}

func (r *resetting) systemIDs() *Contradiction {
	own := ""
	if r.control != nil {
		own = strconv.FormatUint(r.control.SystemIdentifier, 10)
	}
	for id := range r.ev.WAL.Systems {
		if own != "" && id != own {
			return &Contradiction{ContradictSystem, "pg_control has system identifier " + own, "pg_wal has segments of " + r.systems(),
				"WAL of another cluster was copied in, or pg_control was.", "Move the foreign segments out of pg_wal, or restore this cluster's own pg_control."}
		}
	}
	if own == "" && len(r.ev.WAL.Systems) > 1 {
		return &Contradiction{ContradictSystem, "pg_control cannot be believed", "pg_wal has segments of several clusters: " + r.systems(),
			"WAL of another cluster was copied in.", "Move the foreign segments out of pg_wal."}
	}
	return nil
}

func (r *resetting) segSizes() *Contradiction {
	if r.control == nil || r.ev.WAL.SegSize == 0 || r.ev.WAL.SegSize == r.control.WALSegmentSize {
		return nil
	}
	return &Contradiction{ContradictSegSize, fmt.Sprintf("pg_control has WAL segments of %d bytes", r.control.WALSegmentSize),
		fmt.Sprintf("the segments themselves say %d", r.ev.WAL.SegSize),
		"pg_control or pg_wal is not this cluster's, or an earlier reset changed the size.", "Compare with a backup; file names mean other positions with another size."}
}

func (r *resetting) checkpointBehind() *Contradiction {
	w := r.ev.WAL
	if r.control == nil || w.Files == 0 || w.SegSize == 0 || uint64(r.control.Checkpoint)/uint64(w.SegSize) <= w.LastSegment {
		return nil
	}
	return &Contradiction{ContradictCheckpoint, fmt.Sprintf("pg_control has its checkpoint at %s", r.control.Checkpoint), "the highest segment in pg_wal is " + w.LastFile,
		"pg_wal comes from an older copy, or its newest segments were lost.", "Put the missing segments back if an archive or a standby has them: with them no reset may be needed."}
}

func (r *resetting) shutdownButGoesOn() *Contradiction {
	w := r.ev.WAL
	if r.control == nil || r.control.State != pgdisk.ShutDown || !w.Scanned || w.Records <= 1 {
		return nil
	}
	return &Contradiction{ContradictShutdown, fmt.Sprintf("pg_control says that the cluster was shut down in order at %s", r.control.Checkpoint),
		fmt.Sprintf("pg_wal goes on with %d records up to %s", w.Records-1, w.End),
		"An old pg_control was copied over the current one.", "Restore the current pg_control; starting or resetting with the old one forgets everything since."}
}

func (r *resetting) xactEnd() *Contradiction {
	x := r.ev.Xact
	if r.control == nil {
		return nil
	}
	next := r.control.CheckpointCopy.NextXID.XID()
	if next%xactPage == 0 || x.holds(uint64(next)) {
		return nil
	}
	return &Contradiction{ContradictXactEnd, fmt.Sprintf("pg_control has %d as the next transaction id", next), x.span() + fmt.Sprintf(", up to transaction %d", x.AllocatedEnd),
		"Files of pg_xact are lost or cut, or pg_control comes from another time.", "Restore pg_xact first: without it nobody knows which transactions committed, and rows vanish or come back."}
}

func (r *resetting) xactStart() *Contradiction {
	x := r.ev.Xact
	if r.control == nil || x.Files == 0 || x.holds(uint64(r.control.CheckpointCopy.OldestXID)) {
		return nil
	}
	return &Contradiction{ContradictXactStart, fmt.Sprintf("pg_control has %d as the oldest transaction id in use", r.control.CheckpointCopy.OldestXID),
		fmt.Sprintf("%s, from transaction %d", x.span(), x.FirstID),
		"The oldest files of pg_xact are lost.", "Restore them from a backup or a standby: they never change once they are full."}
}

// known is the highest next transaction id that pg_control and WAL vouch for together.
func (r *resetting) known() pgdisk.XID {
	known := r.control.CheckpointCopy.NextXID.XID()
	if r.ev.WAL.HaveXID {
		known = later(known, r.ev.WAL.NextXID.XID())
	}
	return known
}

func (r *resetting) xactAhead() *Contradiction {
	if !r.ev.Xact.Used || !r.walVouches() {
		return nil
	}
	last := pgdisk.XID(r.ev.Xact.LastUsed)
	if beyond := int32(last - r.known()); beyond < xactPage {
		return nil // an abort is not flushed, so a few ids of difference mean nothing
	}
	return &Contradiction{ContradictXactAhead, fmt.Sprintf("pg_control and pg_wal together know transactions up to %d", r.known()),
		fmt.Sprintf("pg_xact holds the fate of transaction %d", last),
		"pg_control and pg_wal come from an older copy than the data.", "Restore the current ones; if there are none, accept this, and the higher id is used."}
}

func (r *resetting) frozen() *Contradiction {
	db := r.ev.Databases
	if r.control == nil || db.MinFrozenXID == 0 || !db.MinFrozenXID.Precedes(r.control.CheckpointCopy.OldestXID) {
		return nil
	}
	return &Contradiction{ContradictFrozen, fmt.Sprintf("pg_control has %d as the oldest transaction id in use", r.control.CheckpointCopy.OldestXID),
		fmt.Sprintf("database %s has rows as old as %d (datfrozenxid)", db.MinFrozenOf, db.MinFrozenXID),
		"pg_control or the global directory comes from another time.", "Compare with a backup: the lower of the two decides which pg_xact files are still needed."}
}

func (r *resetting) pageLSN() *Contradiction {
	w, m := r.ev.WAL, r.ev.Pages.MaxLSN
	if w.Files == 0 || w.SegSize == 0 || uint64(m) <= (w.LastSegment+1)*uint64(w.SegSize) {
		return nil
	}
	where := ""
	if len(r.ev.Pages.Highest) > 0 {
		where = fmt.Sprintf(" (%s block %d)", r.ev.Pages.Highest[0].Path, r.ev.Pages.Highest[0].Block)
	}
	return &Contradiction{ContradictPageLSN, "pg_wal ends with segment " + w.LastFile,
		fmt.Sprintf("%d pages have a later LSN, up to %s%s", r.ev.Pages.AfterWAL, m, where),
		"WAL was lost or replaced, or these pages are damaged or from elsewhere.", "Look at the pages: many of them mean lost WAL, one or two mean damage. Accept this to start the new WAL above them."}
}

func (r *resetting) tupleXID() *Contradiction {
	if r.ev.Pages.MaxXID == 0 || !r.walVouches() {
		return nil
	}
	if beyond := int32(r.ev.Pages.MaxXID - r.known()); beyond < 0 {
		return nil
	}
	return &Contradiction{ContradictTupleXID, fmt.Sprintf("pg_control and pg_wal together know transactions below %d", r.known()),
		fmt.Sprintf("a tuple carries %d (%s)", r.ev.Pages.MaxXID, r.ev.Pages.MaxXIDAt),
		"WAL reaches the disk before the pages it describes, so the page is damaged or from elsewhere, or WAL was lost.", "Look at the tuple; accept this to start above its id."}
}

func (r *resetting) tupleMulti() *Contradiction {
	m := r.ev.Pages.MaxMulti
	if m == 0 || !r.walVouches() {
		return nil
	}
	known := later(r.control.CheckpointCopy.NextMulti, r.ev.WAL.NextMulti)
	if int32(m-known) < 0 {
		return nil
	}
	return &Contradiction{ContradictTupleMulti, fmt.Sprintf("pg_control and pg_wal together know multixacts below %d", known),
		fmt.Sprintf("a tuple refers to multixact %d (%s)", m, r.ev.Pages.MaxMultiAt),
		"WAL reaches the disk before the pages it describes, so the page is damaged or from elsewhere, or WAL was lost.", "Look at the tuple; accept this to start above its id."}
}
