package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// slruCluster is a made data directory of 17 with every SLRU directory, stopped in order: transactions
// 700 to 40000, the multixacts 1 and 2 of two and of one member.
func slruCluster() (fstest.MapFS, *pgdisk.Control) {
	l, _ := pgdisk.LayoutFor(17)
	fsys := fstest.MapFS{}
	for _, g := range pgdisk.Geometries(l) {
		fsys[g.Dir] = &fstest.MapFile{Mode: fs.ModeDir | 0o700}
	}
	x := make([]byte, 2*pgdisk.BlockSize)
	for id := 700; id <= 40000; id++ {
		x[id/4] |= 1 << (id % 4 * 2) // committed
	}
	x[703/4] = 2<<6 | 2<<4 | 1<<2 | 1 // 700 and 701 committed, 702 and 703 aborted
	x[704/4] = 3 | 0<<2 | 1<<4 | 1<<6 // 704 sub-committed, 705 in progress
	o, m := make([]byte, pgdisk.BlockSize), make([]byte, pgdisk.BlockSize)
	for id, at := range []pgdisk.MultiXactOffset{0, 1, 3} {
		_ = pgdisk.PutPageOffset(o, pgdisk.MultiXactID(id), at)
	}
	for at, member := range []pgdisk.Member{{}, {XID: 700, Status: pgdisk.ForKeyShare}, {XID: 701, Status: pgdisk.NoKeyUpdate}, {XID: 702, Status: pgdisk.ForUpdate}} {
		_ = pgdisk.PutPageMember(m, pgdisk.MultiXactOffset(at), member)
	}
	ts := make([]byte, 4*pgdisk.BlockSize)
	_ = pgdisk.PutPageCommitTs(ts[:pgdisk.BlockSize], 701, pgdisk.CommitTs{Micros: 1, Origin: 3})
	sub := make([]byte, pgdisk.BlockSize)
	_ = pgdisk.PutPageSubtransParent(sub, 704, 702)
	for name, data := range map[string][]byte{
		"pg_xact/0000": x, "pg_multixact/offsets/0000": o, "pg_multixact/members/0000": m,
		"pg_commit_ts/0000": ts, "pg_subtrans/0000": sub, "pg_notify/000000000000000": make([]byte, pgdisk.BlockSize),
	} {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys, &pgdisk.Control{ControlVersion: 1700, CatalogVersion: l.CatalogVersion, State: pgdisk.ShutDown, CheckpointCopy: pgdisk.CheckpointRecord{
		NextXID: 40001, OldestXID: 700, NextMulti: 3, OldestMulti: 1, NextMultiOffset: 4, OldestCommitTsXID: 700, NewestCommitTsXID: 710}}
}

func slruSource(fsys fs.FS, c *pgdisk.Control) SLRUSource {
	l, _ := pgdisk.LayoutFor(17)
	return SLRUSource{FS: fsys, Layout: l, Control: c, Dirs: pgdisk.Geometries(l)}
}

func TestSLRUFindings(t *testing.T) {
	crashed := func(_ fstest.MapFS, c *pgdisk.Control) { c.State = pgdisk.InProduction }
	tests := []struct {
		name   string
		change func(fsys fstest.MapFS, c *pgdisk.Control)
		want   []string // findings, a part of each
		notes  []string
	}{
		{"sound", func(fstest.MapFS, *pgdisk.Control) {}, nil, nil},
		{"sound after a crash", crashed, nil, nil},
		{"no pg_xact", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "pg_xact"); delete(f, "pg_xact/0000") },
			[]string{"the directory is missing", "needed and not there: 0000: file missing: pages 0 to 1, ids 0 to 65535"}, nil},
		{"no file of pg_xact", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "pg_xact/0000") },
			[]string{"no files", "needed and not there"}, nil},
		{"pg_xact cut", func(f fstest.MapFS, _ *pgdisk.Control) { f["pg_xact/0000"].Data = f["pg_xact/0000"].Data[:9000] },
			[]string{"0000 has 9000 bytes", "needed and not there: 0000: file too short: pages 1 to 1, ids 32768 to 65535"}, nil},
		{"first file of pg_xact gone", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0001"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
			delete(f, "pg_xact/0000")
			c.CheckpointCopy.NextXID = 2000000
		}, []string{"0000: file missing"}, nil},
		{"first file of pg_xact gone, after a crash", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0001"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
			delete(f, "pg_xact/0000")
			c.CheckpointCopy.NextXID, c.State = 2000000, pgdisk.InProduction
		}, nil, []string{"may have been removed since: 0000"}},
		{"first file of pg_xact gone and another hole, after a crash", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0001"] = &fstest.MapFile{Data: make([]byte, 31*8192)}
			f["pg_xact/0002"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
			delete(f, "pg_xact/0000")
			c.CheckpointCopy.NextXID, c.State = 3000000, pgdisk.InProduction
		}, []string{"0000: file missing", "0001: file too short"}, []string{"a gap"}},
		{"offsets gone, after a crash", func(f fstest.MapFS, c *pgdisk.Control) {
			delete(f, "pg_multixact/offsets/0000")
			c.State = pgdisk.InCrashRecovery
		}, []string{"no files", "needed and not there"}, nil},
		{"members gone", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "pg_multixact/members/0000") },
			[]string{"no files", "ids 0 to 1635"}, nil},
		{"commit_ts gone", func(f fstest.MapFS, _ *pgdisk.Control) { delete(f, "pg_commit_ts/0000") }, []string{"needed and not there"}, nil},
		{"commit_ts gone and not needed", func(f fstest.MapFS, c *pgdisk.Control) {
			delete(f, "pg_commit_ts/0000")
			c.CheckpointCopy.OldestCommitTsXID, c.CheckpointCopy.NewestCommitTsXID = 0, 0
		}, nil, nil},
		{"no pg_notify", func(f fstest.MapFS, _ *pgdisk.Control) {
			delete(f, "pg_notify")
			delete(f, "pg_notify/000000000000000")
		}, []string{"the directory is missing"}, nil},
		{"odd pg_subtrans", func(f fstest.MapFS, _ *pgdisk.Control) { f["pg_subtrans/0000"].Data = make([]byte, 5) }, nil, []string{"0000 has 5 bytes"}},
		{"pg_control of before", func(_ fstest.MapFS, c *pgdisk.Control) {
			c.CheckpointCopy.NextXID, c.CheckpointCopy.NextMulti, c.CheckpointCopy.NextMultiOffset = 900, 1, 3
		}, []string{"entry 40000 is in use, but pg_control has NextXID 900", "NextMultiXactId 1", "NextMultiOffset 3"}, nil},
		{"the next offset written ahead", func(f fstest.MapFS, _ *pgdisk.Control) {
			_ = pgdisk.PutPageOffset(f["pg_multixact/offsets/0000"].Data, 3, 4)
		}, nil, nil},
		{"ids beyond the checkpoint", func(_ fstest.MapFS, c *pgdisk.Control) {
			c.State, c.CheckpointCopy.NextXID = pgdisk.InProduction, 900
		}, nil, []string{"beyond NextXID 900 of the last checkpoint"}},
		{"a standby stopped in order", func(_ fstest.MapFS, c *pgdisk.Control) {
			c.State, c.CheckpointCopy.NextXID = pgdisk.ShutDownInRecovery, 900
		}, nil, []string{"beyond NextXID 900 of the last checkpoint"}},
		{"strays", func(f fstest.MapFS, _ *pgdisk.Control) { f["pg_xact/0000.orig"] = &fstest.MapFile{} }, nil, []string{"0000.orig: not the name of a segment"}},
		{"a gap below what is needed", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0FF0"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
		}, nil, []string{"a gap among the files: 0FF1"}},
		{"around the end of the circle", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0FFF"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
			c.CheckpointCopy.OldestXID, c.CheckpointCopy.NextXID = 0xFFF00100, 1<<32|40001
		}, nil, nil},
		{"around the end of the circle, the last file cut", func(f fstest.MapFS, c *pgdisk.Control) {
			f["pg_xact/0FFF"] = &fstest.MapFile{Data: make([]byte, 31*8192)}
			c.CheckpointCopy.OldestXID, c.CheckpointCopy.NextXID = 0xFFF00100, 1<<32|40001
		}, []string{"0FFF: file too short: pages 131071 to 131071, ids 4294934528 to 4294967295"}, []string{"a gap"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys, c := slruCluster()
			tt.change(fsys, c)
			var text, lines bytes.Buffer
			src := slruSource(fsys, c)
			n, err := SLRU(t.Context(), src, false, &text)
			m, err2 := SLRU(t.Context(), src, true, &lines)
			if err := errors.Join(err, err2); err != nil || n != len(tt.want) || m != n {
				t.Fatalf("%d findings (%d), %v\n%s", n, m, err, &text)
			}
			found := slruFound(t, lines.String())
			for _, want := range tt.want {
				if !strings.Contains(found["findings"], want) || !strings.Contains(text.String(), want) {
					t.Errorf("no finding %q:\n%s", want, &text)
				}
			}
			for _, want := range tt.notes {
				if !strings.Contains(found["notes"], want) || !strings.Contains(text.String(), "note ") {
					t.Errorf("no note %q:\n%s", want, &text)
				}
			}
			if tt.notes == nil && found["notes"] != "" {
				t.Errorf("notes: %s", found["notes"])
			}
		})
	}
}

