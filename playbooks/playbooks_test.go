package playbooks

import (
	"slices"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

func TestPlaybooksValidate(t *testing.T) {
	for _, pb := range All() {
		if err := pb.Validate(); err != nil {
			t.Errorf("playbook %s: %v", pb.Name, err)
		}
	}
}

func TestByName(t *testing.T) {
	for _, pb := range All() {
		if got, ok := ByName(pb.Name); !ok || got.Name != pb.Name {
			t.Errorf("%s: %v, %v", pb.Name, got, ok)
		}
	}
	for _, name := range []string{"", "crash", "CRASH-LOOP", "nosuch"} {
		if pb, ok := ByName(name); ok || pb != nil {
			t.Errorf("%q was found", name)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, pb := range All() {
		if seen[pb.Name] {
			t.Errorf("two playbooks are called %s", pb.Name)
		}
		seen[pb.Name] = true
	}
}

// A question means the same wherever it is asked, since an answers file answers it once.
func TestQuestions(t *testing.T) {
	names := Questions()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) || len(names) == 0 {
		t.Errorf("questions %q", names)
	}
	prompts := map[string]string{}
	for _, pb := range All() {
		for _, s := range pb.Steps {
			for _, q := range s.Ask {
				if p, ok := prompts[q.Name]; ok && p != q.Prompt {
					t.Errorf("%s asks %q and %q", q.Name, p, q.Prompt)
				}
				prompts[q.Name] = q.Prompt
				if !slices.Contains(names, q.Name) || strings.HasPrefix(q.Name, "consent.") || q.Name == "confirm" {
					t.Errorf("question %q of %s", q.Name, s.Name)
				}
			}
		}
	}
}

// The order is the promise: the snapshot before anything is tried, everything tried before
// anything is performed, and a way back.
func TestCrashLoopOrder(t *testing.T) {
	pb, _ := ByName("crash-loop")
	want := map[engine.Part][]string{
		engine.Opening: {"triage", "stop-writers", "snapshot", "try-replay"},
		engine.Twice:   {"sandbox", "read-control", "reset-values", "repair-multixact", "reset-wal", "start-and-check"},
		engine.Final:   {"give-back", "report"},
		engine.Putback: {"stop-for-undo", "put-back", "give-back-undone"},
	}
	for part, names := range want {
		var got []string
		for _, s := range pb.Part(part) {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, names) {
			t.Errorf("%s: %q, want %q", part, got, names)
		}
	}
	for _, s := range pb.Part(engine.Opening) {
		if s.Rewrite != nil && s.Rewrite.Danger == engine.Original {
			t.Errorf("%s rewrites the original before anything was rehearsed", s.Name)
		}
	}
}

// Triage names a playbook; where it names one of this program's, that one exists.
func TestPlaybookThatTriageNamesExists(t *testing.T) {
	if _, ok := ByName(pgops.PlaybookCrashLoop); !ok {
		t.Errorf("triage sends people to %q, which is not there", pgops.PlaybookCrashLoop)
	}
}

func TestTriageOnlyLooks(t *testing.T) {
	pb, _ := ByName("triage")
	for _, s := range pb.Steps {
		if s.Rewrite != nil {
			t.Errorf("step %s of triage rewrites", s.Name)
		}
	}
}
