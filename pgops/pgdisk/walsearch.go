package pgdisk

import (
	"context"
	"encoding/binary"
	"errors"
)

// walSector is the smallest unit that a device writes or loses, bytes.
const walSector = 512

// walSearch looks behind the end of valid WAL for records that were written after it.
//
// A candidate is an 8 byte aligned position on a page that says it belongs there. It
// counts if the checksum is good and it links back to the stop or to something behind it.
// The link is what tells lost records from old ones: bytes left over from a recycled
// segment have good checksums too, but link to places long before.
type walSearch struct {
	r     *WALReader
	end   *WALEnd
	stop  *WALStop
	visit WALVisit
	last  WALGap          // without To: where reading stopped last
	copy  [BlockSize]byte // the page at hand; the reader's buffer moves on
	dirty bool            // bytes that are not zero lie behind the stop on pages that are current

	zeroFrom, zeroTo LSN // run of zero sectors being measured

	side    *walPager // for a second look at what was passed over; nil until it is wanted
	fixWork int       // changes tried so far
}

// run searches all segments from that of the stop on. On segments that do not begin with
// current pages only a sample is looked at: WAL is written from front to back.
func (s *walSearch) run(ctx context.Context) error {
	segSize := s.r.pages.src.SegSize
	numbers, err := s.r.Segments(s.stop.LSN)
	if err != nil {
		return err
	}
	at := s.stop.LSN + walAlign
	for _, n := range numbers {
		start := LSN(n * uint64(segSize))
		if at <= start {
			at = start
			current, err := sampleWALSegment(ctx, s.r.pages, start, s.r.magic)
			if err != nil {
				return err
			}
			if !current {
				continue
			}
		}
		for at < start+LSN(segSize) {
			if at, err = s.searchPage(ctx, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// sampleWALSegment looks at pages 0, 1, 2, 4, 8 ... of a segment for one that is current.
func sampleWALSegment(ctx context.Context, pages *walPager, start LSN, magic uint16) (bool, error) {
	count := LSN(pages.src.SegSize / BlockSize)
	for i := LSN(0); i < count; i = max(i*2, i+1) {
		b, err := pages.page(ctx, start+i*BlockSize)
		if _, ok := errors.AsType[*WALStop](err); ok {
			continue
		}
		if err != nil {
			return false, err
		}
		if walPageCurrent(b, start+i*BlockSize, magic) {
			return true, nil
		}
	}
	return false, nil
}

// walPageCurrent reports whether a page says that it belongs where it lies. magic 0
// accepts any major that is read here.
func walPageCurrent(b []byte, page LSN, magic uint16) bool {
	h, err := DecodeWALPageHeader(b)
	if err != nil || h.PageAddr != page {
		return false
	}
	_, known := h.Major()
	return known && (magic == 0 || h.Magic == magic)
}

// searchPage tries the candidates from at to the end of its page, follows what it
// finds, and returns where to go on: behind what was found, or the next page.
func (s *walSearch) searchPage(ctx context.Context, at LSN) (LSN, error) {
	page := at &^ (BlockSize - 1)
	next := page + BlockSize
	b, err := s.r.pages.page(ctx, page)
	if _, ok := errors.AsType[*WALStop](err); ok {
		s.zeroFrom, s.zeroTo = 0, 0
		return next, nil
	}
	if err != nil {
		return 0, err
	}
	copy(s.copy[:], b)
	if !walPageCurrent(s.copy[:], page, s.r.magic) {
		if s.end.ResumeLSN == 0 {
			s.zeros(page, at, next, false)
		}
		return next, nil
	}
	h, err := DecodeWALPageHeader(s.copy[:])
	if err != nil {
		return 0, err
	}
	from := at
	at = max(at, page+LSN(h.Size()))
	if at < next && !walAllZero(s.copy[at-page:]) {
		s.dirty = true
	}
	for searching := s.end.ResumeLSN == 0; at < next; at += walAlign {
		least := s.least(&h, at)
		if !s.plausible(page, at, least) {
			continue
		}
		end, err := s.follow(ctx, at, least)
		if searching && end > at {
			s.zeros(page, from, at, true)
			s.endZeros()
		}
		if err != nil || end > at {
			return end, err
		}
	}
	if s.end.ResumeLSN == 0 {
		s.zeros(page, from, next, true)
	}
	return next, nil
}

// least is where a record at a position may link back to. Where nothing was read at all, the
// record that a page begins with the rest of may have begun before the place asked for: the one
// behind it links to what was never looked at.
func (s *walSearch) least(h *WALPageHeader, at LSN) LSN {
	behind := h.PageAddr + LSN(h.Size()) + walAlignUp(LSN(h.RemLen))
	if s.end.Records == 0 && s.end.LastRecord == 0 && s.end.ResumeLSN == 0 && h.Flags&WALFirstIsContRecord != 0 && at == behind {
		return 0
	}
	return s.stop.LSN
}

// plausible looks at the header bytes that are on this page.
func (s *walSearch) plausible(page, at, least LSN) bool {
	b := s.copy[at-page:]
	total := binary.LittleEndian.Uint32(b)
	if total < walRecordHeaderSize || total > WALMaxRecordSize {
		return false
	}
	h, err := DecodeWALRecordHeader(b)
	return err != nil || h.pad == 0 && h.Prev >= least && h.Prev < at
}

// found counts a record behind the end.
func (s *walSearch) found(rec *WALRecord) {
	e := s.end
	if e.ResumeLSN == 0 {
		e.ResumeLSN = rec.LSN
	}
	e.LastBeyond, e.BeyondLSN = rec.LSN, rec.EndLSN
	e.RecordsBeyond++
	x, ok, _ := rec.WALXact() // a commit that does not decode to its end has still committed
	if !ok || !x.Kind.Commit() {
		return
	}
	e.CommitsBeyondCount++
	if len(e.CommitsBeyond) < walMaxListedCommits {
		e.CommitsBeyond = append(e.CommitsBeyond, WALCommit{x.LSN, x.XID, x.Time})
	}
}

// zeros measures runs of zero sectors in a page, between two LSNs. A run counts once
// something follows it that was written later: zeros up to the end are normal.
func (s *walSearch) zeros(page, from, to LSN, current bool) {
	for sector := (from + walSector - 1) &^ (walSector - 1); sector+walSector <= to; sector += walSector {
		switch {
		case walAllZero(s.copy[sector-page : sector-page+walSector]):
			if s.zeroFrom == s.zeroTo {
				s.zeroFrom = sector
			}
			s.zeroTo = sector + walSector
		case current:
			s.endZeros()
		default:
			s.zeroFrom, s.zeroTo = 0, 0
		}
	}
}

// endZeros keeps the run that was measured if it is the longest.
func (s *walSearch) endZeros() {
	if s.zeroTo-s.zeroFrom > s.end.ZeroTo-s.end.ZeroFrom {
		s.end.ZeroFrom, s.end.ZeroTo = s.zeroFrom, s.zeroTo
	}
	s.zeroFrom, s.zeroTo = 0, 0
}
