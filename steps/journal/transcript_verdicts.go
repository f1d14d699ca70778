package journal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// tally counts the verdicts of one act.
type tally struct {
	act     engine.Act
	attempt int
	count   map[engine.Result]int
	bad     []engine.Placed[engine.Verdict] // FAIL and COULD NOT CHECK
	by      map[string]*group               // PASS, by database
	other   []engine.Placed[engine.Verdict] // PASS of what is no table
}

// group is a database's tables that pass.
type group struct {
	tables, rows int64
	uncounted    int64 // tables whose rows were not counted
}

// tallies are those of each act's latest attempt, in order.
func (s *story) tallies() []*tally {
	var all []*tally
	for _, v := range s.view.Verdicts {
		i := slices.IndexFunc(all, func(t *tally) bool { return t.act == v.Act })
		if i < 0 {
			all = append(all, &tally{act: v.Act})
			i = len(all) - 1
		}
		if all[i].attempt != v.Attempt {
			*all[i] = tally{act: v.Act, attempt: v.Attempt, count: map[engine.Result]int{}, by: map[string]*group{}}
		}
		all[i].add(v)
	}
	return all
}

// tableData is what a verdict on a table carries for programs.
type tableData struct {
	Database string `json:"database"`
	Rows     int64  `json:"rows"` // -1: not counted
}

func (t *tally) add(v engine.Placed[engine.Verdict]) {
	t.count[v.Item.Result]++
	if v.Item.Result != engine.Passed {
		t.bad = append(t.bad, v)
		return
	}
	var d tableData
	if len(v.Item.Data) == 0 || json.Unmarshal(v.Item.Data, &d) != nil || d.Database == "" {
		t.other = append(t.other, v)
		return
	}
	if t.by[d.Database] == nil {
		t.by[d.Database] = &group{}
	}
	g := t.by[d.Database]
	g.tables++
	if d.Rows < 0 {
		g.uncounted++
	} else {
		g.rows += d.Rows
	}
}

func (s *story) checked(p page) {
	p.heading(2, "What was checked")
	all := s.tallies()
	if len(all) == 0 {
		p.para("Nothing was checked: there is no verdict.")
	}
	for _, t := range all {
		p.heading(3, "%s%s: %s", actTitle(t.act), attemptWords(t.attempt), counts(t.count))
		t.write(p)
	}
}

func (t *tally) write(p page) {
	slices.SortStableFunc(t.bad, func(a, b engine.Placed[engine.Verdict]) int {
		// FAIL sorts behind COULD NOT CHECK by name; it belongs before it.
		return cmp.Compare(b.Item.Result, a.Item.Result)
	})
	if len(t.bad) > 0 {
		p.table([]string{"result", "subject", "why", "evidence"}, verdictRows(t.bad), maxVerdicts, journalName)
	}
	if len(t.by) > 0 {
		var rows [][]string
		for _, db := range slices.Sorted(maps.Keys(t.by)) {
			g := t.by[db]
			count := fmt.Sprint(g.rows)
			if g.uncounted > 0 {
				count += fmt.Sprintf(", and %d tables not counted", g.uncounted)
			}
			rows = append(rows, []string{db, fmt.Sprint(g.tables), count})
		}
		p.table([]string{"database", "tables that PASS", "rows in them"}, rows, maxVerdicts, journalName)
	}
	if len(t.other) > 0 {
		p.table([]string{"result", "subject", "why", "evidence"}, verdictRows(t.other), maxListed, journalName)
	}
}

func verdictRows(list []engine.Placed[engine.Verdict]) [][]string {
	rows := make([][]string, 0, len(list))
	for _, v := range list {
		rows = append(rows, []string{string(v.Item.Result), v.Item.Subject, v.Item.Detail, strings.Join(v.Item.Evidence, "; ")})
	}
	return rows
}
