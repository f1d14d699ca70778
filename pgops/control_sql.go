package pgops

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// controlSQL gives what the server tells of pg_control as rows of name and value (the functions
// of utils/misc/pg_controldata.c), and the settings that pg_control repeats.
const controlSQL = `SELECT key, coalesce(value, '') FROM jsonb_each_text(
 (SELECT to_jsonb(s) FROM pg_control_system() s) || (SELECT to_jsonb(c) FROM pg_control_checkpoint() c) ||
 (SELECT to_jsonb(i) FROM pg_control_init() i) || (SELECT to_jsonb(r) FROM pg_control_recovery() r) ||
 (SELECT jsonb_object_agg(name, setting) FROM pg_settings WHERE name IN ('wal_level', 'wal_log_hints', 'max_connections', 'max_worker_processes',
  'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction', 'track_commit_timestamp')) ||
 (SELECT jsonb_build_object('in_recovery', pg_is_in_recovery(),
  'modified', extract(epoch FROM pg_control_last_modified)::bigint, 'checkpointed', extract(epoch FROM checkpoint_time)::bigint)
  FROM pg_control_system(), pg_control_checkpoint()))`

// ControlThroughSQL reads what SQL tells of a running server's control file. The server is
// running, so that the state is in production or in archive recovery, and the checkpoint is its
// latest one. UnloggedLSN, FloatFormat, the WAL level of the checkpoint, MockAuthNonce and the
// CRC cannot be asked for and stay zero.
func ControlThroughSQL(ctx context.Context, conn *pgx.Conn) (*pgdisk.Control, error) {
	rows, err := simple(ctx, conn.PgConn(), controlSQL)
	if err != nil {
		return nil, fmt.Errorf("read pg_control through SQL (the role must be superuser or have pg_monitor's rights): %w", err)
	}
	told := controlTold{values: make(map[string]string, len(rows))}
	for _, r := range rows {
		told.values[r[0]] = r[1]
	}
	c := told.control()
	if told.err != nil {
		return nil, fmt.Errorf("read pg_control through SQL: %w", told.err)
	}
	return c, nil
}

// controlTold converts the values, and keeps the first error.
type controlTold struct {
	values map[string]string
	err    error
}

func (t *controlTold) text(name string) string {
	v, ok := t.values[name]
	if !ok && t.err == nil {
		t.err = fmt.Errorf("the server does not tell %s", name)
	}
	return v
}

func (t *controlTold) parsed(name string, err error) {
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("%s is %q: %w", name, t.values[name], err)
	}
}

func (t *controlTold) number(name string) int64 {
	n, err := strconv.ParseInt(t.text(name), 10, 64)
	t.parsed(name, err)
	return n
}

func (t *controlTold) u32(name string) uint32 {
	n, err := strconv.ParseUint(t.text(name), 10, 32)
	t.parsed(name, err)
	return uint32(n)
}

func (t *controlTold) i32(name string) int32 {
	n, err := strconv.ParseInt(t.text(name), 10, 32)
	t.parsed(name, err)
	return int32(n)
}

func (t *controlTold) on(name string) bool {
	v := t.text(name)
	return v == "on" || v == "true"
}

func (t *controlTold) lsn(name string) pgdisk.LSN {
	l, err := pgdisk.ParseLSN(t.text(name))
	t.parsed(name, err)
	return l
}

// fullXID reads epoch:xid.
func (t *controlTold) fullXID(name string) pgdisk.FullXID {
	high, low, _ := strings.Cut(t.text(name), ":")
	epoch, err := strconv.ParseUint(high, 10, 32)
	t.parsed(name, err)
	xid, err := strconv.ParseUint(low, 10, 32)
	t.parsed(name, err)
	return pgdisk.FullXID(epoch<<32 | xid)
}

func (t *controlTold) level() pgdisk.ControlWALLevel {
	name := t.text("wal_level")
	for _, l := range []pgdisk.ControlWALLevel{pgdisk.LevelMinimal, pgdisk.LevelReplica, pgdisk.LevelLogical} {
		if l.String() == name {
			return l
		}
	}
	t.parsed("wal_level", strconv.ErrSyntax)
	return 0
}

