package journal

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// transcript writes the whole incident for people: results first, then every step in
// order. It says what the journal says and nothing else.
func (s *story) transcript(b *bytes.Buffer) {
	p := page{b}
	o := s.view.Opened
	fmt.Fprintf(p, "# Incident %s\n\n", md(o.Incident))
	p.para("Playbook %s: %s. All times are UTC.", o.Playbook, o.Title)
	s.header(p)
	s.found(p)
	s.lost(p)
	s.checked(p)
	s.nextSteps(p)
	s.agreed(p)
	s.tried(p)
	s.files(p)
}

func (s *story) header(p page) {
	v, o, h := s.view, s.view.Opened, s.headline()
	rows := [][]string{{"outcome", s.outcome()}, {"original", string(v.Original)}, {"target", o.Target}}
	for _, k := range [...][2]string{{"image", "image"}, {"volume", "volume"}, {"size", "size"}, {"PostgreSQL", "version"}, {"system identifier", "system_id"}} {
		if text := h[k[1]]; text != "" {
			rows = append(rows, []string{k[0], text})
		}
	}
	rows = append(rows, []string{"host", o.Host}, []string{"opened by", o.Actor}, []string{"pgrescue", o.Version},
		[]string{"began", stamp(v.Started)}, []string{"latest event", fmt.Sprintf("%s, %s later", stamp(v.Last), took(v.Last.Sub(v.Started)))})
	if v.Rehearsed != nil {
		rows = append(rows, []string{"rehearsal", fmt.Sprintf("attempt %d passed, digest %s", v.Rehearsed.Attempt, v.Rehearsed.Digest)})
	}
	rows = append(rows, []string{"journal", fmt.Sprintf("%d events, head %s", v.Seq, s.replay.Head)})
	p.table([]string{"", ""}, rows, len(rows), "")
}

// severities in the order of their weight.
func severities() []engine.Severity {
	return []engine.Severity{engine.Blocker, engine.Damaged, engine.Warning, engine.Info}
}

// seen is one finding with all the places that reported it.
type seen struct {
	engine.Finding
	where []string
}

// findings merges what rehearsal and performance both report; it is one fact.
func (s *story) findings() []*seen {
	var all []*seen
	index := map[string]*seen{}
	for _, f := range s.view.Findings {
		key := fmt.Sprintf("%q %q %q", f.Item.Severity, f.Item.Title, f.Item.Detail)
		if index[key] == nil {
			index[key] = &seen{Finding: f.Item}
			all = append(all, index[key])
		}
		index[key].where = append(index[key].where, fmt.Sprintf("%s in %s at %s", s.title(f.Step), f.Act, clock(f.At)))
	}
	rank := severities()
	slices.SortStableFunc(all, func(a, b *seen) int {
		return cmp.Compare(slices.Index(rank, a.Severity), slices.Index(rank, b.Severity))
	})
	return all
}

func (s *story) found(p page) {
	p.heading(2, "What was found")
	all := slices.DeleteFunc(s.findings(), func(f *seen) bool { return f.Severity == engine.Info })
	if len(all) == 0 {
		p.para("No step reported damage, a warning or a blocker.")
	}
	for i, f := range all {
		if i == maxListed*4 {
			p.item("%d more findings are in %s", len(all)-i, journalName)
			break
		}
		p.item("%s: %s", strings.ToUpper(string(f.Severity)), f.Title)
		if f.Detail != "" {
			p.sub("%s", f.Detail)
		}
		for _, ev := range f.Evidence[:min(len(f.Evidence), maxListed)] {
			p.sub("evidence: %s", ev)
		}
		if f.Next != "" {
			p.sub("next: %s", f.Next)
		}
		p.sub("reported by %s", strings.Join(f.where, "; "))
	}
	p.gap()
}

