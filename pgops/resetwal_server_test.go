package pgops

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
	onServers(t, []string{"postgres:13", "postgres:18"}, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.sh("mkdir /work/space")
		s.query("create tablespace space location '/work/space'")
		s.query(someTables + "create table away(a int) tablespace space; insert into away values (1); checkpoint;")
		space := "pg_tblspc/" + s.query("select oid from pg_tablespace where spcname = 'space'")
		file := s.query("select pg_relation_filepath('away')")
		for range 3 {
			s.query("begin; select * from parent where id = 1 for key share; savepoint a; update parent set v = v || 'x' where id = 1; commit; create table later as select 1 as a; drop table later;")
		}
		s.query("create table late(a int); insert into late values (1);")
		next := s.number("select txid_current()")
		s.crash()
		ev, _ := s.plan(ResetOptions{})
		if len(ev.Missing) != 1 || ev.Files.MaxFilePath == file {
			t.Errorf("missing %q, highest file %s, want the tablespace said to be missing", ev.Missing, ev.Files.MaxFilePath)
		}
		s.links = map[string]fs.FS{space: os.DirFS(filepath.Join(s.dir, "space"))}
		ev, plan := s.plan(ResetOptions{})
		if ev.Control.State != ControlGood || !ev.WAL.Scanned || ev.WAL.Damaged || len(ev.Missing) != 0 {
			t.Fatalf("evidence: control %s, WAL %+v, missing %q", ev.Control.State, ev.WAL, ev.Missing)
		}
		if p := ev.Pages; p.OddXIDs+p.OddMultis+p.BadHeader+p.BadChecksum+p.AfterWAL+p.AfterRecords+p.Truncated != 0 || p.HeapTuples < 1000 || len(p.Unreadable) != 0 {
			t.Errorf("pages of a sound cluster: %+v", p)
		}
		if d := ev.Databases; d.Databases != 3 || d.MinFrozenXID != ev.Control.Values.CheckpointCopy.OldestXID || d.FrozenInvalid != 0 {
			t.Errorf("databases %+v", d)
		}
		if on, known := ev.Pages.ChecksumsOn(); !known || on != (ev.Control.Values.DataChecksumVersion != 0) {
			t.Errorf("checksums on: %v, known: %v", on, known)
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

// H6 and H7: values that look plausible destroy rows at the next start; ours do not.
func TestNaiveValuesDestroyRows(t *testing.T) {
	onServers(t, []string{"postgres:15"}, func(t *testing.T, image string) {
		s := newServer(t, image)
		s.start()
		s.query("create table five(a int); create table one(id int primary key, v text); insert into one select g, 'old' from generate_series(1, 5) g; checkpoint;")
		low := s.number("select txid_current()")
		for range 5 {
			s.query("insert into five values (1);")
		}
		s.query("do $$ begin for i in 1..5 loop perform 1 from one where id = i for key share; begin update one set v = 'new' where id = i; exception when division_by_zero then null; end; end loop; end $$; checkpoint;")
		s.crash()
		s.copyTo("twin")
		s.sh(fmt.Sprintf("pg_resetwal -f -x %d /work/data", low+3))
		s.start()
		if n := s.number("select count(*) from five"); n >= 5 {
			t.Errorf("H6: %d rows with -x too low: the test can no longer fail", n)
		}
		s.stop("immediate")
		s.useCopy("twin")
		s.sh("pg_resetwal -f -m 1,1 -O 0 /work/data")
		s.start()
		if out, err := s.try("psql -X -At -d postgres -c 'select count(*), count(distinct id) from one'"); err == nil && strings.TrimSpace(out) == "5|5" {
			t.Errorf("H7: %q with -m 1,1: the test can no longer fail", out)
		}
		s.stop("immediate")
		s.useCopy("twin")
		s.repair()
		s.start()
		if got := s.query("select count(*) from five; select count(*), count(distinct id), min(v) from one"); got != "5\n5|5|new" {
			t.Errorf("rows with our values: %q", got)
		}
		s.stop("fast")
	})
}

// H10: without pg_control and with segments that are not 16 MB, pg_resetwal alone starts the new WAL before the
// old one, and no page can be read any more.
func TestLostControlWithLargeSegments(t *testing.T) {
	onServers(t, []string{"postgres:17"}, func(t *testing.T, image string) {
		s := newServer(t, image, "--wal-segsize=64")
		s.start()
		for range 8 {
			s.query("create table if not exists t(a int); insert into t values (1); select pg_switch_wal(); checkpoint;")
		}
		s.query("vacuum freeze;")
		s.query("insert into t select generate_series(1, 1000); checkpoint;")
		s.stop("fast")
		s.sh("rm -f /work/data/global/pg_control; touch /work/data/global/pg_control")
		s.copyTo("twin")
		x := "-x 32768 -u 3 -o 32768 -m 2048,1 -O 1636"
		s.sh("pg_resetwal -f --wal-segsize=64 " + x + " /work/data")
		s.start()
		if out, err := s.try("psql -X -At -d postgres -c 'select count(*) from t' -c checkpoint"); err == nil {
			t.Errorf("naive values worked (%s): the test can no longer fail", out)
		}
		s.stop("immediate")
		s.useCopy("twin")
		ev, plan := s.plan(ResetOptions{})
		if ev.Control.State != ControlDamaged || !plan.Guessed || plan.Outcome.SegSize != 64<<20 {
			t.Errorf("control %s, guessed %v, segments of %d", ev.Control.State, plan.Guessed, plan.Outcome.SegSize)
		}
		s.run(plan.Argv("/work/data"))
		if err := plan.Check(s.control()); err != nil {
			t.Error(err)
		}
		s.start()
		if n := s.number("select count(*) from t; update t set a = 2; checkpoint;"); n != 1008 {
			t.Errorf("%d rows in t, want 1008", n)
		}
		s.stop("fast")
	})
}