func (t *controlTold) control() *pgdisk.Control {
	c := &pgdisk.Control{
		SystemIdentifier: uint64(t.number("system_identifier")), // shown as bigint
		ControlVersion:   t.u32("pg_control_version"),
		CatalogVersion:   t.u32("catalog_version_no"),
		State:            pgdisk.InProduction,
		Time:             t.number("modified"),
		Checkpoint:       t.lsn("checkpoint_lsn"),
		CheckpointCopy:   t.checkpoint(),

		MinRecoveryPoint:    t.lsn("min_recovery_end_lsn"),
		MinRecoveryPointTLI: pgdisk.TimelineID(t.u32("min_recovery_end_timeline")),
		BackupStartPoint:    t.lsn("backup_start_lsn"),
		BackupEndPoint:      t.lsn("backup_end_lsn"),
		BackupEndRequired:   t.on("end_of_backup_record_required"),

		Level:                t.level(),
		WALLogHints:          t.on("wal_log_hints"),
		MaxConnections:       t.i32("max_connections"),
		MaxWorkerProcesses:   t.i32("max_worker_processes"),
		MaxWALSenders:        t.i32("max_wal_senders"),
		MaxPreparedXacts:     t.i32("max_prepared_transactions"),
		MaxLocksPerXact:      t.i32("max_locks_per_transaction"),
		TrackCommitTimestamp: t.on("track_commit_timestamp"),

		MaxAlign:             t.u32("max_data_alignment"),
		BlockSize:            t.u32("database_block_size"),
		RelSegSize:           t.u32("blocks_per_segment"),
		WALBlockSize:         t.u32("wal_block_size"),
		WALSegmentSize:       t.u32("bytes_per_wal_segment"),
		NameDataLen:          t.u32("max_identifier_length"),
		IndexMaxKeys:         t.u32("max_index_columns"),
		ToastMaxChunkSize:    t.u32("max_toast_chunk_size"),
		LargeObjectBlockSize: t.u32("large_object_chunk_size"),
		Float8ByVal:          t.on("float8_pass_by_value"),
		DataChecksumVersion:  t.u32("data_page_checksum_version"),
	}
	if t.on("in_recovery") {
		c.State = pgdisk.InArchiveRecovery
	}
	if _, told := t.values["default_char_signedness"]; told { // 18 and later
		c.DefaultCharSignedness = t.on("default_char_signedness")
	}
	return c
}

func (t *controlTold) checkpoint() pgdisk.CheckpointRecord {
	return pgdisk.CheckpointRecord{
		Redo:              t.lsn("redo_lsn"),
		ThisTimeLineID:    pgdisk.TimelineID(t.u32("timeline_id")),
		PrevTimeLineID:    pgdisk.TimelineID(t.u32("prev_timeline_id")),
		FullPageWrites:    t.on("full_page_writes"),
		NextXID:           t.fullXID("next_xid"),
		NextOID:           pgdisk.OID(t.u32("next_oid")),
		NextMulti:         pgdisk.MultiXactID(t.u32("next_multixact_id")),
		NextMultiOffset:   pgdisk.MultiXactOffset(t.u32("next_multi_offset")),
		OldestXID:         pgdisk.XID(t.u32("oldest_xid")),
		OldestXIDDB:       pgdisk.OID(t.u32("oldest_xid_dbid")),
		OldestMulti:       pgdisk.MultiXactID(t.u32("oldest_multi_xid")),
		OldestMultiDB:     pgdisk.OID(t.u32("oldest_multi_dbid")),
		Time:              t.number("checkpointed"),
		OldestCommitTsXID: pgdisk.XID(t.u32("oldest_commit_ts_xid")),
		NewestCommitTsXID: pgdisk.XID(t.u32("newest_commit_ts_xid")),
		OldestActiveXID:   pgdisk.XID(t.u32("oldest_active_xid")),
	}
}
