package pgops

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// listPage is how many tables are listed at once.
const listPage = 1000

// databaseEntry is a row of pg_database.
type databaseEntry struct {
	name   string
	opens  bool // datallowconn
	broken bool // datconnlimit -2: a DROP DATABASE that was interrupted
	tables int64
}

// relation is what pg_class says of something that is checked.
type relation struct {
	oid              string
	schema, name     string
	kind             string // relkind
	persistence      string // relpersistence
	partition        bool
	accessMethod     string
	toast, toastName string // oid, name in pg_toast; "0" and "" for none
	pages            int64  // relpages, what the last VACUUM or ANALYZE counted
	populated        bool
	catalog          bool
	unlisted         *CheckResult // set, and nothing else, if the relations of a database cannot be listed
}

func (r relation) sql() string { return qualified(r.schema, r.name) }

// word is the Kind in the verdict.
func (r relation) word() string {
	switch {
	case r.unlisted != nil:
		return "database"
	case r.persistence == "t":
		return "temporary table"
	case r.catalog:
		return "catalog"
	case r.kind == "m":
		return "materialized view"
	case r.kind == "f":
		return "foreign table"
	case r.kind == "S":
		return "sequence"
	case r.partition:
		return "partition"
	}
	return "table"
}

// databases lists the databases through whichever of them opens, if need be without the
// indexes of the catalogs.
func (c *checker) databases(ctx context.Context) ([]databaseEntry, error) {
	var first error
	for _, ignore := range []string{"off", "on"} {
		for _, name := range []string{"postgres", "template1", c.o.User} {
			list, err := c.databasesThrough(ctx, name, ignore)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				if first == nil {
					first = err
				}
				continue
			}
			c.monitor.use(name)
			for i := range list {
				c.count(ctx, &list[i])
			}
			return list, nil
		}
	}
	return nil, fmt.Errorf("the databases cannot be listed: %w", first)
}

func (c *checker) databasesThrough(ctx context.Context, name, ignore string) ([]databaseEntry, error) {
	settings := checkSettings()
	settings["ignore_system_indexes"] = ignore
	conn, err := connectWith(ctx, c.o, name, settings)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // only reading was done
	return listDatabases(ctx, conn.PgConn())
}

func listDatabases(ctx context.Context, conn *pgconn.PgConn) ([]databaseEntry, error) {
	rows, err := simple(ctx, conn, `SELECT datname, datallowconn, datconnlimit = -2 FROM pg_database ORDER BY datname COLLATE "C"`)
	if err != nil {
		return nil, err
	}
	list := make([]databaseEntry, len(rows))
	for i, r := range rows {
		list[i] = databaseEntry{name: r[0], opens: r[1] == "t", broken: r[2] == "t"}
	}
	return list, nil
}

