package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// hostile is text that wants to be markup, a table's bar, or a terminal's master.
const hostile = "# | <script> `x` *b* _u_ [l](http://e) \x1b[31mred\x07 \u202egnp.exe\r\n```\n1. a\u009b"

// hostileIncident has it everywhere, and much of everything.
func hostileIncident(t *testing.T) Dir {
	t.Helper()
	d := newDir(t)
	j, _ := openDir(t, d)
	seq := int64(0)
	add := func(act engine.Act, step string, kind engine.Kind, data any) {
		t.Helper()
		seq++
		e := engine.Event{V: engine.EventVersion, Seq: seq, At: time.Unix(1700000000+seq, 0).UTC(), Act: act, Step: step, Kind: kind}
		if data != nil {
			b, err := json.Marshal(data)
			if err != nil {
				t.Fatal(err)
			}
			e.Data = b
		}
		if _, err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	add("", "", engine.KindOpened, engine.Opened{Incident: hostile, Title: hostile, Target: hostile, Host: hostile, Actor: hostile, Version: hostile,
		Steps: []engine.StepInfo{{Name: "s", Title: hostile, Part: engine.Opening}}})
	add("", "", engine.KindAct, engine.ActData{Act: engine.Prepare, Attempt: 1})
	add(engine.Prepare, "s", engine.KindStarted, nil)
	add(engine.Prepare, "s", engine.KindSaid, engine.Said{Text: hostile})
	add(engine.Prepare, "s", engine.KindFinding, engine.Finding{Severity: engine.Blocker, Title: hostile, Detail: hostile, Evidence: []string{hostile}, Next: hostile})
	rows := make([][]string, 1_000)
	for i := range rows {
		rows[i] = []string{fmt.Sprint(i), hostile}
	}
	add(engine.Prepare, "s", engine.KindExhibit, engine.Exhibit{Title: hostile, Columns: []string{hostile, "b|"}, Rows: rows})
	add(engine.Prepare, "s", engine.KindExhibit, engine.Exhibit{Title: "text", Text: strings.Repeat(hostile+"\n", 500)})
	add(engine.Prepare, "s", engine.KindIntent, engine.Intent{ID: "0008", What: hostile, Argv: []string{"pg_resetwal", hostile, "it's"}})
	add(engine.Prepare, "s", engine.KindOutcome, engine.Outcome{ID: "0008", Exit: 1, Err: hostile})
	add(engine.Prepare, "s", engine.KindIntent, engine.Intent{ID: "0010", What: "never ended"})
	for i := range 1200 {
		v := engine.Verdict{Subject: fmt.Sprintf("db.public.t%d", i), Result: []engine.Result{engine.Passed, engine.Fail, engine.CouldNotCheck}[i%3], Evidence: []string{hostile}, Detail: hostile,
			Data: json.RawMessage(fmt.Sprintf(`{"database":"db%d","rows":%d}`, i%2, i%2*3-1))}
		add(engine.Prepare, "s", engine.KindVerdict, v)
	}
	plan := engine.Plan{Summary: hostile, Loses: []string{hostile}}
	for range 500 {
		plan.Changes = append(plan.Changes, engine.Change{Path: hostile, Argv: []string{"a b"}, Loses: ""})
	}
	add(engine.Prepare, "s", engine.KindPlanned, engine.Planned{Plan: plan, Digest: strings.Repeat("d", 64)})
	add(engine.Prepare, "s", engine.KindProposed, engine.Gate{Danger: engine.OnCopy, Prompt: hostile, Digest: "d"})
	add(engine.Prepare, "s", engine.KindDeclined, engine.Agreed{Digest: "d", Reason: hostile, Actor: hostile})
	add(engine.Prepare, "", engine.KindNote, engine.Note{Text: hostile, Actor: hostile})
	add("", "", engine.KindClosed, engine.Closed{Outcome: "declined", Exit: 7, Summary: hostile, Next: []string{hostile}})
	return d
}

// TestExportsOfHostileText: no control characters, no broken table, no runaway fence, and
// a bounded size.
func TestExportsOfHostileText(t *testing.T) {
	d := hostileIncident(t)
	for _, format := range []string{"md", "postmortem"} {
		got := export(t, d, format)
		if len(got) > 2<<20 {
			t.Errorf("%s has %d bytes", format, len(got))
		}
		wellFormed(t, format, got)
	}
	md := export(t, d, "md")
	for _, want := range []string{"400 PASS, 400 FAIL, 400 COULD NOT CHECK", "300 more rows are not shown; all are in journal.jsonl", "940 more rows",
		"NO OUTCOME: it may or may not have taken place", "declined by", `'it'\''s'`, "| db0 | 200 | 0, and 200 tables not counted |", "| db1 | 200 | 400 |"} {
		if !strings.Contains(md, want) {
			t.Errorf("%q is not in the transcript", want)
		}
	}
	if i, j := strings.Index(md, "| FAIL |"), strings.Index(md, "| COULD NOT CHECK |"); i < 0 || j < i {
		t.Error("FAIL does not come first")
	}
	if got := export(t, d, "cast"); control(strings.ReplaceAll(got, "\n", "")) || strings.Contains(got, `\u001b`) {
		t.Error("the cast holds control characters")
	}
	if !json.Valid([]byte(export(t, d, "json"))) {
		t.Error("the JSON is none")
	}
}

// wellFormed reads Markdown as far as it can be broken by text: fences and tables.
func wellFormed(t *testing.T, format, text string) {
	t.Helper()
	fence, columns := "", 0
	for n, line := range strings.Split(text, "\n") {
		if control(line) {
			t.Fatalf("%s line %d holds a control character: %q", format, n+1, line)
		}
		marks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence != "" && line == fence:
			fence = ""
		case fence != "":
		case len(marks) >= 3:
			fence = marks
		case strings.HasPrefix(line, "|"):
			bars := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if columns > 0 && bars != columns {
				t.Fatalf("%s line %d has %d bars, its table %d: %s", format, n+1, bars, columns, line)
			}
			columns = bars
		default:
			columns = 0
			if strings.Contains(line, "<script>") && !strings.Contains(line, `\<script\>`) {
				t.Fatalf("%s line %d: markup gets through: %s", format, n+1, line)
			}
		}
	}
	if fence != "" {
		t.Errorf("%s: a fence stays open", format)
	}
}

