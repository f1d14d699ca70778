package steps

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// everyStep lists what playbooks are made of.
func everyStep() []*engine.Step {
	return []*engine.Step{
		Triage(), StopWriters(), TakeSnapshot(), TryReplay(), Sandbox(), ReadControl(), ResetValues(), RepairMultiXact(), ResetWAL(), StartAndCheck(),
		GiveBack(), Report(), StopForUndo(), PutBack(), GiveBackAfterUndo(),
	}
}

// Every step tells why, what, and where its knowledge or its harm ends.
func TestProseHasItsThreeParts(t *testing.T) {
	for _, s := range everyStep() {
		why := strings.Index(s.Doc, "**Why.** ")
		what := strings.Index(s.Doc, "\n\n**What.** ")
		limit := -1
		for _, heading := range []string{"\n\n**What it cannot know.** ", "\n\n**What is lost.** ", "\n\n**What remains to be done.** "} {
			limit = max(limit, strings.Index(s.Doc, heading))
		}
		if why != 0 || what < why || limit < what {
			t.Errorf("%s: why at %d, what at %d, limits at %d:\n%s", s.Name, why, what, limit, s.Doc)
		}
		for i, line := range strings.Split(s.Doc, "\n") {
			if len(line) > 140 || strings.TrimRight(line, " \t\r") != line {
				t.Errorf("%s line %d is too long or ends in blanks: %q", s.Name, i+1, line)
			}
		}
		if !strings.HasSuffix(s.Doc, ".\n") {
			t.Errorf("%s: the prose does not end with a sentence", s.Name)
		}
	}
}

// A text that no step shows would be read by nobody.
func TestEveryTextBelongsToAStep(t *testing.T) {
	texts, err := fs.Glob(prose, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range texts {
		text := doc(strings.TrimSuffix(name, ".md"))
		used := false
		for _, s := range everyStep() {
			used = used || s.Doc == text
		}
		if text == "" || !used {
			t.Errorf("%s is empty or belongs to no step", name)
		}
	}
	if doc("no-such-step") != "" {
		t.Error("a text that is not there was found")
	}
}

func TestStepNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range everyStep() {
		if seen[s.Name] || s.Name == "" || strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Errorf("name %q", s.Name)
		}
		seen[s.Name] = true
		if len(s.Title) > 24 {
			t.Errorf("title %q does not fit on the ladder", s.Title)
		}
		for _, q := range s.Ask {
			if q.Prompt == "" || q.Help == "" || q.Default == "" || q.Validate(q.Default) != nil {
				t.Errorf("%s asks %q without prompt, help or a default that is an answer", s.Name, q.Name)
			}
		}
	}
}

// What rewrites the original is said to, and what is played twice needs no fact that only
// the rehearsal makes.
func TestDangers(t *testing.T) {
	want := map[string]engine.Danger{
		"stop-writers": engine.Reversible, "snapshot": engine.OnCopy, "try-replay": engine.OnCopy, "repair-multixact": engine.Original, "reset-wal": engine.Original,
		"start-and-check": engine.Original, "give-back": engine.Reversible, "stop-for-undo": engine.Reversible, "put-back": engine.Original,
		"give-back-undone": engine.Reversible,
	}
	for _, s := range everyStep() {
		danger, writes := want[s.Name]
		if writes != (s.Rewrite != nil) {
			t.Errorf("%s: rewrites %v, want %v", s.Name, s.Rewrite != nil, writes)
			continue
		}
		if !writes {
			if d := s.Danger(engine.Performance); d != engine.Reads {
				t.Errorf("%s only looks and is %s", s.Name, d)
			}
			continue
		}
		if s.Rewrite.Danger != danger || s.Danger(engine.Performance) != engine.Original || s.Danger(engine.Rehearsal) != engine.OnCopy {
			t.Errorf("%s is %s", s.Name, s.Rewrite.Danger)
		}
	}
}
