package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// ItemFlags is the state of a line pointer (lp_flags, storage/itemid.h).
type ItemFlags uint8

// The states.
const (
	ItemUnused   ItemFlags = iota // LP_UNUSED: free for use
	ItemNormal                    // LP_NORMAL: has an item
	ItemRedirect                  // LP_REDIRECT: its offset is the number of another line pointer
	ItemDead                      // LP_DEAD: index entries may still refer to it
)

// String gives the state in words.
func (f ItemFlags) String() string {
	switch f {
	case ItemUnused:
		return "unused"
	case ItemNormal:
		return "normal"
	case ItemRedirect:
		return "redirect"
	case ItemDead:
		return "dead"
	}
	return fmt.Sprintf("line pointer state %d", uint8(f))
}

// ItemID is a line pointer (ItemIdData, storage/itemid.h).
type ItemID struct {
	Off   uint16 // lp_off: byte of the item in the page; of a redirect, the line pointer it leads to
	Flags ItemFlags
	Len   uint16 // lp_len: bytes of the item
}

// DecodeItemID reads a line pointer from its 32 bits.
func DecodeItemID(v uint32) ItemID {
	return ItemID{Off: uint16(v & 0x7FFF), Flags: ItemFlags(v >> 15 & 3), Len: uint16(v >> 17)}
}

// Encode returns the 32 bits.
func (i ItemID) Encode() uint32 {
	return uint32(i.Off&0x7FFF) | uint32(i.Flags&3)<<15 | uint32(i.Len)<<17
}

// ItemIDs returns the line pointers of a page, as many as its header claims and fit. The
// first has number 1 (FirstOffsetNumber) and index 0.
func ItemIDs(page []byte, h PageHeader) []ItemID {
	n := h.LinePointers()
	if len(page) != BlockSize || n == 0 {
		return nil
	}
	items := make([]ItemID, n)
	for i := range items {
		items[i] = DecodeItemID(binary.LittleEndian.Uint32(page[PageHeaderSize+i*ItemIDSize:]))
	}
	return items
}

// HasStorage reports whether the line pointer has an item on the page (ItemIdHasStorage).
func (i ItemID) HasStorage() bool { return i.Len != 0 }

// Problem says what is wrong with the line pointer of the given number (from 1) on a page
// with count of them, nil for a sound one.
func (i ItemID) Problem(h PageHeader, number, count int) *FormatError {
	off := int64(PageHeaderSize + (number-1)*ItemIDSize)
	bad := func(want string) *FormatError {
		return &FormatError{Off: off, Field: fmt.Sprintf("line pointer %d", number), Want: want,
			Got: fmt.Sprintf("%s, offset %d, length %d", i.Flags, i.Off, i.Len)}
	}
	if i.Flags == ItemRedirect {
		if i.Off == 0 || int(i.Off) > count || int(i.Off) == number || i.Len != 0 {
			return bad(fmt.Sprintf("a redirect to another of the %d line pointers", count))
		}
		return nil
	}
	if i.Flags == ItemNormal && i.Len == 0 {
		return bad("an item with a length")
	}
	if i.Flags == ItemUnused && i.Len != 0 {
		return bad("no item on an unused line pointer")
	}
	if i.Len != 0 && (i.Off < h.Upper || int(i.Off)+int(i.Len) > int(h.Special) || i.Off%8 != 0) {
		return bad(fmt.Sprintf("an aligned item between %d and %d", h.Upper, h.Special))
	}
	return nil
}

// Item returns the bytes of an item, nil when the line pointer has none or points outside
// of the page.
func Item(page []byte, i ItemID) []byte {
	end := int(i.Off) + int(i.Len)
	if i.Len == 0 || i.Off < PageHeaderSize || end > len(page) || i.Flags == ItemRedirect || i.Flags == ItemUnused {
		return nil
	}
	return page[i.Off:end:end]
}
