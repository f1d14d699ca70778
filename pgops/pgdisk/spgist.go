package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// Numbers of an SP-GiST index (access/spgist_private.h).
const (
	SPGistMagic       uint32 = 0xBA0BABEE // SPGIST_MAGIC_NUMBER
	spgistPageID      uint16 = 0xFF82     // SPGIST_PAGE_ID
	spgistOpaqueSize         = 8          // sizeof(SpGistPageOpaqueData)
	spgistCachedPages        = 8          // SPGIST_CACHED_PAGES
	spgistInnerHeader        = 8          // SGITHDRSZ
	spgistLeafHeader         = 12         // sizeof(SpGistLeafTupleData), padded to 16
	spgistDeadHeader         = 16         // SGDTSIZE
)

// SPGistFlags say what an SP-GiST page holds (access/spgist_private.h).
type SPGistFlags uint16

// The flags.
const (
	SPGistMeta       SPGistFlags = 1 << iota // SPGIST_META
	SPGistDeleted                            // SPGIST_DELETED, never set
	SPGistLeaf                               // SPGIST_LEAF
	SPGistNulls                              // SPGIST_NULLS: of the tree of null values
	spgistValidFlags = SPGistMeta | SPGistDeleted | SPGistLeaf | SPGistNulls
)

// Words names the flags that are set, as spgist_private.h does without SPGIST_.
func (f SPGistFlags) Words() []string {
	return bitWords(uint16(f), []bitWord{
		{uint16(SPGistMeta), "META"}, {uint16(SPGistDeleted), "DELETED"}, {uint16(SPGistLeaf), "LEAF"}, {uint16(SPGistNulls), "NULLS"},
	})
}

// SPGistOpaque is the special part of an SP-GiST page (SpGistPageOpaqueData, access/spgist_private.h).
type SPGistOpaque struct {
	Flags        SPGistFlags
	Redirections uint16 // nRedirection
	Placeholders uint16 // nPlaceholder
	PageID       uint16 // 0xFF82
}

// DecodeSPGistOpaque reads the special part of a page. It is an error when there is none of
// its size or it has not the page id of an SP-GiST index.
func DecodeSPGistOpaque(page []byte) (SPGistOpaque, error) {
	b, err := specialOf(page, spgistOpaqueSize, "SP-GiST page")
	if err != nil {
		return SPGistOpaque{}, err
	}
	le := binary.LittleEndian
	o := SPGistOpaque{Flags: SPGistFlags(le.Uint16(b)), Redirections: le.Uint16(b[2:]), Placeholders: le.Uint16(b[4:]), PageID: le.Uint16(b[6:])}
	return o, wantPageID(o.PageID, spgistPageID, "spgist_page_id")
}

// HasItems reports whether line pointers follow the page header.
func (o SPGistOpaque) HasItems() bool { return o.Flags&SPGistMeta == 0 }

// Problems lists what is wrong with the special part, nothing for a sound one.
func (o SPGistOpaque) Problems() []*FormatError {
	if extra := o.Flags &^ spgistValidFlags; extra != 0 {
		return []*FormatError{{Off: BlockSize - 8, Field: "SP-GiST flags", Want: fmt.Sprintf("no bits but 0x%04X", uint16(spgistValidFlags)), Got: fmt.Sprintf("0x%04X", uint16(o.Flags))}}
	}
	return nil
}

// SPGistLastUsed is a page that had room when it was last used (SpGistLastUsedPage).
type SPGistLastUsed struct {
	Block BlockNumber // InvalidBlock for none
	Free  int32       // bytes
}

// SPGistMetaPage is block 0 of an SP-GiST index (SpGistMetaPageData, access/spgist_private.h).
// The roots are always blocks 1 (values) and 2 (nulls).
type SPGistMetaPage struct {
	Magic    uint32
	LastUsed [spgistCachedPages]SPGistLastUsed // one for each kind of page
}

// DecodeSPGistMetaPage reads the meta page of an SP-GiST index.
func DecodeSPGistMetaPage(page []byte) (SPGistMetaPage, error) {
	if err := wholePage("SP-GiST meta page", page); err != nil {
		return SPGistMetaPage{}, err
	}
	le, b := binary.LittleEndian, page[PageHeaderSize:PageHeaderSize+4+8*spgistCachedPages]
	m := SPGistMetaPage{Magic: le.Uint32(b)}
	for i := range m.LastUsed {
		m.LastUsed[i] = SPGistLastUsed{Block: BlockNumber(le.Uint32(b[4+8*i:])), Free: int32(le.Uint32(b[8+8*i:]))}
	}
	if m.Magic != SPGistMagic {
		return m, &FormatError{Off: PageHeaderSize, Field: "magicNumber", Want: fmt.Sprintf("0x%X", SPGistMagic), Got: fmt.Sprintf("0x%X", m.Magic)}
	}
	return m, nil
}

