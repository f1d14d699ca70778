package pgdisk

// Templates of what pg_waldump prints, see fillWALTemplate.
const (
	walDescInvals     = "[[; relcache init file inval {relcache init file inval}]][[; inval msgs: {inval msgs}]]"
	walDescCheckpoint = "redo {redo}; tli {tli}; prev tli {prev tli}; fpw {fpw}; [[wal_level {wal_level}; ]]xid {xid}; oid {oid}; multi {multi}; offset {offset}; oldest xid {oldest xid}; oldest multi {oldest multi}; oldest/newest commit timestamp xid: {oldest/newest commit timestamp xid}; oldest running xid {oldest running xid}; "
	walDescCommit     = "{time}[[; rels: {rels}]][[; subxacts: {subxacts}]][[; dropped stats: {dropped stats}]]" + walDescInvals + "[[; apply_feedback{?apply_feedback}]][[; sync{?sync}]][[; origin: {origin}]]"
	walDescAbort      = "{time}[[; rels: {rels}]][[; subxacts: {subxacts}]][[; origin: {origin}]][[; dropped stats: {dropped stats}]]"
)

// walDescAlways has the classes that all majors print alike.
func walDescAlways() map[string]string {
	return map[string]string{
		"XLOG/CHECKPOINT_SHUTDOWN":  walDescCheckpoint + "shutdown",
		"XLOG/CHECKPOINT_ONLINE":    walDescCheckpoint + "online",
		"XLOG/CHECKPOINT_REDO":      "wal_level {wal_level}",
		"XLOG/NOOP":                 "",
		"XLOG/SWITCH":               "",
		"XLOG/FPI":                  "",
		"XLOG/FPI_FOR_HINT":         "",
		"XLOG/NEXTOID":              "{next_oid}",
		"XLOG/RESTORE_POINT":        "{name}",
		"XLOG/BACKUP_END":           "{startpoint}",
		"XLOG/FPW_CHANGE":           "{fpw}",
		"XLOG/END_OF_RECOVERY":      "tli {tli}; prev tli {prev tli}; time {time}[[; wal_level {wal_level}]]",
		"XLOG/OVERWRITE_CONTRECORD": "lsn {lsn}; time {time}",
		"XLOG/PARAMETER_CHANGE":     "max_connections={max_connections} max_worker_processes={max_worker_processes} max_wal_senders={max_wal_senders} max_prepared_xacts={max_prepared_xacts} max_locks_per_xact={max_locks_per_xact} wal_level={wal_level} wal_log_hints={wal_log_hints} track_commit_timestamp={track_commit_timestamp}",

		"Transaction/COMMIT":          walDescCommit,
		"Transaction/COMMIT_PREPARED": "{xid}: " + walDescCommit,
		"Transaction/ABORT":           walDescAbort,
		"Transaction/ABORT_PREPARED":  "{xid}: " + walDescAbort,
		"Transaction/PREPARE":         "gid {gid}: {time}[[; rels(commit): {rels(commit)}]][[; rels(abort): {rels(abort)}]][[; commit dropped stats: {commit dropped stats}]][[; abort dropped stats: {abort dropped stats}]][[; subxacts: {subxacts}]]" + walDescInvals + "[[; origin: {origin}]]",
		"Transaction/ASSIGNMENT":      "xtop {xtop}: subxacts: {subxacts}",
		"Transaction/INVALIDATION":    walDescInvals,

		"Storage/CREATE":          "{path}",
		"Storage/TRUNCATE":        "{path} to {blocks} blocks flags {flags}",
		"CLOG/ZEROPAGE":           "page {page}",
		"CLOG/TRUNCATE":           "page {page}; oldestXact {oldestXact}",
		"CommitTs/ZEROPAGE":       "{page}",
		"CommitTs/TRUNCATE":       "pageno {pageno}, oldestXid {oldestXid}",
		"MultiXact/CREATE_ID":     "{multi} offset {offset} nmembers {nmembers}: {members} ",
		"MultiXact/ZERO_OFF_PAGE": "{page}",
		"MultiXact/ZERO_MEM_PAGE": "{page}",
		"MultiXact/TRUNCATE_ID":   "offsets {offsets}, members {members}",
		"RelMap/UPDATE":           "database {database} tablespace {tablespace} size {size}",
		"Sequence/LOG":            "rel {rel}",
		"Standby/LOCK":            "{locks} ",
		"Standby/RUNNING_XACTS":   "nextXid {nextXid} latestCompletedXid {latestCompletedXid} oldestRunningXid {oldestRunningXid}[[; {#xacts} xacts: {xacts}]][[; subxid overflowed{?subxid overflowed}]][[; {#subxacts} subxacts: {subxacts}]]",
		"Standby/INVALIDATIONS":   walDescInvals,

		"Database/CREATE":           "copy dir {copy dir} to {to}",
		"Database/CREATE_FILE_COPY": "copy dir {copy dir} to {to}",
		"Database/CREATE_WAL_LOG":   "create dir {create dir}",
		"Database/DROP":             "dir {dir}",
		"Tablespace/CREATE":         `{tablespace} "{location}"`,
		"Tablespace/DROP":           "{tablespace}",
		"ReplicationOrigin/SET":     "set {set}; lsn {lsn}; force: {force}",
		"ReplicationOrigin/DROP":    "drop {drop}",
		"Generic/Generic":           "",
		"Heap2/REWRITE":             "",

		"BRIN/CREATE_INDEX":    "v{version} pagesPerRange {pagesPerRange}",
		"BRIN/INSERT":          "heapBlk {heapBlk} pagesPerRange {pagesPerRange} offnum {offnum}",
		"BRIN/UPDATE":          "heapBlk {heapBlk} pagesPerRange {pagesPerRange} old offnum {old offnum}, new offnum {offnum}",
		"BRIN/SAMEPAGE_UPDATE": "offnum {offnum}",
		"BRIN/REVMAP_EXTEND":   "targetBlk {targetBlk}",
		"BRIN/DESUMMARIZE":     "pagesPerRange {pagesPerRange}, heapBlk {heapBlk}, page offset {page offset}",

		"Hash/INIT_META_PAGE":      "num_tuples {num_tuples}, fillfactor {fillfactor}",
		"Hash/INIT_BITMAP_PAGE":    "bmsize {bmsize}",
		"Hash/INSERT":              "off {off}",
		"Hash/ADD_OVFL_PAGE":       "bmsize {bmsize}, bmpage_found {bmpage_found}",
		"Hash/SPLIT_ALLOCATE_PAGE": "new_bucket {new_bucket}, meta_page_masks_updated {meta_page_masks_updated}, issplitpoint_changed {issplitpoint_changed}",
		"Hash/SPLIT_PAGE":          "",
		"Hash/SPLIT_COMPLETE":      "old_bucket_flag {old_bucket_flag}, new_bucket_flag {new_bucket_flag}",
		"Hash/MOVE_PAGE_CONTENTS":  "ntups {ntups}, is_primary {is_primary}",
		"Hash/SQUEEZE_PAGE":        "prevblkno {prevblkno}, nextblkno {nextblkno}, ntups {ntups}, is_primary {is_primary}",
		"Hash/DELETE":              "clear_dead_marking {clear_dead_marking}, is_primary {is_primary}",
		"Hash/SPLIT_CLEANUP":       "",
		"Hash/UPDATE_META_PAGE":    "ntuples {ntuples}",

		"Gist/PAGE_UPDATE": "",
		"Gist/PAGE_SPLIT":  "page_split: splits to {npage} pages",
		"Gist/PAGE_DELETE": "deleteXid {deleteXid}; downlink {downlink}",

		"Gin/CREATE_PTREE":     "",
		"Gin/SPLIT":            "isrootsplit: {isrootsplit} isdata: {isdata} isleaf: {isleaf}",
		"Gin/VACUUM_PAGE":      "",
		"Gin/DELETE_PAGE":      "",
		"Gin/UPDATE_META_PAGE": "",
		"Gin/INSERT_LISTPAGE":  "",
		"Gin/DELETE_LISTPAGE":  "ndeleted: {ndeleted}",
	}
}

