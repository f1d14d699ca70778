package pgdisk

import "fmt"

// RmgrID names the resource manager that wrote a WAL record (RmgrId, access/rmgr.h).
type RmgrID uint8

// Resource managers, the same numbers in all majors (access/rmgrlist.h).
const (
	RmgrXLOG RmgrID = iota
	RmgrTransaction
	RmgrStorage
	RmgrCLOG
	RmgrDatabase
	RmgrTablespace
	RmgrMultiXact
	RmgrRelMap
	RmgrStandby
	RmgrHeap2
	RmgrHeap
	RmgrBtree
	RmgrHash
	RmgrGin
	RmgrGist
	RmgrSequence
	RmgrSPGist
	RmgrBRIN
	RmgrCommitTs
	RmgrReplicationOrigin
	RmgrGeneric
	RmgrLogicalMessage

	rmgrMaxBuiltin         = RmgrLogicalMessage // RM_MAX_BUILTIN_ID
	rmgrMinCustom   RmgrID = 128                // RM_MIN_CUSTOM_ID, 15 on
	walInfoRmgrMask uint8  = 0xF0               // ~XLR_INFO_MASK: the bits of xl_info that belong to the resource manager
)

// Valid reports whether a server of that major knows the id; 128 and above belong to
// extensions, from 15 on (RmgrIdIsValid).
func (id RmgrID) Valid(major int) bool {
	return id <= rmgrMaxBuiltin || major >= 15 && id >= rmgrMinCustom
}

// String gives the name that pg_waldump prints; custom managers are custom128 to custom255.
func (id RmgrID) String() string {
	names := [...]string{
		"XLOG", "Transaction", "Storage", "CLOG", "Database", "Tablespace", "MultiXact", "RelMap", "Standby",
		"Heap2", "Heap", "Btree", "Hash", "Gin", "Gist", "Sequence", "SPGist", "BRIN", "CommitTs",
		"ReplicationOrigin", "Generic", "LogicalMessage",
	}
	if int(id) < len(names) {
		return names[id]
	}
	if id >= rmgrMinCustom {
		return fmt.Sprintf("custom%03d", uint8(id))
	}
	return fmt.Sprintf("unknown%03d", uint8(id))
}

// WALClassName names what a record does within its resource manager, as pg_waldump of
// that major prints it: LOCK, CHECKPOINT_ONLINE, or UNKNOWN (f0) for an info that the
// major does not have (the rm_identify functions, access/rmgrdesc).
func WALClassName(major int, id RmgrID, info uint8) string {
	class := info & walInfoRmgrMask
	name := ""
	switch {
	case id == RmgrGeneric:
		name = "Generic"
	case id == RmgrTransaction:
		name = walClassNames(major, id)[class&0x70>>4] // XLOG_XACT_OPMASK; 0x80 only says that more follows
	case id <= rmgrMaxBuiltin:
		name = walClassNames(major, id)[class>>4]
	}
	if name == "" {
		return fmt.Sprintf("UNKNOWN (%x)", class)
	}
	return name
}

// walClassNames maps the upper four bits of xl_info to names.
func walClassNames(major int, id RmgrID) [16]string {
	switch id {
	case RmgrXLOG:
		return walXLOGClasses(major)
	case RmgrHeap2:
		return walHeap2Classes(major)
	case RmgrDatabase:
		if major < 15 {
			return [16]string{"CREATE", "DROP"}
		}
		return [16]string{"CREATE_FILE_COPY", "CREATE_WAL_LOG", "DROP"}
	case RmgrTransaction:
		names := [16]string{"COMMIT", "PREPARE", "ABORT", "COMMIT_PREPARED", "ABORT_PREPARED", "ASSIGNMENT"}
		if major >= 14 {
			names[6] = "INVALIDATION"
		}
		return names
	case RmgrCommitTs:
		if major < 14 {
			return [16]string{"ZEROPAGE", "TRUNCATE", "SETTS"}
		}
		return [16]string{"ZEROPAGE", "TRUNCATE"}
	case RmgrBtree, RmgrHash, RmgrGin, RmgrGist, RmgrSPGist, RmgrBRIN:
		return walIndexClasses(id)
	}
	return walCommonClasses(id)
}

