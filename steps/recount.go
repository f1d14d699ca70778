package steps

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// recount asks the server in its own container how many tables there are that can be
// opened: the last look, through the door the application uses.
func recount(ctx context.Context, c *dockerops.Client, t dockerops.Target, p *engine.Pass) error {
	const query = "SELECT count(*) FROM pg_class WHERE relkind IN ('r','p','m') AND pg_relation_size(oid) >= 0"
	user := t.Env["POSTGRES_USER"]
	if user == "" {
		user = "postgres"
	}
	list, errOut, code, err := c.Output(ctx, t.ContainerID, "psql", "-XAtq", "-U", user, "-d", "template1", "-c",
		"SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1")
	if err != nil || code != 0 {
		return p.Judge(engine.Verdict{Subject: "service tables", Result: engine.CouldNotCheck,
			Evidence: []string{fmt.Sprintf("psql in the container ended with %d: %s", code, strings.TrimSpace(string(errOut)))}})
	}
	var evidence []string
	for _, db := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		out, errOut, code, err := c.Output(ctx, t.ContainerID, "psql", "-XAtq", "-U", user, "-d", "dbname='"+strings.ReplaceAll(strings.ReplaceAll(db, `\`, `\\`), "'", `\'`)+"'", "-c", query)
		if err != nil || code != 0 {
			return p.Judge(engine.Verdict{Subject: "service tables", Result: engine.Fail, Evidence: []string{fmt.Sprintf("database %s: %s", db, strings.TrimSpace(string(errOut)))}})
		}
		evidence = append(evidence, fmt.Sprintf("database %s: %s tables can be opened", db, strings.TrimSpace(string(out))))
	}
	return p.Judge(engine.Verdict{Subject: "service tables", Result: engine.Passed, Evidence: evidence})
}