// slruFound joins the findings and the notes of all lines of JSON.
func slruFound(t *testing.T, lines string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(lines) {
		var r slruReport
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		found["findings"] += strings.Join(r.Findings, "\n")
		found["notes"] += strings.Join(r.Notes, "\n")
	}
	return found
}

func TestSLRUDamagedControl(t *testing.T) {
	fsys, c := slruCluster()
	src := slruSource(fsys, c)
	src.ControlErr = errors.New("the CRC is wrong")
	var out bytes.Buffer
	if n, err := SLRU(t.Context(), src, false, &out); err != nil || n != 1 || !strings.Contains(out.String(), "the CRC is wrong: the ids are not compared") || strings.Contains(out.String(), "needed") {
		t.Errorf("%d, %v\n%s", n, err, &out)
	}
}

func TestSLRUTransactionOf(t *testing.T) {
	tests := []struct {
		x    pgdisk.XID
		want string
	}{
		{701, "transaction 701: committed\n  status: pg_xact/0000, page 0, byte 175, bits 2 and 3\n  committed at 2000-01-01T00:00:00.000001Z, origin 3\n"},
		{703, "transaction 703: aborted\n  status: pg_xact/0000, page 0, byte 175, bits 6 and 7\n"},
		{704, "transaction 704: sub-committed\n  status: pg_xact/0000, page 0, byte 176, bits 0 and 1\n  subtransaction of 702\n"},
		{705, "in progress\n  status: pg_xact/0000, page 0, byte 176, bits 2 and 3\n  note the server was stopped in order, so nothing is in progress: it did not commit\n"},
		{706, "  note prepared: it waits for COMMIT PREPARED or ROLLBACK PREPARED\n"},
		{2, "transaction 2: committed\n"},
		{600, "  note older than oldestXID 700"},
		{40001, "  note not given out yet: NextXID is 40001"},
		{65600, "transaction 65600: not to be read\n  status: pg_xact/0000, page 2, byte 16400, bits 0 and 1\n  FINDING status of transaction 65600: pg_xact/0000: page 2 at byte 16384: the file is too short: 0 of 8192 bytes are there\n"},
	}
	fsys, c := slruCluster()
	fsys["pg_twophase/00000000000002C2"] = &fstest.MapFile{}
	src := slruSource(fsys, c)
	for _, tt := range tests {
		var out bytes.Buffer
		n, err := SLRUTransaction(src, tt.x, false, &out)
		if err != nil || n != strings.Count(out.String(), "FINDING") || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%d: %d findings, %v\n%s", tt.x, n, err, &out)
		}
	}
	_ = pgdisk.PutPageSubtransParent(fsys["pg_subtrans/0000"].Data, 702, 704)
	var out bytes.Buffer
	if n, err := SLRUTransaction(src, 704, false, &out); err != nil || n != 1 || !strings.Contains(out.String(), "want an older transaction, found 704") {
		t.Errorf("a circle of parents: %d, %v\n%s", n, err, &out)
	}
	delete(fsys, "pg_commit_ts/0000")
	if n, err := SLRUTransaction(src, 701, false, &out); err != nil || n != 1 {
		t.Errorf("no commit timestamp where there must be one: %d, %v\n%s", n, err, &out)
	}
}

