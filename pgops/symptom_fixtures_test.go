package pgops

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testdata/logs holds what real servers of 13, 15, 17 and 18 wrote when they were started on damaged
// clusters: MAJOR-SYMPTOM[.note].log. The damage was done as the symptom's name says.
func TestRealServersLogs(t *testing.T) {
	c := mustCatalogue(t)
	files, err := filepath.Glob("testdata/logs/*.log")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]map[string]bool{"13": {}, "15": {}, "17": {}, "18": {}}
	for _, path := range files {
		major, id, _ := strings.Cut(strings.SplitN(filepath.Base(path), ".", 2)[0], "-")
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.Match(context.Background(), f)
		f.Close()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if id == "healthy" {
			for _, h := range r.Hits {
				if h.Weighed() != SeverityHarmless {
					t.Errorf("%s: a healthy log is taken for %s: %s", path, h.ID, h.Line)
				}
			}
			continue
		}
		if len(r.Hits) == 0 || r.Hits[0].ID != id {
			got := "nothing"
			if len(r.Hits) > 0 {
				got = r.Hits[0].ID + ": " + r.Hits[0].Line
			}
			t.Errorf("%s: top hit is %s", path, got)
			continue
		}
		covered[major][id] = true
		if h := r.Hits[0]; h.NotCorruption {
			if playbook, why := r.Choose(); playbook != "" || !strings.Contains(why, h.Next) {
				t.Errorf("%s: %s is no corruption and led to %q (%s)", path, id, playbook, why)
			}
		}
	}
	for major, ids := range covered {
		if len(ids) < 40 {
			t.Errorf("only %d symptoms of %s are covered by real logs", len(ids), major)
		}
	}
}

// The incident this program was made for, in all three log formats.
func TestInvalidLinePointerLoop(t *testing.T) {
	c := mustCatalogue(t)
	for _, tc := range []struct {
		file, rel, block string
		loops            int
	}{
		{"13-redo-page-mismatch.log", "", "", 3},
		{"15-redo-page-mismatch.log", "base/5/16427", "0", 3},
		{"15-redo-page-mismatch.csv.log", "base/5/16427", "0", 1},
		{"15-redo-page-mismatch.json.log", "base/5/16427", "0", 1},
		{"18-redo-page-mismatch.log", "base/5/16430", "0", 3},
		{"18-redo-page-mismatch.json.log", "base/5/16430", "0", 1},
	} {
		text, err := os.ReadFile("testdata/logs/" + tc.file)
		if err != nil {
			t.Fatal(err)
		}
		r := mustMatch(t, c, string(text))
		h := r.Hits[0]
		if h.Captures["rel"] != tc.rel || h.Captures["block"] != tc.block || h.Count != tc.loops {
			t.Errorf("%s: found %q block %q, %d times", tc.file, h.Captures["rel"], h.Captures["block"], h.Count)
		}
		if h.Captures["rmgr"] != "Heap" || h.Captures["op"] != "LOCK" || r.Log.LastRedo == nil {
			t.Errorf("%s: record not read: %v", tc.file, h.Captures)
		}
		if r.Log.Starts != tc.loops || r.Log.Startup[6] != tc.loops || r.Log.Looping() != (tc.loops >= 3) {
			t.Errorf("%s: %d starts, %d aborts, looping %v", tc.file, r.Log.Starts, r.Log.Startup[6], r.Log.Looping())
		}
		if h.Time.IsZero() || h.Level != LevelPanic {
			t.Errorf("%s: time %v level %q", tc.file, h.Time, h.Level)
		}
		if playbook, _ := r.Choose(); playbook != PlaybookCrashLoop {
			t.Errorf("%s: leads to %q", tc.file, playbook)
		}
	}
}
