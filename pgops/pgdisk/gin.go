package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// Numbers of a GIN index (access/ginblock.h).
const (
	ginOpaqueSize  = 8  // sizeof(GinPageOpaqueData)
	ginMetaSize    = 56 // sizeof(GinMetaPageData), its end padded
	ginVersion     = 2  // GIN_CURRENT_VERSION
	ginBoundSize   = 8  // MAXALIGN(sizeof(ItemPointerData)): right bound of a posting tree page
	ginPostingSize = 10 // sizeof(PostingItem)
	ginListHeader  = 8  // offsetof(GinPostingList, bytes)
	ginTreePosting = 0xFFFF
	ginCompressed  = 1 << 31 // GIN_ITUP_COMPRESSED
)

// GinFlags say what a GIN page holds (access/ginblock.h).
type GinFlags uint16

// The flags.
const (
	GinData            GinFlags = 1 << iota // GIN_DATA: of a posting tree
	GinLeaf                                 // GIN_LEAF
	GinDeleted                              // GIN_DELETED
	GinMeta                                 // GIN_META
	GinList                                 // GIN_LIST: of the pending list
	GinListFullRow                          // GIN_LIST_FULLROW
	GinIncompleteSplit                      // GIN_INCOMPLETE_SPLIT
	GinCompressed                           // GIN_COMPRESSED: posting lists, not plain TIDs
	ginValidFlags      = GinData | GinLeaf | GinDeleted | GinMeta | GinList | GinListFullRow | GinIncompleteSplit | GinCompressed
)

// Words names the flags as pageinspect's gin_page_opaque_info does.
func (f GinFlags) Words() []string {
	return bitWords(uint16(f), []bitWord{
		{uint16(GinData), "data"}, {uint16(GinLeaf), "leaf"}, {uint16(GinDeleted), "deleted"}, {uint16(GinMeta), "meta"},
		{uint16(GinList), "list"}, {uint16(GinListFullRow), "list_fullrow"}, {uint16(GinIncompleteSplit), "incomplete_split"},
		{uint16(GinCompressed), "compressed"},
	})
}

// GinOpaque is the special part of a GIN page (GinPageOpaqueData, access/ginblock.h). It has no
// page id: a page is told by the size of this part and by what the others have and it has not.
type GinOpaque struct {
	Right  BlockNumber // rightlink, InvalidBlock at the end
	MaxOff uint16      // maxoff: entries of an inner page of a posting tree, rows on a page of the pending list
	Flags  GinFlags
}

// DecodeGinOpaque reads the special part of a page.
func DecodeGinOpaque(page []byte) (GinOpaque, error) {
	b, err := specialOf(page, ginOpaqueSize, "GIN page")
	if err != nil {
		return GinOpaque{}, err
	}
	le := binary.LittleEndian
	return GinOpaque{Right: BlockNumber(le.Uint32(b)), MaxOff: le.Uint16(b[4:]), Flags: GinFlags(le.Uint16(b[6:]))}, nil
}

// HasItems reports whether line pointers follow the page header: in the entry tree and in the
// pending list.
func (o GinOpaque) HasItems() bool { return o.Flags&(GinData|GinMeta|GinDeleted) == 0 }

// Problems lists what is wrong with the special part, nothing for a sound one.
func (o GinOpaque) Problems() []*FormatError {
	if extra := o.Flags &^ ginValidFlags; extra != 0 {
		return []*FormatError{{Off: BlockSize - 2, Field: "GIN flags", Want: fmt.Sprintf("no bits but 0x%04X", uint16(ginValidFlags)), Got: fmt.Sprintf("0x%04X", uint16(o.Flags))}}
	}
	return nil
}

// GinMetaPage is block 0 of a GIN index (GinMetaPageData, access/ginblock.h).
type GinMetaPage struct {
	PendingHead, PendingTail BlockNumber // head, tail of the pending list, InvalidBlock when it is empty
	TailFree                 uint32      // tailFreeSize: bytes free on the last page of the list
	PendingPages             BlockNumber // nPendingPages
	PendingTuples            int64       // nPendingHeapTuples: rows
	TotalPages, EntryPages   BlockNumber // nTotalPages, nEntryPages at the last VACUUM
	DataPages                BlockNumber // nDataPages
	Entries                  int64       // nEntries
	Version                  int32       // ginVersion: 2; 0 and 1 come from before 9.4
}

// DecodeGinMetaPage reads the meta page of a GIN index.
func DecodeGinMetaPage(page []byte) (GinMetaPage, error) {
	if err := wholePage("GIN meta page", page); err != nil {
		return GinMetaPage{}, err
	}
	le, b := binary.LittleEndian, page[PageHeaderSize:PageHeaderSize+ginMetaSize]
	m := GinMetaPage{
		PendingHead: BlockNumber(le.Uint32(b)), PendingTail: BlockNumber(le.Uint32(b[4:])), TailFree: le.Uint32(b[8:]),
		PendingPages: BlockNumber(le.Uint32(b[12:])), PendingTuples: int64(le.Uint64(b[16:])),
		TotalPages: BlockNumber(le.Uint32(b[24:])), EntryPages: BlockNumber(le.Uint32(b[28:])), DataPages: BlockNumber(le.Uint32(b[32:])),
		Entries: int64(le.Uint64(b[40:])), Version: int32(le.Uint32(b[48:])),
	}
	if m.Version < 0 || m.Version > ginVersion {
		return m, &FormatError{Off: PageHeaderSize + 48, Field: "ginVersion", Want: fmt.Sprintf("0 to %d", ginVersion), Got: fmt.Sprint(m.Version)}
	}
	return m, nil
}

// GinPostingItem is an entry of an inner page of a posting tree (PostingItem, access/ginblock.h).
type GinPostingItem struct {
	Child BlockNumber
	Key   TID // the greatest TID below the child
}

// GinPostingItems reads the entries of an inner page of a posting tree (GIN_DATA without
// GIN_LEAF) and the page's right bound. More entries than fit are an error; those that fit
// are returned with it.
func GinPostingItems(page []byte, o GinOpaque) (items []GinPostingItem, bound TID, err error) {
	if err := wholePage("GIN posting tree page", page); err != nil {
		return nil, TID{}, err
	}
	bound = decodeTID(page[PageHeaderSize:])
	b := page[PageHeaderSize+ginBoundSize : BlockSize-ginOpaqueSize]
	n := int(o.MaxOff)
	if n > len(b)/ginPostingSize {
		err = &FormatError{Off: BlockSize - 4, Field: "maxoff", Want: fmt.Sprintf("at most %d", len(b)/ginPostingSize), Got: fmt.Sprint(n)}
		n = len(b) / ginPostingSize
	}
	le := binary.LittleEndian
	for range n {
		items = append(items, GinPostingItem{Child: BlockNumber(le.Uint16(b))<<16 | BlockNumber(le.Uint16(b[2:])), Key: decodeTID(b[4:])})
		b = b[ginPostingSize:]
	}
	return items, bound, err
}