func TestSLRUMultiXactOf(t *testing.T) {
	fsys, c := slruCluster()
	src := slruSource(fsys, c)
	var out bytes.Buffer
	if n, err := SLRUMultiXact(t.Context(), src, 1, false, &out); err != nil || n != 0 || out.String() != `multixact 1: 2 members
  offset 1: pg_multixact/offsets/0000, page 0, byte 4
  next offset 3: pg_multixact/offsets/0000, page 0, byte 8
  member 700 keysh: pg_multixact/members/0000, page 0, status at byte 1, id at byte 8
  member 701 nokeyupd: pg_multixact/members/0000, page 0, status at byte 2, id at byte 12
` {
		t.Errorf("%d, %v\n%s", n, err, &out)
	}
	bare := src
	bare.Control = nil
	for _, s := range []SLRUSource{src, bare} { // the newest: it ends at NextMultiOffset
		out.Reset()
		if n, err := SLRUMultiXact(t.Context(), s, 2, false, &out); err != nil || n != 0 || !strings.Contains(out.String(), "multixact 2: 1 member\n") || !strings.Contains(out.String(), "member 702 forupd") {
			t.Errorf("%d, %v\n%s", n, err, &out)
		}
	}
	_ = pgdisk.PutPageOffset(fsys["pg_multixact/offsets/0000"].Data, 3, 4) // written ahead
	if next, end, err := slruMultiEnds(t.Context(), bare); err != nil || next != 3 || end != 4 {
		t.Errorf("next %d, %d, %v", next, end, err)
	}
	for m, want := range map[pgdisk.MultiXactID]string{0: "0 is no multixact", 3: "it has not been created yet"} {
		out.Reset()
		if n, err := SLRUMultiXact(t.Context(), src, m, false, &out); err != nil || n != 1 || !strings.Contains(out.String(), "FINDING multixact "+fmt.Sprint(m)+": "+want) {
			t.Errorf("%d, %v\n%s", n, err, &out)
		}
	}
	delete(fsys, "pg_multixact/members/0000")
	out.Reset()
	if n, err := SLRUMultiXact(t.Context(), src, 1, true, &out); err != nil || n != 1 || !strings.Contains(out.String(), `"members":[]`) || !strings.Contains(out.String(), "a file with its members is missing (pg_multixact/members/0000, page 0, entry 1)") {
		t.Errorf("%d, %v\n%s", n, err, &out)
	}
}