// SPGistState is the state of an SP-GiST tuple (tupstate, access/spgist_private.h).
type SPGistState uint8

// The states.
const (
	SPGistLive        SPGistState = iota // SPGIST_LIVE
	SPGistRedirect                       // SPGIST_REDIRECT: moved to another page, for running scans
	SPGistDead                           // SPGIST_DEAD: links still lead here
	SPGistPlaceholder                    // SPGIST_PLACEHOLDER: keeps the number of its line pointer
)

// String gives the state in words.
func (s SPGistState) String() string {
	switch s {
	case SPGistLive:
		return "live"
	case SPGistRedirect:
		return "redirect"
	case SPGistDead:
		return "dead"
	case SPGistPlaceholder:
		return "placeholder"
	}
	return fmt.Sprintf("SP-GiST state %d", uint8(s))
}

// SPGistTuple is a tuple of an SP-GiST page (SpGistInnerTupleData, SpGistLeafTupleData and
// SpGistDeadTupleData, access/spgist_private.h).
type SPGistTuple struct {
	State SPGistState
	Size  int

	AllTheSame bool         // of a live inner tuple: all nodes are equivalent
	Prefix     []byte       // of a live inner tuple
	Nodes      []IndexTuple // of a live inner tuple: t_tid leads to the child tuple

	Next    uint16 // of a live leaf tuple: line pointer of the next one in the chain, 0 at its end
	HeapTID TID    // of a live leaf tuple
	Target  TID    // of a redirect
	XID     XID    // of a redirect: the transaction that made it
}

// DecodeSPGistTuple reads a tuple of a leaf or an inner page.
func DecodeSPGistTuple(item []byte, leaf bool) (SPGistTuple, error) {
	if len(item) < spgistDeadHeader {
		return SPGistTuple{}, &FormatError{Field: "SP-GiST tuple", Want: fmt.Sprintf("%d bytes", spgistDeadHeader), Got: fmt.Sprintf("%d bytes", len(item))}
	}
	le := binary.LittleEndian
	word := le.Uint32(item) // tupstate in the lowest 2 bits
	t := SPGistTuple{State: SPGistState(word & 3), Size: int(word >> 2)}
	if t.State == SPGistLive && !leaf {
		return decodeSPGistInner(item, word)
	}
	if t.Size < spgistDeadHeader || t.Size > len(item) {
		return SPGistTuple{}, &FormatError{Field: "size", Want: fmt.Sprintf("%d to %d", spgistDeadHeader, len(item)), Got: fmt.Sprint(t.Size)}
	}
	switch t.State {
	case SPGistLive:
		t.Next, t.HeapTID = le.Uint16(item[4:])&0x3FFF, decodeTID(item[6:])
	case SPGistRedirect:
		t.Target, t.XID = decodeTID(item[6:]), XID(le.Uint32(item[spgistLeafHeader:]))
	}
	return t, nil
}

// decodeSPGistInner reads prefix and nodes (SGITITERATE).
func decodeSPGistInner(item []byte, word uint32) (SPGistTuple, error) {
	nodes, prefix := int(word>>3&0x1FFF), int(word>>16)
	t := SPGistTuple{AllTheSame: word&4 != 0, Size: int(binary.LittleEndian.Uint16(item[4:]))}
	if t.Size > len(item) || spgistInnerHeader+prefix > t.Size {
		return SPGistTuple{}, &FormatError{Field: "size", Want: fmt.Sprintf("%d to %d", spgistInnerHeader+prefix, len(item)), Got: fmt.Sprint(t.Size)}
	}
	b := item[spgistInnerHeader:t.Size]
	t.Prefix, b = b[:prefix:prefix], b[prefix:]
	for i := range nodes {
		// A node has no null bitmap: its null bit says that the label is null.
		size := 0
		if len(b) >= IndexTupleHeaderSize {
			size = int(binary.LittleEndian.Uint16(b[TIDSize:]) & indexSizeMask)
		}
		if size < IndexTupleHeaderSize || size > len(b) {
			return SPGistTuple{}, &FormatError{Off: int64(t.Size - len(b)), Field: fmt.Sprintf("node %d", i+1),
				Want: fmt.Sprintf("%d to %d bytes", IndexTupleHeaderSize, len(b)), Got: fmt.Sprint(size)}
		}
		t.Nodes = append(t.Nodes, IndexTuple{TID: decodeTID(b), Info: binary.LittleEndian.Uint16(b[TIDSize:]) &^ indexNullMask, data: b[:size:size]})
		b = b[size:]
	}
	return t, nil
}
