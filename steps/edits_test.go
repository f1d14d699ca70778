package steps

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// writeEdits keeps n edits as planning does.
func writeEdits(t *testing.T, path string, n int) (*editFile, multiPayload) {
	t.Helper()
	f := &editFile{path: path + ".partial"}
	if err := f.create(); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for i := range n {
		if err := f.add(pgops.Edit{Path: "base/5/16384", Offset: int64(i) * 8192, Before: []byte{0}, After: []byte{1}, Why: "the lock is gone"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.keep(path); err != nil {
		t.Fatal(err)
	}
	return f, multiPayload{Count: n, Digest: "d1", SHA256: hex.EncodeToString(f.sum.Sum(nil))}
}

func TestEachBatchHandsOutAllInOrder(t *testing.T) {
	for _, n := range []int{0, 1, batch - 1, batch, batch + 1} {
		path := filepath.Join(t.TempDir(), "edits.jsonl")
		_, want := writeEdits(t, path, n)
		next := 0
		err := eachBatch(path, want, func(edits []pgops.Edit) error {
			if len(edits) == 0 || len(edits) > batch {
				t.Errorf("a batch of %d", len(edits))
			}
			for _, e := range edits {
				if e.Offset != int64(next)*8192 {
					t.Fatalf("edit at %d comes where number %d should", e.Offset, next)
				}
				next++
			}
			return nil
		})
		if err != nil || next != n {
			t.Errorf("%d edits: %d arrive, %v", n, next, err)
		}
	}
}

// Whatever was consented to, nothing of a file that is not that is handed out.
func TestEachBatchRefusesWhatWasNotPlanned(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(path string, want *multiPayload) error
		stale  bool
	}{
		{"one byte changed", func(path string, _ *multiPayload) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(strings.Replace(string(b), "16384", "16385", 1)), 0o600)
		}, true},
		{"one edit appended", func(path string, _ *multiPayload) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("{\"Path\":\"global/pg_control\"}\n")
			return errors.Join(err, f.Close())
		}, true},
		{"cut short", func(path string, _ *multiPayload) error { return os.Truncate(path, 10) }, true},
		{"empty", func(path string, _ *multiPayload) error { return os.Truncate(path, 0) }, true},
		{"another hash was agreed to", func(_ string, want *multiPayload) error { want.SHA256 = strings.Repeat("0", 64); return nil }, true},
		{"no hash was agreed to", func(_ string, want *multiPayload) error { want.SHA256 = ""; return nil }, true},
		{"more edits were agreed to", func(_ string, want *multiPayload) error { want.Count++; return nil }, true},
		{"fewer edits were agreed to", func(_ string, want *multiPayload) error { want.Count--; return nil }, true},
		{"gone", func(path string, _ *multiPayload) error { return os.Remove(path) }, false},
	} {
		path := filepath.Join(t.TempDir(), "edits.jsonl")
		_, want := writeEdits(t, path, 3)
		if err := c.change(path, &want); err != nil {
			t.Fatal(err)
		}
		err := eachBatch(path, want, func([]pgops.Edit) error {
			t.Errorf("%s: edits were handed out", c.name)
			return nil
		})
		var told *engine.Error
		if err == nil || c.stale && (!errors.As(err, &told) || told.Kind != engine.Stale) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestEachBatchStopsAtAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "edits.jsonl")
	_, want := writeEdits(t, path, batch+1)
	stop := errors.New("stop")
	calls := 0
	err := eachBatch(path, want, func([]pgops.Edit) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// The plan lists some changes, counts the others, and its digest covers them all. It is the
// same wherever and whenever it is made.
func TestMultiPlan(t *testing.T) {
	plan := func(n int, digest string) (engine.Plan, string) {
		edits, _ := writeEdits(t, filepath.Join(t.TempDir(), "edits.jsonl"), n)
		p, err := multiPlan(agent.MultiXactResult{Plan: &pgops.MultiXactPlan{Count: n, Digest: digest, Losses: []string{"1 lock"}}}, edits)
		if err != nil {
			t.Fatal(err)
		}
		d, err := p.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return p, d
	}
	few, first := plan(3, "d1")
	if len(few.Changes) != 3 || len(few.Loses) != 1 {
		t.Errorf("%d changes, loses %v", len(few.Changes), few.Loses)
	}
	if _, again := plan(3, "d1"); again != first {
		t.Error("the same edits give two digests")
	}
	if _, other := plan(3, "d2"); other == first {
		t.Error("other edits give the same digest")
	}
	many, digest := plan(shownEdits+2, "d1")
	if len(many.Changes) != shownEdits+1 || !strings.HasPrefix(many.Changes[shownEdits].After, "2 more") {
		t.Errorf("%d changes, the last %+v", len(many.Changes), many.Changes[len(many.Changes)-1])
	}
	if _, other := plan(shownEdits+3, "d1"); other == digest {
		t.Error("one more edit that is not shown gives the same digest")
	}
	if none, _ := plan(0, "d0"); !none.Empty() {
		t.Errorf("no edits make a plan with %d changes", len(none.Changes))
	}
}

func TestEditsPath(t *testing.T) {
	ws := NewWorkspace(Config{Dir: "/incident"})
	for digest, want := range map[string]string{
		strings.Repeat("ab", 32): "/incident/edits-abababababababab.jsonl",
		"short":                  "/incident/edits-short.jsonl",
	} {
		if got := ws.editsPath(digest); got != want {
			t.Errorf("%s: %s, want %s", digest, got, want)
		}
	}
}
