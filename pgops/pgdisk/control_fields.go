package pgdisk

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ControlField is one line of pg_controldata's output.
type ControlField struct {
	Label string // without the colon
	Value string
}

// Fields returns what pg_controldata of the file's own major prints with LC_ALL=C, label
// for label and value for value (bin/pg_controldata/pg_controldata.c), in its order.
//
// Times are given in loc, as pg_controldata gives them in TZ; nil means UTC.
func (c *Control) Fields(loc *time.Location) []ControlField {
	if loc == nil {
		loc = time.UTC
	}
	fields := c.identityFields(loc)
	fields = append(fields, c.checkpointFields(loc)...)
	fields = append(fields, c.recoveryFields()...)
	fields = append(fields, c.settingFields()...)
	return append(fields, c.buildFields()...)
}

func (c *Control) identityFields(loc *time.Location) []ControlField {
	return []ControlField{
		{"pg_control version number", controlUint(c.ControlVersion)},
		{"Catalog version number", controlUint(c.CatalogVersion)},
		{"Database system identifier", strconv.FormatUint(c.SystemIdentifier, 10)},
		{"Database cluster state", c.State.String()},
		{"pg_control last modified", controlTime(c.Time, loc)},
		{"Latest checkpoint location", c.Checkpoint.String()},
	}
}

func (c *Control) checkpointFields(loc *time.Location) []ControlField {
	p := &c.CheckpointCopy
	return []ControlField{
		{"Latest checkpoint's REDO location", p.Redo.String()},
		{"Latest checkpoint's REDO WAL file", c.redoFile()},
		{"Latest checkpoint's TimeLineID", controlUint(p.ThisTimeLineID)},
		{"Latest checkpoint's PrevTimeLineID", controlUint(p.PrevTimeLineID)},
		{"Latest checkpoint's full_page_writes", controlOnOff(p.FullPageWrites)},
		{"Latest checkpoint's NextXID", p.NextXID.String()},
		{"Latest checkpoint's NextOID", controlUint(p.NextOID)},
		{"Latest checkpoint's NextMultiXactId", controlUint(p.NextMulti)},
		{"Latest checkpoint's NextMultiOffset", controlUint(p.NextMultiOffset)},
		{"Latest checkpoint's oldestXID", controlUint(p.OldestXID)},
		{"Latest checkpoint's oldestXID's DB", controlUint(p.OldestXIDDB)},
		{"Latest checkpoint's oldestActiveXID", controlUint(p.OldestActiveXID)},
		{"Latest checkpoint's oldestMultiXid", controlUint(p.OldestMulti)},
		{"Latest checkpoint's oldestMulti's DB", controlUint(p.OldestMultiDB)},
		{"Latest checkpoint's oldestCommitTsXid", controlUint(p.OldestCommitTsXID)},
		{"Latest checkpoint's newestCommitTsXid", controlUint(p.NewestCommitTsXID)},
		{"Time of latest checkpoint", controlTime(p.Time, loc)},
	}
}

func (c *Control) recoveryFields() []ControlField {
	required := "no"
	if c.BackupEndRequired {
		required = "yes"
	}
	return []ControlField{
		{"Fake LSN counter for unlogged rels", c.UnloggedLSN.String()},
		{"Minimum recovery ending location", c.MinRecoveryPoint.String()},
		{"Min recovery ending loc's timeline", controlUint(c.MinRecoveryPointTLI)},
		{"Backup start location", c.BackupStartPoint.String()},
		{"Backup end location", c.BackupEndPoint.String()},
		{"End-of-backup record required", required},
	}
}

func (c *Control) settingFields() []ControlField {
	return []ControlField{
		{"wal_level setting", c.levelText()},
		{"wal_log_hints setting", controlOnOff(c.WALLogHints)},
		{"max_connections setting", controlInt(c.MaxConnections)},
		{"max_worker_processes setting", controlInt(c.MaxWorkerProcesses)},
		{"max_wal_senders setting", controlInt(c.MaxWALSenders)},
		{"max_prepared_xacts setting", controlInt(c.MaxPreparedXacts)},
		{"max_locks_per_xact setting", controlInt(c.MaxLocksPerXact)},
		{"track_commit_timestamp setting", controlOnOff(c.TrackCommitTimestamp)},
	}
}

