package pgdisk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// Classes of XLOG records, upper four bits of xl_info (XLOG_*, catalog/pg_control.h).
const (
	walXLOGCheckpointShutdown  = 0x00
	walXLOGCheckpointOnline    = 0x10
	walXLOGNextOID             = 0x30
	walXLOGSwitch              = 0x40
	walXLOGBackupEnd           = 0x50
	walXLOGParameterChange     = 0x60
	walXLOGRestorePoint        = 0x70
	walXLOGFPWChange           = 0x80
	walXLOGEndOfRecovery       = 0x90
	walXLOGOverwriteContRecord = 0xD0
	walXLOGCheckpointRedo      = 0xE0 // 17 on
)

// walCheckpointSize is sizeof(CheckPoint) in 13 to 18, bytes.
const walCheckpointSize = 88

// WALCheckpoint is a checkpoint record: where it lies, and its body.
type WALCheckpoint struct {
	LSN    LSN // start of the record: what pg_control's checkPoint points at
	EndLSN LSN
	// Online tells a checkpoint of a running server from one made at shutdown or at the
	// end of recovery. Redo of the latter is the record itself.
	Online bool
	CheckpointRecord
}

// WALCheckpoint decodes an XLOG/CHECKPOINT_SHUTDOWN or CHECKPOINT_ONLINE record; ok is
// false for every other record and for a body that is too short.
func (r *WALRecord) WALCheckpoint() (c WALCheckpoint, ok bool) {
	online := r.Is(RmgrXLOG, walXLOGCheckpointOnline)
	if !online && !r.Is(RmgrXLOG, walXLOGCheckpointShutdown) || len(r.MainData) < walCheckpointSize {
		return WALCheckpoint{}, false
	}
	return WALCheckpoint{r.LSN, r.EndLSN, online, decodeWALCheckpoint(r.MainData, r.Major)}, true
}

// decodeWALCheckpoint reads CheckPoint (catalog/pg_control.h); b holds 88 bytes at least.
func decodeWALCheckpoint(b []byte, major int) CheckpointRecord {
	le := binary.LittleEndian
	c := CheckpointRecord{
		Redo:              LSN(le.Uint64(b)),
		ThisTimeLineID:    TimelineID(le.Uint32(b[8:])),
		PrevTimeLineID:    TimelineID(le.Uint32(b[12:])),
		FullPageWrites:    b[16] != 0,
		NextXID:           FullXID(le.Uint64(b[24:])),
		NextOID:           OID(le.Uint32(b[32:])),
		NextMulti:         MultiXactID(le.Uint32(b[36:])),
		NextMultiOffset:   MultiXactOffset(le.Uint32(b[40:])),
		OldestXID:         XID(le.Uint32(b[44:])),
		OldestXIDDB:       OID(le.Uint32(b[48:])),
		OldestMulti:       MultiXactID(le.Uint32(b[52:])),
		OldestMultiDB:     OID(le.Uint32(b[56:])),
		Time:              int64(le.Uint64(b[64:])),
		OldestCommitTsXID: XID(le.Uint32(b[72:])),
		NewestCommitTsXID: XID(le.Uint32(b[76:])),
		OldestActiveXID:   XID(le.Uint32(b[80:])),
	}
	if l, ok := LayoutFor(major); ok && l.ControlCheckpointWALLevel != 0 {
		c.Level = ControlWALLevel(le.Uint32(b[20:]))
	}
	return c
}

// WALParameters is an XLOG/PARAMETER_CHANGE record: settings that a standby must match
// (xl_parameter_change, access/xlog_internal.h).
type WALParameters struct {
	MaxConnections       int32
	MaxWorkerProcesses   int32
	MaxWALSenders        int32
	MaxPreparedXacts     int32
	MaxLocksPerXact      int32
	Level                ControlWALLevel
	WALLogHints          bool
	TrackCommitTimestamp bool
}

// WALParameters decodes an XLOG/PARAMETER_CHANGE record.
func (r *WALRecord) WALParameters() (p WALParameters, ok bool) {
	b := r.MainData
	if !r.Is(RmgrXLOG, walXLOGParameterChange) || len(b) < 26 {
		return WALParameters{}, false
	}
	i32 := func(off int) int32 { return int32(binary.LittleEndian.Uint32(b[off:])) }
	return WALParameters{
		MaxConnections:       i32(0),
		MaxWorkerProcesses:   i32(4),
		MaxWALSenders:        i32(8),
		MaxPreparedXacts:     i32(12),
		MaxLocksPerXact:      i32(16),
		Level:                ControlWALLevel(i32(20)),
		WALLogHints:          b[24] != 0,
		TrackCommitTimestamp: b[25] != 0,
	}, true
}

