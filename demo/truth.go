package demo

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/docker/docker/client"
)

// TableCount is what one table holds.
type TableCount struct {
	Schema, Table string
	Rows          int64
	// Sum is a checksum of the rows' contents whatever their order: the sum of
	// hashtextextended over each row's text form. It is "0" for an empty table.
	// Two tables have the same Sum only if they hold the same rows equally often.
	Sum string
}

// tablesSQL makes one query per ordinary table of the user's, with the names as literals.
const tablesSQL = `SELECT format(
	'SELECT %L, %L, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM ONLY %I.%I t',
	n.nspname, c.relname, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C" \gexec
`

// Measure counts and sums every table of a database in a running container,
// reading the tables themselves and no index. It fails if one of them cannot be read.
func Measure(ctx context.Context, cli *client.Client, name, db string) ([]TableCount, error) {
	const noIndex = "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;\n"
	argv := append(psqlArgs(db), "--csv")
	out, err := exec(ctx, cli, name, []byte(noIndex+tablesSQL), argv...)
	if err != nil {
		return nil, fmt.Errorf("count tables of %s: %w", db, err)
	}
	records, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read counts of %s: %w", db, err)
	}
	counts := make([]TableCount, 0, len(records))
	for _, r := range records {
		if len(r) != 4 {
			return nil, fmt.Errorf("read counts of %s: %q is no count", db, strings.Join(r, ","))
		}
		rows, err := strconv.ParseInt(r[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read counts of %s: %w", db, err)
		}
		counts = append(counts, TableCount{Schema: r[0], Table: r[1], Rows: rows, Sum: r[3]})
	}
	return counts, nil
}
