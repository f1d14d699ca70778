package pgops

import (
	"errors"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Difference is one field of pg_control that two files do not share.
type Difference struct {
	Field  string
	Ours   string
	Theirs string
	Means  string
}

// CompareWith lists where a known-good cluster's pg_control differs, and what that means. Fields that
// differ between any two moments of one cluster, such as times, are left out.
func (e Evidence) CompareWith(good *pgdisk.Control) ([]Difference, error) {
	ours := e.Control.Values
	if ours == nil {
		return nil, fmt.Errorf("compare with the known-good cluster: there is no pg_control of ours to compare: %s", e.Control.Why)
	}
	if good == nil {
		return nil, errors.New("compare with the known-good cluster: it has no pg_control")
	}
	var diffs []Difference
	note := func(field string, a, b any, means string) {
		if fmt.Sprint(a) != fmt.Sprint(b) {
			diffs = append(diffs, Difference{field, fmt.Sprint(a), fmt.Sprint(b), means})
		}
	}
	o, g := ours.CheckpointCopy, good.CheckpointCopy
	note("pg_control version number", ours.ControlVersion, good.ControlVersion, "another major release: nothing else can be compared")
	note("Catalog version number", ours.CatalogVersion, good.CatalogVersion, "another release: its catalogs are not readable by our binaries")
	note("Database system identifier", ours.SystemIdentifier, good.SystemIdentifier, "not a copy or standby of this cluster: ids and LSNs cannot be compared")
	note("Latest checkpoint's TimeLineID", o.ThisTimeLineID, g.ThisTimeLineID, "one of them was promoted since they parted")
	note("Latest checkpoint location", ours.Checkpoint, good.Checkpoint, "the one with the higher LSN is the younger, if the timeline is the same")
	note("Latest checkpoint's NextXID", o.NextXID, g.NextXID, "a good standby's value must not lie above the one that the reset sets")
	note("Latest checkpoint's NextOID", o.NextOID, g.NextOID, "as above, not critical")
	note("Latest checkpoint's NextMultiXactId", o.NextMulti, g.NextMulti, "a good standby's value must not lie above the one that the reset sets")
	note("Latest checkpoint's NextMultiOffset", o.NextMultiOffset, g.NextMultiOffset, "as above")
	note("Latest checkpoint's oldestXID", o.OldestXID, g.OldestXID, "the lower one decides which pg_xact files are needed")
	note("Latest checkpoint's oldestMultiXid", o.OldestMulti, g.OldestMulti, "the lower one decides which pg_multixact files are needed")
	note("Bytes per WAL segment", ours.WALSegmentSize, good.WALSegmentSize, "file names in pg_wal mean other positions")
	note("Database block size", ours.BlockSize, good.BlockSize, "files of one cannot be read by binaries of the other")
	note("Blocks per segment of large relation", ours.RelSegSize, good.RelSegSize, "relation files of one cannot be read by binaries of the other")
	note("Data page checksum version", ours.DataChecksumVersion, good.DataChecksumVersion, "checksums of copies agree unless pg_checksums was run on one, or pg_control was guessed")
	if ours.Major() >= 18 {
		note("Default char data signedness", ours.DefaultCharSignedness, good.DefaultCharSignedness, "the clusters were made on different kinds of machines")
	}
	return diffs, nil
}

// AfterResetError says what a reset changed that must never change.
type AfterResetError struct{ Differences []Difference }

func (e *AfterResetError) Error() string {
	s := "after the WAL reset pg_control is not what it was:"
	for _, d := range e.Differences {
		s += fmt.Sprintf(" %s was %s and is %s (%s).", d.Field, d.Ours, d.Theirs, d.Means)
	}
	return s + " Do not start the server on it; put the saved pg_control back."
}

// AssertAfterReset compares what must be the same before and after: who the cluster is and how its
// files are laid out. The result is an *AfterResetError.
func AssertAfterReset(before, after *pgdisk.Control) error {
	if before == nil || after == nil {
		return errors.New("compare pg_control before and after the WAL reset: one of the two is unreadable")
	}
	var diffs []Difference
	same := func(field string, a, b any, means string) {
		if a != b {
			diffs = append(diffs, Difference{field, fmt.Sprint(a), fmt.Sprint(b), means})
		}
	}
	same("system identifier", before.SystemIdentifier, after.SystemIdentifier, "archives, replicas and backups no longer match")
	same("data checksum version", before.DataChecksumVersion, after.DataChecksumVersion, "damage is no longer noticed, or every page is refused")
	same("bytes per WAL segment", before.WALSegmentSize, after.WALSegmentSize, "file names in archives mean other positions")
	same("catalog version", before.CatalogVersion, after.CatalogVersion, "another release wrote it")
	same("database block size", before.BlockSize, after.BlockSize, "no page can be read")
	same("blocks per relation segment", before.RelSegSize, after.RelSegSize, "large tables cannot be read")
	if before.Major() >= 18 {
		same("default char signedness", before.DefaultCharSignedness, after.DefaultCharSignedness, "some text indexes give wrong answers")
	}
	if len(diffs) > 0 {
		return &AfterResetError{diffs}
	}
	return nil
}

// Check compares what a reset left in pg_control with what the plan said it would. WAL positions
// are compared by segment.
func (p *ResetPlan) Check(after *pgdisk.Control) error {
	if after == nil {
		return errors.New("check the WAL reset: pg_control is unreadable")
	}
	var diffs []Difference
	same := func(field string, want, got any) {
		if fmt.Sprint(want) != fmt.Sprint(got) {
			diffs = append(diffs, Difference{field, fmt.Sprint(want), fmt.Sprint(got), "planned otherwise"})
		}
	}
	o, c := p.Outcome, after.CheckpointCopy
	same("next transaction id", o.NextXID, c.NextXID)
	same("oldest transaction id", o.OldestXID, c.OldestXID)
	same("next multixact", o.NextMulti, c.NextMulti)
	same("oldest multixact", o.OldestMulti, c.OldestMulti)
	same("next multixact offset", o.NextOffset, c.NextMultiOffset)
	same("next object id", o.NextOID, c.NextOID)
	same("WAL segment size", o.SegSize, after.WALSegmentSize)
	if pgdisk.ValidWALSegSize(after.WALSegmentSize) {
		same("first WAL segment", o.FirstSegment, pgdisk.WALSegmentAt(c.ThisTimeLineID, c.Redo, after.WALSegmentSize).Name(after.WALSegmentSize))
	}
	if len(diffs) > 0 {
		return &AfterResetError{diffs}
	}
	return nil
}