// walCommonClasses holds the managers whose records are named alike in all majors.
func walCommonClasses(id RmgrID) [16]string {
	switch id {
	case RmgrStorage:
		return [16]string{1: "CREATE", 2: "TRUNCATE"}
	case RmgrCLOG:
		return [16]string{"ZEROPAGE", "TRUNCATE"}
	case RmgrTablespace:
		return [16]string{"CREATE", "DROP"}
	case RmgrMultiXact:
		return [16]string{"ZERO_OFF_PAGE", "ZERO_MEM_PAGE", "CREATE_ID", "TRUNCATE_ID"}
	case RmgrRelMap:
		return [16]string{"UPDATE"}
	case RmgrStandby:
		return [16]string{"LOCK", "RUNNING_XACTS", "INVALIDATIONS"}
	case RmgrHeap:
		return [16]string{
			0x0: "INSERT", 0x1: "DELETE", 0x2: "UPDATE", 0x3: "TRUNCATE", 0x4: "HOT_UPDATE", 0x5: "HEAP_CONFIRM",
			0x6: "LOCK", 0x7: "INPLACE", 0x8: "INSERT+INIT", 0xA: "UPDATE+INIT", 0xC: "HOT_UPDATE+INIT",
		}
	case RmgrSequence:
		return [16]string{"LOG"}
	case RmgrReplicationOrigin:
		return [16]string{"SET", "DROP"}
	case RmgrLogicalMessage:
		return [16]string{"MESSAGE"}
	}
	return [16]string{}
}

func walXLOGClasses(major int) [16]string {
	names := [16]string{
		0x0: "CHECKPOINT_SHUTDOWN", 0x1: "CHECKPOINT_ONLINE", 0x2: "NOOP", 0x3: "NEXTOID", 0x4: "SWITCH",
		0x5: "BACKUP_END", 0x6: "PARAMETER_CHANGE", 0x7: "RESTORE_POINT", 0x8: "FPW_CHANGE",
		0x9: "END_OF_RECOVERY", 0xA: "FPI_FOR_HINT", 0xB: "FPI", 0xD: "OVERWRITE_CONTRECORD",
	}
	if major >= 17 {
		names[0xE] = "CHECKPOINT_REDO"
	}
	return names
}

func walHeap2Classes(major int) [16]string {
	names := [16]string{
		0x0: "REWRITE", 0x4: "VISIBLE", 0x5: "MULTI_INSERT", 0x6: "LOCK_UPDATED", 0x7: "NEW_CID", 0xD: "MULTI_INSERT+INIT",
	}
	switch {
	case major >= 17:
		names[1], names[2], names[3] = "PRUNE_ON_ACCESS", "PRUNE_VACUUM_SCAN", "PRUNE_VACUUM_CLEANUP"
	case major >= 14:
		names[1], names[2], names[3] = "PRUNE", "VACUUM", "FREEZE_PAGE"
	default:
		names[1], names[2], names[3] = "CLEAN", "FREEZE_PAGE", "CLEANUP_INFO"
	}
	return names
}

func walIndexClasses(id RmgrID) [16]string {
	switch id {
	case RmgrBtree:
		return [16]string{
			"INSERT_LEAF", "INSERT_UPPER", "INSERT_META", "SPLIT_L", "SPLIT_R", "INSERT_POST", "DEDUP", "DELETE",
			"UNLINK_PAGE", "UNLINK_PAGE_META", "NEWROOT", "MARK_PAGE_HALFDEAD", "VACUUM", "REUSE_PAGE", "META_CLEANUP",
		}
	case RmgrHash:
		return [16]string{
			"INIT_META_PAGE", "INIT_BITMAP_PAGE", "INSERT", "ADD_OVFL_PAGE", "SPLIT_ALLOCATE_PAGE", "SPLIT_PAGE",
			"SPLIT_COMPLETE", "MOVE_PAGE_CONTENTS", "SQUEEZE_PAGE", "DELETE", "SPLIT_CLEANUP", "UPDATE_META_PAGE", "VACUUM_ONE_PAGE",
		}
	case RmgrGin:
		return [16]string{
			0x1: "CREATE_PTREE", 0x2: "INSERT", 0x3: "SPLIT", 0x4: "VACUUM_PAGE", 0x5: "DELETE_PAGE", 0x6: "UPDATE_META_PAGE",
			0x7: "INSERT_LISTPAGE", 0x8: "DELETE_LISTPAGE", 0x9: "VACUUM_DATA_LEAF_PAGE",
		}
	case RmgrGist:
		return [16]string{
			0x0: "PAGE_UPDATE", 0x1: "DELETE", 0x2: "PAGE_REUSE", 0x3: "PAGE_SPLIT", 0x6: "PAGE_DELETE", 0x7: "ASSIGN_LSN",
		}
	case RmgrSPGist:
		return [16]string{
			0x1: "ADD_LEAF", 0x2: "MOVE_LEAFS", 0x3: "ADD_NODE", 0x4: "SPLIT_TUPLE", 0x5: "PICKSPLIT",
			0x6: "VACUUM_LEAF", 0x7: "VACUUM_ROOT", 0x8: "VACUUM_REDIRECT",
		}
	case RmgrBRIN:
		return [16]string{
			0x0: "CREATE_INDEX", 0x1: "INSERT", 0x2: "UPDATE", 0x3: "SAMEPAGE_UPDATE", 0x4: "REVMAP_EXTEND",
			0x5: "DESUMMARIZE", 0x9: "INSERT+INIT", 0xA: "UPDATE+INIT",
		}
	}
	return [16]string{}
}
