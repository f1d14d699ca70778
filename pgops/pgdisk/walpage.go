package pgdisk

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Sizes of WAL page headers in bytes (SizeOfXLogShortPHD, SizeOfXLogLongPHD, access/xlog_internal.h).
const (
	walShortHeaderSize = 24
	walLongHeaderSize  = 40
)

// WALPageFlags is xlp_info of a page header.
type WALPageFlags uint16

// Page flags (XLP_*, access/xlog_internal.h).
const (
	WALFirstIsContRecord          WALPageFlags = 0x0001 // XLP_FIRST_IS_CONTRECORD: the page opens with the rest of a record
	WALLongHeader                 WALPageFlags = 0x0002 // XLP_LONG_HEADER: first page of a segment
	WALBkpRemovable               WALPageFlags = 0x0004 // XLP_BKP_REMOVABLE: set while no backup needs full pages
	WALFirstIsOverwriteContRecord WALPageFlags = 0x0008 // XLP_FIRST_IS_OVERWRITE_CONTRECORD: a lost continuation was written over

	walAllPageFlags WALPageFlags = 0x000F // XLP_ALL_FLAGS
)

// String names the flags that are set, in words.
func (f WALPageFlags) String() string {
	var words []string
	for i, word := range [...]string{"continues a record", "long header", "no backup running", "overwrites a lost continuation"} {
		if f&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	if rest := f &^ walAllPageFlags; rest != 0 {
		words = append(words, fmt.Sprintf("unknown bits %04X", uint16(rest)))
	}
	if words == nil {
		return "none"
	}
	return strings.Join(words, ", ")
}

// WALPageHeader opens each 8 kB page of WAL (XLogPageHeaderData). The last three
// fields are set only with a long header (XLogLongPageHeaderData).
type WALPageHeader struct {
	Magic    uint16       // xlp_magic, one per major
	Flags    WALPageFlags // xlp_info
	Timeline TimelineID   // xlp_tli
	PageAddr LSN          // xlp_pageaddr, the LSN of the page's first byte
	RemLen   uint32       // xlp_rem_len, bytes of the continued record still to come, headers not counted

	SystemID  uint64 // xlp_sysid
	SegSize   uint32 // xlp_seg_size, bytes
	BlockSize uint32 // xlp_xlog_blcksz, bytes
}

// DecodeWALPageHeader reads a page header. b needs 24 bytes, 40 where the long header
// flag is set; nothing but the length is checked, see Check.
func DecodeWALPageHeader(b []byte) (WALPageHeader, error) {
	if len(b) < walShortHeaderSize {
		return WALPageHeader{}, &FormatError{Field: "WAL page header", Want: "24 bytes", Got: fmt.Sprintf("%d bytes", len(b))}
	}
	le := binary.LittleEndian
	h := WALPageHeader{
		Magic:    le.Uint16(b),
		Flags:    WALPageFlags(le.Uint16(b[2:])),
		Timeline: TimelineID(le.Uint32(b[4:])),
		PageAddr: LSN(le.Uint64(b[8:])),
		RemLen:   le.Uint32(b[16:]),
	}
	if !h.Long() {
		return h, nil
	}
	if len(b) < walLongHeaderSize {
		return h, &FormatError{Field: "WAL long page header", Want: "40 bytes", Got: fmt.Sprintf("%d bytes", len(b))}
	}
	h.SystemID = le.Uint64(b[24:])
	h.SegSize = le.Uint32(b[32:])
	h.BlockSize = le.Uint32(b[36:])
	return h, nil
}

// Long reports whether this is the header of a segment's first page.
func (h WALPageHeader) Long() bool { return h.Flags&WALLongHeader != 0 }

// Size is the header's length in bytes, 24 or 40.
func (h WALPageHeader) Size() int {
	if h.Long() {
		return walLongHeaderSize
	}
	return walShortHeaderSize
}

// Major is the PostgreSQL major that writes this magic number; false for magics that
// are not read here.
func (h WALPageHeader) Major() (int, bool) { return WALMajor(h.Magic) }

// WALMajor maps xlp_magic to the major that writes it (XLOG_PAGE_MAGIC, access/xlog_internal.h).
func WALMajor(magic uint16) (int, bool) {
	l, ok := LayoutForPageMagic(magic)
	return l.Major, ok
}

// WALPageWant is what a page is expected to say about itself. Zero values of Magic and
// SystemID are not compared.
type WALPageWant struct {
	Magic       uint16
	PageAddr    LSN
	SegSize     uint32
	SystemID    uint64
	MinTimeline TimelineID // timelines never decrease from page to page
}

// Check compares a page with what it should be, in the order in which the server does
// (XLogReaderValidatePageHeader, xlogreader.c).
func (h WALPageHeader) Check(want WALPageWant) *WALStop {
	stop := func(cause WALStopCause, format string, args ...any) *WALStop {
		return &WALStop{LSN: want.PageAddr, Page: want.PageAddr, PageAddr: h.PageAddr, Cause: cause, Text: fmt.Sprintf(format, args...)}
	}
	if want.Magic == 0 {
		if _, known := h.Major(); !known {
			return stop(WALStopPageMagic, "page magic %04X is not one that is read here", h.Magic)
		}
	}
	switch {
	case want.Magic != 0 && h.Magic != want.Magic:
		return stop(WALStopPageMagic, "page magic %04X, expected %04X", h.Magic, want.Magic)
	case h.Flags&^walAllPageFlags != 0:
		return stop(WALStopPageFlags, "page flags %04X are not valid", uint16(h.Flags))
	case h.Long() && want.SystemID != 0 && h.SystemID != want.SystemID:
		return stop(WALStopForeign, "page of another cluster: system identifier %d, expected %d", h.SystemID, want.SystemID)
	case h.Long() && h.SegSize != want.SegSize:
		return stop(WALStopForeign, "page of WAL with segments of %d bytes, expected %d", h.SegSize, want.SegSize)
	case h.Long() && h.BlockSize != BlockSize:
		return stop(WALStopForeign, "page of WAL with blocks of %d bytes, expected %d", h.BlockSize, BlockSize)
	case !h.Long() && uint64(want.PageAddr)%uint64(want.SegSize) == 0:
		return stop(WALStopPageFlags, "first page of a segment without a long header")
	case h.PageAddr != want.PageAddr:
		return stop(WALStopPageAddr, "page says it belongs at %s, expected %s", h.PageAddr, want.PageAddr)
	case h.Timeline < want.MinTimeline:
		return stop(WALStopTimeline, "page of timeline %d after pages of timeline %d", h.Timeline, want.MinTimeline)
	}
	return nil
}
