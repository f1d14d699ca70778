package pgops

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A process that hangs while it holds a page's lock does not listen to statement_timeout
// (LWLockAcquire holds interrupts off), which is just how an unreadable multixact hangs. So the
// clock runs here as well, hangGrace longer.
const hangGrace = 5 * time.Second

// session is one connection to a database, in a transaction that is never committed and in
// which the functions of amcheck and pageinspect exist for as long as it lasts.
type session struct {
	c        *checker
	conn     *pgx.Conn
	pid      uint32
	version  int // major
	encoding string
	tools    map[string]string // name of a function, why it cannot be used: empty if it can
	crashes  int64             // c.crashes when the session began
	wary     bool              // reads the catalogs without their indexes
}

// errLost says that the connection ended while something ran: the server process died, or
// another one did and took all others with it.
var errLost = errors.New("the server process died")

// hangError says that a statement did not end in its time.
type hangError struct {
	waits     waits // what the process was last seen waiting for
	stubborn  bool  // it could not be cancelled either
	pid       uint32
	after     time.Duration
	lockLimit bool // it was lock_timeout that ended it
}

func (e *hangError) Error() string {
	switch {
	case e.lockLimit:
		return fmt.Sprintf("waited %v for a lock (%s)", checkLockTimeout, e.waits)
	case e.stubborn:
		return fmt.Sprintf("hang: %s; process %d cannot be cancelled and stays until the server is stopped", e.waits, e.pid)
	case e.waits.blocked():
		return fmt.Sprintf("hang: %s", e.waits)
	}
	return fmt.Sprintf("did not end in %v (%s); allow more time and check again", e.after, e.waits)
}

// openSession connects and begins the transaction. A wary session works where an index of the
// catalogs is damaged, which otherwise makes operators, types and tables seem not to exist;
// in a database of many tables it is slow.
func (c *checker) openSession(ctx context.Context, database string, wary bool) (*session, error) {
	crashes := c.crashes.Load()
	settings := checkSettings()
	if wary {
		settings["ignore_system_indexes"] = "on"
	}
	conn, err := connectWith(ctx, c.o, database, settings)
	if err != nil {
		return nil, err
	}
	s := &session{c: c, conn: conn, pid: conn.PgConn().PID(), crashes: crashes, wary: wary, tools: map[string]string{}}
	s.version, s.encoding, err = versionAndEncoding(ctx, conn)
	if err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("database %q: %w", database, err)
	}
	return s, nil
}

func versionAndEncoding(ctx context.Context, conn *pgx.Conn) (version int, encoding string, err error) {
	rows, err := simple(ctx, conn.PgConn(), "SELECT current_setting('server_version_num'), current_setting('server_encoding')")
	if err != nil {
		return 0, "", err
	}
	n, err := strconv.Atoi(rows[0][0])
	return n / 10000, rows[0][1], err
}

// close ends the session; the server rolls back.
func (s *session) close() {
	if s == nil || s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	// A connection that was lost or hangs has nothing to say at its end.
	_ = s.conn.Close(ctx)
	s.conn = nil
}

// usable reports whether the session can take another statement.
func (s *session) usable() bool {
	return s != nil && s.conn != nil && !s.conn.IsClosed() && s.crashes == s.c.crashes.Load()
}

// How statements are prefixed: everything runs in a savepoint that is rolled back, which also
// gives back the locks, and read-only, so that the functions a table's owner put into an index
// cannot write as superuser.
const (
	asCatalog = "SAVEPOINT pgrescue; SET LOCAL transaction_read_only = on; "
	asTable   = asCatalog + "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off; "
	undoWhole = "ROLLBACK TO SAVEPOINT pgrescue; RELEASE SAVEPOINT pgrescue"
)

// run executes one statement and returns its rows as text, NULL as the empty string, and for
// COPY a single cell with the number of rows. Errors are a *pgconn.PgError from the server,
// a *hangError, errLost, or the context's.
func (s *session) run(ctx context.Context, prefix, sql string) ([][]string, error) {
	if !s.usable() {
		return nil, errLost
	}
	look := s.c.monitor.watch(ctx, s.pid, s.c.o.StatementTimeout)
	limited, cancel := context.WithTimeout(ctx, s.c.o.StatementTimeout+hangGrace)
	defer cancel()
	rows, err := simple(limited, s.conn.PgConn(), prefix+sql+"; "+undoWhole)
	seen := look()
	if err == nil {
		return rows, nil
	}
	return nil, s.explain(ctx, limited, err, seen)
}

// explain tells apart the ways in which a statement can end, and makes the session usable
// again after an ordinary error.
func (s *session) explain(ctx, limited context.Context, err error, seen waits) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if limited.Err() != nil {
		stubborn := s.c.monitor.end(ctx, s.pid, &seen)
		s.close()
		return &hangError{waits: seen, stubborn: stubborn, pid: s.pid, after: s.c.o.StatementTimeout}
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || s.conn.IsClosed() {
		s.close()
		return errLost
	}
	if _, undo := simple(ctx, s.conn.PgConn(), undoWhole); undo != nil {
		s.close()
	}
	switch pg.Code {
	case "57014": // query_canceled
		return &hangError{waits: seen, pid: s.pid, after: s.c.o.StatementTimeout}
	case "55P03": // lock_not_available
		return &hangError{waits: seen, pid: s.pid, lockLimit: true}
	}
	return pg
}

// one runs a statement that gives one row.
func (s *session) one(ctx context.Context, prefix, sql string) ([]string, error) {
	rows, err := s.run(ctx, prefix, sql)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, fmt.Errorf("%d rows from a statement that gives one: %s", len(rows), sql)
	}
	return rows[0], nil
}

// simple sends statements through the simple protocol, which needs no catalog look-up of
// parameter types, and returns the rows of those that give any.
func simple(ctx context.Context, conn *pgconn.PgConn, sql string) ([][]string, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, r := range results {
		if r.Err != nil {
			return nil, r.Err
		}
		if strings.HasPrefix(r.CommandTag.String(), "COPY ") {
			rows = append(rows, []string{strconv.FormatInt(r.CommandTag.RowsAffected(), 10)})
		}
		for _, raw := range r.Rows {
			row := make([]string, len(raw))
			for i, cell := range raw {
				row[i] = string(cell)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// literal quotes a string constant; standard_conforming_strings is on.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// qualified quotes the name of a table or index.
func qualified(schema, name string) string { return pgx.Identifier{schema, name}.Sanitize() }
