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

// walAssembly puts one record together from the pages it lies on.
type walAssembly struct {
	r    *WALReader
	link walLink
	lsn  LSN // in: where to look; out: where the record starts, behind a page header
	end  LSN // out
	tli  TimelineID
}

// run returns the whole record with its checksum verified. The bytes are the page
// buffer's or r.buf.
func (a *walAssembly) run(ctx context.Context) ([]byte, error) {
	for {
		raw, err := a.once(ctx)
		if err == nil {
			return raw, nil
		}
		if over, ok := errors.AsType[*walOverwritten](err); ok {
			// The continuation was never written; recovery wrote something else there.
			// Each turn starts on a later page than the one before.
			a.lsn = over.page
			continue
		}
		return nil, err
	}
}

func (a *walAssembly) once(ctx context.Context) ([]byte, error) {
	page := a.lsn &^ (BlockSize - 1)
	b, err := a.r.page(ctx, page)
	if err != nil {
		return nil, a.at(err)
	}
	h := &a.r.header
	size := a.r.headerSize
	off := int(a.lsn - page)
	if off == 0 {
		off = size
		a.lsn = page + LSN(off)
	}
	if off < size || a.lsn%walAlign != 0 {
		return nil, a.stop(page, WALStopOffset, "no record can start here")
	}
	if off == size && h.Flags&WALFirstIsContRecord != 0 {
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
		b, err := r.page(ctx, page)
		if err != nil {
			return nil, a.at(err)
		}
		h := &r.header
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

func (a *walAssembly) checkContinuation(h *WALPageHeader, page LSN, left int) error {
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
	h := &a.r.rec.WALRecordHeader
	h.set((*[walRecordHeaderSize]byte)(b))
	if !h.Rmid.Valid(a.r.major) {
		return a.stop(page, WALStopRmgr, "resource manager %d does not exist", h.Rmid)
	}
	if text := a.link.reject(h.Prev, a.lsn); text != "" {
		return a.stop(page, WALStopPrev, "%s", text)
	}
	return nil
}

func (a *walAssembly) checkCRC(raw []byte, page LSN) ([]byte, error) {
	if got, want := a.r.crc.sum(raw), a.r.rec.CRC; got != want {
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
