package pgops

import (
	"context"
	"fmt"
	"strings"
)

// heapComplaints is how many of amcheck's messages a verdict repeats.
const heapComplaints = 3

// toast checks the table that holds the long values, and its index first of all: reading the
// rows goes through it.
func (t *tableCheck) toast(ctx context.Context) error {
	if t.r.toast == "0" || t.unread != "" {
		return nil
	}
	var f mainFork
	res, err := t.try(ctx, "toast table", func(ctx context.Context) (outcome, error) {
		if t.r.toastName == "" {
			return failed("pg_class has no row for it"), nil
		}
		var o outcome
		var err error
		f, o, err = t.file(ctx, t.r.toast)
		if err != nil || o.result != "" {
			return o, err
		}
		row, err := t.s.one(ctx, asTable, "SELECT count(*) FROM "+qualified("pg_toast", t.r.toastName))
		if err != nil {
			return outcome{}, err
		}
		return passed("%s chunks in %d bytes", row[0], f.bytes), nil
	})
	if err != nil || t.unhinged != "" {
		return err
	}
	if f.blocks == 0 && t.r.catalog {
		return nil // most of them; never used
	}
	if f.blocks > 0 {
		if err := t.amcheckHeap(ctx, "amcheck toast", t.r.toast, false); err != nil {
			return err
		}
	}
	return t.checkIndexes(ctx, heapRef{oid: t.r.toast, sql: qualified("pg_toast", t.r.toastName), readable: res.Result == checkPassed})
}

// deepHeap has amcheck look at every row version, also those that nobody sees.
func (t *tableCheck) deepHeap(ctx context.Context) error {
	if t.r.accessMethod != "heap" {
		t.add(CheckResult{Name: "amcheck heap", Result: checkUnknown, Optional: true, Detail: "its access method is " + t.r.accessMethod})
		return nil
	}
	if t.blocks == 0 {
		return nil
	}
	if err := t.amcheckHeap(ctx, "amcheck heap", t.r.oid, t.unread == ""); err != nil || t.unhinged != "" {
		return err
	}
	_, err := t.try(ctx, "visibility map", func(ctx context.Context) (outcome, error) {
		if why := t.s.lacks(toolVisible); why != "" {
			return outcome{result: checkUnknown, detail: why, optional: true}, nil
		}
		row, err := t.s.one(ctx, asTable, fmt.Sprintf("SELECT count(*), coalesce(min(v.tid)::text, '') FROM %s(%s::oid) v(tid)", toolVisible, t.r.oid))
		if err != nil {
			return outcome{}, err
		}
		if row[0] != "0" {
			return failed("%s row versions are not visible to all although the map says so, the first at ctid %s: index-only scans give wrong rows until pg_truncate_visibility_map has run", row[0], row[1]), nil
		}
		return outcome{}, nil
	})
	return err
}

// amcheckHeap runs verify_heapam.
func (t *tableCheck) amcheckHeap(ctx context.Context, name, oid string, toast bool) error {
	_, err := t.try(ctx, name, func(ctx context.Context) (outcome, error) {
		if why := t.s.lacks(toolHeap); why != "" {
			return outcome{result: checkUnknown, detail: why, optional: true}, nil
		}
		rows, err := t.s.run(ctx, asTable, fmt.Sprintf(
			"SELECT blkno, offnum, coalesce(attnum, -1), msg, count(*) OVER () FROM %s(%s::oid, false, %t, 'none', NULL, NULL) LIMIT %d", toolHeap, oid, toast, heapComplaints))
		if err != nil {
			return outcome{}, err
		}
		if len(rows) == 0 {
			return outcome{}, nil
		}
		var said []string
		for _, r := range rows {
			said = append(said, fmt.Sprintf("ctid (%s,%s) %s", r[0], r[1], r[3]))
		}
		return failed("%s complaints: %s", rows[0][4], strings.Join(said, "; ")), nil
	})
	return err
}
