package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

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
		if _, err := SLRUCounts(t.Context(), src, true, &out); err != nil {
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
		_, plain := SLRUDump(t.Context(), src, false, &text)
		_, encoded := SLRUDump(t.Context(), src, true, &lines)
		if err := errors.Join(plain, encoded); err != nil || text.String() != want[0] || !strings.Contains(lines.String(), want[1]) {
			t.Errorf("%s: %v\n%s%s", kind, err, &text, &lines)
		}
	}
	var refused *SLRUQuestionError
	if _, err := SLRUDump(t.Context(), slruSource(fsys, c), false, &bytes.Buffer{}); !errors.As(err, &refused) {
		t.Errorf("all at once: %v", err)
	}
}