func (c *Control) buildFields() []ControlField {
	byVal := "by reference"
	if c.Float8ByVal {
		byVal = "by value"
	}
	fields := []ControlField{
		{"Maximum data alignment", controlUint(c.MaxAlign)},
		{"Database block size", controlUint(c.BlockSize)},
		{"Blocks per segment of large relation", controlUint(c.RelSegSize)},
		{"WAL block size", controlUint(c.WALBlockSize)},
		{"Bytes per WAL segment", controlUint(c.WALSegmentSize)},
		{"Maximum length of identifiers", controlUint(c.NameDataLen)},
		{"Maximum columns in an index", controlUint(c.IndexMaxKeys)},
		{"Maximum size of a TOAST chunk", controlUint(c.ToastMaxChunkSize)},
		{"Size of a large-object chunk", controlUint(c.LargeObjectBlockSize)},
		{"Date/time type storage", "64-bit integers"},
		{"Float8 argument passing", byVal},
		{"Data page checksum version", controlUint(c.DataChecksumVersion)},
	}
	if c.Layout().ControlCharSignedness != 0 {
		signedness := "unsigned"
		if c.DefaultCharSignedness {
			signedness = "signed"
		}
		fields = append(fields, ControlField{"Default char data signedness", signedness})
	}
	return append(fields, ControlField{"Mock authentication nonce", fmt.Sprintf("%x", c.MockAuthNonce)})
}

// redoFile names the WAL file of the redo location (XLByteToSeg and XLogFileName,
// access/xlog_internal.h), also for a damaged segment size that is no power of two.
func (c *Control) redoFile() string {
	if int32(c.WALSegmentSize) <= 0 {
		return "???"
	}
	size := uint64(c.WALSegmentSize)
	segment := uint64(c.CheckpointCopy.Redo) / size
	perID := (1 << 32) / size
	return fmt.Sprintf("%08X%08X%08X", uint32(c.CheckpointCopy.ThisTimeLineID), uint32(segment/perID), uint32(segment%perID))
}

// levelText differs from ControlWALLevel.String in PostgreSQL's words for a damaged value.
func (c *Control) levelText() string {
	switch {
	case c.Level <= LevelLogical:
		return c.Level.String()
	case c.Layout().Major >= 17:
		return `unrecognized "wal_level"`
	}
	return "unrecognized wal_level"
}

// controlTime formats as strftime's %c does in the C locale.
func controlTime(unix int64, loc *time.Location) string {
	return time.Unix(unix, 0).In(loc).Format("Mon Jan _2 15:04:05 2006")
}

func controlOnOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func controlUint[T ~uint32](v T) string { return strconv.FormatUint(uint64(v), 10) }

func controlInt(v int32) string { return strconv.FormatInt(int64(v), 10) }

// ParseControldata reads the output of pg_controldata (with LC_ALL=C) into fields. Blank
// lines and warnings are skipped, and so is whatever has no colon.
func ParseControldata(text string) []ControlField {
	var fields []ControlField
	for line := range strings.Lines(text) {
		label, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if !ok || label == "WARNING" || strings.HasPrefix(label, "pg_controldata") {
			continue
		}
		fields = append(fields, ControlField{label, strings.TrimSpace(value)})
	}
	return fields
}

// ControlFieldDiff is one label on which two readers of pg_control do not agree. A side
// that lacks the label altogether has Missing set.
type ControlFieldDiff struct {
	Label                     string
	Ours, Theirs              string
	OursMissing, TheirMissing bool
}

// String says the difference in one line.
func (d ControlFieldDiff) String() string {
	switch {
	case d.OursMissing:
		return fmt.Sprintf("%s: only pg_controldata has it (%q)", d.Label, d.Theirs)
	case d.TheirMissing:
		return fmt.Sprintf("%s: pg_controldata does not have it (%q here)", d.Label, d.Ours)
	}
	return fmt.Sprintf("%s: %q here, %q from pg_controldata", d.Label, d.Ours, d.Theirs)
}

// DiffControlFields compares our fields with pg_controldata's, in our order, then what only
// the other side has.
func DiffControlFields(ours, theirs []ControlField) []ControlFieldDiff {
	rest := make(map[string]string, len(theirs))
	for _, f := range theirs {
		rest[f.Label] = f.Value
	}
	var diffs []ControlFieldDiff
	for _, f := range ours {
		value, ok := rest[f.Label]
		delete(rest, f.Label)
		if !ok || value != f.Value {
			diffs = append(diffs, ControlFieldDiff{Label: f.Label, Ours: f.Value, Theirs: value, TheirMissing: !ok})
		}
	}
	for _, f := range theirs {
		if value, ok := rest[f.Label]; ok {
			diffs = append(diffs, ControlFieldDiff{Label: f.Label, Theirs: value, OursMissing: true})
			delete(rest, f.Label)
		}
	}
	return diffs
}
