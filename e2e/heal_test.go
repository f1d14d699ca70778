package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/pgrescue/pgrescue/demo"
)

// TestHeal walks broken clusters of every major all the way; TestIncident does so for 15
// without checksums.
func TestHeal(t *testing.T) {
	for _, opt := range []demo.Options{
		{Major: 13, Cut: demo.CutMembers},
		{Major: 15, Cut: demo.CutOffsets, Checksums: true},
		{Major: 17, Cut: demo.CutMembers},
		{Major: 18, Cut: demo.CutOffsets},
	} {
		t.Run(strconv.Itoa(opt.Major), func(t *testing.T) { testHeal(newLab(t), opt) })
	}
}

func testHeal(l *lab, opt demo.Options) {
	t := l.t
	b := l.breakOne(opt)
	before := l.inspect(b.Container).HostConfig.RestartPolicy
	r := l.run("run", "crash-loop", "container:"+b.Container, "--ui", "plain", "--answers", l.answers())
	r.want(t, 0, "closed: healed")
	l.serves(b.Container)
	c := l.inspect(b.Container)
	if c.HostConfig.RestartPolicy != before {
		t.Errorf("the restart policy is %+v, it was %+v", c.HostConfig.RestartPolicy, before)
	}
	if before.Name != container.RestartPolicyAlways {
		t.Errorf("the restart policy was %q: this test shows nothing", before.Name)
	}
	checkRows(l, b)
	checkKeys(l, b)
	checkRecord(l, l.last())
	checkLeftovers(l, l.last())
}

// checkRows compares with what an undamaged twin has: no table has more, and the one that
// no record of the log touches has the same, to the last byte.
func checkRows(l *lab, b *demo.Broken) {
	l.t.Helper()
	now, err := demo.Measure(l.ctx, l.api, b.Container, b.Database)
	l.must(err)
	kept := map[string]demo.TableCount{}
	for _, n := range now {
		kept[n.Table] = n
	}
	for _, want := range b.Truth {
		got, ok := kept[want.Table]
		l.t.Logf("%s: %d of %d rows", want.Table, got.Rows, want.Rows)
		switch {
		case want.Table == "document" && got != want:
			l.t.Errorf("table document is %+v, want %+v: no record of the log touches it", got, want)
		case !ok && want.Table != "late":
			l.t.Errorf("table %s is gone", want.Table)
		}
	}
	if kept["parent"].Rows == 0 || kept["child"].Rows == 0 {
		l.t.Error("a table was healed to nothing")
	}
}

// keysSQL makes one query per primary key, counting by reading the table, not the index.
const keysSQL = `SELECT string_agg(format('SELECT %L, count(*), count(DISTINCT (%s)), coalesce(max(%s), 0) FROM ONLY %I.%I',
	c.relname, k.keys, k.first, n.nspname, c.relname), ' UNION ALL ')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN LATERAL (SELECT string_agg(quote_ident(a.attname), ',') AS keys, min(quote_ident(a.attname)) AS first FROM pg_constraint k
	JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
	WHERE k.conrelid = c.oid AND k.contype = 'p') k ON keys IS NOT NULL
WHERE n.nspname = 'public' AND c.relkind = 'r'`

// checkKeys looks for doubled keys, and for more keys than the truth has.
func checkKeys(l *lab, b *demo.Broken) {
	l.t.Helper()
	query := strings.TrimSpace(l.sql(b.Container, b.Database, keysSQL))
	const noIndex = "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; "
	out := strings.TrimSpace(l.sql(b.Container, b.Database, noIndex+query))
	truth := map[string]int64{}
	for _, t := range b.Truth {
		truth[t.Table] = t.Rows
	}
	rows := strings.Split(out, "\n")
	if len(rows) < 3 {
		l.t.Fatalf("looked at too few tables: %q", out)
	}
	for _, row := range rows {
		var rowsNow, distinct, highest int64
		table, rest, _ := strings.Cut(row, "|")
		if _, err := fmt.Sscanf(strings.ReplaceAll(rest, "|", " "), "%d %d %d", &rowsNow, &distinct, &highest); err != nil {
			l.t.Fatalf("%q: %v", row, err)
		}
		if rowsNow != distinct {
			l.t.Errorf("table %s has %d rows with %d keys: rows came out double", table, rowsNow, distinct)
		}
		if distinct > truth[table] {
			l.t.Errorf("table %s has %d keys, in truth %d", table, distinct, truth[table])
		}
	}
}

// checkRecord looks at what the incident leaves for people.
func checkRecord(l *lab, incident string) {
	l.t.Helper()
	l.run("verify", l.dir(incident)).want(l.t, 0, "chain whole")
	report, err := os.ReadFile(filepath.Join(l.dir(incident), "report.md"))
	l.must(err)
	for _, want := range []string{"pg_resetwal", incident, "What was checked", "app"} {
		if !strings.Contains(string(report), want) {
			l.t.Errorf("the transcript lacks %q", want)
		}
	}
}

// checkLeftovers finds nothing of the incident's in Docker but the snapshot.
func checkLeftovers(l *lab, incident string) {
	l.t.Helper()
	containers, volumes := l.owned(incident)
	if len(containers) > 0 {
		l.t.Errorf("containers are left: %v", containers)
	}
	for role, names := range volumes {
		if role != "snapshot" {
			l.t.Errorf("%s volumes are left: %v", role, names)
		}
	}
	if len(volumes["snapshot"]) == 0 {
		l.t.Error("the snapshot is gone")
	}
}
