package pgdisk

import (
	"context"
	"encoding/binary"
	"fmt"
)

// WALReader reads records one after the other, as recovery does. Its memory is one
// chunk of a segment plus the longest record met since the last short one. It is not safe for
// concurrent use.
type WALReader struct {
	pages   *walPager
	magic   uint16 // of all pages, taken from the first
	major   int
	sysID   uint64
	checked LSN           // page whose header was checked last
	header  WALPageHeader // of that page

	headerSize int // bytes
	newest     LSN // furthest page checked, and its timeline
	tli        TimelineID

	next LSN // where to look for the next record
	prev LSN // start of the record before it; 0 = not known
	buf  []byte
	rec  WALRecord
	crc  walSummer
}

// NewWALReader starts reading at from, which must be the start of a record: a redo
// location, an LSN found by First. A page boundary stands for the first record on it.
// Close releases the open file.
func NewWALReader(src WALSource, from LSN) (*WALReader, error) {
	pages, err := newWALPager(src)
	if err != nil {
		return nil, err
	}
	r := &WALReader{pages: pages, sysID: src.SystemID}
	r.Seek(from)
	return r, nil
}

// Close releases the open segment file.
func (r *WALReader) Close() error { return r.pages.close() }

// Seek goes on at another record, with no record before it to check the link of.
func (r *WALReader) Seek(lsn LSN) {
	r.next, r.prev = lsn, 0
	r.newest, r.tli = 0, 0
	r.checked, r.header = 0, WALPageHeader{}
}

// Major is the PostgreSQL major of the WAL, 0 before the first page was read.
func (r *WALReader) Major() int { return r.major }

// SystemID is the system identifier: the one asked for, or that of the first long
// header met. 0 if there was none yet.
func (r *WALReader) SystemID() uint64 { return r.sysID }

// Position is where the next record is looked for.
func (r *WALReader) Position() LSN { return r.next }

// Next reads the next record. It stays good until the next call. WAL always ends with a
// *WALStop; every other error is the context's, or says that reading is not possible at
// all. After an error Position is unchanged.
func (r *WALReader) Next(ctx context.Context) (*WALRecord, error) {
	if r.onPage() {
		return &r.rec, nil
	}
	return r.read(ctx, r.next, walLink{exact: r.prev})
}

// First moves to the first record that starts at or after lsn, stepping over the rest
// of a record that began on an earlier page (XLogFindNextRecord, xlogreader.c). The next
// call of Next returns that record.
func (r *WALReader) First(ctx context.Context, lsn LSN) (LSN, error) {
	start, err := r.firstOnPages(ctx, lsn&^(BlockSize-1))
	if err != nil {
		return 0, err
	}
	r.Seek(start)
	for {
		rec, err := r.Next(ctx)
		if err != nil {
			return 0, err
		}
		if rec.LSN >= lsn {
			r.next, r.prev = rec.LSN, rec.Prev
			return rec.LSN, nil
		}
	}
}

// firstOnPages finds the first record start that the page headers from page on show.
func (r *WALReader) firstOnPages(ctx context.Context, page LSN) (LSN, error) {
	r.Seek(page)
	for ; ; page += BlockSize {
		if _, err := r.page(ctx, page); err != nil {
			return 0, err
		}
		h := &r.header
		start := LSN(h.Size())
		if h.Flags&WALFirstIsContRecord == 0 {
			return page + start, nil
		}
		if start += walAlignUp(LSN(h.RemLen)); start < BlockSize {
			return page + start, nil
		}
	}
}

// walLink says what a record may link back to: exactly this, or if that is 0, anything
// from least on and before the record itself.
type walLink struct{ exact, least LSN }

// reject says what is wrong with a record's link, empty if nothing is.
func (l walLink) reject(prev, lsn LSN) string {
	switch {
	case l.exact != 0 && prev != l.exact:
		return fmt.Sprintf("record links back to %s, but the record before it is at %s", prev, l.exact)
	case prev >= lsn:
		return fmt.Sprintf("record links forward, to %s", prev)
	case prev < l.least:
		return fmt.Sprintf("record links back to %s, before %s", prev, l.least)
	}
	return ""
}

// read decodes the record at lsn into r.rec and moves on.
func (r *WALReader) read(ctx context.Context, lsn LSN, link walLink) (*WALRecord, error) {
	a := walAssembly{r: r, link: link, lsn: lsn}
	raw, err := a.run(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.rec.decode(raw, r.major); err != nil {
		return nil, &WALStop{LSN: a.lsn, Page: a.lsn &^ (BlockSize - 1), Cause: WALStopDecode, Text: err.Error()}
	}
	r.accepted(a.lsn, a.end, a.tli)
	return &r.rec, nil
}

// accepted completes a record that was decoded and moves on behind it.
func (r *WALReader) accepted(lsn, end LSN, tli TimelineID) {
	if r.rec.Is(RmgrXLOG, walXLOGSwitch) {
		// The rest of the segment is skipped, whatever is in it.
		seg := LSN(r.pages.src.SegSize)
		end = (end + seg - 1) &^ (seg - 1)
	}
	r.rec.LSN, r.rec.EndLSN, r.rec.Timeline = lsn, end, tli
	r.next, r.prev = end, lsn
}

// page reads and checks the page that starts at lsn. Its header is in r.header, good like
// the bytes until the next call.
func (r *WALReader) page(ctx context.Context, lsn LSN) ([]byte, error) {
	b, err := r.pages.page(ctx, lsn)
	if err != nil || lsn == r.checked && lsn != 0 {
		return b, err
	}
	h, err := DecodeWALPageHeader(b)
	if err != nil {
		return nil, err
	}
	if h.Magic == 0 && walAllZero(b) {
		return nil, &WALStop{LSN: lsn, Page: lsn, Cause: WALStopZeroPage, Text: "the page is all zeros"}
	}
	want := WALPageWant{Magic: r.magic, PageAddr: lsn, SegSize: r.pages.src.SegSize, SystemID: r.sysID}
	if lsn > r.newest {
		want.MinTimeline = r.tli
	}
	if stop := h.Check(want); stop != nil {
		return nil, stop
	}
	r.accept(h, lsn)
	return b, nil
}

// accept remembers what a good page tells about those to come.
func (r *WALReader) accept(h WALPageHeader, lsn LSN) {
	if r.magic == 0 {
		r.magic = h.Magic
		r.major, _ = h.Major()
	}
	if h.Long() {
		r.sysID = h.SystemID
	}
	if lsn >= r.newest {
		r.newest, r.tli = lsn, h.Timeline
	}
	r.checked, r.header, r.headerSize = lsn, h, h.Size()
}

func walAlignUp(l LSN) LSN { return (l + walAlign - 1) &^ (walAlign - 1) }

func walAllZero(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
