package pgops

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// crashed is the evidence of a cluster of 15 that crashed with a good pg_control, and of nothing being wrong.
func crashed(change ...func(*Evidence)) Evidence {
	ev := Evidence{Major: 15, MajorFrom: "PG_VERSION", Machine: MachineEvidence{Arch: "amd64", CharSigned: true}}
	ev.Control = ControlEvidence{State: ControlGood, Values: &pgdisk.Control{
		SystemIdentifier: 7, ControlVersion: 1300, CatalogVersion: 202209061, State: pgdisk.InProduction, Checkpoint: 0x1500100,
		WALSegmentSize: 16 << 20, RelSegSize: 131072, BlockSize: 8192,
		CheckpointCopy: pgdisk.CheckpointRecord{Redo: 0x1500000, ThisTimeLineID: 1, NextXID: 800, NextOID: 24576, NextMulti: 10, NextMultiOffset: 21, OldestXID: 717, OldestMulti: 1},
	}}
	ev.Xact = slru("pg_xact", 0, 0, 32768, 799, 0)
	ev.Offsets = slru("pg_multixact/offsets", 0, 0, 2048, 9, 19)
	ev.Members = slru("pg_multixact/members", 0, 0, 1636, 20, 0)
	ev.WAL = WALEvidence{SegSize: 16 << 20, Systems: map[string]int{"7": 1}, Majors: map[int]int{15: 1}, Files: 1,
		FirstFile: "000000010000000000000001", LastFile: "000000010000000000000001", LastSegment: 1, Timeline: 1,
		Scanned: true, From: 0x1500000, End: 0x1510000, Records: 100, HaveXID: true, EpochKnown: true, NextXID: 800, NextMulti: 10, NextOffset: 21, NextOID: 24576, Commits: 3}
	ev.Pages = PageEvidence{Pages: 100, MaxLSN: 0x150F000, Highest: []PageLSN{{"base/5/1259", 3, 0x150F000}}}
	ev.Files = FileEvidence{MaxFileNumber: 16401, MaxFilePath: "base/5/16401"}
	ev.Databases = DatabaseEvidence{Databases: 3, MinFrozenXID: 717, MinFrozenOf: "template0", MinMulti: 1, MinMultiOf: "template0"}
	for _, c := range change {
		c(&ev)
	}
	return ev
}

func slru(dir string, oldest, newest, end, used, value uint64) SLRUEvidence {
	g, _ := geometryOf(dir)
	return SLRUEvidence{Dir: dir, Files: int(newest - oldest + 1), Oldest: g.Name(pgdisk.SegmentNo(oldest)), Newest: g.Name(pgdisk.SegmentNo(newest)),
		OldestNumber: oldest, NewestNumber: newest, FirstID: oldest * g.EntriesPerSegment(), AllocatedEnd: end, Used: used != 0, LastUsed: used, LastValue: value}
}

// noControl makes pg_control and WAL disappear.
func noControl(ev *Evidence) {
	ev.Control = ControlEvidence{State: ControlMissing, Why: "not there"}
	ev.WAL = WALEvidence{Why: "empty"}
}

