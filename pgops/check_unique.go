package pgops

import (
	"context"
	"fmt"
	"strings"
)

// duplicateExamples is how many duplicate keys are shown, by the positions of their rows.
const duplicateExamples = 5

// uniqueKeys looks for duplicates under every unique index, without using any index.
func (t *tableCheck) uniqueKeys(ctx context.Context) error {
	if t.unread != "" {
		return nil
	}
	indexes, err := t.listIndexes(ctx, t.r.oid)
	if err != nil {
		return t.cannotList(ctx, "list its indexes", err)
	}
	for _, i := range indexes {
		if !i.unique || !i.valid || i.exclusion {
			continue
		}
		_, err := t.try(ctx, "unique key "+i.name, func(ctx context.Context) (outcome, error) { return t.uniqueKey(ctx, i) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tableCheck) uniqueKey(ctx context.Context, i index) (outcome, error) {
	if i.keys == "" {
		return unknown("its columns cannot be listed"), nil
	}
	row, err := t.s.one(ctx, asTable, "SELECT count(*) FROM ("+t.duplicatesSQL(i, "1")+") d")
	if err != nil {
		return outcome{}, err
	}
	if row[0] == "0" {
		return passed("no duplicates"), nil
	}
	rows, err := t.s.run(ctx, asTable, t.duplicatesSQL(i, "(array_agg(q.tid ORDER BY q.tid))[1:5]::text")+fmt.Sprintf(" LIMIT %d", duplicateExamples))
	if err != nil {
		return outcome{}, err
	}
	var at []string
	for _, r := range rows {
		at = append(at, strings.ReplaceAll(strings.Trim(r[0], "{}"), `"`, ""))
	}
	return failed("%s keys occur more than once, the first in the rows at ctid %s", row[0], strings.Join(at, " and ")), nil
}

// duplicatesSQL groups by the keys. A key with a NULL is no duplicate unless the index says so;
// num_nulls looks at the values as the index does, IS NULL would look into composite ones.
func (t *tableCheck) duplicatesSQL(i index, what string) string {
	names := make([]string, i.columns)
	for n := range names {
		names[n] = fmt.Sprintf("q.k%d", n+1)
	}
	keys := strings.Join(names, ", ")
	where := ""
	if i.predicate != "" {
		where = " WHERE (" + i.predicate + ")"
	}
	outer := ""
	if !i.nullsEqual {
		outer = " WHERE num_nulls(" + keys + ") = 0"
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT ctid AS tid, %s FROM ONLY %s%s OFFSET 0) q%s GROUP BY %s HAVING count(*) > 1", what, i.keys, t.r.sql(), where, outer, keys)
}
