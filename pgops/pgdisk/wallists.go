package pgdisk

import (
	"encoding/binary"
	"iter"
)

// WALOffsets lists line pointer numbers, 2 bytes each, as a record holds them.
type WALOffsets []byte

// Len is the number of line pointers.
func (o WALOffsets) Len() int { return len(o) / 2 }

// At is the i-th.
func (o WALOffsets) At(i int) uint16 { return binary.LittleEndian.Uint16(o[2*i:]) }

// All goes through them.
func (o WALOffsets) All() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for i := range o.Len() {
			if !yield(o.At(i)) {
				return
			}
		}
	}
}

// WALXIDs lists transaction ids, 4 bytes each, as a record holds them.
type WALXIDs []byte

// Len is the number of ids.
func (x WALXIDs) Len() int { return len(x) / 4 }

// At is the i-th.
func (x WALXIDs) At(i int) XID { return XID(binary.LittleEndian.Uint32(x[4*i:])) }

// WALOIDs lists object ids, 4 bytes each, as a record holds them.
type WALOIDs []byte

// Len is the number of ids.
func (o WALOIDs) Len() int { return len(o) / 4 }

// At is the i-th.
func (o WALOIDs) At(i int) OID { return OID(binary.LittleEndian.Uint32(o[4*i:])) }

// WALRelations lists relations, 12 bytes each, as a record holds them (RelFileLocator).
type WALRelations []byte

// Len is the number of relations.
func (l WALRelations) Len() int { return len(l) / 12 }

// At is the i-th.
func (l WALRelations) At(i int) WALRelation {
	d := walBody{b: l, off: 12 * i}
	return d.relation()
}