func TestMarkdownEscapes(t *testing.T) {
	for in, want := range map[string]string{
		"pg_control is whole":  "pg_control is whole",
		"_under_":              `\_under\_`,
		"a|b":                  `a\|b`,
		"# head":               `\# head`,
		"- item":               `\- item`,
		"12. item":             `12\. item`,
		"0/23408F8. Then":      "0/23408F8. Then",
		"**bold** `c` <a> [l]": "\\*\\*bold\\*\\* \\`c\\` \\<a\\> \\[l\\]",
		"a\nb\tc\x1b[2J":       `a b c\[2J`,
		"&lt; & x":             `\&lt; & x`,
		"\u202eevil":           "evil",
	} {
		if got := md(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if got := md(strings.Repeat("ä", maxProse+7)); !strings.HasSuffix(got, `\[7 more characters\]`) {
		t.Errorf("a long text ends in %q", got[len(got)-40:])
	}
}

// FuzzMarkdown: text stays on its line, in its cell.
func FuzzMarkdown(f *testing.F) {
	f.Add(hostile)
	f.Add(`\|`)
	f.Add("\xff\x00")
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		p := page{&b}
		p.table([]string{"a", "b"}, [][]string{{s, s}, {s}}, 10, "x")
		p.fence(s, "x")
		p.command(shell([]string{s}), "exit 0")
		p.item("%s", s)
		wellFormed(t, "fuzzed", b.String())
	})
}
