package pgdisk

import (
	"fmt"
	"strings"
)

// storage writes what smgr_desc (smgrdesc.c) prints.
func (w *walFieldWriter) storage() bool {
	if c, ok := w.r.WALStorageCreate(); ok {
		w.text("path", c.Relation.Path(w.r.Major, c.Fork))
		w.text("rel", c.Relation.String())
		w.text("fork", c.Fork.String())
		return true
	}
	t, ok := w.r.WALStorageTruncate()
	if !ok {
		return false
	}
	w.text("path", t.Relation.Path(w.r.Major, 0))
	w.text("rel", t.Relation.String())
	w.uint("blocks", uint64(t.Blocks))
	w.uint("flags", uint64(t.Flags))
	return true
}

// slru writes what clog_desc (clogdesc.c) and commit_ts_desc (committsdesc.c) print.
func (w *walFieldWriter) slru() bool {
	if page, ok := w.r.WALCLOGZero(); ok {
		w.uint("page", page)
		return true
	}
	if page, ok := w.r.WALCommitTsZero(); ok {
		w.uint("page", page)
		return true
	}
	if t, ok := w.r.WALCLOGTruncate(); ok {
		w.uint("page", t.Page)
		w.uint("oldestXact", uint64(t.OldestXID))
		w.uint("oldestXactDb", uint64(t.OldestXIDDB))
		return true
	}
	if t, ok := w.r.WALCommitTsTruncate(); ok {
		w.uint("pageno", t.Page)
		w.uint("oldestXid", uint64(t.OldestXID))
		return true
	}
	s, ok := w.r.WALCommitTsSet()
	if !ok {
		return false
	}
	w.time("set", s.Time)
	w.uint("nodeid", uint64(s.Origin))
	w.uint("for", uint64(s.XID))
	w.xids("subxacts", s.Subxacts)
	return true
}

// multi writes what multixact_desc (mxactdesc.c) prints.
func (w *walFieldWriter) multi() bool {
	if m, ok := w.r.WALMultiCreate(); ok {
		w.uint("multi", uint64(m.Multi))
		w.uint("offset", uint64(m.Offset))
		w.uint("nmembers", uint64(m.Len()))
		w.list("members", "", " ", "", m.Len(), func(i int) string {
			member := m.Member(i)
			return fmt.Sprintf("%d (%s)", member.XID, member.Status)
		})
		return true
	}
	if z, ok := w.r.WALMultiZero(); ok {
		w.uint("page", z.Page)
		return true
	}
	t, ok := w.r.WALMultiTruncate()
	if !ok {
		return false
	}
	w.text("offsets", fmt.Sprintf("[%d, %d)", t.StartMulti, t.EndMulti))
	w.text("members", fmt.Sprintf("[%d, %d)", t.StartOffset, t.EndOffset))
	w.uint("oldestMultiDB", uint64(t.OldestMultiDB))
	return true
}

// database writes what dbase_desc (dbasedesc.c) and tblspc_desc (tblspcdesc.c) print.
func (w *walFieldWriter) database() bool {
	if c, ok := w.r.WALDatabaseCreate(); ok {
		if c.Copy {
			w.text("copy dir", fmt.Sprintf("%d/%d", c.From.Tablespace, c.From.Database))
			w.text("to", fmt.Sprintf("%d/%d", c.Dir.Tablespace, c.Dir.Database))
		} else {
			w.text("create dir", fmt.Sprintf("%d/%d", c.Dir.Tablespace, c.Dir.Database))
		}
		return true
	}
	if h, ok := w.r.WALDatabaseDrop(); ok {
		w.list("dir", "", " ", "", h.Tablespaces.Len(), func(i int) string {
			return fmt.Sprintf("%d/%d", h.Tablespaces.At(i), h.Database)
		})
		return true
	}
	if c, ok := w.r.WALTablespaceCreate(); ok {
		w.uint("tablespace", uint64(c.Tablespace))
		w.text("location", c.Location)
		return true
	}
	oid, ok := w.r.WALTablespaceDrop()
	w.uint("tablespace", uint64(oid))
	return ok
}

// mapOrSequence writes what relmap_desc (relmapdesc.c) and seq_desc (seqdesc.c) print, and
// what is in the map and in the sequence.
func (w *walFieldWriter) mapOrSequence() bool {
	if s, ok := w.r.WALSequence(); ok {
		w.text("rel", s.Relation.String())
		w.text("last_value", fmt.Sprint(s.LastValue))
		w.text("log_cnt", fmt.Sprint(s.LogCount))
		w.word("is_called", s.Called)
		return true
	}
	m, ok := w.r.WALRelMap()
	if !ok {
		return false
	}
	w.uint("database", uint64(m.Database))
	w.uint("tablespace", uint64(m.Tablespace))
	w.uint("size", uint64(len(m.Data)))
	file, err := DecodeRelMap(m.Data)
	if err != nil {
		w.err = err
		return false
	}
	w.list("mappings", "", " ", "", len(file.Mappings), func(i int) string {
		return fmt.Sprintf("%d:%d", file.Mappings[i].OID, file.Mappings[i].Number)
	})
	return true
}

// message writes what replorigin_desc (replorigindesc.c) and logicalmsg_desc
// (logicalmsgdesc.c) print; of a message, its first bytes.
func (w *walFieldWriter) message() bool {
	if s, ok := w.r.WALOriginSet(); ok {
		w.uint("set", uint64(s.Node))
		w.text("lsn", s.Remote.String())
		if s.Force {
			w.uint("force", 1)
		} else {
			w.uint("force", 0)
		}
		return true
	}
	if node, ok := w.r.WALOriginDrop(); ok {
		w.uint("drop", uint64(node))
		return true
	}
	m, ok := w.r.WALMessage()
	if !ok {
		return false
	}
	w.word("transactional", m.Transactional)
	w.text("prefix", m.Prefix)
	w.uint("size", uint64(len(m.Message)))
	const shown = 1024
	payload := fmt.Sprintf("% X", m.Message[:min(len(m.Message), shown)])
	if len(m.Message) > shown {
		payload = strings.Join([]string{payload, "..."}, " ")
	}
	w.text("payload", payload)
	return true
}