func TestSLRURangeOf(t *testing.T) {
	fsys, c := slruCluster()
	src := slruSource(fsys, c)
	for _, tt := range []struct {
		first, last pgdisk.XID
		findings    int
		want        string
	}{
		{700, 40000, 0, "700-701 committed\n702-703 aborted\n704 sub-committed\n705 in progress\n706-40000 committed\n39301 transactions: 39297 committed, 2 aborted, 1 in progress, 1 sub-committed, 0 unreadable\n"},
		{0, 4, 0, "3-4 in progress\n2 transactions: 0 committed, 0 aborted, 2 in progress, 0 sub-committed, 0 unreadable\n"},
		{65535, 65537, 1, "65535 in progress\n65536-65537 unreadable: pg_xact/0000: page 2 at byte 16384: the file is too short: 0 of 8192 bytes are there\n3 transactions: 0 committed, 0 aborted, 1 in progress, 0 sub-committed, 2 unreadable\n"},
		{4294967295, 3, 1, "4294967295 unreadable: pg_xact/0FFF: page 131071 at byte 253952: the file is missing\n3 in progress\n2 transactions: 0 committed, 0 aborted, 1 in progress, 0 sub-committed, 1 unreadable\n"},
	} {
		var out bytes.Buffer
		if n, err := SLRURange(t.Context(), src, tt.first, tt.last, false, &out); err != nil || n != tt.findings || out.String() != tt.want {
			t.Errorf("%d-%d: %d findings, %v\n%s", tt.first, tt.last, n, err, &out)
		}
	}
	var out bytes.Buffer
	if n, err := SLRURange(t.Context(), src, 700, 702, true, &out); err != nil || n != 0 || out.String() != `{"first":700,"last":701,"count":2,"status":"committed"}
{"first":702,"last":702,"count":1,"status":"aborted"}
{"total":3,"committed":2,"aborted":1,"in_progress":0,"sub_committed":0,"unreadable":0}
` {
		t.Errorf("%d, %v\n%s", n, err, &out)
	}
}

