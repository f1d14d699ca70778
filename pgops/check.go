package pgops

import (
	"context"
	"net"
	"time"
)

// The results of a check and of a table.
const (
	checkPassed  = "PASS"
	checkFailed  = "FAIL"
	checkUnknown = "COULD NOT CHECK"
)

// CheckOptions say how to reach the server and how thorough to be.
type CheckOptions struct {
	Dial             func(context.Context) (net.Conn, error) // to the server's unix socket
	User             string                                  // a superuser
	Major            int
	Workers          int           // tables checked at the same time; each takes one connection
	StatementTimeout time.Duration // of one check; longer is a hang
	// Discarded tells for which relations (RelationKey) records of the log were thrown away,
	// and how many: such a table may lack rows, or show old ones.
	Discarded      map[string]uint64
	RebuildIndexes bool // REINDEX an index that fails its check or has no checker, and check again
}

// CheckResult is one check of a table or index.
type CheckResult struct {
	Name   string `json:"name"`   // "read every column", "unique key parent_pkey", "amcheck heap"
	Result string `json:"result"` // PASS, FAIL or COULD NOT CHECK
	Detail string `json:"detail,omitempty"`
	Millis int64  `json:"ms"`
	// Optional marks a check that the table's result does not wait for: it deepens the
	// evidence where the server has the means. Its FAIL still counts.
	Optional bool `json:"optional,omitempty"`
}

func (c CheckResult) String() string {
	s := c.Name + ": " + c.Result
	if c.Detail != "" {
		s += " (" + c.Detail + ")"
	}
	return s
}

// TableVerdict is what the checks of one table come to: FAIL if one failed, COULD NOT CHECK
// if one that matters could not be made, else PASS. Names of columns, files and positions
// of rows appear in it, values do not.
type TableVerdict struct {
	Database string        `json:"database"`
	Schema   string        `json:"schema"` // "*" in the verdict on a whole database
	Table    string        `json:"table"`  // "*" in the verdict on a whole database
	Kind     string        `json:"kind"`   // table, partition, materialized view, foreign table, sequence, temporary table, catalog, database
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

// CheckTables checks every table of every database and hands out a verdict for each, in the
// order database, catalogs first, schema, table, whatever the number of workers. A database
// that cannot be opened gets a verdict of its own. Everything runs in the server and no row
// leaves it; nothing is written except the indexes that RebuildIndexes allows: the functions
// of amcheck and pageinspect are made in a transaction that is rolled back.
//
// verdict and progress are never called at the same time as themselves. An error means that
// the checks ended early: the server is gone and does not come back, the context is done, or
// verdict returned it.
func CheckTables(ctx context.Context, o CheckOptions, verdict func(TableVerdict) error, progress func(CheckProgress)) error {
	c := newChecker(o, verdict, progress)
	defer c.monitor.close()
	databases, err := c.databases(ctx)
	if err != nil {
		return err
	}
	shared := true // shared catalogs are checked once, in the first database that opens
	for _, d := range databases {
		opened, err := c.checkDatabase(ctx, d, shared)
		if err != nil {
			return err
		}
		shared = shared && !opened
	}
	return nil
}
