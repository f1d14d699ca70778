package pgdisk

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Sizes in a page (storage/bufpage.h).
const (
	PageHeaderSize    = 24 // SizeOfPageHeaderData
	ItemIDSize        = 4  // sizeof(ItemIdData), storage/itemid.h
	PageLayoutVersion = 4  // PG_PAGE_LAYOUT_VERSION

	// MaxHeapTuplesPerPage bounds the line pointers of a heap page (access/htup_details.h).
	MaxHeapTuplesPerPage = (BlockSize - PageHeaderSize) / (24 + ItemIDSize)
)

// PageFlags are the flag bits of a page (pd_flags, storage/bufpage.h).
type PageFlags uint16

// The bits.
const (
	PageHasFreeLines PageFlags = 1 << iota // PD_HAS_FREE_LINES
	PageFull                               // PD_PAGE_FULL
	PageAllVisible                         // PD_ALL_VISIBLE
	pageValidFlags   = PageHasFreeLines | PageFull | PageAllVisible
)

// PageHeader is the start of every page of a relation (PageHeaderData, storage/bufpage.h).
type PageHeader struct {
	LSN           LSN       // pd_lsn: end of the last WAL record that changed the page
	Checksum      uint16    // pd_checksum, 0 when checksums are off
	Flags         PageFlags // pd_flags
	Lower         uint16    // pd_lower: end of the line pointers
	Upper         uint16    // pd_upper: start of the items
	Special       uint16    // pd_special: start of the index's own part; BlockSize in a heap
	Size          uint16    // page size, from pd_pagesize_version
	LayoutVersion uint8     // from pd_pagesize_version
	PruneXID      XID       // pd_prune_xid: oldest id that pruning might remove, a hint
}

// DecodePageHeader reads the header without judging it; Problems judges. Only a page of the
// wrong length is an error.
func DecodePageHeader(page []byte) (PageHeader, error) {
	if err := wholePage("page", page); err != nil {
		return PageHeader{}, err
	}
	le := binary.LittleEndian
	sizeVersion := le.Uint16(page[18:])
	return PageHeader{
		LSN:           LSN(le.Uint32(page))<<32 | LSN(le.Uint32(page[4:])), // PageXLogRecPtr: high half first
		Checksum:      le.Uint16(page[8:]),
		Flags:         PageFlags(le.Uint16(page[10:])),
		Lower:         le.Uint16(page[12:]),
		Upper:         le.Uint16(page[14:]),
		Special:       le.Uint16(page[16:]),
		Size:          sizeVersion & 0xFF00,
		LayoutVersion: uint8(sizeVersion),
		PruneXID:      XID(le.Uint32(page[20:])),
	}, nil
}

// IsNew reports whether the page was never initialised (PageIsNew). A sound new page is all
// zeroes; see PageIsZero.
func (h PageHeader) IsNew() bool { return h.Upper == 0 }

// LinePointers returns the number of line pointers that the header claims, never more than
// fit on a page (PageGetMaxOffsetNumber).
func (h PageHeader) LinePointers() int {
	if h.Lower <= PageHeaderSize {
		return 0
	}
	return (min(int(h.Lower), BlockSize) - PageHeaderSize) / ItemIDSize
}

// Problems lists what is wrong with the header, nothing for a sound one. It is stricter than
// the server's own test on reading (PageIsVerified, storage/page/bufpage.c), which overlooks
// pd_lower inside the header and the size field. The header of a new page is sound when all
// of it is zero.
func (h PageHeader) Problems() []*FormatError {
	if h == (PageHeader{}) {
		return nil
	}
	var problems []*FormatError
	bad := func(off int64, field, want string, got any) {
		problems = append(problems, &FormatError{Off: off, Field: field, Want: want, Got: fmt.Sprint(got)})
	}
	if extra := h.Flags &^ pageValidFlags; extra != 0 {
		bad(10, "pd_flags", "no bits but 0x0007", fmt.Sprintf("0x%04X", uint16(h.Flags)))
	}
	if h.Lower < PageHeaderSize || h.Lower > h.Upper {
		bad(12, "pd_lower", fmt.Sprintf("%d to pd_upper %d", PageHeaderSize, h.Upper), h.Lower)
	}
	if h.Upper > h.Special {
		bad(14, "pd_upper", fmt.Sprintf("at most pd_special %d", h.Special), h.Upper)
	}
	if h.Special > BlockSize || h.Special%8 != 0 {
		bad(16, "pd_special", fmt.Sprintf("a multiple of 8 up to %d", BlockSize), h.Special)
	}
	if h.Size != BlockSize {
		bad(18, "page size", fmt.Sprint(BlockSize), h.Size)
	}
	if h.LayoutVersion != PageLayoutVersion {
		bad(18, "page layout version", fmt.Sprint(PageLayoutVersion), h.LayoutVersion)
	}
	return problems
}

// PageIsZero reports whether every byte is zero: a page that was allocated and never
// written, or whose content is lost.
func PageIsZero(page []byte) bool {
	var zero [BlockSize]byte
	for len(page) > BlockSize {
		if !bytes.Equal(page[:BlockSize], zero[:]) {
			return false
		}
		page = page[BlockSize:]
	}
	return bytes.Equal(page, zero[:len(page)])
}

// CheckPage judges a page as it lies on disk: its header and, on a page without a special part
// (heap, TOAST and the map forks), its line pointers. Index pages are judged by their header
// alone, since meta pages and GIN's posting trees keep other things where line pointers go.
// The content of items is not looked at. A page of zeroes is sound.
func CheckPage(page []byte) ([]*FormatError, error) {
	h, err := DecodePageHeader(page)
	if err != nil {
		return nil, err
	}
	if h.IsNew() {
		if PageIsZero(page) {
			return nil, nil
		}
		return []*FormatError{{Off: 14, Field: "pd_upper", Want: "not 0 on a page with content", Got: "0"}}, nil
	}
	if problems := h.Problems(); len(problems) > 0 {
		return problems, nil
	}
	if h.Special != BlockSize {
		return nil, nil
	}
	items := ItemIDs(page, h)
	var problems []*FormatError
	for i, item := range items {
		if p := item.Problem(h, i+1, len(items)); p != nil {
			problems = append(problems, p)
		}
	}
	return problems, nil
}