func TestSLRUCountsOf(t *testing.T) {
	fsys, c := slruCluster()
	src := slruSource(fsys, c)
	counts := func() string {
		t.Helper()
		var out bytes.Buffer
		if err := SLRUCounts(t.Context(), src, true, &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got := counts(); got != `{"file":"0000","first":700,"last":40000,"total":39301,"committed":39297,"aborted":2,"in_progress":1,"sub_committed":1,"unreadable":0}`+"\n" {
		t.Errorf("after an orderly stop: %s", got)
	}
	c.State = pgdisk.InProduction
	if got := counts(); got != `{"file":"0000","first":3,"last":65535,"total":65533,"committed":39297,"aborted":2,"in_progress":26233,"sub_committed":1,"unreadable":0}`+"\n" {
		t.Errorf("after a crash: %s", got)
	}
	c.State = pgdisk.ShutDown
	c.CheckpointCopy.OldestXID, c.CheckpointCopy.NextXID = 0xFFFFFFF0, 1<<32|702
	fsys["pg_xact/0FFF"] = &fstest.MapFile{Data: make([]byte, 32*8192)}
	if got := counts(); got != `{"file":"0FFF","first":4294967280,"last":4294967295,"total":16,"committed":0,"aborted":0,"in_progress":16,"sub_committed":0,"unreadable":0}
{"file":"0000","first":3,"last":701,"total":699,"committed":2,"aborted":0,"in_progress":697,"sub_committed":0,"unreadable":0}
` {
		t.Errorf("around the end of the circle: %s", got)
	}
}

func TestSLRUDumpOf(t *testing.T) {
	fsys, c := slruCluster()
	data := make([]byte, pgdisk.BlockSize)
	data[8] = 5
	fsys["pg_serial/0000"] = &fstest.MapFile{Data: data}
	for kind, want := range map[string][2]string{
		"xact":      {"0-699 in progress\n700-701 committed\n702-703 aborted\n704 sub-committed\n705 in progress\n706-40000 committed\n40001-65535 in progress\n", ""},
		"offsets":   {"1 1\n2 3\n", `{"id":1,"offset":1}`},
		"members":   {"1 700 keysh\n2 701 nokeyupd\n3 702 forupd\n", `{"id":2,"xid":701,"status":"nokeyupd"}`},
		"commit_ts": {"701 2000-01-01T00:00:00.000001Z origin 3\n", `{"id":701,"commit_time":"2000-01-01T00:00:00.000001Z","origin":3}`},
		"subtrans":  {"704 parent 702\n", `{"id":704,"parent":702}`},
		"serial":    {"1 commit sequence number 5\n", `{"id":1,"commit_seq_no":5}`},
	} {
		src := slruSource(fsys, c)
		g, ok := SLRUGeometry(src.Layout, kind)
		if !ok {
			t.Fatal(kind)
		}
		src.Dirs = []pgdisk.Geometry{g}
		var text, lines bytes.Buffer
		if err := errors.Join(SLRUDump(t.Context(), src, false, &text), SLRUDump(t.Context(), src, true, &lines)); err != nil || text.String() != want[0] || !strings.Contains(lines.String(), want[1]) {
			t.Errorf("%s: %v\n%s%s", kind, err, &text, &lines)
		}
	}
	var refused *SLRUQuestionError
	if err := SLRUDump(t.Context(), slruSource(fsys, c), false, &bytes.Buffer{}); !errors.As(err, &refused) {
		t.Errorf("all at once: %v", err)
	}
}

func TestSLRUGeometryNames(t *testing.T) {
	l, _ := pgdisk.LayoutFor(18)
	dirs := map[string]bool{}
	for _, kind := range SLRUKinds() {
		g, ok := SLRUGeometry(l, kind)
		if again, ok2 := SLRUGeometry(l, g.Dir); !ok || !ok2 || again.Dir != g.Dir || !strings.HasSuffix(g.Dir, kind) {
			t.Errorf("%s: %+v", kind, g)
		}
		dirs[g.Dir] = true
	}
	if len(dirs) != len(pgdisk.Geometries(l)) {
		t.Errorf("kinds for %v", maps.Keys(dirs))
	}
	if _, ok := SLRUGeometry(l, "clog"); ok {
		t.Error("clog is known")
	}
}
