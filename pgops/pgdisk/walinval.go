package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// Kinds of invalidation messages other than of a catalog cache, whose ids are from 0 on
// (SHAREDINVAL*_ID, storage/sinval.h).
const (
	WALInvalCatalog  int8 = -1
	WALInvalRelcache int8 = -2
	WALInvalSMGR     int8 = -3
	WALInvalRelMap   int8 = -4
	WALInvalSnapshot int8 = -5
	WALInvalRelSync  int8 = -6 // 18 on
)

const walInvalSize = 16 // sizeof(SharedInvalidationMessage)

// WALInvalidation tells other sessions to forget what they have cached
// (SharedInvalidationMessage, storage/sinval.h).
type WALInvalidation struct {
	ID       int8        // of the catalog cache, or one of the kinds above
	Database OID         // 0 for what all databases share; not of SMGR
	Object   OID         // the relation or catalog; of a catalog cache, the hash of the key
	Relation WALRelation // of SMGR only
}

// String gives pg_waldump's words.
func (m WALInvalidation) String() string {
	switch m.ID {
	case WALInvalCatalog:
		return fmt.Sprintf("catalog %d", m.Object)
	case WALInvalRelcache:
		return fmt.Sprintf("relcache %d", m.Object)
	case WALInvalSMGR:
		return "smgr"
	case WALInvalRelMap:
		return fmt.Sprintf("relmap db %d", m.Database)
	case WALInvalSnapshot:
		return fmt.Sprintf("snapshot %d", m.Object)
	case WALInvalRelSync:
		return fmt.Sprintf("relsync %d", m.Object)
	}
	if m.ID >= 0 {
		return fmt.Sprintf("catcache %d", m.ID)
	}
	return fmt.Sprintf("unrecognized id %d", m.ID)
}

// WALInvalidations lists messages, 16 bytes each, as a record holds them.
type WALInvalidations []byte

// Len is the number of messages.
func (l WALInvalidations) Len() int { return len(l) / walInvalSize }

// At is the i-th.
func (l WALInvalidations) At(i int) WALInvalidation {
	b := l[walInvalSize*i:]
	m := WALInvalidation{ID: int8(b[0])}
	le := binary.LittleEndian
	if m.ID == WALInvalSMGR {
		d := walBody{b: b, off: 4}
		m.Relation = d.relation()
		return m
	}
	m.Database = OID(le.Uint32(b[4:]))
	if m.ID != WALInvalRelMap {
		m.Object = OID(le.Uint32(b[8:]))
	}
	return m
}
