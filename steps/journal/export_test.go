package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
	"github.com/pgrescue/pgrescue/steps/engine/enginetest"
)

// diskLog writes what the engine says into a journal, and lets the test's world see it.
type diskLog struct {
	*enginetest.Log
	journal *Journal
}

func (l diskLog) Append(e engine.Event) (engine.Event, error) {
	e, err := l.journal.Append(e)
	if err != nil {
		return e, err
	}
	return l.Log.Append(e)
}

func (l diskLog) Keep(id, what string, argv []string, printed engine.Output) (string, error) {
	return l.journal.Keep(id, what, argv, printed)
}

// incident is a whole walk on disk: healed, after one rehearsal that failed.
func incident(t *testing.T) Dir {
	t.Helper()
	d := newDir(t)
	log := &enginetest.Log{}
	w := enginetest.NewWorld(log)
	w.Inject(4, enginetest.FailBefore)
	for range 2 {
		j, _, err := Open(d)
		if err != nil {
			t.Fatal(err)
		}
		r := w.PlayOn(t.Context(), diskLog{log, j}, enginetest.Mode{}, enginetest.Agree)
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(d.Path("before"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"before/patch-1.jsonl": "row contents", "backup_manifest": "{}", "snapshot.sidecar.jsonl": "{}\n"} {
		if err := os.WriteFile(d.Path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func export(t *testing.T, d Dir, format string) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.Export(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTranscriptTells(t *testing.T) {
	d := incident(t)
	got := export(t, d, "md")
	for _, want := range []string{
		"| outcome | healed (exit 0)", "| original | CHANGED |", mustRead(t, d).Head,
		"- DAMAGE: the toy is broken", "evidence: it rattles", "next: mend it",
		"## What was lost", "Step reset: what the log held", "Step mend, b: the cracks of b",
		"| toy | 3 | 3 |", "### Performance on the original: 3 PASS, 0 FAIL, 0 COULD NOT CHECK",
		"buy a new toy", "| start the toy again | given back ",
		"| op@toy | agreed | performance: Step mend |", "| toy/1234 |", "glue = wood",
		"#### Step mend: FAILED", "applying: injected fault", "### Rehearsal on a copy, attempt 2",
		"```sh\nset b mended\n# exit 0,", "| before | bytes of the original saved",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in the transcript", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
	plan := regexp.MustCompile(`Plan ([0-9a-f]{64}): mend with glue: wood`).FindStringSubmatch(got)
	if plan == nil || !strings.Contains(got, "| "+plan[1]+" | toy/1234 |") {
		t.Error("the consent does not name the plan it was given to")
	}
}

func TestPostmortemSkeleton(t *testing.T) {
	got := export(t, incident(t), "postmortem")
	last := 0
	for _, heading := range []string{"# Post-mortem", "## Overview", "## What happened", "## Impact", "## Contributing factors", "## Resolution", "## Timeline", "## How did we do?", "## Action items"} {
		i := strings.Index(got, "\n"+heading)
		if heading == "# Post-mortem" {
			i = strings.Index(got, heading)
		}
		if i < last {
			t.Errorf("%s is missing or out of order", heading)
		}
		last = max(i, last)
	}
	for _, want := range []string{"| Time | Source | Description | Owner |", "**TODO**", "Step mend: mend with glue: wood (plan ", "buy a new toy", "the cracks of b",
		"UTC | performance/mend | Step mend: agreed by op@toy, plan "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in the post-mortem", want)
		}
	}
}

// TestPromise11LossesOfARehearsal: before anything is performed the transcript speaks of
// what would be lost.
func TestPromise11LossesOfARehearsal(t *testing.T) {
	d := newDir(t)
	j, _ := openDir(t, d)
	log := &enginetest.Log{}
	w := enginetest.NewWorld(log)
	if r := w.PlayOn(t.Context(), diskLog{log, j}, enginetest.Mode{RehearseOnly: true}, enginetest.Agree); r.Closed.Exit != 4 {
		t.Fatalf("%+v", r)
	}
	got := export(t, d, "md")
	if !strings.Contains(got, "## What would be lost") || !strings.Contains(got, "what the log held") || strings.Contains(got, "## What was lost") {
		t.Error(got)
	}
	if !strings.Contains(got, "STILL OWED") || !strings.Contains(got, "| original | UNTOUCHED |") {
		t.Error("what is owed, or the original, is not told")
	}
	if pm := export(t, d, "postmortem"); !strings.Contains(pm, "Nothing was carried out on the original.") {
		t.Error(pm)
	}
}

func TestNeutralJSON(t *testing.T) {
	d := incident(t)
	text := export(t, d, "json")
	var n Neutral
	dec := json.NewDecoder(strings.NewReader(text))
	if err := dec.Decode(&n); err != nil {
		t.Fatal(err)
	}
	rep := mustRead(t, d)
	if n.Schema != "pgrescue-incident" || n.Version != NeutralVersion || n.Summary.Outcome != "healed" || n.Summary.Exit == nil || *n.Summary.Exit != 0 || n.Summary.Head != rep.Head {
		t.Errorf("summary %+v", n.Summary)
	}
	if len(n.Verdicts) != 7 || n.Verdicts[6].Act != engine.Performance || n.Verdicts[6].Result != engine.Passed { // snapshot, two acts with three tables
		t.Errorf("verdicts %+v", n.Verdicts)
	}
	if len(n.Obligations) != 1 || n.Obligations[0].Settled == nil || len(n.Losses) != 3 || len(n.Findings) != 2 {
		t.Errorf("obligations %+v, losses %v, findings %+v", n.Obligations, n.Losses, n.Findings)
	}
	var last time.Time
	for _, e := range n.Timeline {
		if e.Time.Before(last) || e.Time.Location() != time.UTC || e.Source == "" || e.Actor == "" || e.Description == "" || e.Details["seq"] == nil {
			t.Errorf("entry %+v", e)
		}
		last = e.Time
	}
	for _, gone := range []string{`"payload"`, `"record"`, `"output"`, "row contents"} {
		if strings.Contains(text, gone) {
			t.Errorf("%s is in the export", gone)
		}
	}
}

func TestWriteReports(t *testing.T) {
	d := incident(t)
	for range 2 { // the second replaces the first
		if err := d.WriteReports(); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(string(d))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is left behind", e.Name())
		}
	}
	b, err := os.ReadFile(d.Path(reportName))
	if err != nil || !strings.Contains(string(b), "healed") {
		t.Errorf("%s, %v", b, err)
	}
}

func TestExportRefuses(t *testing.T) {
	d := newDir(t)
	if err := d.Export(io.Discard, "pdf"); kind(err) != engine.Usage {
		t.Errorf("unknown format: %v", err)
	}
	openDir(t, d)
	if err := d.Export(io.Discard, "md"); kind(err) != engine.Precondition {
		t.Errorf("no events: %v", err)
	}
	if err := Dir("/nowhere").Export(io.Discard, "md"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no incident: %v", err)
	}
}

// TestExportOfHalfAnIncident: every prefix of a journal can be told.
func TestExportOfHalfAnIncident(t *testing.T) {
	whole := bytes.SplitAfter(readAll(t, incident(t)), []byte("\n"))
	for n := 1; n < len(whole); n += 5 {
		d := newDir(t)
		if err := os.WriteFile(d.Path(journalName), bytes.Join(whole[:n], nil), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"md", "postmortem", "json", "cast", "bundle"} {
			if err := d.Export(io.Discard, format); err != nil {
				t.Fatalf("%d events as %s: %v", n, format, err)
			}
		}
	}
}

// control reports a character that a terminal would act upon.
func control(s string) bool { return clean(s) != s || strings.ContainsAny(s, "\n\r\x1b") }
