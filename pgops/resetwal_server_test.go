package pgops

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// plan scans and plans, by way of JSON as between machines.
func (s *server) plan(opt ResetOptions) (*Evidence, *ResetPlan) {
	s.t.Helper()
	ev, err := ScanParams(context.Background(), s.pieces(), nil)
	must(s.t, err)
	b, err := json.Marshal(ev)
	must(s.t, err)
	ev = new(Evidence)
	must(s.t, json.Unmarshal(b, ev))
	opt.Tool = s.tool()
	plan, err := PlanReset(*ev, opt)
	if err != nil {
		s.t.Fatalf("%v\nevidence: %s", err, b)
	}
	return ev, plan
}

func (s *server) control() *pgdisk.Control {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.data, pgdisk.ControlFilePath))
	must(s.t, err)
	c, err := pgdisk.DecodeControl(b)
	must(s.t, err)
	return c
}

// reset runs the plan, dry run first, and checks everything that a step would check.
func (s *server) reset(plan *ResetPlan) {
	s.t.Helper()
	before := s.control()
	dry, err := ParseResetDryRun(s.run(plan.DryRunArgv("/work/data")))
	must(s.t, err)
	for _, row := range plan.Compare(dry) {
		if !row.Agree {
			s.t.Errorf("dry run: %s: ours %s, pg_resetwal's %s", row.Name, row.Ours, row.Theirs)
		}
	}
	s.run(plan.Argv("/work/data"))
	after := s.control()
	if err := AssertAfterReset(before, after); err != nil {
		s.t.Error(err)
	}
	if err := plan.Check(after); err != nil {
		s.t.Error(err)
	}
}

const someTables = `create table parent(id int primary key, v text);
create table child(id int primary key, p int references parent(id));
insert into parent select g, 'p' || g from generate_series(1, 300) g;
insert into child select g, 1 + g % 300 from generate_series(1, 300) g;`

// A crashed cluster with a good pg_control: the values lie beyond everything in WAL, and the server starts with
// the rows that had reached the disk.
func TestResetOfCrashedCluster(t *testing.T) {
	onServers(t, serverImages, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.query(someTables + "checkpoint;")
		for range 3 {
			s.query("begin; select * from parent where id = 1 for key share; savepoint a; update parent set v = v || 'x' where id = 1; commit; create table later as select 1 as a; drop table later;")
		}
		s.query("create table late(a int); insert into late values (1);")
		next := s.number("select txid_current()")
		s.crash()
		ev, plan := s.plan(ResetOptions{})
		if ev.Control.State != ControlGood || !ev.WAL.Scanned || ev.WAL.Damaged {
			t.Fatalf("evidence: control %s, WAL %+v", ev.Control.State, ev.WAL)
		}
		o := plan.Outcome
		if o.NextXID.XID() <= pgdisk.XID(next) || o.NextXID%xactPage != 0 || o.NextXID > xactSegment {
			t.Errorf("next transaction id %s, want the next page above %d", o.NextXID, next)
		}
		if o.NextMulti != offsetsPage || plan.Marker == nil || plan.Marker.Multi < 4 || plan.Marker.Multi != ev.WAL.NextMulti {
			t.Errorf("next multixact %d with marker %+v, want %d with one behind the last", o.NextMulti, plan.Marker, offsetsPage)
		}
		if loss := WhatResetLoses(*ev); loss.Commits < 10 || loss.Unknown || len(loss.Created) == 0 {
			t.Errorf("loss: %+v", loss)
		}
		s.reset(plan)
		s.start()
		if n := s.number("select count(*) from parent"); n != 300 {
			t.Errorf("%d rows in parent, want 300", n)
		}
		s.query("insert into parent select g, 'n' from generate_series(1000, 1100) g; create table anew(a int); vacuum freeze;")
		s.stop("fast")
	})
}
