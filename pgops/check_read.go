package pgops

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// plan asks whether a query on the table can be planned. The planner opens every index and
// reads the first page of each btree, so that one index that is gone, or whose access method is
// in a library that is not there, stops all reading. The indexes are then checked, and mended
// if they may be, before anything else.
func (t *tableCheck) plan(ctx context.Context) error {
	explain := func() error {
		_, err := t.s.run(ctx, asTable, "EXPLAIN SELECT FROM ONLY "+t.r.sql())
		return err
	}
	err := explain()
	if err == nil || t.unread != "" {
		return nil
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return t.cannotList(ctx, "plan a query", err)
	}
	if err := t.plainCopy(ctx, err); err != nil || t.unread != "" {
		return err
	}
	if err := t.indexes(ctx); err != nil {
		return err
	}
	if explain() == nil {
		t.planless = ""
	}
	return nil
}

// plainCopy reads the rows without the planner; generated columns are left out.
func (t *tableCheck) plainCopy(ctx context.Context, why error) error {
	_, t.planless = judgeError(why)
	t.unread = "the rows cannot be read"
	_, err := t.try(ctx, "read the rows without the planner", func(ctx context.Context) (outcome, error) {
		row, err := t.s.one(ctx, asTable, fmt.Sprintf("COPY %s TO '/dev/null' WITH (ENCODING %s)", t.r.sql(), literal(t.s.encoding)))
		if err != nil {
			return outcome{}, err
		}
		if t.verdict.Rows, err = strconv.ParseInt(row[0], 10, 64); err != nil {
			return outcome{}, err
		}
		t.unread = ""
		return passed("%s rows; no query on the table can be planned: %s", row[0], t.planless), nil
	})
	return err
}

// read has the server output every column of every row, which follows every TOAST pointer.
// The output goes to /dev/null on the server. Naming the columns by * includes generated ones,
// which a plain COPY leaves out.
func (t *tableCheck) read(ctx context.Context) error {
	if t.unread != "" {
		return nil
	}
	res, err := t.try(ctx, "read every column", func(ctx context.Context) (outcome, error) {
		if !t.r.populated {
			t.note("never filled: REFRESH MATERIALIZED VIEW has not run")
			t.copied = 0
			return passed("0 rows"), nil
		}
		row, err := t.s.one(ctx, asTable, fmt.Sprintf("COPY (SELECT * FROM ONLY %s) TO '/dev/null' WITH (ENCODING %s)", t.r.sql(), literal(t.s.encoding)))
		if err != nil {
			return outcome{}, err
		}
		t.copied, err = strconv.ParseInt(row[0], 10, 64)
		return passed("%d rows", t.copied), err
	})
	if res.Result != checkPassed {
		t.unread = "the rows cannot be read"
	}
	return err
}

// count counts with a sequential scan and looks at what an output function does not look at:
// that text is valid in the database's encoding, without which a dump does not load.
func (t *tableCheck) count(ctx context.Context) error {
	if !t.r.populated || t.r.kind == "S" {
		t.verdict.Rows = 0
		return nil
	}
	res, err := t.try(ctx, "count with a sequential scan", t.countRows)
	if err != nil || res.Result != checkPassed || !t.lockers {
		return err
	}
	_, err = t.try(ctx, "row locks", t.multixacts)
	return err
}

func (t *tableCheck) countRows(ctx context.Context) (outcome, error) {
	texts := ""
	if t.unread == "" {
		var err error
		if texts, err = t.textColumns(ctx); err != nil {
			return outcome{}, err
		}
	}
	row, err := t.s.one(ctx, asTable, t.countSQL(texts))
	var bad error
	var pg *pgconn.PgError
	if errors.As(err, &pg) && texts != "" {
		bad = err
		row, err = t.s.one(ctx, asTable, t.countSQL(""))
	}
	if err != nil {
		return outcome{}, err
	}
	rows, err := strconv.ParseInt(row[0], 10, 64)
	if err != nil {
		return outcome{}, err
	}
	t.verdict.Rows = rows
	t.lockers = row[1] == "t"
	if bad != nil {
		_, detail := judgeError(bad)
		return failed("%d rows, but text in them is not valid %s, so that a dump would not load: %s", rows, t.s.encoding, detail), nil
	}
	if t.copied >= 0 && t.copied != rows {
		return failed("%d rows, but reading every column gave %d", rows, t.copied), nil
	}
	return passed("%d rows", rows), nil
}

// countSQL counts; xmax is not 0 in a visible row that somebody locked or tried to change.
func (t *tableCheck) countSQL(texts string) string {
	return fmt.Sprintf("SELECT count(*), coalesce(bool_or(xmax <> 0), false)%s FROM ONLY %s", texts, t.r.sql())
}

// textColumns gives the expressions that validate text: convert_to verifies its input even
// where nothing is to be converted (pg_convert, mb/mbutils.c).
func (t *tableCheck) textColumns(ctx context.Context) (string, error) {
	if t.s.encoding == "SQL_ASCII" {
		return "", nil
	}
	generated := ""
	if t.s.version >= 18 {
		generated = " AND a.attgenerated <> 'v'" // virtual: computed by the reading
	}
	row, err := t.s.one(ctx, asCatalog, fmt.Sprintf(
		"SELECT coalesce(string_agg(format(', count(convert_to(%%I::text, %%L))', a.attname, %s), ''), '') FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid"+
			" WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped%s AND (y.oid IN (25, 1042, 1043, 114, 1009, 1014, 1015) OR y.typtype = 'd' AND y.typbasetype IN (25, 1042, 1043, 114))",
		literal(t.s.encoding), t.r.oid, generated))
	if err != nil {
		return "", err
	}
	return row[0], nil
}

// sequence reads a sequence's only row.
func (t *tableCheck) sequence(ctx context.Context, name, sequence string) error {
	_, err := t.try(ctx, name, func(ctx context.Context) (outcome, error) {
		rows, err := t.s.run(ctx, asTable, "SELECT last_value, log_cnt, is_called FROM "+sequence)
		if err == nil && len(rows) != 1 {
			return failed("%d rows, want 1", len(rows)), nil
		}
		if t.r.kind == "S" {
			t.verdict.Rows = int64(len(rows))
		}
		return outcome{}, err
	})
	return err
}

// sequences reads those that belong to the table's columns.
func (t *tableCheck) sequences(ctx context.Context) error {
	if t.r.catalog {
		return nil
	}
	rows, err := t.s.run(ctx, asCatalog, fmt.Sprintf(
		"SELECT n.nspname, s.relname FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace"+
			" WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %s AND d.deptype IN ('a', 'i') ORDER BY 1, 2", t.r.oid))
	if err != nil {
		return t.cannotList(ctx, "list its sequences", err)
	}
	for _, r := range rows {
		if err := t.sequence(ctx, "sequence "+r[1], qualified(r[0], r[1])); err != nil {
			return err
		}
	}
	return nil
}

// cannotList records that the catalogs could not be asked.
func (t *tableCheck) cannotList(ctx context.Context, name string, err error) error {
	_, lost := t.try(ctx, name, func(context.Context) (outcome, error) { return outcome{}, err })
	return lost
}
