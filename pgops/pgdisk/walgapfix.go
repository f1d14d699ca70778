package pgdisk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
)

const (
	// walMaxFixRecord bounds the records for which a repair is searched, bytes.
	walMaxFixRecord = 256 << 10

	// walFixWork bounds the search for repairs of one walk, about so many changes tried: some seconds.
	walFixWork = 1 << 30
)

// WALFix is the one change that would make the WAL in a gap whole.
type WALFix struct {
	Record  LSN    // where the record starts, or the page whose header is changed
	Page    bool   // it is a page header
	Name    string // of the whole record, such as Heap/INSERT; "page header"
	Records int    // how many the change makes readable
	Bytes   []WALFixByte
}

// WALFixByte is a byte of WAL to change.
type WALFixByte struct {
	LSN       LSN // of the byte itself, page headers counted
	Was, Want byte
}

// walStray is the raw bytes between two records, page headers taken out, and where they lie.
type walStray struct {
	raw   []byte
	parts []walStrayPart
}

// walStrayPart says where the bytes from raw[from] on come from, up to the next part.
type walStrayPart struct {
	from int
	lsn  LSN
}

func (s *walStray) lsn(off int) LSN {
	at := s.parts[0]
	for _, p := range s.parts {
		if p.from > off {
			break
		}
		at = p
	}
	return at.lsn + LSN(off-at.from)
}

// fix looks for the change that makes what lies in a gap whole: of the record there, or of the
// header of the page at which reading stopped. It answers only where exactly one change fits.
func (s *walSearch) fix(ctx context.Context, gap WALGap, next *WALRecord) (*WALFix, error) {
	if next.LSN <= gap.Stop.LSN || next.LSN-gap.Stop.LSN > walMaxFixRecord || s.fixWork >= walFixWork {
		return nil, nil
	}
	s.fixWork += 8 * int(next.LSN-gap.Stop.LSN+walChunk) // what is read and summed up
	if s.side == nil {
		// The record at hand lies in the buffer of the other.
		pages, err := newWALPager(s.r.pages.src)
		if err != nil {
			return nil, err
		}
		s.side = pages
	}
	f, err := s.recordFix(ctx, gap, next)
	if f != nil || err != nil {
		return f, err
	}
	return s.pageFix(ctx, gap, next)
}

// before is the start of the record before a gap, 0 if that is not known.
func (s *walSearch) before(gap WALGap) LSN {
	if gap.From != s.end.LSN {
		return s.end.LastBeyond
	}
	return s.end.LastRecord
}

// recordFix tries the changes of the record at the stop, provided that the gap is that one
// record, because the record behind links to it: of one byte, of two bits in a short record, or of
// the length and the link, which the neighbours determine.
func (s *walSearch) recordFix(ctx context.Context, gap WALGap, next *WALRecord) (*WALFix, error) {
	if next.Prev != gap.Stop.LSN {
		return nil, nil
	}
	stray, err := s.between(ctx, gap.Stop.LSN, next.LSN)
	if err != nil || stray == nil {
		return nil, err
	}
	found := s.fixesOf(stray.raw, s.before(gap))
	if len(found) != 1 {
		return nil, nil
	}
	var rec WALRecord
	if err := DecodeWALRecord(found[0], s.r.major, &rec); err != nil {
		return nil, nil
	}
	f := &WALFix{Record: gap.Stop.LSN, Name: rec.String(), Records: 1}
	for i, want := range found[0] {
		if was := stray.raw[i]; was != want {
			f.Bytes = append(f.Bytes, WALFixByte{LSN: stray.lsn(i), Was: was, Want: want})
		}
	}
	if f.Bytes == nil {
		return nil, nil // the record is whole: it is a page header that is not
	}
	return f, nil
}

// between collects the bytes of two positions whose pages are sound; nil if one is not.
func (s *walSearch) between(ctx context.Context, from, to LSN) (*walStray, error) {
	stray := &walStray{}
	for at := from; at < to; {
		page := at &^ (BlockSize - 1)
		b, err := s.side.page(ctx, page)
		if _, ok := errors.AsType[*WALStop](err); ok {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if !walPageCurrent(b, page, s.r.magic) {
			return nil, nil
		}
		at = max(at, page+s.headerSize(page))
		end := min(to, page+BlockSize)
		if at < end {
			stray.parts = append(stray.parts, walStrayPart{len(stray.raw), at})
			stray.raw = append(stray.raw, b[at-page:end-page]...)
		}
		at = page + BlockSize
	}
	return stray, nil
}

// headerSize is how long the header of a page must be, whatever its flags say.
func (s *walSearch) headerSize(page LSN) LSN {
	if uint64(page)%uint64(s.r.pages.src.SegSize) == 0 {
		return walLongHeaderSize
	}
	return walShortHeaderSize
}

// fixesOf returns the whole records that raw, which ends in up to 7 bytes of padding, may
// once have been. prev is the record before it, 0 if that is not known.
func (s *walSearch) fixesOf(raw []byte, prev LSN) [][]byte {
	var found [][]byte
	add := func(rec []byte) {
		for _, f := range found {
			if bytes.Equal(f, rec) {
				return
			}
		}
		found = append(found, rec)
	}
	for n := max(len(raw)-walAlign+1, walRecordHeaderSize); n <= len(raw); n++ {
		if !walAllZero(raw[n:]) {
			continue // padding is written as zeros
		}
		known := bytes.Clone(raw[:n])
		binary.LittleEndian.PutUint32(known, uint32(n))
		if prev != 0 {
			binary.LittleEndian.PutUint64(known[8:], uint64(prev))
		}
		link := LSN(binary.LittleEndian.Uint64(known[8:]))
		if WALRecordCRC(known) == storedWALCRC(known) {
			if soundWALFix(known, nil, s.r.major, link) {
				add(known)
			}
			continue
		}
		if binary.LittleEndian.Uint32(raw) != uint32(n) {
			continue // a wrong length and more: too much to be told from chance
		}
		s.fixWork += 255 * len(known)
		if len(known) <= walMaxPairSearch {
			s.fixWork += 64 * 255 * len(known) // a map's worth
		}
		for _, fix := range WALRecordFixes(known, s.r.major, link) {
			rec := bytes.Clone(known)
			for _, f := range fix {
				rec[f.Off] = f.Want
			}
			add(rec)
		}
	}
	return found
}
