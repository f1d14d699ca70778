package pgops

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// checkLockTimeout is how long a check waits for a lock. Nobody else should be connected, so
// that a lock which is held is one of a prepared transaction or of a process that hangs.
const checkLockTimeout = 5 * time.Second

// Connect opens a connection to a database through the options' dialer.
func Connect(ctx context.Context, o CheckOptions, database string) (*pgx.Conn, error) {
	return connectWith(ctx, o, database, nil)
}

// connectWith connects with further settings. Settings in the start-up packet win over those
// that ALTER ROLE and ALTER DATABASE keep in the catalogs.
func connectWith(ctx context.Context, o CheckOptions, database string, settings map[string]string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig("")
	if err != nil {
		return nil, err
	}
	cfg.Host, cfg.Port, cfg.User, cfg.Database, cfg.Password = "/", 5432, o.User, database, ""
	cfg.TLSConfig, cfg.Fallbacks = nil, nil
	cfg.ConnectTimeout = 30 * time.Second
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return o.Dial(ctx) }
	cfg.RuntimeParams = map[string]string{
		"application_name":  "pgrescue",
		"client_encoding":   "UTF8",
		"statement_timeout": strconv.FormatInt(o.StatementTimeout.Milliseconds(), 10),
		"lock_timeout":      strconv.FormatInt(checkLockTimeout.Milliseconds(), 10),
	}
	if o.Major >= 17 {
		cfg.RuntimeParams["event_triggers"] = "off" // else a login trigger runs as superuser
	}
	for k, v := range settings {
		cfg.RuntimeParams[k] = v
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to database %q: %w", database, err)
	}
	return conn, nil
}

// checkSettings are those of a session that checks. ignore_checksum_failure and
// zero_damaged_pages would turn damage into silence.
func checkSettings() map[string]string {
	return map[string]string{
		"lc_messages":                         "C",
		"client_min_messages":                 "warning",
		"search_path":                         "pg_catalog",
		"standard_conforming_strings":         "on",
		"row_security":                        "off",
		"session_replication_role":            "replica", // event triggers of the database stay quiet
		"ignore_checksum_failure":             "off",
		"zero_damaged_pages":                  "off",
		"ignore_system_indexes":               "off",
		"default_transaction_isolation":       "read committed",
		"default_transaction_read_only":       "off",
		"idle_in_transaction_session_timeout": "0",
		"max_parallel_workers_per_gather":     "0",
		"synchronize_seqscans":                "off",
		"jit":                                 "off",
		"work_mem":                            "32MB",
		"maintenance_work_mem":                "64MB",
	}
}
