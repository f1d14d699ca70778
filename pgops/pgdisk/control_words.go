package pgdisk

import "fmt"

// DBState is the state of the cluster as pg_control has it (DBState, catalog/pg_control.h).
type DBState uint32

// The states. InProduction without a running postmaster means a crash.
const (
	StartingUp         DBState = iota // DB_STARTUP
	ShutDown                          // DB_SHUTDOWNED
	ShutDownInRecovery                // DB_SHUTDOWNED_IN_RECOVERY
	ShuttingDown                      // DB_SHUTDOWNING
	InCrashRecovery                   // DB_IN_CRASH_RECOVERY
	InArchiveRecovery                 // DB_IN_ARCHIVE_RECOVERY
	InProduction                      // DB_IN_PRODUCTION
)

// String gives pg_controldata's words.
func (s DBState) String() string {
	switch s {
	case StartingUp:
		return "starting up"
	case ShutDown:
		return "shut down"
	case ShutDownInRecovery:
		return "shut down in recovery"
	case ShuttingDown:
		return "shutting down"
	case InCrashRecovery:
		return "in crash recovery"
	case InArchiveRecovery:
		return "in archive recovery"
	case InProduction:
		return "in production"
	}
	return "unrecognized status code"
}

// Clean reports whether the server was stopped in order, so that no replay is due.
func (s DBState) Clean() bool { return s == ShutDown || s == ShutDownInRecovery }

// ControlWALLevel is wal_level as pg_control has it (WalLevel, access/xlog.h).
type ControlWALLevel uint32

// The levels.
const (
	LevelMinimal ControlWALLevel = iota // WAL_LEVEL_MINIMAL
	LevelReplica                        // WAL_LEVEL_REPLICA
	LevelLogical                        // WAL_LEVEL_LOGICAL
)

// String gives the value as postgresql.conf has it.
func (l ControlWALLevel) String() string {
	switch l {
	case LevelMinimal:
		return "minimal"
	case LevelReplica:
		return "replica"
	case LevelLogical:
		return "logical"
	}
	return fmt.Sprintf("unrecognized wal_level %d", uint32(l))
}