// walDesc16 has what 16 began to write as "name: value, name: value".
func walDesc16() map[string]string {
	prune := "[[snapshotConflictHorizon: {snapshotConflictHorizon}]], isCatalogRel: {isCatalogRel}[[, nplans: {nplans}, nredirected: {nredirected}, ndead: {ndead}, nunused: {nunused}]][[, plans: {plans}]][[, redirected: {redirected}]][[, dead: {dead}]][[, unused: {unused}]]"
	lock := "xmax: {xmax}, off: {off}, infobits: {infobits}, flags: {flags}"
	update := "old_xmax: {old_xmax}, old_off: {old_off}, old_infobits: {old_infobits}, flags: {flags}, new_xmax: {new_xmax}, new_off: {new_off}"
	unlink := "left: {left}, right: {right}, level: {level}, safexid: {safexid}, leafleft: {leafleft}, leafright: {leafright}, leaftopparent: {leaftopparent}"
	split := "level: {level}, firstrightoff: {firstrightoff}, newitemoff: {newitemoff}, postingoff: {postingoff}"
	return map[string]string{
		"Heap/INSERT":                "off: {off}, flags: {flags}",
		"Heap/DELETE":                lock,
		"Heap/UPDATE":                update,
		"Heap/HOT_UPDATE":            update,
		"Heap/TRUNCATE":              "flags: {flags}, nrelids: {nrelids}, relids: {relids}",
		"Heap/HEAP_CONFIRM":          "off: {off}",
		"Heap/LOCK":                  lock,
		"Heap/INPLACE":               "off: {off}" + walDescInvals,
		"Heap2/PRUNE_ON_ACCESS":      prune,
		"Heap2/PRUNE_VACUUM_SCAN":    prune,
		"Heap2/PRUNE_VACUUM_CLEANUP": prune,
		"Heap2/VISIBLE":              "snapshotConflictHorizon: {snapshotConflictHorizon}, flags: {flags}",
		"Heap2/MULTI_INSERT":         "ntuples: {ntuples}, flags: {flags}[[, offsets: {offsets}]]",
		"Heap2/LOCK_UPDATED":         lock,
		"Heap2/NEW_CID":              "rel: {rel}, tid: {tid}, cmin: {cmin}, cmax: {cmax}, combo: {combo}",
		"Btree/INSERT_LEAF":          "off: {off}",
		"Btree/INSERT_UPPER":         "off: {off}",
		"Btree/INSERT_META":          "off: {off}",
		"Btree/INSERT_POST":          "off: {off}",
		"Btree/SPLIT_L":              split,
		"Btree/SPLIT_R":              split,
		"Btree/DEDUP":                "nintervals: {nintervals}",
		"Btree/VACUUM":               "ndeleted: {ndeleted}, nupdated: {nupdated}[[, deleted: {deleted}, updated: {updated}]]",
		"Btree/DELETE":               "snapshotConflictHorizon: {snapshotConflictHorizon}, ndeleted: {ndeleted}, nupdated: {nupdated}, isCatalogRel: {isCatalogRel}[[, deleted: {deleted}, updated: {updated}]]",
		"Btree/MARK_PAGE_HALFDEAD":   "topparent: {topparent}, leaf: {leaf}, left: {left}, right: {right}",
		"Btree/UNLINK_PAGE":          unlink,
		"Btree/UNLINK_PAGE_META":     unlink,
		"Btree/NEWROOT":              "level: {level}",
		"Btree/REUSE_PAGE":           "rel: {rel}, snapshotConflictHorizon: {snapshotConflictHorizon}, isCatalogRel: {isCatalogRel}",
		"Btree/META_CLEANUP":         "last_cleanup_num_delpages: {last_cleanup_num_delpages}",
		"LogicalMessage/MESSAGE":     walDescMessage,
		"Gist/PAGE_REUSE":            "rel {rel}; blk {blk}; snapshotConflictHorizon {snapshotConflictHorizon}, isCatalogRel {isCatalogRel}",
		"SPGist/VACUUM_REDIRECT":     "ntoplaceholder: {ntoplaceholder}, firstplaceholder: {firstplaceholder}, snapshotConflictHorizon: {snapshotConflictHorizon}, isCatalogRel: {isCatalogRel}",
	}
}