// WALNextOID decodes an XLOG/NEXTOID record: OIDs below it may have been handed out.
func (r *WALRecord) WALNextOID() (OID, bool) {
	if !r.Is(RmgrXLOG, walXLOGNextOID) || len(r.MainData) < 4 {
		return 0, false
	}
	return OID(binary.LittleEndian.Uint32(r.MainData)), true
}

// WALFullPageWrites decodes an XLOG/FPW_CHANGE record: the setting from here on.
func (r *WALRecord) WALFullPageWrites() (on, ok bool) {
	if !r.Is(RmgrXLOG, walXLOGFPWChange) || len(r.MainData) < 1 {
		return false, false
	}
	return r.MainData[0] != 0, true
}

// WALRestorePoint is an XLOG/RESTORE_POINT record (pg_create_restore_point).
type WALRestorePoint struct {
	LSN  LSN
	Time time.Time
	Name string
}

// WALRestorePoint decodes an XLOG/RESTORE_POINT record (xl_restore_point).
func (r *WALRecord) WALRestorePoint() (p WALRestorePoint, ok bool) {
	if !r.Is(RmgrXLOG, walXLOGRestorePoint) || len(r.MainData) < 9 {
		return WALRestorePoint{}, false
	}
	name, _, _ := bytes.Cut(r.MainData[8:], []byte{0})
	return WALRestorePoint{r.LSN, walTime(binary.LittleEndian.Uint64(r.MainData)), string(name[:min(len(name), 63)])}, true
}

// WALEndOfRecovery is an XLOG/END_OF_RECOVERY record: a new timeline begins.
type WALEndOfRecovery struct {
	Time           time.Time
	ThisTimeLineID TimelineID
	PrevTimeLineID TimelineID
	Level          ControlWALLevel // 17 on, else 0
}

// WALEndOfRecovery decodes an XLOG/END_OF_RECOVERY record (xl_end_of_recovery).
func (r *WALRecord) WALEndOfRecovery() (e WALEndOfRecovery, ok bool) {
	b := r.MainData
	if !r.Is(RmgrXLOG, walXLOGEndOfRecovery) || len(b) < 16 {
		return WALEndOfRecovery{}, false
	}
	le := binary.LittleEndian
	e = WALEndOfRecovery{
		Time:           walTime(le.Uint64(b)),
		ThisTimeLineID: TimelineID(le.Uint32(b[8:])),
		PrevTimeLineID: TimelineID(le.Uint32(b[12:])),
	}
	if l, known := LayoutFor(r.Major); known && l.ControlCheckpointWALLevel != 0 && len(b) >= 20 {
		e.Level = ControlWALLevel(le.Uint32(b[16:]))
	}
	return e, true
}

// WALOverwritten decodes an XLOG/OVERWRITE_CONTRECORD record: the record at lsn was cut
// short by a crash and is to be ignored.
func (r *WALRecord) WALOverwritten() (lsn LSN, ok bool) {
	if !r.Is(RmgrXLOG, walXLOGOverwriteContRecord) || len(r.MainData) < 8 {
		return 0, false
	}
	return LSN(binary.LittleEndian.Uint64(r.MainData)), true
}

// WALBackupEnd decodes an XLOG/BACKUP_END record: start is the redo location from
// which that base backup is to be recovered.
func (r *WALRecord) WALBackupEnd() (start LSN, ok bool) {
	if !r.Is(RmgrXLOG, walXLOGBackupEnd) || len(r.MainData) < 8 {
		return 0, false
	}
	return LSN(binary.LittleEndian.Uint64(r.MainData)), true
}

// walTime converts a TimestampTz, microseconds from 2000-01-01 UTC (datatype/timestamp.h).
func walTime(micros uint64) time.Time {
	const epoch = 946684800 // 2000-01-01 in Unix seconds
	us := int64(micros)
	return time.Unix(epoch+us/1e6, us%1e6*1000).UTC()
}

// String names the checkpoint in one line.
func (c WALCheckpoint) String() string {
	kind := "shutdown"
	if c.Online {
		kind = "online"
	}
	return fmt.Sprintf("%s checkpoint at %s, redo %s, timeline %d, next xid %s", kind, c.LSN, c.Redo, c.ThisTimeLineID, c.NextXID)
}

// walUnixTime converts a pg_time_t, seconds from 1970-01-01 UTC.
func walUnixTime(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