func (s *story) lost(p page) {
	lines, happened := s.losses()
	switch {
	case happened:
		p.heading(2, "What was lost")
		p.para("This is what the plans carried out on the original said would be gone, before they were agreed to.")
	case s.view.Original == engine.PutBack:
		p.heading(2, "What was lost")
		p.para("The original was put back as the snapshot has it. The plans would have lost:")
	default:
		p.heading(2, "What would be lost")
		p.para("The original has not been changed. The rehearsed plans would lose:")
	}
	for _, l := range lines {
		p.item("%s", l)
	}
	if len(lines) == 0 {
		p.item("Nothing that a plan knows of.")
	}
	p.gap()
}

func (s *story) nextSteps(p page) {
	p.heading(2, "What to do next")
	n := 0
	say := func(text string) { p.item("%s", text); n++ }
	if s.view.Closed != nil {
		for _, next := range s.view.Closed.Next {
			say(next)
		}
	} else {
		say("see whether it still runs: pgrescue status " + s.view.Opened.Incident + "; go on: pgrescue resume " + s.view.Opened.Incident)
	}
	for _, f := range s.findings() {
		if f.Severity == engine.Info {
			say(strings.TrimSuffix(f.Title+". "+f.Next, ". "))
		}
	}
	if n == 0 {
		p.item("Nothing more is known to be needed.")
	}
	p.gap()
	s.owed(p)
}

func (s *story) owed(p page) {
	var rows [][]string
	for _, o := range s.promises() {
		state := "STILL OWED"
		if !o.settled.IsZero() {
			state = "given back " + stamp(o.settled)
		}
		rows = append(rows, []string{stamp(o.made), o.What, state})
	}
	if len(rows) == 0 {
		return
	}
	p.heading(2, "What was stopped, and is owed")
	p.table([]string{"since", "what", "state"}, rows, maxListed, journalName)
}

func (s *story) agreed(p page) {
	var rows [][]string
	for _, e := range s.replay.Events {
		switch e.Kind {
		case engine.KindAgreed, engine.KindDeclined:
			a := data[engine.Agreed](e)
			rows = append(rows, []string{stamp(e.At), a.Actor, string(e.Kind), string(e.Act) + ": " + s.title(e.Step), a.Digest, a.Typed, a.Reason})
		case engine.KindAnswered:
			a := data[engine.Answered](e)
			rows = append(rows, []string{stamp(e.At), a.Actor, "answered", string(e.Act) + ": " + s.title(e.Step), "", a.Name + " = " + a.Value, ""})
		}
	}
	p.heading(2, "Who agreed to what, and when")
	if len(rows) == 0 {
		p.para("Nobody was asked for anything.")
		return
	}
	p.table([]string{"time", "who", "decision", "about", "plan digest", "typed", "reason"}, rows, maxVerdicts, journalName)
}

// files lists what the incident's directory holds.
func (s *story) files(p page) {
	p.heading(2, "Files of the incident")
	meaning := map[string]string{
		journalName: "every event; pgrescue verify checks its chain", "commands": "what each command was given and printed",
		"before": "bytes of the original saved before they were overwritten", "backup_manifest": "of the snapshot, in PostgreSQL's format",
		"snapshot.sidecar.jsonl": "what that format leaves out", reportName: "this transcript", postmortemName: "the post-mortem to fill in",
		"engine.log": "last words of the engine process", "request.json": "what the command line asked for",
	}
	entries, err := os.ReadDir(string(s.dir))
	if err != nil {
		p.para("The directory %s cannot be read: %v", string(s.dir), err)
		return
	}
	var rows [][]string
	for _, e := range entries {
		if e.Type()&fs.ModeSocket != 0 || e.Name() == "lock" || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		what := meaning[e.Name()]
		if strings.HasPrefix(e.Name(), "edits-") {
			what = "the changes of a plan, with their bytes"
		}
		rows = append(rows, []string{e.Name(), what})
	}
	p.para("In %s:", string(s.dir))
	p.table([]string{"file", "what"}, rows, 2*maxListed, "the directory")
}
