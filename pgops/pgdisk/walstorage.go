package pgdisk

// Classes of Storage records (XLOG_SMGR_*, catalog/storage_xlog.h).
const (
	walStorageCreate   = 0x10
	walStorageTruncate = 0x20
)

// Forks that a truncation is about (SMGR_TRUNCATE_*, catalog/storage_xlog.h).
const (
	WALTruncateHeap = 0x1
	WALTruncateVM   = 0x2
	WALTruncateFSM  = 0x4
)

// WALStorageCreate is a Storage/CREATE record (xl_smgr_create): a file comes into being.
type WALStorageCreate struct {
	Relation WALRelation
	Fork     WALFork
}

// WALStorageCreate decodes a Storage/CREATE record.
func (r *WALRecord) WALStorageCreate() (c WALStorageCreate, ok bool) {
	if !r.Is(RmgrStorage, walStorageCreate) {
		return WALStorageCreate{}, false
	}
	d := walBody{b: r.MainData}
	c = WALStorageCreate{Relation: d.relation(), Fork: WALFork(d.u32())}
	return c, !d.short
}

// WALStorageTruncate is a Storage/TRUNCATE record (xl_smgr_truncate): a relation is cut to
// a number of blocks.
type WALStorageTruncate struct {
	Blocks   BlockNumber // what remains of the main fork
	Relation WALRelation
	Flags    uint32 // WALTruncateHeap, WALTruncateVM, WALTruncateFSM
}

// WALStorageTruncate decodes a Storage/TRUNCATE record.
func (r *WALRecord) WALStorageTruncate() (t WALStorageTruncate, ok bool) {
	if !r.Is(RmgrStorage, walStorageTruncate) {
		return WALStorageTruncate{}, false
	}
	d := walBody{b: r.MainData}
	t = WALStorageTruncate{Blocks: BlockNumber(d.u32()), Relation: d.relation(), Flags: d.u32()}
	return t, !d.short
}

// Path is the name of a relation's first file under the data directory of that major
// (relpathperm, common/relpath.h).
func (l WALRelation) Path(major int, fork WALFork) string {
	f := RelFile{Tablespace: l.Tablespace, Database: l.Database, Number: RelFileNumber(l.Number), Fork: Fork(fork)}
	if l.Tablespace != DefaultTablespace && l.Tablespace != GlobalTablespace {
		f.VersionDir = walVersionDir(major)
	}
	return f.Path()
}
