package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// Numbers of a GiST index (access/gist.h).
const (
	gistPageID     uint16 = 0xFF81 // GIST_PAGE_ID
	gistOpaqueSize        = 16     // sizeof(GISTPageOpaqueData)
	gistDeletedEnd        = PageHeaderSize + 8

	// gistInvalidTuple stands in t_tid of a tuple left by an unfinished split of 9.0 or before
	// (TUPLE_IS_INVALID, access/gist_private.h).
	gistInvalidTuple = 0xFFFE
)

// GistFlags are the flags of a GiST page (F_*, access/gist.h).
type GistFlags uint16

// The flags.
const (
	GistLeaf          GistFlags = 1 << iota // F_LEAF
	GistDeleted                             // F_DELETED
	GistTuplesDeleted                       // F_TUPLES_DELETED, of old servers
	GistFollowRight                         // F_FOLLOW_RIGHT: the right sibling's downlink is missing
	GistHasGarbage                          // F_HAS_GARBAGE: has dead entries
	gistValidFlags    = GistLeaf | GistDeleted | GistTuplesDeleted | GistFollowRight | GistHasGarbage
)

// Words names the flags as pageinspect's gist_page_opaque_info does.
func (f GistFlags) Words() []string {
	return bitWords(uint16(f), []bitWord{
		{uint16(GistLeaf), "leaf"}, {uint16(GistDeleted), "deleted"}, {uint16(GistTuplesDeleted), "tuples_deleted"},
		{uint16(GistFollowRight), "follow_right"}, {uint16(GistHasGarbage), "has_garbage"},
	})
}

// GistOpaque is the special part of a GiST page (GISTPageOpaqueData, access/gist.h). A GiST
// index has no meta page: its block 0 is the root.
type GistOpaque struct {
	NSN    LSN         // nsn: changes when the page is split
	Right  BlockNumber // rightlink, InvalidBlock at the end
	Flags  GistFlags
	PageID uint16 // 0xFF81
}

// DecodeGistOpaque reads the special part of a page. It is an error when there is none of its
// size or it has not the page id of a GiST index.
func DecodeGistOpaque(page []byte) (GistOpaque, error) {
	b, err := specialOf(page, gistOpaqueSize, "GiST page")
	if err != nil {
		return GistOpaque{}, err
	}
	le := binary.LittleEndian
	o := GistOpaque{
		NSN:   LSN(le.Uint32(b))<<32 | LSN(le.Uint32(b[4:])), // PageXLogRecPtr: high half first
		Right: BlockNumber(le.Uint32(b[8:])), Flags: GistFlags(le.Uint16(b[12:])), PageID: le.Uint16(b[14:]),
	}
	return o, wantPageID(o.PageID, gistPageID, "gist_page_id")
}

// HasItems reports whether line pointers follow the page header: on all but deleted pages.
func (o GistOpaque) HasItems() bool { return o.Flags&GistDeleted == 0 }

// DeletedXID returns the last transaction that could see a deleted page in a scan
// (GistPageGetDeleteXid); false for a page that is not deleted or does not say.
func (o GistOpaque) DeletedXID(page []byte) (FullXID, bool) {
	if o.Flags&GistDeleted == 0 || len(page) != BlockSize || binary.LittleEndian.Uint16(page[12:]) < gistDeletedEnd {
		return 0, false
	}
	return FullXID(binary.LittleEndian.Uint64(page[PageHeaderSize:])), true
}

// Problems lists what is wrong with the special part, nothing for a sound one.
func (o GistOpaque) Problems() []*FormatError {
	if extra := o.Flags &^ gistValidFlags; extra != 0 {
		return []*FormatError{{Off: BlockSize - 4, Field: "GiST flags", Want: fmt.Sprintf("no bits but 0x%04X", uint16(gistValidFlags)), Got: fmt.Sprintf("0x%04X", uint16(o.Flags))}}
	}
	return nil
}

// GistInvalid reports a tuple of an inner page that a split of 9.0 or before left unfinished
// (GistTupleIsInvalid); the index wants a REINDEX.
func GistInvalid(t IndexTuple) bool { return t.TID.Item == gistInvalidTuple }