// count adds the database's tables to the total of the progress. A database that does not open
// counts as one: its verdict.
func (c *checker) count(ctx context.Context, d *databaseEntry) {
	d.tables = 1
	if d.opens && !d.broken {
		if conn, err := connectWith(ctx, c.o, d.name, checkSettings()); err == nil {
			rows, err := simple(ctx, conn.PgConn(), "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'm', 'f', 'S') AND relnamespace <> 'pg_toast'::regnamespace")
			if err == nil {
				d.tables, _ = strconv.ParseInt(rows[0][0], 10, 64)
			}
			_ = conn.Close(ctx) // the count is a courtesy, and so is the farewell
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total += d.tables
}

// checkDatabase checks one database; opened says that it could be.
func (c *checker) checkDatabase(ctx context.Context, d databaseEntry, shared bool) (opened bool, err error) {
	switch {
	case !d.opens:
		return false, c.handDatabase(d.name, checkUnknown, "it does not allow connections (datallowconn is off), and allowing them would change it")
	case d.broken:
		return false, c.handDatabase(d.name, checkUnknown, "a DROP DATABASE was interrupted: it can only be dropped")
	}
	conn, err := connectWith(ctx, c.o, d.name, checkSettings())
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		result, detail := judgeError(err)
		return false, c.handDatabase(d.name, result, detail)
	}
	if err := conn.Close(ctx); err != nil {
		return false, err
	}
	c.monitor.use(d.name)
	// Catalogs come first and one by one: the other checks rest on them, and their indexes
	// cannot be rebuilt while another session holds uncommitted rows in them.
	for _, part := range []listPart{{catalogs: true, shared: shared}, {}} {
		workers := c.o.Workers
		if part.catalogs {
			workers = 1
		}
		err := c.checkAll(ctx, d.name, workers, func(ctx context.Context, yield func(relation) error) error {
			return c.list(ctx, d.name, part, yield)
		})
		if err != nil {
			return true, err
		}
	}
	return true, nil
}

// handDatabase hands out the verdict on a database as a whole.
func (c *checker) handDatabase(name, result, detail string) error {
	v := TableVerdict{Database: name, Schema: "*", Table: "*", Kind: "database", Result: result, Detail: detail, Rows: -1,
		Checks: []CheckResult{{Name: "connect", Result: result, Detail: detail}}}
	if err := c.verdict(v); err != nil {
		return err
	}
	c.report(v.Subject(), 1)
	return nil
}

// listPart says which half of a database is listed.
type listPart struct {
	catalogs bool
	shared   bool // shared catalogs too
}

// where is the part's condition on pg_class c and pg_namespace n. Partitioned tables have no
// rows of their own; a sequence that belongs to a column is checked with its table.
func (p listPart) where() string {
	const (
		system = "coalesce(n.nspname IN ('pg_catalog', 'information_schema'), false)"
		owned  = "EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))"
	)
	if p.catalogs {
		s := system + " AND c.relkind = 'r'"
		if !p.shared {
			s += " AND NOT c.relisshared"
		}
		return s
	}
	return "NOT " + system + " AND coalesce(n.nspname, '') <> 'pg_toast' AND (c.relkind IN ('r', 'm', 'f') OR c.relkind = 'S' AND NOT " + owned + ")" +
		" AND (c.relpersistence <> 't' OR n.nspname NOT LIKE 'pg\\_toast\\_temp%')"
}

// list yields the relations of a part in order, a page at a time, so that the server may die
// and come back in between.
func (c *checker) list(ctx context.Context, database string, part listPart, yield func(relation) error) error {
	after := [2]string{}
	for first := true; ; first = false {
		page, err := c.listOnce(ctx, database, part, after, first)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := yield(r); err != nil {
				return err
			}
		}
		if len(page) < listPage {
			return nil
		}
		last := page[len(page)-1]
		after = [2]string{last.schema, last.name}
	}
}

// listOnce reads one page. A list that cannot be read is a finding about the database.
func (c *checker) listOnce(ctx context.Context, database string, part listPart, after [2]string, first bool) ([]relation, error) {
	var last error
	for _, ignore := range []string{"off", "off", "on"} { // once more if the server died; then without the catalogs' indexes
		settings := checkSettings()
		settings["ignore_system_indexes"] = ignore
		conn, err := connectWith(ctx, c.o, database, settings)
		if err != nil {
			last = err
			if startingUp(err) {
				if err := c.awaitServer(ctx, database); err != nil {
					return nil, err
				}
			}
			continue
		}
		rows, err := simple(ctx, conn.PgConn(), listSQL(part, after, first))
		_ = conn.Close(context.WithoutCancel(ctx)) // the rows are here, or the error is
		if err == nil {
			return readRelations(rows, part), nil
		}
		last = err
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	result, detail := judgeError(last)
	what := "tables"
	if part.catalogs {
		what = "catalogs"
	}
	return []relation{{schema: "*", name: "*", unlisted: &CheckResult{Name: "list the " + what, Result: result, Detail: detail}}}, nil
}

func listSQL(part listPart, after [2]string, first bool) string {
	where := part.where()
	if !first {
		where += fmt.Sprintf(` AND (coalesce(n.nspname, ''), c.relname) > (%s::name, %s::name)`, literal(after[0]), literal(after[1]))
	}
	return fmt.Sprintf(`SELECT c.oid, coalesce(n.nspname, ''), c.relname, c.relkind, c.relpersistence, c.relispartition,
 coalesce(a.amname, ''), c.reltoastrelid, coalesce(t.relname, ''), c.relpages, c.relispopulated
 FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am a ON a.oid = c.relam
 LEFT JOIN pg_class t ON t.oid = c.reltoastrelid AND c.reltoastrelid <> 0
 WHERE %s ORDER BY coalesce(n.nspname, ''), c.relname LIMIT %d`, where, listPage)
}

func readRelations(rows [][]string, part listPart) []relation {
	list := make([]relation, len(rows))
	for i, r := range rows {
		pages, _ := strconv.ParseInt(r[9], 10, 64) // an int4 as the server prints it
		list[i] = relation{oid: r[0], schema: r[1], name: r[2], kind: r[3], persistence: r[4], partition: r[5] == "t",
			accessMethod: r[6], toast: r[7], toastName: r[8], pages: pages, populated: r[10] == "t", catalog: part.catalogs}
	}
	return list
}
