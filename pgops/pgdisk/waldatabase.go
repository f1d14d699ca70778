package pgdisk

import "fmt"

// Classes of Database records (XLOG_DBASE_*, commands/dbcommands_xlog.h) and of Tablespace
// records (XLOG_TBLSPC_*, commands/tablespace.h).
const (
	walDatabaseCopy    = 0x00 // CREATE before 15, then CREATE_FILE_COPY
	walDatabaseWALLog  = 0x10 // CREATE_WAL_LOG, 15 on
	walDatabaseDrop    = 0x20 // DROP from 15 on
	walDatabaseDropOld = 0x10 // DROP before 15

	walTablespaceCreate = 0x00
	walTablespaceDrop   = 0x10
)

// walVersionDir is the directory of a major's files in a tablespace of its own
// (TABLESPACE_VERSION_DIRECTORY, common/relpath.h).
func walVersionDir(major int) string {
	l, ok := LayoutFor(major)
	if !ok {
		return fmt.Sprintf("PG_%d", major)
	}
	return fmt.Sprintf("PG_%d_%d", major, l.CatalogVersion)
}

// WALDatabaseDir is the directory that holds a database's files in one tablespace.
type WALDatabaseDir struct {
	Tablespace OID
	Database   OID
}

// WALDatabaseCreate is a Database record by which a database comes into being
// (xl_dbase_create_rec; from 15 on xl_dbase_create_file_copy_rec and xl_dbase_create_wal_log_rec).
type WALDatabaseCreate struct {
	Dir  WALDatabaseDir
	Copy bool           // replay copies the directory From; else records of its blocks follow
	From WALDatabaseDir // of a copy
}

// WALDatabaseCreate decodes a Database/CREATE, CREATE_FILE_COPY or CREATE_WAL_LOG record.
func (r *WALRecord) WALDatabaseCreate() (c WALDatabaseCreate, ok bool) {
	c.Copy = r.Is(RmgrDatabase, walDatabaseCopy)
	if !c.Copy && (r.Major < 15 || !r.Is(RmgrDatabase, walDatabaseWALLog)) {
		return WALDatabaseCreate{}, false
	}
	d := walBody{b: r.MainData}
	dir := func() WALDatabaseDir {
		db := OID(d.u32())
		return WALDatabaseDir{Database: db, Tablespace: OID(d.u32())}
	}
	c.Dir = dir()
	if c.Copy {
		c.From = dir()
	}
	return c, !d.short
}

// WALDatabaseDrop is a Database/DROP record (xl_dbase_drop_rec): the directories of a
// database go away.
type WALDatabaseDrop struct {
	Database    OID
	Tablespaces WALOIDs
}

// WALDatabaseDrop decodes a Database/DROP record.
func (r *WALRecord) WALDatabaseDrop() (h WALDatabaseDrop, ok bool) {
	class := uint8(walDatabaseDrop)
	if r.Major < 15 {
		class = walDatabaseDropOld
	}
	if !r.Is(RmgrDatabase, class) {
		return WALDatabaseDrop{}, false
	}
	d := walBody{b: r.MainData}
	h = WALDatabaseDrop{Database: OID(d.u32()), Tablespaces: d.array(4)}
	return h, !d.short
}

// WALTablespaceCreate is a Tablespace/CREATE record (xl_tblspc_create_rec).
type WALTablespaceCreate struct {
	Tablespace OID
	Location   string // empty for one inside of the data directory (allow_in_place_tablespaces)
}

// WALTablespaceCreate decodes a Tablespace/CREATE record.
func (r *WALRecord) WALTablespaceCreate() (c WALTablespaceCreate, ok bool) {
	if !r.Is(RmgrTablespace, walTablespaceCreate) {
		return WALTablespaceCreate{}, false
	}
	d := walBody{b: r.MainData}
	c = WALTablespaceCreate{Tablespace: OID(d.u32()), Location: d.text()}
	return c, !d.short
}

// WALTablespaceDrop decodes a Tablespace/DROP record.
func (r *WALRecord) WALTablespaceDrop() (tablespace OID, ok bool) {
	if !r.Is(RmgrTablespace, walTablespaceDrop) {
		return 0, false
	}
	d := walBody{b: r.MainData}
	tablespace = OID(d.u32())
	return tablespace, !d.short
}
