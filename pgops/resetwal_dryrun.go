package pgops

import (
	"bufio"
	"fmt"
	"strings"
)

// DryRunValue is one line that pg_resetwal prints.
type DryRunValue struct{ Label, Value string }

// ResetDryRun is the output of pg_resetwal --dry-run, with LC_ALL=C.
type ResetDryRun struct {
	Guessed bool          // the current values are guesses
	Current []DryRunValue // what pg_control has, or what was guessed for it
	Changed []DryRunValue // what would be set
}

// ParseResetDryRun reads the output of pg_resetwal --dry-run (PrintControlValues and
// PrintNewControlValues, bin/pg_resetwal/pg_resetwal.c).
func ParseResetDryRun(text string) (*ResetDryRun, error) {
	d := new(ResetDryRun)
	into := (*[]DryRunValue)(nil)
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "Current pg_control values:":
			into = &d.Current
		case line == "Guessed pg_control values:":
			into, d.Guessed = &d.Current, true
		case line == "Values to be changed:":
			into = &d.Changed
		case line == "" || into == nil:
		default:
			if label, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(value) != "" {
				*into = append(*into, DryRunValue{label, strings.TrimSpace(value)})
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read pg_resetwal's dry run: %w", err)
	}
	if len(d.Current) == 0 || len(d.Changed) == 0 {
		return nil, fmt.Errorf("read pg_resetwal's dry run: it does not list current values and values to be changed; was LC_ALL=C set? It said: %.200q", text)
	}
	return d, nil
}

// Value returns what would hold for a label after the reset.
func (d *ResetDryRun) Value(label string) (string, bool) {
	for _, list := range [][]DryRunValue{d.Changed, d.Current} {
		for _, v := range list {
			if v.Label == label {
				return v.Value, true
			}
		}
	}
	return "", false
}

// DryRunRow puts one of our values beside pg_resetwal's.
type DryRunRow struct {
	Name   string
	Ours   string
	Theirs string // empty when pg_resetwal does not print it
	Agree  bool
}

// Compare lists our outcome beside what pg_resetwal says it would do. What it does not print counts as agreeing.
func (p *ResetPlan) Compare(d *ResetDryRun) []DryRunRow {
	o := p.Outcome
	var rows []DryRunRow
	row := func(name, ours string, labels ...string) {
		r := DryRunRow{Name: name, Ours: ours, Agree: true}
		for _, l := range labels {
			if v, ok := d.Value(l); ok {
				r.Theirs, r.Agree = v, v == ours
				break
			}
		}
		rows = append(rows, r)
	}
	row("first WAL segment", o.FirstSegment, "First log segment after reset")
	row("next transaction id", fmt.Sprint(uint32(o.NextXID.XID())), "NextXID")
	if _, ok := d.Value("NextXID"); !ok {
		rows = rows[:len(rows)-1]
		row("next transaction id", o.NextXID.String(), "Latest checkpoint's NextXID")
	}
	row("oldest transaction id", fmt.Sprint(uint32(o.OldestXID)), "OldestXID", "Latest checkpoint's oldestXID")
	row("epoch", fmt.Sprint(o.NextXID.Epoch()), "NextXID epoch")
	row("next multixact", fmt.Sprint(uint32(o.NextMulti)), "NextMultiXactId", "Latest checkpoint's NextMultiXactId")
	row("oldest multixact", fmt.Sprint(uint32(o.OldestMulti)), "OldestMultiXid", "Latest checkpoint's oldestMultiXid")
	row("next multixact offset", fmt.Sprint(uint32(o.NextOffset)), "NextMultiOffset", "Latest checkpoint's NextMultiOffset")
	row("next object id", fmt.Sprint(uint32(o.NextOID)), "NextOID", "Latest checkpoint's NextOID")
	row("WAL segment bytes", fmt.Sprint(o.SegSize), "Bytes per WAL segment")
	row("timeline", fmt.Sprint(uint32(o.Timeline)), "TimeLineID", "Latest checkpoint's TimeLineID")
	return rows
}