const walDescMessage = `{@transactional}, prefix "{prefix}"; payload ({size} bytes): {payload}`

// walDescOnly16 has what 17 gave up again or said more of.
func walDescOnly16() map[string]string {
	return map[string]string{
		"SPGist/VACUUM_REDIRECT": "ntoplaceholder: {ntoplaceholder}, firstplaceholder: {firstplaceholder}, snapshotConflictHorizon: {snapshotConflictHorizon}",
		"Gist/PAGE_REUSE":        "rel {rel}; blk {blk}; snapshotConflictHorizon {snapshotConflictHorizon}",
		"Btree/DELETE":           "snapshotConflictHorizon: {snapshotConflictHorizon}, ndeleted: {ndeleted}, nupdated: {nupdated}[[, deleted: {deleted}, updated: {updated}]]",
		"Btree/REUSE_PAGE":       "rel: {rel}, snapshotConflictHorizon: {snapshotConflictHorizon}",
		"Heap2/PRUNE":            "snapshotConflictHorizon: {snapshotConflictHorizon}, nredirected: {nredirected}, ndead: {ndead}, nunused: {nunused}, redirected: {%redirected}, dead: {%dead}, unused: {%unused}",
		"Heap2/VACUUM":           "nunused: {nunused}[[, unused: {unused}]]",
		"Heap2/FREEZE_PAGE":      "snapshotConflictHorizon: {snapshotConflictHorizon}, nplans: {nplans}[[, plans: {plans}]]",
	}
}

