package pgdisk

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// PageKind says what wrote a page.
type PageKind uint8

// The kinds.
const (
	PageUnknown PageKind = iota // nothing that a server of ours writes, or damaged beyond telling
	PageZero                    // all zeroes: allocated and never written, or lost
	PageHeap                    // a table, TOAST table or materialized view
	PageBTree                   // the indexes
	PageHash
	PageGin
	PageGist
	PageSPGist
	PageBrin
	PageSequence
	PageFSM // free space map
	PageVM  // visibility map
)

// String names the kind as PostgreSQL names the access method.
func (k PageKind) String() string {
	switch k {
	case PageUnknown:
		return "unknown"
	case PageZero:
		return "zero"
	case PageHeap:
		return "heap"
	case PageBTree:
		return "btree"
	case PageHash:
		return "hash"
	case PageGin:
		return "gin"
	case PageGist:
		return "gist"
	case PageSPGist:
		return "spgist"
	case PageBrin:
		return "brin"
	case PageSequence:
		return "sequence"
	case PageFSM:
		return "fsm"
	case PageVM:
		return "vm"
	}
	return fmt.Sprintf("page kind %d", uint8(k))
}

// RecognisePage tells from its bytes what wrote a page. The fork tells the maps, the block
// number tells a sequence, which has one page, from GIN, whose block 0 is its meta page.
//
// pd_special gives the size of the special part, and the last two bytes of that tell the
// indexes apart: hash, GiST, SP-GiST and BRIN have an id of their own there, btree a number
// that is less than any id, GIN flags that are like none. Where pd_special makes no sense, an
// id at the end of the page is believed, and the page is unknown without one.
func RecognisePage(page []byte, fork Fork, blk BlockNumber) PageKind {
	if len(page) != BlockSize {
		return PageUnknown
	}
	le := binary.LittleEndian
	special, id := le.Uint16(page[16:]), le.Uint16(page[BlockSize-2:])
	switch {
	case le.Uint16(page[14:]) == 0 && PageIsZero(page):
		return PageZero
	case fork == FSMFork:
		return PageFSM
	case fork == VMFork:
		return PageVM
	case special == BlockSize:
		return PageHeap
	case special == BlockSize-16:
		return kindOfLong(id)
	case special == BlockSize-8:
		return kindOfShort(page, blk, id)
	}
	if k := kindOfID(id); k != PageUnknown {
		return k
	}
	return PageUnknown
}

// kindOfLong tells the kinds with a special part of 16 bytes apart.
func kindOfLong(id uint16) PageKind {
	switch {
	case id == hashPageID:
		return PageHash
	case id == gistPageID:
		return PageGist
	case id <= btreeMaxCycleID:
		return PageBTree
	}
	return PageUnknown
}

// kindOfShort tells those with 8 bytes apart.
func kindOfShort(page []byte, blk BlockNumber, id uint16) PageKind {
	switch {
	case kindOfID(id) == PageSPGist || kindOfID(id) == PageBrin:
		return kindOfID(id)
	case blk == 0 && binary.LittleEndian.Uint32(page[BlockSize-sequenceSpecialSize:]) == SequenceMagic:
		return PageSequence
	case GinFlags(id)&^ginValidFlags == 0:
		return PageGin
	}
	return PageUnknown
}

// kindOfID looks at the last two bytes of a page alone.
func kindOfID(id uint16) PageKind {
	switch {
	case id == hashPageID:
		return PageHash
	case id == gistPageID:
		return PageGist
	case id == spgistPageID:
		return PageSPGist
	case BrinPageType(id) >= BrinMeta && BrinPageType(id) <= BrinRegular:
		return PageBrin
	}
	return PageUnknown
}

// PageItems returns the line pointers of a page of the given kind, nil for pages that keep
// other things where line pointers go: meta pages, bitmaps, posting trees, range maps, deleted
// pages of some indexes, and the map forks.
func PageItems(page []byte, kind PageKind) []ItemID {
	h, err := DecodePageHeader(page)
	if err != nil || !pageHasItems(page, kind) {
		return nil
	}
	return ItemIDs(page, h)
}

func pageHasItems(page []byte, kind PageKind) bool {
	if kind == PageHeap || kind == PageSequence {
		return true
	}
	part, err := DecodeSpecial(page, kind)
	return err == nil && part.HasItems()
}

// PageProblems lists what is wrong with a page of the given kind: header, special part, line
// pointers, and on a sequence and on meta pages their content. It goes further than
// CheckPage, which looks at no index; the entries of indexes and the rows of tables are left
// to their own decoders. A page of zeroes has no problem.
func PageProblems(page []byte, kind PageKind) []*FormatError {
	h, err := DecodePageHeader(page)
	switch {
	case err != nil:
		return asProblems(err)
	case kind == PageZero:
		return nil
	case h.IsNew():
		return []*FormatError{{Off: 14, Field: "pd_upper", Want: "not 0 on a page with content", Got: "0"}}
	}
	problems := append(h.Problems(), specialProblems(page, kind)...)
	items := PageItems(page, kind)
	for i, item := range items {
		if p := item.Problem(h, i+1, len(items)); p != nil {
			problems = append(problems, p)
		}
	}
	return problems
}

// specialProblems judges the special part, and the content of sequences and meta pages.
func specialProblems(page []byte, kind PageKind) []*FormatError {
	switch kind {
	case PageHeap, PageFSM, PageVM:
		_, err := specialOf(page, 0, kind.String()+" page")
		return asProblems(err)
	case PageSequence:
		_, err := DecodeSequence(page)
		return asProblems(err)
	}
	part, err := DecodeSpecial(page, kind)
	if err != nil {
		return asProblems(err)
	}
	return append(part.Problems(), asProblems(metaError(page, part))...)
}

// asProblems makes a list of an error of one of the decoders.
func asProblems(err error) []*FormatError {
	if err == nil {
		return nil
	}
	if p, ok := errors.AsType[*FormatError](err); ok {
		return []*FormatError{p}
	}
	return []*FormatError{{Field: "page", Want: "what can be read", Got: err.Error()}}
}
