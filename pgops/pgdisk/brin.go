package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// BrinMagic marks the meta page of a BRIN index (BRIN_META_MAGIC, access/brin_page.h).
const BrinMagic uint32 = 0xA8109CFA

// Numbers of a BRIN index (access/brin_page.h).
const (
	brinVersion     = 1 // BRIN_CURRENT_VERSION
	brinSpecialSize = 8 // sizeof(BrinSpecialSpace)
	brinTupleHeader = 5 // SizeOfBrinTuple

	// BrinRevmapItems is the number of ranges that a page of the range map covers (REVMAP_PAGE_MAXITEMS).
	BrinRevmapItems = (BlockSize - PageHeaderSize - brinSpecialSize) / TIDSize
)

// BrinPageType tells the pages of a BRIN index apart (access/brin_page.h).
type BrinPageType uint16

// The types.
const (
	BrinMeta    BrinPageType = 0xF091 // BRIN_PAGETYPE_META
	BrinRevmap  BrinPageType = 0xF092 // BRIN_PAGETYPE_REVMAP
	BrinRegular BrinPageType = 0xF093 // BRIN_PAGETYPE_REGULAR
)

// String names the type as pageinspect's brin_page_type does.
func (t BrinPageType) String() string {
	switch t {
	case BrinMeta:
		return "meta"
	case BrinRevmap:
		return "revmap"
	case BrinRegular:
		return "regular"
	}
	return fmt.Sprintf("unknown (%02x)", uint16(t))
}

// BrinOpaque is the special part of a BRIN page (BrinSpecialSpace, access/brin_page.h).
type BrinOpaque struct {
	Evacuate bool // BRIN_EVACUATE_PAGE: to become a page of the range map
	Type     BrinPageType
}

// DecodeBrinOpaque reads the special part of a page. It is an error when there is none of its
// size or it has no type of a BRIN page.
func DecodeBrinOpaque(page []byte) (BrinOpaque, error) {
	b, err := specialOf(page, brinSpecialSize, "BRIN page")
	if err != nil {
		return BrinOpaque{}, err
	}
	le := binary.LittleEndian
	o := BrinOpaque{Evacuate: le.Uint16(b[4:])&1 != 0, Type: BrinPageType(le.Uint16(b[6:]))}
	if o.Type < BrinMeta || o.Type > BrinRegular {
		return o, &FormatError{Off: BlockSize - 2, Field: "BRIN page type", Want: "0xF091 to 0xF093", Got: fmt.Sprintf("0x%04X", uint16(o.Type))}
	}
	return o, nil
}

// HasItems reports whether line pointers follow the page header: on regular pages.
func (o BrinOpaque) HasItems() bool { return o.Type == BrinRegular }

// Problems is empty: DecodeBrinOpaque has judged all there is.
func (o BrinOpaque) Problems() []*FormatError { return nil }

// BrinMetaPage is block 0 of a BRIN index (BrinMetaPageData, access/brin_page.h).
type BrinMetaPage struct {
	Magic, Version uint32
	PagesPerRange  BlockNumber // pages of the table that one tuple sums up
	LastRevmap     BlockNumber // lastRevmapPage: the range map is blocks 1 to this one
}

// DecodeBrinMetaPage reads the meta page of a BRIN index.
func DecodeBrinMetaPage(page []byte) (BrinMetaPage, error) {
	if err := wholePage("BRIN meta page", page); err != nil {
		return BrinMetaPage{}, err
	}
	le, b := binary.LittleEndian, page[PageHeaderSize:PageHeaderSize+16]
	m := BrinMetaPage{Magic: le.Uint32(b), Version: le.Uint32(b[4:]), PagesPerRange: BlockNumber(le.Uint32(b[8:])), LastRevmap: BlockNumber(le.Uint32(b[12:]))}
	bad := func(off int64, field, want, got string) error {
		return &FormatError{Off: PageHeaderSize + off, Field: field, Want: want, Got: got}
	}
	switch {
	case m.Magic != BrinMagic:
		return m, bad(0, "brinMagic", fmt.Sprintf("0x%X", BrinMagic), fmt.Sprintf("0x%X", m.Magic))
	case m.Version != brinVersion:
		return m, bad(4, "brinVersion", fmt.Sprint(brinVersion), fmt.Sprint(m.Version))
	case m.PagesPerRange == 0:
		return m, bad(8, "pagesPerRange", "1 or more", "0")
	}
	return m, nil
}

// BrinRevmapTIDs reads a page of the range map: for each range of the table where its tuple
// lies, Item 0 when the range has none yet. There are always BrinRevmapItems of them.
func BrinRevmapTIDs(page []byte) ([]TID, error) {
	if err := wholePage("BRIN range map page", page); err != nil {
		return nil, err
	}
	tids := make([]TID, BrinRevmapItems)
	for i := range tids {
		tids[i] = decodeTID(page[PageHeaderSize+i*TIDSize:])
	}
	return tids, nil
}

// BrinTuple is the header of a tuple that sums a range up (BrinTuple, access/brin_tuple.h).
type BrinTuple struct {
	Block       BlockNumber // bt_blkno: the first block of the range in the table
	HasNulls    bool        // BRIN_NULLS_MASK: there is a null bitmap
	Placeholder bool        // BRIN_PLACEHOLDER_MASK: the range is being summed up
	EmptyRange  bool        // BRIN_EMPTY_RANGE_MASK, 13.11, 14.8, 15.3 and later: no rows in the range
	DataOffset  int         // where the values start
	data        []byte
}

// DecodeBrinTuple reads a tuple of a regular page.
func DecodeBrinTuple(item []byte) (BrinTuple, error) {
	if len(item) < brinTupleHeader {
		return BrinTuple{}, &FormatError{Field: "BRIN tuple", Want: fmt.Sprintf("%d bytes", brinTupleHeader), Got: fmt.Sprintf("%d bytes", len(item))}
	}
	info := item[4]
	t := BrinTuple{
		Block: BlockNumber(binary.LittleEndian.Uint32(item)), HasNulls: info&0x80 != 0, Placeholder: info&0x40 != 0,
		EmptyRange: info&0x20 != 0, DataOffset: int(info & 0x1F), data: item,
	}
	if t.DataOffset < brinTupleHeader || t.DataOffset > len(item) {
		return BrinTuple{}, &FormatError{Off: 4, Field: "bt_info", Want: fmt.Sprintf("an offset of data from %d to %d", brinTupleHeader, len(item)), Got: fmt.Sprint(t.DataOffset)}
	}
	return t, nil
}

// Data returns the bytes of the summary.
func (t BrinTuple) Data() []byte { return t.data[t.DataOffset:] }