// walDesc14 has what 14 and later print alike.
func walDesc14() map[string]string {
	return map[string]string{
		"SPGist/ADD_LEAF":    "off: {off}, headoff: {headoff}, parentoff: {parentoff}, nodeI: {nodeI}{=newpage}{=nulls}",
		"SPGist/MOVE_LEAFS":  "nmoves: {nmoves}, parentoff: {parentoff}, nodeI: {nodeI}{=newpage}{=replacedead}{=nulls}",
		"SPGist/ADD_NODE":    "off: {off}, newoff: {newoff}, parentBlk: {parentBlk}, parentoff: {parentoff}, nodeI: {nodeI}{=newpage}",
		"SPGist/SPLIT_TUPLE": "prefixoff: {prefixoff}, postfixoff: {postfixoff}{=newpage}{=same}",
		"SPGist/PICKSPLIT":   "ndelete: {ndelete}, ninsert: {ninsert}, inneroff: {inneroff}, parentoff: {parentoff}, nodeI: {nodeI}{=innerIsParent}{=nulls}{=isRootSplit}",
		"SPGist/VACUUM_LEAF": "ndead: {ndead}, nplaceholder: {nplaceholder}, nmove: {nmove}, nchain: {nchain}",
		"SPGist/VACUUM_ROOT": "ndelete: {ndelete}",
	}
}

