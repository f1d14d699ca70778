package pgops

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	multixactBatch = 200   // multixacts resolved in one statement
	multixactLimit = 10000 // different multixacts looked at in one table
	multixactBad   = 5     // unreadable ones after which no more are looked for
	// multixactTime is how long one batch may take: where the next multixact's offset is lost,
	// servers without the fixes of February 2026 wait for it without end.
	multixactTime = "SET LOCAL statement_timeout = '5s'; "
)

// multixacts resolves the multixacts in the xmax of visible rows. Reading has done so where one
// of the members is an update; where all are locks nothing ever reads them, since they are
// older than every transaction of a server that has just started (GetMultiXactIdMembers,
// access/transam/multixact.c, gives up early for lock-only ones), except that the id itself
// must not lie in the future. Nothing is written: a row lock would be.
func (t *tableCheck) multixacts(ctx context.Context) (outcome, error) {
	if why := t.s.lacks(toolPage, toolHeapItems); why != "" {
		return outcome{result: checkUnknown, detail: why, optional: true}, nil
	}
	rows, err := t.s.run(ctx, asTable, t.multixactSQL())
	if err != nil {
		return outcome{}, err
	}
	var updates, locks []string
	for _, r := range rows {
		if r[1] == "t" {
			locks = append(locks, r[0])
		} else {
			updates = append(updates, r[0])
		}
	}
	badUpdates, why, err := t.resolve(ctx, updates)
	if err != nil {
		return outcome{}, err
	}
	if len(badUpdates) > 0 {
		return failed("%s of %d multixacts with an update cannot be read, the first is %s: %s", atLeast(len(badUpdates)), len(updates), badUpdates[0], why), nil
	}
	return t.judgeLocks(ctx, len(updates), locks, len(rows) == multixactLimit)
}

func (t *tableCheck) judgeLocks(ctx context.Context, updates int, locks []string, cut bool) (outcome, error) {
	bad, why, err := t.resolve(ctx, locks)
	if err != nil {
		return outcome{}, err
	}
	o := passed("%d multixacts of row locks, %d with an update", len(locks), updates)
	if cut {
		o.detail += fmt.Sprintf("; only the first %d were looked at", multixactLimit)
	}
	if len(bad) == 0 {
		return o, nil
	}
	if strings.Contains(why, "has not been created yet") {
		return failed("%s of %d multixacts of row locks cannot be read, the first is %s: %s", atLeast(len(bad)), len(locks), bad[0], why), nil
	}
	o.detail += fmt.Sprintf("; of those of row locks %s cannot be read (the first is %s: %s), which harms nobody: all lockers are gone", atLeast(len(bad)), bad[0], why)
	return o, nil
}

// multixactSQL lists the multixacts of the pages that hold a row with an xmax. The bits are
// HEAP_XMAX_IS_MULTI, HEAP_XMAX_INVALID and HEAP_XMAX_LOCK_ONLY (access/htup_details.h).
func (t *tableCheck) multixactSQL() string {
	return fmt.Sprintf("SELECT i.t_xmax, bool_and(i.t_infomask & 128 <> 0) FROM"+
		" (SELECT DISTINCT (ctid::text::point)[0]::bigint AS block FROM ONLY %s WHERE xmax <> 0) b,"+
		" LATERAL %s(%s(%s, 'main', b.block%s)) i WHERE i.lp_flags = 1 AND i.t_infomask & 4096 <> 0 AND i.t_infomask & 2048 = 0"+
		" GROUP BY i.t_xmax LIMIT %d", t.r.sql(), toolHeapItems, toolPage, literal(t.r.sql()), t.s.blockCast(), multixactLimit)
}

// blockCast is the type of a block number in pageinspect's functions.
func (s *session) blockCast() string {
	if s.version < 14 {
		return "::integer"
	}
	return ""
}

// atLeast is a number of unreadable multixacts, whose counting ends at multixactBad.
func atLeast(n int) string {
	if n >= multixactBad {
		return fmt.Sprintf("at least %d", n)
	}
	return fmt.Sprint(n)
}

// resolve asks for the members of multixacts and returns those that have none that can be
// read, multixactBad at most, with the reason for the first.
func (t *tableCheck) resolve(ctx context.Context, ids []string) (bad []string, why string, err error) {
	for len(ids) > 0 {
		batch := ids[:min(multixactBatch, len(ids))]
		ids = ids[len(batch):]
		if _, err := t.members(ctx, batch...); err == nil {
			continue
		} else if !answer(err) {
			return nil, "", err
		}
		for _, id := range batch {
			said, err := t.members(ctx, id)
			if err == nil {
				continue
			}
			if !answer(err) {
				return nil, "", err
			}
			if len(bad) == 0 {
				why = said
			}
			if bad = append(bad, id); len(bad) == multixactBad {
				return bad, why, nil
			}
		}
	}
	return bad, why, nil
}

// answer reports whether an error is the server's answer about a multixact. Not to answer in
// time is one.
func answer(err error) bool {
	var pg *pgconn.PgError
	var hang *hangError
	return errors.As(err, &pg) || errors.As(err, &hang) && !hang.stubborn
}

func (t *tableCheck) members(ctx context.Context, ids ...string) (why string, err error) {
	_, err = t.s.run(ctx, asTable+multixactTime, fmt.Sprintf("SELECT count(*) FROM unnest('{%s}'::xid[]) m, LATERAL pg_get_multixact_members(m)", strings.Join(ids, ",")))
	var hang *hangError
	switch {
	case errors.As(err, &hang) && !hang.stubborn:
		why = "the server does not answer"
	case err != nil:
		_, why = judgeError(err)
	}
	return why, err
}
