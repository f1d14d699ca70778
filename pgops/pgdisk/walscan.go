package pgdisk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// walKeepBuffer is the largest reassembly buffer kept from one record to the next, bytes.
const walKeepBuffer = 1 << 20

// WALReader reads records one after the other, as recovery does. Its memory is one
// chunk of a segment plus the longest record met since the last short one. It is not safe for
// concurrent use.
type WALReader struct {
	pages   *walPager
	magic   uint16 // of all pages, taken from the first
	major   int
	sysID   uint64
	checked LSN // page whose header was checked last
	header  WALPageHeader
	newest  LSN // furthest page checked, and its timeline
	tli     TimelineID

	next LSN // where to look for the next record
	prev LSN // start of the record before it; 0 = not known
	buf  []byte
	rec  WALRecord
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
	prev := r.prev
	return r.read(ctx, r.next, func(h WALRecordHeader, lsn LSN) string {
		if prev != 0 && h.Prev != prev {
			return fmt.Sprintf("record links back to %s, but the record before it is at %s", h.Prev, prev)
		}
		if h.Prev >= lsn {
			return fmt.Sprintf("record links forward, to %s", h.Prev)
		}
		return ""
	})
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
		h, _, err := r.page(ctx, page)
		if err != nil {
			return 0, err
		}
		start := LSN(h.Size())
		if h.Flags&WALFirstIsContRecord == 0 {
			return page + start, nil
		}
		if start += walAlignUp(LSN(h.RemLen)); start < BlockSize {
			return page + start, nil
		}
	}
}

// walLinkCheck judges a record header by its place and link; a text rejects it.
type walLinkCheck func(h WALRecordHeader, lsn LSN) string

// read decodes the record at lsn into r.rec and moves on.
func (r *WALReader) read(ctx context.Context, lsn LSN, check walLinkCheck) (*WALRecord, error) {
	a := walAssembly{r: r, check: check, lsn: lsn}
	raw, err := a.run(ctx)
	if err != nil {
		return nil, err
	}
	if err := DecodeWALRecord(raw, r.major, &r.rec); err != nil {
		return nil, &WALStop{LSN: a.lsn, Page: a.lsn &^ (BlockSize - 1), Cause: WALStopDecode, Text: err.Error()}
	}
	r.rec.LSN, r.rec.EndLSN, r.rec.Timeline = a.lsn, a.end, a.tli
	if r.rec.Is(RmgrXLOG, walXLOGSwitch) {
		// The rest of the segment is skipped, whatever is in it.
		seg := LSN(r.pages.src.SegSize)
		r.rec.EndLSN = (a.end + seg - 1) &^ (seg - 1)
	}
	r.next, r.prev = r.rec.EndLSN, a.lsn
	return &r.rec, nil
}

// page reads and checks the page that starts at lsn.
func (r *WALReader) page(ctx context.Context, lsn LSN) (WALPageHeader, []byte, error) {
	b, err := r.pages.page(ctx, lsn)
	if err != nil {
		return WALPageHeader{}, nil, err
	}
	if lsn == r.checked && lsn != 0 {
		return r.header, b, nil
	}
	h, err := DecodeWALPageHeader(b)
	if err != nil {
		return h, nil, err
	}
	if h.Magic == 0 && walAllZero(b) {
		return h, nil, &WALStop{LSN: lsn, Page: lsn, Cause: WALStopZeroPage, Text: "the page is all zeros"}
	}
	want := WALPageWant{Magic: r.magic, PageAddr: lsn, SegSize: r.pages.src.SegSize, SystemID: r.sysID}
	if lsn > r.newest {
		want.MinTimeline = r.tli
	}
	if stop := h.Check(want); stop != nil {
		return h, nil, stop
	}
	r.accept(h, lsn)
	return h, b, nil
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
	r.checked, r.header = lsn, h
}

// walAssembly puts one record together from the pages it lies on.
type walAssembly struct {
	r     *WALReader
	check walLinkCheck
	lsn   LSN // in: where to look; out: where the record starts, behind a page header
	end   LSN // out
	tli   TimelineID
}

// run returns the whole record with its checksum verified. The bytes are the page
// buffer's or r.buf.
func (a *walAssembly) run(ctx context.Context) ([]byte, error) {
	for {
		raw, err := a.once(ctx)
		if over, ok := errors.AsType[*walOverwritten](err); ok {
			// The continuation was never written; recovery wrote something else there.
			// Each turn starts on a later page than the one before.
			a.lsn = over.page
			continue
		}
		return raw, err
	}
}