// walDescTo15 has what 13 to 15 print alike.
func walDescTo15() map[string]string {
	update := "off {old_off} xmax {old_xmax} flags {flags} {!old_infobits}; new off {new_off} xmax {new_xmax}"
	split := "level {level}, firstrightoff {firstrightoff}, newitemoff {newitemoff}, postingoff {postingoff}"
	return map[string]string{
		"Heap/INSERT":              "off {off} flags {flags}",
		"Heap/DELETE":              "off {off} flags {flags} {!infobits}",
		"Heap/UPDATE":              update,
		"Heap/HOT_UPDATE":          update,
		"Heap/TRUNCATE":            "{~flags}nrelids {nrelids} relids{^relids}",
		"Heap/HEAP_CONFIRM":        "off {off}",
		"Heap/LOCK":                "off {off}: xid {xmax}: flags {flags} {!infobits}",
		"Heap/INPLACE":             "off {off}",
		"Heap2/FREEZE_PAGE":        "cutoff xid {snapshotConflictHorizon} ntuples {nplans}",
		"Heap2/VISIBLE":            "cutoff xid {snapshotConflictHorizon} flags {flags}",
		"Heap2/MULTI_INSERT":       "{ntuples} tuples flags {flags}",
		"Heap2/LOCK_UPDATED":       "off {off}: xmax {xmax}: flags {flags} {!infobits}",
		"Heap2/NEW_CID":            "rel {rel}; tid {tid}; cmin: {cmin}, cmax: {cmax}, combo: {combo}",
		"Btree/INSERT_LEAF":        "off {off}",
		"Btree/INSERT_UPPER":       "off {off}",
		"Btree/INSERT_META":        "off {off}",
		"Btree/INSERT_POST":        "off {off}",
		"Btree/SPLIT_L":            split,
		"Btree/SPLIT_R":            split,
		"Btree/DEDUP":              "nintervals {nintervals}",
		"Btree/VACUUM":             "ndeleted {ndeleted}; nupdated {nupdated}",
		"Btree/MARK_PAGE_HALFDEAD": "topparent {topparent}; leaf {leaf}; left {left}; right {right}",
		"Btree/NEWROOT":            "lev {level}",
	}
}

func walDesc14To15() map[string]string {
	unlink := "left {left}; right {right}; level {level}; safexid {safexid}; leafleft {leafleft}; leafright {leafright}; leaftopparent {leaftopparent}"
	return map[string]string{
		"Gist/PAGE_REUSE":        "rel {rel}; blk {blk}; latestRemovedXid {snapshotConflictHorizon}",
		"SPGist/VACUUM_REDIRECT": "ntoplaceholder: {ntoplaceholder}, firstplaceholder: {firstplaceholder}, newestredirectxid: {snapshotConflictHorizon}",
		"Heap2/PRUNE":            "latestRemovedXid {snapshotConflictHorizon} nredirected {nredirected} ndead {ndead}",
		"Heap2/VACUUM":           "nunused {nunused}",
		"Btree/DELETE":           "latestRemovedXid {snapshotConflictHorizon}; ndeleted {ndeleted}; nupdated {nupdated}",
		"Btree/UNLINK_PAGE":      unlink,
		"Btree/UNLINK_PAGE_META": unlink,
		"Btree/REUSE_PAGE":       "rel {rel}; latestRemovedXid {snapshotConflictHorizon}",
		"Btree/META_CLEANUP":     "last_cleanup_num_delpages {last_cleanup_num_delpages}",
		"LogicalMessage/MESSAGE": walDescMessage,
	}
}

func walDesc13() map[string]string {
	unlink := "left {left}; right {right}; btpo_xact {btpo_xact}; leafleft {leafleft}; leafright {leafright}; topparent {leaftopparent}"
	return map[string]string{
		"Gist/PAGE_REUSE":        "rel {rel}; blk {blk}; latestRemovedXid {snapshotConflictHorizon}",
		"Heap2/CLEAN":            "remxid {snapshotConflictHorizon}",
		"Heap2/CLEANUP_INFO":     "remxid {snapshotConflictHorizon}",
		"Btree/DELETE":           "latestRemovedXid {snapshotConflictHorizon}; ndeleted {ndeleted}",
		"Btree/UNLINK_PAGE":      unlink,
		"Btree/UNLINK_PAGE_META": unlink,
		"Btree/REUSE_PAGE":       "rel {rel}; latestRemovedXid {snapshotConflictHorizon}",
		"Btree/META_CLEANUP":     "oldest_btpo_xact {oldest_btpo_xact}; last_cleanup_num_heap_tuples: {last_cleanup_num_heap_tuples}",
		"CommitTs/SETTS":         "set {set}/{nodeid} for: {for}[[, {subxacts}]]",
		"LogicalMessage/MESSAGE": "{&transactional} message size {size} bytes",
	}
}
