package pgdisk

import (
	"context"
	"encoding/binary"
	"errors"
)

// walPagePatch is a page header to be read instead of the stored one.
type walPagePatch struct {
	page LSN
	head []byte
}

// apply puts the header into a chunk that begins at lsn.
func (p *walPagePatch) apply(chunk []byte, lsn LSN) {
	if p != nil && p.page >= lsn && uint64(p.page-lsn) < uint64(len(chunk)) {
		copy(chunk[p.page-lsn:], p.head)
	}
}

// setPatch reads what follows with other bytes of a page header; nil reads what is stored.
func (p *walPager) setPatch(patch *walPagePatch) { p.patch, p.bufLen = patch, 0 }

// pageFix tries the header that the neighbours give to the page at which reading stopped. It is
// the repair only if all records from the stop to the one behind the gap are whole with it.
func (s *walSearch) pageFix(ctx context.Context, gap WALGap, next *WALRecord) (*WALFix, error) {
	page, to := gap.Stop.Page, next.LSN
	if page < gap.Stop.LSN&^(BlockSize-1) || page >= to {
		return nil, nil
	}
	head, err := s.headerFor(ctx, page, gap.Stop.LSN)
	if err != nil || head == nil {
		return nil, err
	}
	f := &WALFix{Record: page, Page: true, Name: "page header"}
	stored, err := s.side.page(ctx, page)
	if err != nil {
		return nil, walNoStop(err)
	}
	for i, want := range head {
		if was := stored[i]; was != want {
			f.Bytes = append(f.Bytes, WALFixByte{LSN: page + LSN(i), Was: was, Want: want})
		}
	}
	if f.Bytes == nil {
		return nil, nil
	}
	s.side.setPatch(&walPagePatch{page, head})
	defer s.side.setPatch(nil)
	r := WALReader{pages: s.side, magic: s.r.magic, major: s.r.major, sysID: s.r.sysID}
	r.Seek(gap.Stop.LSN)
	r.prev = s.before(gap)
	for {
		rec, err := r.Next(ctx)
		if err != nil {
			return nil, walNoStop(err)
		}
		if rec.LSN >= to {
			if rec.LSN > to || f.Records == 0 {
				return nil, nil
			}
			return f, nil
		}
		f.Records++
	}
}

// headerFor makes the header that a page must have: the record that began at start and the
// pages on both sides determine it. nil means that they do not.
func (s *walSearch) headerFor(ctx context.Context, page, start LSN) ([]byte, error) {
	before, err := s.headerAt(ctx, page-BlockSize)
	if err != nil {
		return nil, err
	}
	after, err := s.headerAt(ctx, page+BlockSize)
	if err != nil {
		return nil, err
	}
	if before == nil {
		before = after
	}
	if before == nil || after != nil && after.Timeline != before.Timeline || s.r.magic == 0 {
		return nil, nil
	}
	h := WALPageHeader{Magic: s.r.magic, Flags: before.Flags & WALBkpRemovable, Timeline: before.Timeline, PageAddr: page}
	if start < page {
		rest, err := s.restAt(ctx, page, start)
		if err != nil || rest <= 0 {
			return nil, err
		}
		h.RemLen = uint32(rest)
		h.Flags |= WALFirstIsContRecord
	}
	stored, err := s.side.page(ctx, page)
	if err != nil {
		return nil, walNoStop(err)
	}
	if was, err := DecodeWALPageHeader(stored); err == nil && was.Magic == h.Magic && was.PageAddr == page && was.Flags&^walAllPageFlags == 0 {
		h.Flags = h.Flags&^WALBkpRemovable | was.Flags&WALBkpRemovable // nobody looks at it
	}
	if s.headerSize(page) == walLongHeaderSize {
		if s.r.sysID == 0 {
			return nil, nil
		}
		h.Flags |= WALLongHeader
		h.SystemID, h.SegSize, h.BlockSize = s.r.sysID, s.r.pages.src.SegSize, BlockSize
	}
	return h.encode(), nil
}

// restAt is how many bytes of the record that starts at start lie on page and after it.
func (s *walSearch) restAt(ctx context.Context, page, start LSN) (int64, error) {
	first := start &^ (BlockSize - 1)
	b, err := s.side.page(ctx, first)
	if err != nil {
		return 0, walNoStop(err)
	}
	rest := int64(binary.LittleEndian.Uint32(b[start-first:]))
	if rest > WALMaxRecordSize {
		return 0, nil
	}
	for p := first; p < page; p += BlockSize {
		rest -= int64(p + BlockSize - max(start, p+s.headerSize(p)))
	}
	return rest, nil
}

// headerAt is the header of a page if it can be believed, else nil.
func (s *walSearch) headerAt(ctx context.Context, page LSN) (*WALPageHeader, error) {
	b, err := s.side.page(ctx, page)
	if err != nil {
		return nil, walNoStop(err)
	}
	if !walPageCurrent(b, page, s.r.magic) {
		return nil, nil
	}
	h, err := DecodeWALPageHeader(b)
	if err != nil || h.Flags&^walAllPageFlags != 0 {
		return nil, nil
	}
	return &h, nil
}

// walNoStop takes WAL that cannot be read for no error.
func walNoStop(err error) error {
	if _, ok := errors.AsType[*WALStop](err); ok {
		return nil
	}
	return err
}

// encode lays out the header, 24 or 40 bytes.
func (h WALPageHeader) encode() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, walLongHeaderSize)
	b = le.AppendUint16(b, h.Magic)
	b = le.AppendUint16(b, uint16(h.Flags))
	b = le.AppendUint32(b, uint32(h.Timeline))
	b = le.AppendUint64(b, uint64(h.PageAddr))
	b = le.AppendUint32(b, h.RemLen)
	b = le.AppendUint32(b, 0) // padding
	if h.Long() {
		b = le.AppendUint64(b, h.SystemID)
		b = le.AppendUint32(b, h.SegSize)
		b = le.AppendUint32(b, h.BlockSize)
	}
	return b
}