func (a *walAssembly) once(ctx context.Context) ([]byte, error) {
	page := a.lsn &^ (BlockSize - 1)
	h, b, err := a.r.page(ctx, page)
	if err != nil {
		return nil, a.at(err)
	}
	off := int(a.lsn - page)
	if off == 0 {
		off = h.Size()
		a.lsn = page + LSN(off)
	}
	if off < h.Size() || a.lsn%walAlign != 0 {
		return nil, a.stop(page, WALStopOffset, "no record can start here")
	}
	if off == h.Size() && h.Flags&WALFirstIsContRecord != 0 {
		return nil, a.stop(page, WALStopOffset, "the page opens with the rest of another record")
	}
	a.tli = h.Timeline
	total := binary.LittleEndian.Uint32(b[off:])
	if err := a.checkLength(page, total); err != nil {
		return nil, err
	}
	if BlockSize-off >= walRecordHeaderSize {
		if err := a.checkHeader(b[off:], page); err != nil {
			return nil, err
		}
	}
	if int(total) <= BlockSize-off {
		a.end = a.lsn + walAlignUp(LSN(total))
		return a.checkCRC(b[off:off+int(total)], page)
	}
	return a.join(ctx, page, b[off:], int(total))
}

// join collects the fragments of a record that goes on over following pages. The buffer
// grows with the bytes that are really there, never with what the record claims.
func (a *walAssembly) join(ctx context.Context, page LSN, head []byte, total int) ([]byte, error) {
	r := a.r
	if cap(r.buf) > walKeepBuffer {
		r.buf = nil
	}
	r.buf = append(r.buf[:0], head...)
	split := len(head) < walRecordHeaderSize
	for len(r.buf) < total {
		page += BlockSize
		h, b, err := r.page(ctx, page)
		if err != nil {
			return nil, a.at(err)
		}
		if err := a.checkContinuation(h, page, total-len(r.buf)); err != nil {
			return nil, err
		}
		n := min(total-len(r.buf), BlockSize-h.Size())
		r.buf = append(r.buf, b[h.Size():h.Size()+n]...)
		a.end = page + LSN(h.Size()) + walAlignUp(LSN(n))
		if split {
			split = false
			if err := a.checkHeader(r.buf, page); err != nil {
				return nil, err
			}
		}
	}
	return a.checkCRC(slices.Clip(r.buf), page)
}

func (a *walAssembly) checkContinuation(h WALPageHeader, page LSN, left int) error {
	switch {
	case h.Flags&WALFirstIsOverwriteContRecord != 0:
		return &walOverwritten{page}
	case h.Flags&WALFirstIsContRecord == 0:
		return a.stop(page, WALStopContRecord, "the record does not go on at %s", page)
	case uint64(h.RemLen) != uint64(left):
		return a.stop(page, WALStopContRecord, "%d bytes of the record are missing, but the page at %s continues one of %d", left, page, h.RemLen)
	}
	return nil
}

func (a *walAssembly) checkLength(page LSN, total uint32) error {
	switch {
	case total == 0:
		return a.stop(page, WALStopZeroLength, "record length 0: nothing was written here")
	case total < walRecordHeaderSize || total > WALMaxRecordSize:
		return a.stop(page, WALStopLength, "record length %d is impossible", total)
	}
	return nil
}

func (a *walAssembly) checkHeader(b []byte, page LSN) error {
	h, err := DecodeWALRecordHeader(b)
	if err != nil {
		return err
	}
	if !h.Rmid.Valid(a.r.major) {
		return a.stop(page, WALStopRmgr, "resource manager %d does not exist", h.Rmid)
	}
	if text := a.check(h, a.lsn); text != "" {
		return a.stop(page, WALStopPrev, "%s", text)
	}
	return nil
}

func (a *walAssembly) checkCRC(raw []byte, page LSN) ([]byte, error) {
	want := binary.LittleEndian.Uint32(raw[walRecordCRCOffset:])
	if got := WALRecordCRC(raw); got != want {
		return nil, a.stop(page, WALStopCRC, "checksum of the record is %08X, stored is %08X", got, want)
	}
	return raw, nil
}

func (a *walAssembly) stop(page LSN, cause WALStopCause, format string, args ...any) *WALStop {
	return &WALStop{LSN: a.lsn, Page: page, Cause: cause, Text: fmt.Sprintf(format, args...)}
}

// at names the record in a stop that a page raised.
func (a *walAssembly) at(err error) error {
	if stop, ok := errors.AsType[*WALStop](err); ok {
		stop.LSN = a.lsn
	}
	return err
}

// walOverwritten says that the continuation of a record was replaced.
type walOverwritten struct{ page LSN }

func (e *walOverwritten) Error() string {
	return "the rest of the record was never written: overwritten at " + e.page.String()
}

func walAlignUp(l LSN) LSN { return (l + walAlign - 1) &^ (walAlign - 1) }

func walAllZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
