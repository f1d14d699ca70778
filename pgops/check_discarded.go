package pgops

import (
	"context"
	"fmt"
	"strings"
)

// discarded says what a log that was thrown away means for the table. What it held of the
// table is neither there nor undone as a whole, so that rows can be missing, and old and new
// versions of a row can both be visible. Unique keys that hold rule the latter out.
func (t *tableCheck) discarded(ctx context.Context) error {
	if t.r.persistence == "u" && t.c.o.Discarded != nil {
		t.add(CheckResult{Name: "unlogged", Result: checkUnknown,
			Detail: "after a reset of the log nothing empties it and nothing vouches for it: truncate it"})
		return nil
	}
	row, err := t.s.one(ctx, asCatalog, fmt.Sprintf(
		"SELECT coalesce(pg_relation_filepath(%[1]s::oid), ''), EXISTS (SELECT 1 FROM pg_index WHERE indrelid = %[1]s::oid AND indisunique AND indpred IS NULL)", t.r.oid))
	if err != nil {
		return t.lost(ctx, "discarded log", err)
	}
	n := t.c.o.Discarded[relationKeyOf(row[0])]
	switch {
	case n == 0:
		return nil
	case row[1] == "t":
		t.add(CheckResult{Name: "discarded log", Result: checkPassed,
			Detail: fmt.Sprintf("%d discarded records changed it: rows may be missing or old, but none is there twice, its unique keys hold", n)})
	default:
		t.add(CheckResult{Name: "discarded log", Result: checkUnknown,
			Detail: fmt.Sprintf("%d discarded records changed it, and it has no unique key: rows may be missing, and whether an old and a new version of a row are both there cannot be told", n)})
	}
	return nil
}

// lost records a check that could not be made, unless the connection is the reason.
func (t *tableCheck) lost(ctx context.Context, name string, err error) error {
	_, err = t.try(ctx, name, func(context.Context) (outcome, error) { return outcome{}, err })
	return err
}

// relationKeyOf is RelationKey of what pg_relation_filepath gives: base/5/16384,
// global/1262, pg_tblspc/16400/PG_15_202209061/5/16401.
func relationKeyOf(path string) string {
	parts := strings.Split(path, "/")
	switch {
	case len(parts) < 2:
		return ""
	case parts[0] == "global":
		return "0/" + parts[1]
	}
	return parts[len(parts)-2] + "/" + parts[len(parts)-1]
}
