package pgdisk

import "encoding/binary"

// UnclaimedBytes is how many bytes between pd_upper and the end of a table's page belong to
// no line pointer. It is 0 on every such page that a server wrote: an item is put right
// before the one before it (PageAddItemExtended, storage/page/bufpage.c), and what takes
// items away moves the others together (PageRepairFragmentation). Anything else means that
// line pointers were lost or changed, and with them rows, though each that is left looks
// sound; a negative count, that items overlap. The header must be sound and the page not new.
func UnclaimedBytes(page []byte, h PageHeader) int {
	n := int(h.Special) - int(h.Upper)
	for i := range h.LinePointers() {
		id := DecodeItemID(binary.LittleEndian.Uint32(page[PageHeaderSize+i*ItemIDSize:]))
		if id.Flags == ItemNormal {
			n -= (int(id.Len) + 7) &^ 7
		}
	}
	return n
}

// ForeignRows looks for rows that say they were written to another block than blk: the page,
// or a part of it, is a copy of another. It returns how many there are and which block the
// first of them names; foreign is 0 on every page of a table that a server wrote, but not
// seeing a foreign row proves nothing.
//
// A row that nobody updated has its own place as its t_ctid. Only rows that are not frozen
// and have no xmax are asked, since freezing takes away the xmax of an updater that aborted
// and leaves t_ctid (heap_execute_freeze_tuple, access/heap/heapam.c).
func ForeignRows(page []byte, h PageHeader, blk BlockNumber) (foreign int, home BlockNumber) {
	for i := range h.LinePointers() {
		id := DecodeItemID(binary.LittleEndian.Uint32(page[PageHeaderSize+i*ItemIDSize:]))
		off := int(id.Off)
		if id.Flags != ItemNormal || id.Len < TupleHeaderSize || off+TupleHeaderSize > len(page) {
			continue
		}
		t := page[off : off+TupleHeaderSize]
		le := binary.LittleEndian
		at := BlockNumber(le.Uint16(t[12:]))<<16 | BlockNumber(le.Uint16(t[14:]))
		if at == blk || int(le.Uint16(t[16:])) != i+1 || le.Uint32(t[4:]) != 0 || Infomask(le.Uint16(t[20:]))&HeapXminFrozen == HeapXminFrozen {
			continue
		}
		if foreign == 0 {
			home = at
		}
		foreign++
	}
	return foreign, home
}
