package pgops

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// toolFunction is a C function of a contrib module, declared by hand in the session's
// temporary schema. CREATE EXTENSION would do the same, but two sessions cannot hold an
// uncommitted extension of one name, and it writes ten times as many catalog rows.
type toolFunction struct {
	name    string // as called, in pg_temp
	args    string
	library string
	symbol  string
	from    int // first major that has it
	upTo    int // last major, 0 for none
}

// toolFunctions are those the checks use (contrib/amcheck, contrib/pageinspect,
// contrib/pg_visibility: their .sql and .c files).
func toolFunctions() []toolFunction {
	const amcheck, pageinspect, visibility = "amcheck", "pageinspect", "pg_visibility"
	return []toolFunction{
		{name: toolBtree, library: amcheck, symbol: "bt_index_parent_check", from: 13, upTo: 16,
			args: "(index regclass, heapallindexed boolean, rootdescend boolean) RETURNS void"},
		{name: toolBtree, library: amcheck, symbol: "bt_index_parent_check", from: 17,
			args: "(index regclass, heapallindexed boolean, rootdescend boolean, checkunique boolean) RETURNS void"},
		{name: toolHeap, library: amcheck, symbol: "verify_heapam", from: 14,
			args: "(relation regclass, on_error_stop boolean, check_toast boolean, skip text, startblock bigint, endblock bigint," +
				" OUT blkno bigint, OUT offnum integer, OUT attnum integer, OUT msg text) RETURNS SETOF record"},
		{name: toolGin, library: amcheck, symbol: "gin_index_check", from: 18, args: "(index regclass) RETURNS void"},
		{name: toolPage, library: pageinspect, symbol: "get_raw_page_fork", from: 13, upTo: 13, args: "(relname text, fork text, block integer) RETURNS bytea"},
		{name: toolPage, library: pageinspect, symbol: "get_raw_page_fork_1_9", from: 14, args: "(relname text, fork text, block bigint) RETURNS bytea"},
		{name: toolHeapItems, library: pageinspect, symbol: "heap_page_items", from: 13,
			args: "(page bytea, OUT lp smallint, OUT lp_off smallint, OUT lp_flags smallint, OUT lp_len smallint, OUT t_xmin xid, OUT t_xmax xid," +
				" OUT t_field3 integer, OUT t_ctid tid, OUT t_infomask2 integer, OUT t_infomask integer, OUT t_hoff smallint, OUT t_bits text," +
				" OUT t_oid oid, OUT t_data bytea) RETURNS SETOF record"},
		{name: toolBtreeItems, library: pageinspect, symbol: "bt_page_items_bytea", from: 13,
			args: "(page bytea, OUT itemoffset smallint, OUT ctid tid, OUT itemlen smallint, OUT nulls boolean, OUT vars boolean, OUT data text," +
				" OUT dead boolean, OUT htid tid, OUT tids tid[]) RETURNS SETOF record"},
		{name: toolVisible, library: visibility, symbol: "pg_check_visible", from: 13, args: "(relation regclass) RETURNS SETOF tid"},
	}
}

// The names under which they are called.
const (
	toolBtree      = "pg_temp.bt_index_parent_check"
	toolHeap       = "pg_temp.verify_heapam"
	toolGin        = "pg_temp.gin_index_check"
	toolPage       = "pg_temp.get_raw_page"
	toolHeapItems  = "pg_temp.heap_page_items"
	toolBtreeItems = "pg_temp.bt_page_items"
	toolVisible    = "pg_temp.pg_check_visible"
)

// begin opens the transaction and makes the functions the server has. One that cannot be made
// is remembered with the reason.
func (s *session) begin(ctx context.Context) error {
	if _, err := simple(ctx, s.conn.PgConn(), "BEGIN"); err != nil {
		return err
	}
	for _, f := range toolFunctions() {
		if f.upTo != 0 && s.version > f.upTo {
			continue // a later entry has this version's form
		}
		if s.version < f.from {
			if _, older := s.tools[f.name]; !older {
				s.tools[f.name] = fmt.Sprintf("PostgreSQL %d has no %s", s.version, f.symbol)
			}
			continue
		}
		if err := s.make(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// make declares one function. STRICT, as in the modules' own scripts: the C code of most of
// them does not look for NULL.
func (s *session) make(ctx context.Context, f toolFunction) error {
	strict := " STRICT"
	if f.symbol == "verify_heapam" {
		strict = "" // startblock and endblock may be NULL
	}
	sql := fmt.Sprintf("SAVEPOINT pgrescue; CREATE FUNCTION %s%s AS '$libdir/%s', '%s' LANGUAGE C%s; RELEASE SAVEPOINT pgrescue", f.name, f.args, f.library, f.symbol, strict)
	_, err := simple(ctx, s.conn.PgConn(), sql)
	if err == nil {
		s.tools[f.name] = ""
		return nil
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || s.conn.IsClosed() {
		return err
	}
	s.tools[f.name] = fmt.Sprintf("%s of %s cannot be used: %s", f.symbol, f.library, pg.Message)
	_, err = simple(ctx, s.conn.PgConn(), undoWhole)
	return err
}

// lacks says why a function cannot be used, or nothing.
func (s *session) lacks(names ...string) string {
	for _, n := range names {
		if why := s.tools[n]; why != "" {
			return why
		}
	}
	return ""
}
