package catalog

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// WALLeft is what recovery would still do to the files of a cluster.
type WALLeft struct {
	From    pgdisk.LSN // the redo point of the latest checkpoint
	To      pgdisk.LSN // the end of valid WAL
	Changes uint64     // records that change data
	Commits uint64     // transactions that commit in them

	FirstCommit, LastCommit time.Time // zero if there is none

	Doubt string // why more may be left than is counted here; empty if nothing speaks for it
}

// Nothing reports that the files are as they would be after recovery.
func (l *WALLeft) Nothing() bool { return l.Changes == 0 && l.Doubt == "" }

// String says it in words.
func (l *WALLeft) String() string {
	s := fmt.Sprintf("the WAL from %s to %s holds %d changes and %d commits that have not been replayed", l.From, l.To, l.Changes, l.Commits)
	if l.Commits > 0 {
		s += fmt.Sprintf(" (%s to %s)", l.FirstCommit.Format(time.RFC3339), l.LastCommit.Format(time.RFC3339))
	}
	if l.Doubt != "" {
		s += "; " + l.Doubt
	}
	return s
}

// UnreplayedWAL reads the WAL that recovery would replay and counts what it would change.
// After an orderly stop there should be none, and none is needed; changes behind the
// checkpoint mean all the same that pg_control is older than the rest. What else stands in the
// way of reading is in Doubt; the error is the context's.
func (c *Cluster) UnreplayedWAL(ctx context.Context) (*WALLeft, error) {
	if c.Control == nil {
		return &WALLeft{Doubt: "pg_control is lost, so that nobody knows where recovery would begin"}, nil
	}
	left := &WALLeft{From: c.Control.CheckpointCopy.Redo, To: c.Control.CheckpointCopy.Redo}
	stopped := c.Control.State == pgdisk.ShutDown
	wal, err := fs.Sub(c.fsys, "pg_wal")
	if err != nil {
		return nil, err // the name is valid
	}
	src := pgdisk.WALSource{FS: wal, SegSize: c.Control.WALSegmentSize, Timeline: max(c.Control.CheckpointCopy.ThisTimeLineID, 1), SystemID: c.Control.SystemIdentifier}
	end, err := pgdisk.FindWALEnd(ctx, src, left.From, left.add)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	switch {
	case stopped && left.Changes == 0:
		left.To = left.From
	case err != nil:
		left.Doubt = "the WAL cannot be read: " + err.Error()
	case stopped:
		left.To, left.Doubt = end.LSN, "pg_control says that the server was shut down before that: it is older than the other files"
	case end.Records == 0:
		left.Doubt = fmt.Sprintf("the WAL that recovery needs cannot be read: at %s, %s", end.Stop.LSN, end.Stop.Text)
	case end.Kind.Lossy():
		left.To, left.Doubt = end.LSN, end.Reason
	default:
		left.To = end.LSN
	}
	return left, nil
}

// add counts a record. Checkpoints, what standbys are told, and images of pages of which
// only hints changed leave the data as it is.
func (l *WALLeft) add(rec *pgdisk.WALRecord) error {
	switch rec.Rmid {
	case pgdisk.RmgrXLOG:
		if rec.Class() == "FPI" {
			l.Changes++
		}
		return nil
	case pgdisk.RmgrStandby, pgdisk.RmgrLogicalMessage:
		return nil
	}
	l.Changes++
	if x, ok, _ := rec.WALXact(); ok && x.Kind.Commit() { // kind and time are there even if the rest is not
		l.Commits++
		if l.FirstCommit.IsZero() {
			l.FirstCommit = x.Time
		}
		l.LastCommit = x.Time
	}
	return nil
}
