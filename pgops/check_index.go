package pgops

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// rebuildTimes is how much longer than a check the rebuilding of an index may take.
const rebuildTimes = 4

// index is what pg_index says of one.
type index struct {
	oid, schema, name string
	accessMethod      string
	unique, valid     bool
	exclusion         bool // an exclusion constraint, or a key WITHOUT OVERLAPS
	columns           int  // key columns, those of INCLUDE not counted
	predicate         string
	keys              string // the key expressions with their collations, AS k1, AS k2, ...
	nullsEqual        bool   // NULLS NOT DISTINCT
}

func (i index) sql() string { return qualified(i.schema, i.name) }

// heapRef is the table that indexes belong to: the one that is checked, or its toast table.
type heapRef struct {
	oid, sql string
	readable bool
}

func (t *tableCheck) listIndexes(ctx context.Context, oid string) ([]index, error) {
	if list, done := t.listed[oid]; done {
		return list, nil
	}
	nullsEqual := "false"
	if t.s.version >= 15 {
		nullsEqual = "i.indnullsnotdistinct"
	}
	rows, err := t.s.run(ctx, asCatalog, fmt.Sprintf(`SELECT i.indexrelid, n.nspname, c.relname, a.amname, i.indisunique, i.indisvalid AND i.indisready, i.indisexclusion, i.indnkeyatts,
 coalesce(pg_get_expr(i.indpred, i.indrelid), ''), %s,
 coalesce((SELECT string_agg('(' || pg_get_indexdef(i.indexrelid, k, false) || ')' || coalesce(' COLLATE ' || quote_ident(ln.nspname) || '.' || quote_ident(l.collname), '') || ' AS k' || k, ', ' ORDER BY k)
  FROM generate_series(1, i.indnkeyatts) k LEFT JOIN pg_collation l ON l.oid = i.indcollation[k-1] LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace), '')
 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am a ON a.oid = c.relam
 WHERE i.indrelid = %s AND i.indislive ORDER BY c.relname`, nullsEqual, oid))
	if err != nil {
		return nil, err
	}
	list := make([]index, len(rows))
	for n, r := range rows {
		columns, err := strconv.Atoi(r[7])
		if err != nil {
			return nil, err
		}
		list[n] = index{oid: r[0], schema: r[1], name: r[2], accessMethod: r[3], unique: r[4] == "t", valid: r[5] == "t",
			exclusion: r[6] == "t", columns: columns, predicate: r[8], nullsEqual: r[9] == "t", keys: r[10]}
	}
	t.listed[oid] = list
	return list, nil
}

// indexes checks the table's indexes.
func (t *tableCheck) indexes(ctx context.Context) error {
	return t.checkIndexes(ctx, heapRef{oid: t.r.oid, sql: t.r.sql(), readable: t.unread == ""})
}

func (t *tableCheck) checkIndexes(ctx context.Context, heap heapRef) error {
	list, err := t.listIndexes(ctx, heap.oid)
	if err != nil {
		return t.cannotList(ctx, "list its indexes", err)
	}
	for _, i := range list {
		if !i.valid {
			t.add(CheckResult{Name: "index " + i.name, Result: checkPassed, Detail: "marked invalid long ago and not used: not checked"})
			continue
		}
		if err := t.index(ctx, heap, i); err != nil || t.unhinged != "" {
			return err
		}
	}
	return nil
}

// index checks one index, and rebuilds it where that is allowed and the check did not pass.
// What was wrong before the rebuild stays in the verdict as words.
func (t *tableCheck) index(ctx context.Context, heap heapRef, i index) error {
	before := len(t.verdict.Checks)
	if err := t.indexOnce(ctx, heap, i); err != nil || t.unhinged != "" {
		return err
	}
	was, rebuild := ailing(t.verdict.Checks[before:])
	if !rebuild || !t.c.o.RebuildIndexes {
		return nil
	}
	if !heap.readable {
		t.note("index %s was not rebuilt: its table cannot be read", i.name)
		return nil
	}
	first := append([]CheckResult{}, t.verdict.Checks[before:]...)
	t.verdict.Checks = t.verdict.Checks[:before]
	done, err := t.try(ctx, "rebuild index "+i.name, func(ctx context.Context) (outcome, error) { return t.rebuild(ctx, i, was) })
	if err != nil {
		return err
	}
	if done.Result != checkPassed {
		t.verdict.Checks = append(append(t.verdict.Checks[:before], first...), done)
		return nil
	}
	t.note("index %s rebuilt, %s", i.name, was)
	if t.s.checks(i) {
		return t.indexOnce(ctx, heap, i)
	}
	return nil
}

// ailing says what is wrong with an index, and whether rebuilding it would mend that: a check
// that was cut short by its time limit or a lock says nothing of the kind.
func ailing(checks []CheckResult) (was string, rebuild bool) {
	for _, c := range checks {
		switch {
		case c.Result == checkFailed:
			return "it was damaged: " + c.Detail, true
		case c.Result == checkUnknown && strings.HasPrefix(c.Detail, noChecker):
			was, rebuild = c.Detail, true
		}
	}
	return was, rebuild
}

// rebuild makes an index anew from its table, in a session of its own, outside any transaction.
func (t *tableCheck) rebuild(ctx context.Context, i index, was string) (outcome, error) {
	settings := checkSettings()
	delete(settings, "session_replication_role")
	settings["statement_timeout"] = strconv.FormatInt((rebuildTimes * t.c.o.StatementTimeout).Milliseconds(), 10)
	if t.r.catalog {
		t.s.close() // its uncommitted functions lie in the catalogs, and REINDEX would wait for them
		settings["ignore_system_indexes"] = "on"
	}
	conn, err := connectWith(ctx, t.c.o, t.verdict.Database, settings)
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // REINDEX has committed, or failed
	limited, cancel := context.WithTimeout(ctx, rebuildTimes*t.c.o.StatementTimeout+hangGrace)
	defer cancel()
	_, err = simple(limited, conn.PgConn(), "REINDEX INDEX "+i.sql())
	if err == nil {
		return passed("%s", was), nil
	}
	var pg *pgconn.PgError
	switch {
	case ctx.Err() != nil:
		return outcome{}, ctx.Err()
	case limited.Err() != nil:
		return outcome{}, &hangError{pid: conn.PgConn().PID(), stubborn: true, after: rebuildTimes * t.c.o.StatementTimeout}
	case !errors.As(err, &pg) || conn.IsClosed():
		return outcome{}, errLost
	}
	return outcome{}, err
}
