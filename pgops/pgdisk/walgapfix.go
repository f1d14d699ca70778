package pgdisk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
)

// walMaxFixRecord bounds the records for which a repair is searched, bytes.
const walMaxFixRecord = 256 << 10

// WALFix is what would make a damaged record whole: the one change that was found.
type WALFix struct {
	Record LSN
	Name   string // of the whole record, such as Heap/INSERT
	Bytes  []WALFixByte
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

// fix looks for the change that makes the record in a gap whole. It answers only where the
// gap is that one record, because the record behind links to it, and where exactly one
// change fits: of one byte anywhere or two in a short record, or of the length and the link,
// which the neighbours determine.
func (s *walSearch) fix(ctx context.Context, gap WALGap, next *WALRecord) (*WALFix, error) {
	if next.Prev != gap.Stop.LSN || next.LSN <= gap.Stop.LSN || next.LSN-gap.Stop.LSN > walMaxFixRecord {
		return nil, nil
	}
	prev := s.end.LastRecord
	if gap.From != s.end.LSN {
		prev = s.end.LastBeyond
	}
	stray, err := s.between(ctx, gap.Stop.LSN, next.LSN)
	if err != nil || stray == nil {
		return nil, err
	}
	found := walFixesOf(stray.raw, s.r.major, prev)
	if len(found) != 1 {
		return nil, nil
	}
	var rec WALRecord
	if err := DecodeWALRecord(found[0], s.r.major, &rec); err != nil {
		return nil, nil
	}
	f := &WALFix{Record: gap.Stop.LSN, Name: rec.String()}
	for i, want := range found[0] {
		if was := stray.raw[i]; was != want {
			f.Bytes = append(f.Bytes, WALFixByte{LSN: stray.lsn(i), Was: was, Want: want})
		}
	}
	return f, nil
}

// between collects the bytes of two positions whose pages are sound; nil if one is not. It
// reads through a pager of its own: the record at hand lies in the buffer of the other.
func (s *walSearch) between(ctx context.Context, from, to LSN) (*walStray, error) {
	pages, err := newWALPager(s.r.pages.src)
	if err != nil {
		return nil, err
	}
	defer pages.close()
	stray := &walStray{}
	for at := from; at < to; {
		page := at &^ (BlockSize - 1)
		b, err := pages.page(ctx, page)
		if _, ok := errors.AsType[*WALStop](err); ok {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if !walPageCurrent(b, page, s.r.magic) {
			return nil, nil
		}
		h, err := DecodeWALPageHeader(b)
		if err != nil {
			return nil, nil
		}
		at = max(at, page+LSN(h.Size()))
		end := min(to, page+BlockSize)
		if at < end {
			stray.parts = append(stray.parts, walStrayPart{len(stray.raw), at})
			stray.raw = append(stray.raw, b[at-page:end-page]...)
		}
		at = page + BlockSize
	}
	return stray, nil
}

// walFixesOf returns the whole records that raw, which ends in up to 7 bytes of padding, may
// once have been. prev is the record before it, 0 if that is not known.
func walFixesOf(raw []byte, major int, prev LSN) [][]byte {
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
			if soundWALFix(known, nil, major, link) {
				add(known)
			}
			continue
		}
		if binary.LittleEndian.Uint32(raw) != uint32(n) {
			continue // a wrong length and more: too much to be told from chance
		}
		for _, fix := range WALRecordFixes(known, major, link) {
			rec := bytes.Clone(known)
			for _, f := range fix {
				rec[f.Off] = f.Want
			}
			add(rec)
		}
	}
	return found
}
