package pgops

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// tableCheck is the checking of one table: the verdict as far as it has come.
type tableCheck struct {
	c        *checker
	s        *session
	r        relation
	verdict  TableVerdict
	running  string   // the check that is being made
	notes    []string // what is worth saying of a table that passes
	blocks   int64    // of the main fork
	unread   string   // why the rows cannot be read, once that is known
	lockers  bool     // there are visible rows with a locker's or deleter's id
	copied   int64    // rows that came out of reading every column, -1 before
	unhinged string   // why no further check is made: it would hang as well
	planless string   // why the table can only be read without the planner
	listed   map[string][]index
}

func newTableCheck(c *checker, database string, r relation) *tableCheck {
	return &tableCheck{c: c, r: r, copied: -1, listed: map[string][]index{},
		verdict: TableVerdict{Database: database, Schema: r.schema, Table: r.name, Kind: r.word(), Rows: -1}}
}

func (t *tableCheck) add(c CheckResult) { t.verdict.Checks = append(t.verdict.Checks, c) }

func (t *tableCheck) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// judge records a check that ended in an error.
func (t *tableCheck) judge(name string, err error) string {
	result, detail := judgeError(err)
	t.add(CheckResult{Name: name, Result: result, Detail: detail})
	return result
}

// outcome is what a check found: a result, PASS if empty, and its detail.
type outcome struct {
	result, detail string
	optional       bool
}

func passed(format string, args ...any) outcome { return outcome{detail: fmt.Sprintf(format, args...)} }

func failed(format string, args ...any) outcome {
	return outcome{result: checkFailed, detail: fmt.Sprintf(format, args...)}
}

func unknown(format string, args ...any) outcome {
	return outcome{result: checkUnknown, detail: fmt.Sprintf(format, args...)}
}

// try makes one check and records it. The error is only ever errLost or the context's: a
// finding is no error.
func (t *tableCheck) try(ctx context.Context, name string, check func(context.Context) (outcome, error)) (CheckResult, error) {
	t.running = name
	began := time.Now()
	t.c.report(t.verdict.Subject()+": "+name, 0)
	o, err := check(ctx)
	if err != nil && (ctx.Err() != nil || errors.Is(err, errLost)) {
		return CheckResult{}, err
	}
	if err != nil {
		o.result, o.detail = judgeError(err)
		var hang *hangError
		switch {
		case errors.As(err, &hang) && hang.stubborn:
			t.unhinged = "not made: they would meet the process that hangs"
		case errors.As(err, &hang) && hang.lockLimit:
			t.unhinged = "not made: they would wait for the same lock"
		}
	}
	if o.result == "" {
		o.result = checkPassed
	}
	res := CheckResult{Name: name, Result: o.result, Detail: o.detail, Millis: time.Since(began).Milliseconds(), Optional: o.optional && o.result == checkUnknown}
	t.add(res)
	return res, t.reopen(ctx)
}

// reopen makes a new session where the last check left none, because it hung in it.
func (t *tableCheck) reopen(ctx context.Context) error {
	if t.s.usable() {
		return nil
	}
	if t.s.crashes != t.c.crashes.Load() {
		return errLost
	}
	s, err := t.c.openSession(ctx, t.verdict.Database, t.s.wary)
	if err != nil {
		return errLost
	}
	*t.s = *s
	return nil
}

// all makes every check of the table.
func (t *tableCheck) all(ctx context.Context) error {
	switch {
	case t.r.unlisted != nil:
		t.add(*t.r.unlisted)
		return nil
	case t.r.persistence == "t":
		t.add(CheckResult{Name: "open", Result: checkUnknown, Detail: "left over by a session that has ended; no other can read it, and autovacuum drops it"})
		return nil
	case t.r.kind == "f":
		t.add(CheckResult{Name: "open", Result: checkUnknown, Detail: "its rows are on another server"})
		return nil
	case t.r.kind == "S":
		return t.sequence(ctx, "read", t.r.sql())
	}
	for _, part := range []func(context.Context) error{t.open, t.plan, t.toast, t.read, t.count, t.deepHeap, t.uniqueKeys, t.indexes, t.sequences, t.discarded} {
		if err := part(ctx); err != nil {
			return err
		}
		if t.planless != "" && t.unhinged == "" {
			t.unhinged = "not made: no query on the table can be planned: " + t.planless
		}
		if t.unhinged != "" {
			t.add(CheckResult{Name: "the remaining checks", Result: checkUnknown, Detail: t.unhinged})
			return nil
		}
	}
	return nil
}

// open looks for the relation's files.
func (t *tableCheck) open(ctx context.Context) error {
	_, err := t.try(ctx, "open", func(ctx context.Context) (outcome, error) {
		f, o, err := t.file(ctx, t.r.oid)
		if err != nil {
			t.unread = "its file cannot be looked at"
			return o, err
		}
		if o.result != "" {
			t.unread = o.detail
			return o, nil
		}
		t.verdict.Bytes, t.blocks = f.bytes, f.blocks
		if t.blocks < t.r.pages {
			t.note("%d pages, but the last VACUUM or ANALYZE counted %d: the end of the file may be missing", t.blocks, t.r.pages)
		}
		return passed("%d pages", t.blocks), nil
	})
	return err
}

// mainFork is the size of a relation's main fork.
type mainFork struct{ bytes, blocks int64 }

// file returns the size of a relation's main fork, with a FAIL if its file is not there:
// pg_relation_size alone calls that 0 bytes.
func (t *tableCheck) file(ctx context.Context, oid string) (mainFork, outcome, error) {
	row, err := t.s.one(ctx, asCatalog, fmt.Sprintf(
		"SELECT coalesce(pg_relation_filepath(%[1]s::oid), ''), coalesce(pg_relation_size(%[1]s::oid), -1),"+
			" (pg_stat_file(pg_relation_filepath(%[1]s::oid), true)).size IS NOT NULL, current_setting('block_size')", oid))
	if err != nil {
		return mainFork{}, outcome{}, err
	}
	var f mainFork
	var block int64
	if f.bytes, err = strconv.ParseInt(row[1], 10, 64); err != nil {
		return f, outcome{}, err
	}
	if block, err = strconv.ParseInt(row[3], 10, 64); err != nil {
		return f, outcome{}, err
	}
	f.blocks = f.bytes / block
	if row[0] == "" || row[2] != "t" {
		return f, failed("its file %s is missing", row[0]), nil
	}
	if f.bytes%block != 0 {
		t.note("the file %s does not end on a page boundary: its end was cut", row[0])
	}
	return f, outcome{}, nil
}

// settle draws the checks together.
func (t *tableCheck) settle() TableVerdict {
	v := &t.verdict
	v.Result = checkPassed
	var fails, unknowns []string
	for _, c := range v.Checks {
		why := c.Name + ": " + c.Detail
		switch {
		case c.Result == checkFailed:
			fails = append(fails, why)
		case c.Result == checkUnknown && !c.Optional:
			unknowns = append(unknowns, why)
		}
	}
	why := t.notes
	switch {
	case len(fails) > 0:
		v.Result, why = checkFailed, append(fails, t.notes...)
	case len(unknowns) > 0:
		v.Result, why = checkUnknown, append(unknowns, t.notes...)
	}
	v.Detail = strings.Join(why, "; ")
	return *v
}
