package pgops

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// ScanParams collects the evidence for a WAL reset from everything that holds ids: pg_control, the
// SLRU directories, pg_wal, every page of every relation, file names and pg_database. It reads the whole
// cluster once, in memory that does not grow with it, and changes nothing.
//
// What cannot be looked at is listed in Missing, not an error: a damaged cluster is the usual
// case. Errors are the context's, or that the directory is no cluster at all.
func ScanParams(ctx context.Context, pieces Pieces, report Report) (*Evidence, error) {
	c, err := OpenCluster(pieces)
	if err != nil {
		return nil, err
	}
	return c.ScanParams(ctx, report)
}

// ScanParams is the method form for a cluster that is open already.
func (c *Cluster) ScanParams(ctx context.Context, report Report) (*Evidence, error) {
	ev := &Evidence{Major: c.Major, MajorFrom: c.MajorFrom, Lock: c.Lock != nil, Machine: thisMachine()}
	ev.Control = controlEvidence(c)
	for _, l := range c.Links {
		if !l.Given {
			ev.Missing = append(ev.Missing, fmt.Sprintf("%s is a link to %s, which was not made available", l.Path, l.Target))
		}
	}
	if err := c.scanSLRUs(ctx, ev); err != nil {
		return nil, err
	}
	if err := c.scanBlankXact(ctx, ev); err != nil {
		return nil, err
	}
	if err := c.scanWAL(ctx, ev, report); err != nil {
		return nil, err
	}
	c.scanDatabases(ev)
	if err := c.scanPages(ctx, ev, report); err != nil {
		return nil, err
	}
	c.scanPrepared(ev)
	return ev, nil
}

// controlEvidence copies pg_control without what does not travel: the nonce, which
// authenticates, and a number that JSON cannot hold.
func controlEvidence(c *Cluster) ControlEvidence {
	e := ControlEvidence{State: c.ControlState()}
	if c.ControlErr != nil {
		e.Why = c.ControlErr.Error()
	}
	if c.Control != nil {
		values := *c.Control
		clear(values.MockAuthNonce[:])
		if math.IsNaN(values.FloatFormat) || math.IsInf(values.FloatFormat, 0) {
			values.FloatFormat = 0
		}
		e.Values = &values
	}
	return e
}

// thisMachine tells the signedness of char by the platform's C ABI: signed on x86, unsigned on the
// others that PostgreSQL is packaged for.
func thisMachine() MachineEvidence {
	return MachineEvidence{Arch: runtime.GOARCH, CharSigned: runtime.GOARCH == "amd64" || runtime.GOARCH == "386"}
}

// anchorXID is an id near the newest, which distances on the circle are measured from: pg_control's, else
// WAL's, else the end of pg_xact.
func (ev *Evidence) anchorXID() pgdisk.XID {
	switch {
	case ev.Control.State == ControlGood:
		x := ev.Control.Values.CheckpointCopy.NextXID.XID()
		if ev.WAL.HaveXID {
			x = later(x, ev.WAL.NextXID.XID())
		}
		return x
	case ev.WAL.HaveXID:
		return ev.WAL.NextXID.XID()
	case ev.Xact.Files > 0:
		return pgdisk.XID(ev.Xact.AllocatedEnd)
	}
	return pgdisk.FirstNormalXID
}

// anchorMulti is the same for multixacts.
func (ev *Evidence) anchorMulti() pgdisk.MultiXactID {
	var m pgdisk.MultiXactID
	if ev.Control.State == ControlGood {
		m = ev.Control.Values.CheckpointCopy.NextMulti
	}
	m = later(m, ev.WAL.NextMulti)
	if m == 0 && ev.Offsets.Files > 0 {
		m = pgdisk.MultiXactID(ev.Offsets.AllocatedEnd)
	}
	return max(m, pgdisk.FirstMultiXactID)
}
