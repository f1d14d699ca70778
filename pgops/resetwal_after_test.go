package pgops

import (
	"errors"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

func TestAssertAfterReset(t *testing.T) {
	before := crashed().Control.Values
	after := *before
	after.CheckpointCopy.NextXID, after.State = 99999, pgdisk.ShutDown
	if err := AssertAfterReset(before, &after); err != nil {
		t.Errorf("what a reset is for counts as wrong: %v", err)
	}
	for name, change := range map[string]func(*pgdisk.Control){
		"system identifier":     func(c *pgdisk.Control) { c.SystemIdentifier++ },
		"data checksum version": func(c *pgdisk.Control) { c.DataChecksumVersion = 1 },
		"bytes per WAL segment": func(c *pgdisk.Control) { c.WALSegmentSize *= 4 },
	} {
		after := *before
		change(&after)
		var e *AfterResetError
		if err := AssertAfterReset(before, &after); !errors.As(err, &e) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	if AssertAfterReset(before, nil) == nil {
		t.Error("an unreadable pg_control passes")
	}
}

func TestCompareWithKnownGood(t *testing.T) {
	ev := crashed()
	good := *ev.Control.Values
	good.CheckpointCopy.NextXID, good.DataChecksumVersion, good.Time = 5000, 1, 77
	diffs, err := ev.CompareWith(&good)
	must(t, err)
	if len(diffs) != 2 || diffs[0].Ours != "0:800" || diffs[0].Theirs != "0:5000" || diffs[0].Means == "" || diffs[1].Field != "Data page checksum version" {
		t.Errorf("differences %+v", diffs)
	}
	if _, err := crashed(noControl).CompareWith(&good); err == nil {
		t.Error("compares without a pg_control of ours")
	}
}

const dryRun = `Current pg_control values:

pg_control version number:            1300
Database system identifier:           7000000000000000000
Latest checkpoint's TimeLineID:       1
Latest checkpoint's NextXID:          0:800
Latest checkpoint's NextOID:          24576
Latest checkpoint's NextMultiXactId:  10
Latest checkpoint's NextMultiOffset:  21
Latest checkpoint's oldestXID:        717
Latest checkpoint's oldestMultiXid:   1
Bytes per WAL segment:                16777216


Values to be changed:

First log segment after reset:        000000010000000000000002
NextXID:                              32768
OldestXID:                            717
`

func TestCompareWithDryRun(t *testing.T) {
	d, err := ParseResetDryRun(dryRun)
	must(t, err)
	if d.Guessed || len(d.Current) != 10 || len(d.Changed) != 3 {
		t.Fatalf("%+v", d)
	}
	plan := planOf(t, crashed(func(ev *Evidence) { ev.WAL.NextXID = 900 }), ResetOptions{})
	for _, row := range plan.Compare(d) {
		if !row.Agree || row.Ours == "" {
			t.Errorf("%+v", row)
		}
	}
	other := planOf(t, crashed(func(ev *Evidence) { ev.WAL.NextXID = 40000 }), ResetOptions{})
	disagree := 0
	for _, row := range other.Compare(d) {
		if !row.Agree {
			disagree++
		}
	}
	if disagree != 1 {
		t.Errorf("%d rows disagree, want the transaction id alone", disagree)
	}
	if _, err := ParseResetDryRun("pg_resetwal: Fehler: Sperrdatei existiert"); err == nil {
		t.Error("an error message passes for a dry run")
	}
}

// Whatever the text, no panic; what is accepted lists values of both kinds.
func FuzzParseResetDryRun(f *testing.F) {
	f.Add(dryRun)
	f.Add("Guessed pg_control values:\nNextXID: 3\nValues to be changed:\nNextOID: 5\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseResetDryRun(text)
		if err == nil && (len(d.Current) == 0 || len(d.Changed) == 0) {
			t.Errorf("accepted %q without values", text)
		}
	})
}

func FuzzParseResetTool(f *testing.F) {
	f.Add("pg_resetwal (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "  -u, --oldest-transaction-id=XID")
	f.Add("pg_resetwal (PostgreSQL) 19devel", "")
	f.Fuzz(func(t *testing.T, version, help string) {
		tool, err := ParseResetTool(version, help)
		if err == nil && tool.Version == "" {
			t.Errorf("accepted %q without a version", version)
		}
	})
}

func TestNothingIsLostAfterACleanShutdown(t *testing.T) {
	loss := WhatResetLoses(crashed(func(ev *Evidence) { ev.Control.Values.State, ev.WAL.Records, ev.WAL.Commits = pgdisk.ShutDown, 1, 0 }))
	if loss.From != loss.To || loss.Unknown || !strings.HasPrefix(loss.Sentences[0], "Nothing") {
		t.Errorf("%+v", loss)
	}
	loss = WhatResetLoses(crashed(func(ev *Evidence) { ev.WAL.Damaged, ev.WAL.Beyond = true, 40 }))
	if !loss.Unknown || loss.Records != 140 || loss.Commits != 3 {
		t.Errorf("%+v", loss)
	}
	if loss := WhatResetLoses(crashed(noControl)); !loss.Unknown {
		t.Errorf("%+v", loss)
	}
}
