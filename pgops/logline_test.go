package pgops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

func readAll(t testing.TB, log string) []LogEntry {
	t.Helper()
	in := NewLogReader(strings.NewReader(log))
	var out []LogEntry
	for {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
}

// One PANIC with its CONTEXT, as each format and each runtime delivers it.
func TestEveryFormatGivesTheSameEntry(t *testing.T) {
	const context = "WAL redo at 0/7006A8 for Heap/LOCK: off 1; blkref #0: rel 1663/5/16427, blk 3"
	at := time.Date(2025, 11, 3, 2, 14, 7, 0, time.UTC)
	for name, log := range map[string]string{
		"default prefix":   "2025-11-03 02:14:07 UTC [29] PANIC:  invalid lp\n2025-11-03 02:14:07 UTC [29] CONTEXT:  " + context + "\n",
		"no time":          "PANIC:  invalid lp\nCONTEXT:  " + context + "\n",
		"rich prefix":      "2025-11-03 02:14:07 UTC:10.0.0.7(5432):app@db:[29]: PANIC:  invalid lp\n2025-11-03 02:14:07 UTC:10.0.0.7(5432):app@db:[29]: CONTEXT:  " + context + "\n",
		"other zone":       "2025-11-03 04:14:07 +02 [29] PANIC:  invalid lp\n2025-11-03 04:14:07 +02 [29] CONTEXT:  " + context + "\n",
		"docker":           "2025-11-03T02:14:07.000000000Z [29] PANIC:  invalid lp\n2025-11-03T02:14:07.000000000Z [29] CONTEXT:  " + context + "\n",
		"compose":          "db-1  | 2025-11-03 02:14:07 UTC [29] PANIC:  invalid lp\ndb-1  | 2025-11-03 02:14:07 UTC [29] CONTEXT:  " + context + "\n",
		"kubernetes":       "2025-11-03T02:14:07.0Z stderr F [29] PANIC:  invalid lp\n2025-11-03T02:14:07.0Z stderr F [29] CONTEXT:  " + context + "\n",
		"json-file driver": `{"log":"2025-11-03 02:14:07 UTC [29] PANIC:  invalid lp\n","stream":"stderr","time":"2025-11-03T02:14:07Z"}` + "\n" + `{"log":"2025-11-03 02:14:07 UTC [29] CONTEXT:  ` + context + `\n","stream":"stderr","time":"2025-11-03T02:14:07Z"}` + "\n",
		"one blank":        "2025-11-03 02:14:07 UTC [29] PANIC: invalid lp\n2025-11-03 02:14:07 UTC [29] CONTEXT: " + context + "\n",
		"csvlog":           `2025-11-03 02:14:07.000 UTC,,,29,,690812.1d,5,,2025-11-03 02:14:07 UTC,,0,PANIC,XX000,"invalid lp",,,,,"` + context + `",,,,"","startup",,0` + "\n",
		"csvlog 13":        `2025-11-03 02:14:07.000 UTC,,,29,,690812.1d,5,,2025-11-03 02:14:07 UTC,,0,PANIC,XX000,"invalid lp",,,,,"` + context + `",,,,"","startup"` + "\n",
		"jsonlog":          `{"timestamp":"2025-11-03 02:14:07.000 UTC","pid":29,"session_id":"690812.1d","line_num":5,"error_severity":"PANIC","state_code":"XX000","message":"invalid lp","context":"` + context + `","backend_type":"startup"}` + "\n",
		"jsonlog, cut":     `{"timestamp":"2025-11-03 02:14:07.000 UTC","pid":29,"error_severity":"PANIC","message":"invalid lp","context":"` + context + `","statement":"select ` + strings.Repeat("x", 2*MaxLogLine) + "\"}\n",
		"no end of line":   "2025-11-03 02:14:07 UTC [29] PANIC:  invalid lp\n2025-11-03 02:14:07 UTC [29] CONTEXT:  " + context,
	} {
		t.Run(name, func(t *testing.T) {
			got := readAll(t, log)
			if len(got) != 1 {
				t.Fatalf("%d entries, want 1: %v", len(got), got)
			}
			e := got[0]
			if e.Level != LevelPanic || e.Message != "invalid lp" || e.LineNo != 1 {
				t.Errorf("got %q %q line %d", e.Level, e.Message, e.LineNo)
			}
			if name != "no time" && !e.Time.Equal(at) {
				t.Errorf("time %v, want %v", e.Time, at)
			}
			pos, ok := e.Redo()
			if !ok || pos.LSN != 0x7006A8 || pos.Rmgr != "Heap" || pos.Op != "LOCK" || len(pos.Blocks) != 1 || pos.Blocks[0].Block != 3 {
				t.Errorf("redo %v %+v", ok, pos)
			}
		})
	}
}

func TestParseRedo(t *testing.T) {
	for _, tc := range []struct {
		in     string
		lsn    pgdisk.LSN
		what   string
		blocks []string
	}{
		{"WAL redo at 0/1995568 for Heap/LOCK: off 3: xid 486", 0x1995568, "Heap/LOCK", nil},
		{"WAL redo at A/7237A8 for Transaction/ABORT: 2025-11-03 05:00:57.490642+00", 0xA007237A8, "Transaction/ABORT", nil},
		{"WAL redo at 0/7006A8 for Heap2/MULTI_INSERT+INIT: 4 tuples; blkref #0: rel 1663/5/16427, blk 0 FPW; blkref #1: rel 1663/5/16427, fork 2, blk 9", 0x7006A8, "Heap2/MULTI_INSERT+INIT", []string{"base/5/16427 0", "base/5/16427_vm 9"}},
		{"WAL redo at 0/7006A8 for XLOG/FPI: ; blkref #0: rel 1664/0/1262, blk 1", 0x7006A8, "XLOG/FPI", []string{"global/1262 1"}},
		{"WAL redo at 0/7006A8 for Btree/SPLIT_R; blkref #0: rel 16400/5/16427, blk 4294967295", 0x7006A8, "Btree/SPLIT_R;", []string{"pg_tblspc/16400/*/5/16427 4294967295"}},
		{"while scanning relation", 0, "", nil},
		{"WAL redo at 0/7006A8 for Heap/LOCK: ; blkref #0: rel 1663/5/99999999999, blk 1", 0x7006A8, "Heap/LOCK", nil},
	} {
		pos, ok := ParseRedo(tc.in)
		if ok != (tc.what != "") {
			t.Errorf("%q: ok %v", tc.in, ok)
			continue
		}
		if what := pos.Rmgr + "/" + pos.Op; ok && (pos.LSN != tc.lsn || what != tc.what) {
			t.Errorf("%q: got %v %s", tc.in, pos.LSN, what)
		}
		var blocks []string
		for _, b := range pos.Blocks {
			blocks = append(blocks, fmt.Sprintf("%s %d", relPath(b), b.Block))
		}
		if strings.Join(blocks, ",") != strings.Join(tc.blocks, ",") {
			t.Errorf("%q: blocks %v, want %v", tc.in, blocks, tc.blocks)
		}
	}
}

func TestContinuationLinesJoinTheirMessage(t *testing.T) {
	got := readAll(t, "2025-11-03 02:14:07 UTC [29] ERROR:  syntax\n\tsecond line\n2025-11-03 02:14:07 UTC [29] STATEMENT:  select\n\t'PANIC:  invalid lp'\n\n2025-11-03 02:14:07 UTC [29] LOG:  next\n")
	if len(got) != 2 || got[0].Message != "syntax\nsecond line" || got[1].Message != "next" {
		t.Fatalf("got %+v", got)
	}
	if len(got[0].Extra) != 1 || got[0].Extra[0].Text != "select\n'PANIC:  invalid lp'" {
		t.Errorf("statement %+v", got[0].Extra)
	}
}

func TestStartsAreCounted(t *testing.T) {
	c := mustCatalogue(t)
	var b strings.Builder
	at := time.Date(2025, 11, 3, 2, 0, 0, 0, time.UTC)
	for i := range 50 {
		p := at.Add(time.Duration(i)*7*time.Second).Format("2006-01-02 15:04:05.000 UTC") + " [1] "
		b.WriteString(p + "LOG:  starting PostgreSQL 15.18 on x86_64\n" + p + "LOG:  database system was interrupted while in recovery at x\n")
		b.WriteString(p + "PANIC:  invalid lp\n" + p + "LOG:  startup process (PID 29) was terminated by signal 6: Aborted\n")
	}
	r := mustMatch(t, c, b.String())
	if r.Log.Starts != 50 || r.Log.Period != 7*time.Second || !r.Log.Looping() || r.Log.Version != "15.18" {
		t.Errorf("got %+v", r.Log)
	}
	if h := r.Hits[0]; h.ID != "redo-page-mismatch" || h.Count != 50 || h.FirstNo != 3 || h.LineNo != 199 {
		t.Errorf("got %s %d times, lines %d to %d", h.ID, h.Count, h.FirstNo, h.LineNo)
	}
	if told := r.Explain()[0]; !strings.Contains(told, "50 times") || !strings.Contains(told, "7s") || !strings.Contains(told, "never came up") {
		t.Errorf("loop told as %q", told)
	}
}

func TestTranslatedMessagesAreAdmitted(t *testing.T) {
	r := mustMatch(t, mustCatalogue(t), "2025-11-03 02:14:07 CET [29] PANIK:  ungültiger lp\n2025-11-03 02:14:07 CET [29] FEHLER:  kaputt\n")
	if r.Log.Foreign != 2 {
		t.Errorf("%d foreign messages, want 2", r.Log.Foreign)
	}
	if playbook, why := r.Choose(); playbook != "" || !strings.Contains(why, "lc_messages=C") {
		t.Errorf("got %q %q", playbook, why)
	}
}

// endless is a log without an end of line, or without an end at all, up to n bytes.
type endless struct {
	pattern string
	n       int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && e.n > 0 {
		m := copy(p[n:], e.pattern)
		n, e.n = n+m, e.n-int64(m)
	}
	return n, nil
}

func TestLongLinesAreCut(t *testing.T) {
	in := NewLogReader(io.MultiReader(strings.NewReader("PANIC:  x"), &endless{"y", 8 << 20}, strings.NewReader("\nLOG:  next\n")))
	e, err := in.Next()
	if err != nil || len(e.Message) > MaxLogText || len(e.Line) > MaxLogText {
		t.Fatalf("%v: message of %d bytes", err, len(e.Message))
	}
	if e, err = in.Next(); err != nil || e.Message != "next" || e.LineNo != 2 {
		t.Errorf("after a long line: %v %q line %d", err, e.Message, e.LineNo)
	}
	if lines, cut := in.Lines(); lines != 2 || cut != 1 {
		t.Errorf("%d lines, %d cut", lines, cut)
	}
}

func TestMatchStopsWhenToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := mustCatalogue(t).Match(ctx, &endless{"LOG:  x\n", 1 << 62}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzMatch(f *testing.F) {
	c, err := NewCatalogue()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("2025-11-03 02:14:07 UTC [29] PANIC:  invalid lp\n2025-11-03 02:14:07 UTC [29] CONTEXT:  WAL redo at 0/1 for Heap/LOCK: ; blkref #0: rel 1663/5/1, blk 3\n")
	f.Add("2025-11-03 02:14:07.000 UTC,,,29,,x,5,,x,,0,PANIC,XX000,\"invalid\n\"\"lp\",,,,,\"c\"\n")
	f.Add(`{"timestamp":"2025","error_severity":"PANIC","message":"invalid lp"` + "\n" + `{"log":"x\n"}`)
	f.Add("\t\x00\n  \nDETAIL:  y\nFEHLER:  z\n2025-11-03T02:14:07Z stderr F \n")
	f.Fuzz(func(t *testing.T, log string) {
		r, err := c.Match(context.Background(), strings.NewReader(log))
		if err != nil {
			t.Fatal(err)
		}
		if r.Log.Entries > r.Log.Lines || r.Log.Lines > strings.Count(log, "\n")+1 {
			t.Errorf("%d entries in %d lines", r.Log.Entries, r.Log.Lines)
		}
		for _, h := range r.Hits {
			if h.Count < 1 || len(h.Line) > MaxLogText || h.LineNo < h.FirstNo || h.FirstNo < 1 {
				t.Errorf("impossible hit %+v", h)
			}
		}
		r.Explain()
		r.Choose()
	})
}

func TestOnlyTheLatestPeriodsAreKept(t *testing.T) {
	c := newCycleCounter()
	for i := range 1000 {
		c.begin(time.Unix(int64(i*i), 0))
	}
	if len(c.periods) != maxPeriods || c.periods[maxPeriods-1] != 1997*time.Second {
		t.Errorf("%d periods kept, the last %v", len(c.periods), c.periods[len(c.periods)-1])
	}
}
