package pgops

import (
	"context"
	"fmt"
)

// noChecker begins the detail of an index check that this server has no means for. Such an
// index is sound only after it has been rebuilt.
const noChecker = "no checker"

// checks reports whether the session has a checker for an index.
func (s *session) checks(i index) bool {
	switch i.accessMethod {
	case "btree":
		return s.lacks(toolBtree) == ""
	case "gin":
		return s.lacks(toolGin) == ""
	}
	return false
}

// indexOnce makes the checks of one index.
func (t *tableCheck) indexOnce(ctx context.Context, heap heapRef, i index) error {
	whole, err := t.try(ctx, "index "+i.name, func(ctx context.Context) (outcome, error) {
		_, o, err := t.file(ctx, i.oid)
		if err != nil || o.result != "" {
			return o, err
		}
		return t.structure(ctx, heap, i)
	})
	// pageinspect believes what a page says: on a wrecked one it can take the server down.
	if err != nil || whole.Result == checkFailed || t.unhinged != "" || i.accessMethod != "btree" {
		return err
	}
	_, err = t.try(ctx, "entries of index "+i.name, func(ctx context.Context) (outcome, error) { return t.entries(ctx, heap, i) })
	return err
}

// structure has amcheck look at the index, and at whether every row is in it.
func (t *tableCheck) structure(ctx context.Context, heap heapRef, i index) (outcome, error) {
	if !t.s.checks(i) {
		return t.pages(ctx, i)
	}
	call := fmt.Sprintf("%s(%s::oid)", toolGin, i.oid)
	found := "amcheck"
	if i.accessMethod == "btree" {
		further := "false"
		if t.s.version >= 17 {
			further = "false, false" // checkunique reads rows through the index; uniqueKey needs none
		}
		call = fmt.Sprintf("%s(%s::oid, %t, %s)", toolBtree, i.oid, heap.readable, further)
		found = "amcheck: order, links, parents, and every row is in it"
		if !heap.readable {
			found = "amcheck: order, links and parents; the rows cannot be read"
		}
	}
	_, err := t.s.run(ctx, asTable, "SELECT "+call)
	return passed("%s", found), err
}

// pages reads every page of an index that has no checker here: a wrecked one is found, wrong
// content is not.
func (t *tableCheck) pages(ctx context.Context, i index) (outcome, error) {
	why := fmt.Sprintf("%s for access method %s in PostgreSQL %d", noChecker, i.accessMethod, t.s.version)
	if i.accessMethod == "btree" || i.accessMethod == "gin" && t.s.version >= 18 {
		why = noChecker + ": " + t.s.lacks(toolBtree, toolGin)
	}
	if lacking := t.s.lacks(toolPage); lacking != "" {
		return unknown("%s; its pages were not read either: %s", why, lacking), nil
	}
	row, err := t.s.one(ctx, asTable, fmt.Sprintf("SELECT count(%s(%s, 'main', g.block%s)) FROM (SELECT generate_series(0, pg_relation_size(%s::oid) / current_setting('block_size')::bigint - 1) AS block) g",
		toolPage, literal(i.sql()), t.s.blockCast(), i.oid))
	if err != nil {
		return outcome{}, err
	}
	return unknown("%s; its %s pages can be read; REINDEX INDEX %s to be sure", why, row[0], i.sql()), nil
}

// entries follows every entry of a btree to the table, which amcheck does not do: one that
// leads to an unused line pointer, a wiped page or past the end of the file is the trace of a
// row that is gone, and a trap for the row that is put there next. An entry may lead to a
// line pointer that is a redirection, dead, or the first version of a row; two entries may
// never lead to the same.
func (t *tableCheck) entries(ctx context.Context, heap heapRef, i index) (outcome, error) {
	if t.r.accessMethod != "heap" && heap.oid == t.r.oid {
		return outcome{result: checkUnknown, detail: "the table's access method is " + t.r.accessMethod, optional: true}, nil
	}
	if why := t.s.lacks(toolPage, toolHeapItems, toolBtreeItems); why != "" {
		return outcome{result: checkUnknown, detail: why, optional: true}, nil
	}
	if !heap.readable {
		return unknown("not made: the rows cannot be read"), nil
	}
	row, err := t.s.one(ctx, asTable, t.entriesSQL(heap, i))
	if err != nil {
		return outcome{}, err
	}
	total, lost, double, first := row[0], row[1], row[2], row[3]
	switch {
	case lost != "0":
		return failed("%s of %s entries lead to no row, the first to ctid %s: rows that were there are gone", lost, total, first), nil
	case double != "0":
		return failed("%s of %s entries lead to a row that another entry leads to as well", double, total), nil
	}
	return passed("%s, each leads to a row of its own", total), nil
}

// entriesSQL joins the entries of the leaf pages (dead is NULL in items that only guide the
// search) with the line pointers an entry may lead to. Byte 14 and 15 of a page are pd_upper,
// 0 in a page that was never used; 2 and 3 are LP_REDIRECT and LP_DEAD (storage/itemid.h),
// 32768 is HEAP_ONLY_TUPLE (access/htup_details.h).
func (t *tableCheck) entriesSQL(heap heapRef, i index) string {
	pages := func(name, oid string, first int) string {
		return fmt.Sprintf("(SELECT generate_series(%d, pg_relation_size(%s::oid) / current_setting('block_size')::bigint - 1) AS block) g,"+
			" LATERAL (SELECT %s(%s, 'main', g.block%s) AS page OFFSET 0) r", first, oid, toolPage, literal(name), t.s.blockCast())
	}
	const used = "get_byte(r.page, 14) + get_byte(r.page, 15) <> 0"
	return fmt.Sprintf("WITH entry AS (SELECT e.tid, count(*) AS n FROM %s, LATERAL %s(r.page) i, LATERAL unnest(coalesce(i.tids, ARRAY[i.htid])) e(tid)"+
		" WHERE %s AND i.dead IS NOT NULL GROUP BY e.tid),"+
		" root AS (SELECT ('(' || g.block || ',' || i.lp || ')')::tid AS tid FROM %s, LATERAL %s(r.page) i"+
		" WHERE %s AND (i.lp_flags IN (2, 3) OR i.lp_flags = 1 AND coalesce(i.t_infomask2, 0) & 32768 = 0))"+
		" SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE root.tid IS NULL), 0), coalesce(sum(n - 1), 0), coalesce(min(entry.tid) FILTER (WHERE root.tid IS NULL)::text, '')"+
		" FROM entry LEFT JOIN root ON root.tid = entry.tid",
		pages(i.sql(), i.oid, 1), toolBtreeItems, used, pages(heap.sql, heap.oid, 0), toolHeapItems, used)
}
