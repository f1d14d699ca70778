package pgops

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// CheckOptions say how to reach the server and how thorough to be.
type CheckOptions struct {
	Dial             func(context.Context) (net.Conn, error) // to the server's unix socket
	User             string                                  // a superuser
	Major            int
	Workers          int           // tables checked at the same time
	StatementTimeout time.Duration // of one check; longer is a hang
	RebuildIndexes   bool          // REINDEX an index that fails its check, and check again
}

// CheckResult is one check of a table or index.
type CheckResult struct {
	Name   string `json:"name"`   // "read every column", "unique key parent_pkey", "amcheck heap"
	Result string `json:"result"` // PASS, FAIL or COULD NOT CHECK
	Detail string `json:"detail,omitempty"`
	Millis int64  `json:"ms"`
}

func (c CheckResult) String() string {
	s := c.Name + ": " + c.Result
	if c.Detail != "" {
		s += " (" + c.Detail + ")"
	}
	return s
}

// TableVerdict is what the checks of one table come to: FAIL if one failed, COULD NOT CHECK
// if one that matters could not be made, else PASS.
type TableVerdict struct {
	Database string        `json:"database"`
	Schema   string        `json:"schema"`
	Table    string        `json:"table"`
	Kind     string        `json:"kind"` // table, partition, materialized view, toast, catalog
	Result   string        `json:"result"`
	Detail   string        `json:"detail,omitempty"`
	Rows     int64         `json:"rows"`  // -1 if they could not be counted
	Bytes    int64         `json:"bytes"` // of the main fork
	Checks   []CheckResult `json:"checks"`
}

// Subject names the table: shop.public.orders.
func (v TableVerdict) Subject() string { return v.Database + "." + v.Schema + "." + v.Table }

// CheckProgress is how far the checks are.
type CheckProgress struct {
	What        string
	Done, Total int64 // tables
}

// Connect opens a connection to a database through the options' dialer.
func Connect(ctx context.Context, o CheckOptions, database string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig("")
	if err != nil {
		return nil, err
	}
	cfg.Host, cfg.Port, cfg.User, cfg.Database, cfg.Password = "/", 5432, o.User, database, ""
	cfg.TLSConfig, cfg.Fallbacks = nil, nil
	cfg.ConnectTimeout = 30 * time.Second
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return o.Dial(ctx) }
	cfg.RuntimeParams = map[string]string{"application_name": "pgrescue", "statement_timeout": fmt.Sprint(o.StatementTimeout.Milliseconds()), "lock_timeout": "5000"}
	return pgx.ConnectConfig(ctx, cfg)
}

// CheckTables checks every table of every database and hands out a verdict for each.
func CheckTables(ctx context.Context, o CheckOptions, verdict func(TableVerdict) error, progress func(CheckProgress)) error {
	return errors.New("not there yet")
}

// ControlThroughSQL reads what SQL tells of a running server's control file.
func ControlThroughSQL(ctx context.Context, conn *pgx.Conn) (*pgdisk.Control, error) {
	return nil, errors.New("not there yet")
}