func planOf(t *testing.T, ev Evidence, opt ResetOptions) *ResetPlan {
	t.Helper()
	plan, err := PlanReset(ev, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plan.Params {
		if p.Value == "" || p.Why == "" || p.IfWrong == "" || p.Formula == "" || p.Confidence == "" || len(p.Evidence) == 0 {
			t.Errorf("%s is not explained: %+v", p.Switch, p)
		}
	}
	return plan
}

// wants compares values; an empty one stands for a switch that must not be given.
func wants(t *testing.T, plan *ResetPlan, values map[string]string) {
	t.Helper()
	for name, want := range values {
		p, ok := plan.Param(name)
		switch {
		case !ok:
			t.Errorf("%s is not in the plan", name)
		case want == "" && p.Given:
			t.Errorf("%s %s is given, want it left to pg_resetwal", name, p.Value)
		case want != "" && (!p.Given || p.Value != want):
			t.Errorf("%s is %q (given: %v), want %q", name, p.Value, p.Given, want)
		}
	}
}

func TestGoodControlIsKept(t *testing.T) {
	plan := planOf(t, crashed(), ResetOptions{})
	wants(t, plan, map[string]string{"-x": "", "-e": "", "-u": "", "-m": "", "-O": "", "-o": "", "-c": "", "--wal-segsize": "", "-l": "000000010000000000000002"})
	if plan.Outcome.NextXID != 800 || plan.Outcome.NextMulti != 10 || plan.Marker != nil {
		t.Errorf("outcome %+v, marker %v", plan.Outcome, plan.Marker)
	}
	want := "pg_resetwal --force -l 000000010000000000000002 /data"
	if got := strings.Join(plan.Argv("/data"), " "); got != want {
		t.Errorf("argv %q, want %q", got, want)
	}
}

func TestIdsAfterTheCheckpointArePassed(t *testing.T) {
	plan := planOf(t, crashed(func(ev *Evidence) {
		ev.WAL.NextXID, ev.WAL.NextMulti, ev.WAL.NextOffset, ev.WAL.NextOID = 905, 14, 30, 32768
	}), ResetOptions{})
	wants(t, plan, map[string]string{"-x": "32768", "-e": "", "-m": "2048,1", "-O": "1636", "-o": "40960"})
	if m := plan.Marker; m == nil || m.Multi != 14 || m.Offset != 30 {
		t.Errorf("marker %+v, want 14 ends at 30", m)
	}
}

// H6: the value is never inside a page whose rest holds the fate of transactions.
func TestNextXIDStartsAPageOrIsTheTruth(t *testing.T) {
	for next := pgdisk.FullXID(801); next < 70000; next += 4099 {
		plan := planOf(t, crashed(func(ev *Evidence) { ev.WAL.NextXID = next }), ResetOptions{})
		if got := plan.Outcome.NextXID; got < next || got%xactPage != 0 || got-next >= xactPage {
			t.Errorf("truth %d: planned %d", next, got)
		}
	}
}

// pg_xact file 0FFF is the last of the circle: the product is 2^32.
func TestLastXactFileWrapsToThreeAndNextEpoch(t *testing.T) {
	plan := planOf(t, crashed(noControl, func(ev *Evidence) {
		ev.Xact = slru("pg_xact", 0xC00, 0xFFF, 1<<32, 1<<32-40, 0)
		ev.Databases = DatabaseEvidence{Why: "unreadable"}
	}), ResetOptions{})
	wants(t, plan, map[string]string{"-x": "3", "-e": "1", "-u": "3221225472"})
	if len(plan.Edits) != 1 || plan.Edits[0].Path != "pg_xact/0000" || plan.Edits[0].Zeros != pgdisk.BlockSize || !plan.Edits[0].Create {
		t.Errorf("edits %v, want the first page made, since 3 does not start a page", plan.Edits)
	}
}

// The newest file by number is not the newest in age once the ids have wrapped.
func TestNewestFileIsCircularNotNumeric(t *testing.T) {
	plan := planOf(t, crashed(noControl, func(ev *Evidence) {
		ev.Xact = slru("pg_xact", 0xFFE, 0xFFE, 0, 0, 0)
		ev.Xact.Newest, ev.Xact.NewestNumber, ev.Xact.AllocatedEnd, ev.Xact.Wrapped = "0001", 1, 1<<20+32768, true
		ev.Xact.Used, ev.Xact.LastUsed = true, 1<<20+100
		ev.Databases = DatabaseEvidence{Why: "unreadable"}
	}), ResetOptions{})
	wants(t, plan, map[string]string{"-x": "2097152", "-u": "4292870144"})
}

// -m X,0 is refused by pg_resetwal; the manual's recipe gives it on a young cluster.
func TestOldestMultiIsNeverZero(t *testing.T) {
	plan := planOf(t, crashed(noControl, func(ev *Evidence) { ev.Databases = DatabaseEvidence{Why: "unreadable"} }), ResetOptions{})
	wants(t, plan, map[string]string{"-m": "65536,1", "-O": "52352", "-u": "3", "-x": "1048576"})
}

// FFFF + 1 is 2^32, which as 0 is refused by minors from before February 2026, and was never valid.
func TestNextMultiWrapsToOne(t *testing.T) {
	plan := planOf(t, crashed(noControl, func(ev *Evidence) {
		ev.Offsets = slru("pg_multixact/offsets", 0xFF00, 0xFFFF, 1<<32, 1<<32-9, 77)
		ev.Databases.MinMulti = 0
	}), ResetOptions{})
	wants(t, plan, map[string]string{"-m": "1,4278190080"})
	if len(plan.Edits) != 1 || plan.Edits[0].Path != "pg_multixact/offsets/0000" {
		t.Errorf("edits %v, want the first offsets page made", plan.Edits)
	}
}

// H7: a page that the file ends before must not be where the server starts.
func TestMissingOffsetsPageMovesNextMultiToAPageStart(t *testing.T) {
	plan := planOf(t, crashed(func(ev *Evidence) { ev.Offsets = SLRUEvidence{Dir: "pg_multixact/offsets"} }), ResetOptions{})
	wants(t, plan, map[string]string{"-m": "2048,1"})
	if m := plan.Marker; m == nil || m.Multi != 10 || m.Offset != 21 {
		t.Errorf("marker %+v, want 10 ends at 21", m)
	}
}

// Names of members files have five digits from 10000 on: 10000 comes after FFFF.
func TestMembersFilesWithFiveDigits(t *testing.T) {
	end := uint64(0x10001) * membersSegment
	plan := planOf(t, crashed(noControl, func(ev *Evidence) {
		ev.Members = slru("pg_multixact/members", 0xFFF0, 0x10000, end-1636, end-5000, 0)
		ev.Offsets.LastValue = end - 5000
	}), ResetOptions{})
	wants(t, plan, map[string]string{"-O": uintText(end)})
}

// The last members file is short: behind the last offset of the circle comes 0.
func TestLastMembersFileIsPartial(t *testing.T) {
	plan := planOf(t, crashed(noControl, func(ev *Evidence) {
		ev.Members = slru("pg_multixact/members", 0x14070, 0x14078, 1<<32, 1<<32-10, 0)
		ev.Offsets.LastValue = 1<<32 - 30
	}), ResetOptions{})
	wants(t, plan, map[string]string{"-O": "0"})
}

// 0x6660 transactions are in a pg_commit_ts file; by default -c is not passed at all.
func TestCommitTsIsNotPassedByDefault(t *testing.T) {
	if commitTsSegment != 0x6660 {
		t.Errorf("%#x entries in a file", commitTsSegment)
	}
	lost := crashed(noControl, func(ev *Evidence) { ev.CommitTs = slru("pg_commit_ts", 2, 3, 3*0x6660+819, 3*0x6660+5, 0) })
	wants(t, planOf(t, lost, ResetOptions{}), map[string]string{"-c": ""})
	wants(t, planOf(t, lost, ResetOptions{CommitTs: true}), map[string]string{"-c": "52416,78629"})
}

// H10: with a guessed pg_control, other segment sizes than 16 MB need both switches.
func TestSegmentSizeWithoutControlNeedsExplicitStart(t *testing.T) {
	plan := planOf(t, crashed(noControl, func(ev *Evidence) {
		ev.WAL = WALEvidence{SegSize: 64 << 20, Systems: map[string]int{"7": 3}, Majors: map[int]int{15: 3}, Files: 3, LastFile: "00000001000000000000000B", LastSegment: 11, Timeline: 1}
	}), ResetOptions{})
	wants(t, plan, map[string]string{"--wal-segsize": "64", "-l": "00000001000000000000000C"})
	if i, j := slices.Index(plan.Argv("d"), "--wal-segsize=64"), slices.Index(plan.Argv("d"), "-l"); i < 0 || j < 0 {
		t.Errorf("argv %v", plan.Argv("d"))
	}
}

func TestNewWALStartsAboveEveryPage(t *testing.T) {
	ev := crashed(noControl, func(ev *Evidence) { ev.Pages.MaxLSN = 0x5_00000000 })
	wants(t, planOf(t, ev, ResetOptions{}), map[string]string{"-l": "000000010000000500000001"})
}

func TestTimelineIsTheHighestSeen(t *testing.T) {
	plan := planOf(t, crashed(func(ev *Evidence) { ev.WAL.Timeline, ev.WAL.LastFile = 3, "000000030000000000000001" }), ResetOptions{})
	wants(t, plan, map[string]string{"-l": "000000030000000000000002"})
}

func TestNextOIDIsRoundedUp(t *testing.T) {
	file := func(n pgdisk.OID) *ResetPlan {
		return planOf(t, crashed(noControl, func(ev *Evidence) { ev.Files.MaxFileNumber = n }), ResetOptions{})
	}
	wants(t, file(16401), map[string]string{"-o": "32768"})
	wants(t, file(100), map[string]string{"-o": "24576"})
	wants(t, file(4294967290), map[string]string{"-o": "16384"})
}

func TestGuessedControlNamesWhatNoSwitchSets(t *testing.T) {
	plan := planOf(t, crashed(func(ev *Evidence) {
		ev.Control = ControlEvidence{State: ControlDamaged, Why: "short"}
		ev.Pages.Checksummed = 500
	}), ResetOptions{})
	if !plan.Guessed || plan.Outcome.ChecksumVersion != 1 || plan.Outcome.SystemID != 0 {
		t.Errorf("guessed %v, outcome %+v", plan.Guessed, plan.Outcome)
	}
	all := strings.Join(plan.Warnings, "\n")
	for _, want := range []string{"checksums were on", "system identifier (WAL says 7)", "timeline 1"} {
		if !strings.Contains(all, want) {
			t.Errorf("no warning says %q: %s", want, all)
		}
	}
	wants(t, plan, map[string]string{"-e": "0", "-u": "717"})
}

func TestCharSignednessFrom18(t *testing.T) {
	if _, ok := planOf(t, crashed(), ResetOptions{}).Param("--char-signedness"); ok {
		t.Error("15 has no --char-signedness")
	}
	plan := planOf(t, crashed(noControl, func(ev *Evidence) { ev.Major = 18 }), ResetOptions{})
	wants(t, plan, map[string]string{"--char-signedness": "signed"})
	if !slices.Contains(plan.Makes, "pg_wal/summaries") || !slices.Contains(plan.Makes, "pg_wal/archive_status") {
		t.Errorf("directories %v", plan.Makes)
	}
}

// Minors from before August 2021 have no -u, and set the oldest id themselves with -x.
func TestToolWithoutOldestXID(t *testing.T) {
	tool, err := ParseResetTool("pg_resetwal (PostgreSQL) 13.3 (Debian 13.3-1)\n", "  -x, --next-transaction-id=XID\n      --wal-segsize=SIZE\n")
	if err != nil || tool.Major != 13 || tool.Minor != 3 || tool.OldestXID || !tool.SegSize || tool.TakesZeroMulti() {
		t.Fatalf("tool %+v, %v", tool, err)
	}
	plan := planOf(t, crashed(noControl), ResetOptions{Tool: tool})
	wants(t, plan, map[string]string{"-u": ""})
	if !strings.Contains(strings.Join(plan.Warnings, " "), "2000000000") {
		t.Errorf("warnings %v", plan.Warnings)
	}
}

func TestZeroMultiIsTakenFrom(t *testing.T) {
	for version, want := range map[string]bool{"14.21": false, "15.15": false, "15.16": true, "16.12": true, "17.7": false, "17.8": true, "18.2": true, "18.1": false, "19beta1": true} {
		tool, err := ParseResetTool("pg_resetwal (PostgreSQL) "+version, "")
		if err != nil || tool.TakesZeroMulti() != want {
			t.Errorf("%s: %v, %v, want %v", version, tool.TakesZeroMulti(), err, want)
		}
	}
}

func TestEpochGrowsWhenTheIdsWrap(t *testing.T) {
	plan := planOf(t, crashed(func(ev *Evidence) {
		c := &ev.Control.Values.CheckpointCopy
		c.NextXID, c.OldestXID = 5<<32|4294967200, 3<<30
		ev.Xact = slru("pg_xact", 0xC00, 0xFFF, 1<<32, 1<<32-97, 0)
		ev.WAL.NextXID, ev.Databases.MinFrozenXID = 6<<32|40, 3<<30
	}), ResetOptions{})
	wants(t, plan, map[string]string{"-x": "32768", "-e": "6"})
}

func TestNothingAtAllIsRefused(t *testing.T) {
	_, err := PlanReset(Evidence{Major: 15, MajorFrom: "PG_VERSION"}, ResetOptions{})
	if err == nil || !strings.Contains(err.Error(), "restore") {
		t.Errorf("err = %v, want a refusal that says what to do", err)
	}
}

func TestContradictionsStop(t *testing.T) {
	for kind, change := range map[ContradictionKind]func(*Evidence){
		ContradictMajor:      func(ev *Evidence) { ev.WAL.Majors = map[int]int{17: 2} },
		ContradictSystem:     func(ev *Evidence) { ev.WAL.Systems = map[string]int{"7": 1, "8": 1} },
		ContradictSegSize:    func(ev *Evidence) { ev.WAL.SegSize = 64 << 20 },
		ContradictCheckpoint: func(ev *Evidence) { ev.Control.Values.Checkpoint = 0x9_00000000 },
		ContradictShutdown:   func(ev *Evidence) { ev.Control.Values.State = pgdisk.ShutDown },
		ContradictXactEnd:    func(ev *Evidence) { ev.Xact = SLRUEvidence{Dir: "pg_xact"} },
		ContradictXactStart:  func(ev *Evidence) { ev.Control.Values.CheckpointCopy.OldestXID = 3<<30 + 5 },
		ContradictXactAhead:  func(ev *Evidence) { ev.Xact = slru("pg_xact", 0, 0, 1<<17, 70000, 0) },
		ContradictFrozen:     func(ev *Evidence) { ev.Databases.MinFrozenXID = 500 },
		ContradictPageLSN:    func(ev *Evidence) { ev.Pages.MaxLSN = 0x7_00000000 },
		ContradictTupleXID:   func(ev *Evidence) { ev.Pages.MaxXID = 900 },
		ContradictTupleMulti: func(ev *Evidence) { ev.Pages.MaxMulti = 12 },
	} {
		t.Run(string(kind), func(t *testing.T) {
			ev := crashed(change)
			_, err := PlanReset(ev, ResetOptions{})
			var c *ContradictionError
			if !errors.As(err, &c) {
				t.Fatalf("err = %v, want a contradiction", err)
			}
			i := slices.IndexFunc(c.Contradictions, func(c Contradiction) bool { return c.Kind == kind })
			if i < 0 {
				t.Fatalf("contradictions %v, want %s", c, kind)
			}
			if x := c.Contradictions[i]; x.One == "" || x.Other == "" || x.Means == "" || x.Next == "" {
				t.Errorf("not explained: %+v", x)
			}
		})
	}
}

// Accepting satisfies both sides.
func TestAcceptedContradictionTakesTheHigherID(t *testing.T) {
	ev := crashed(func(ev *Evidence) { ev.Pages.MaxXID, ev.Pages.MaxLSN = 90000, 0x7_00000000 })
	plan := planOf(t, ev, ResetOptions{Accept: []ContradictionKind{ContradictTupleXID, ContradictPageLSN}})
	wants(t, plan, map[string]string{"-x": "98304", "-l": "000000010000000700000001"})
	if len(plan.Overrode) != 2 {
		t.Errorf("overrode %v", plan.Overrode)
	}
}

func uintText(n uint64) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// When the next member offset has to move on, the next multixact must too: old servers take the former for the end
// of the last multixact.
func TestMovedOffsetMovesNextMulti(t *testing.T) {
	plan := planOf(t, crashed(func(ev *Evidence) {
		ev.Members = SLRUEvidence{Dir: "pg_multixact/members"}
		ev.Control.Values.CheckpointCopy.NextMulti, ev.WAL.NextMulti, ev.Offsets.LastUsed = 2048, 2048, 2047
	}), ResetOptions{})
	wants(t, plan, map[string]string{"-O": "1636", "-m": "4096,1"})
	if m := plan.Marker; m == nil || m.Multi != 2048 || m.Offset != 21 {
		t.Errorf("marker %+v, want 2048 ends at 21", m)
	}
}
