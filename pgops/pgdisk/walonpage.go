package pgdisk

// onPage reads the next record if it is one of the many with nothing special about them: it
// lies whole on the page that was checked last and is still in the buffer, the record before it
// is known, and all is well with it. False means that read has to look, which also knows the
// words for what is wrong.
func (r *WALReader) onPage() bool {
	lsn, page := r.next, r.checked
	off := uint64(lsn - page)
	if page == 0 || r.prev == 0 || off <= uint64(r.headerSize) || off > BlockSize-walRecordHeaderSize || off%walAlign != 0 {
		return false
	}
	b, ok := r.pages.inBuffer(page)
	if !ok {
		return false
	}
	b = b[off:]
	h := &r.rec.WALRecordHeader
	h.set((*[walRecordHeaderSize]byte)(b))
	if h.Prev != r.prev || h.TotLen < walRecordHeaderSize || int64(h.TotLen) > int64(len(b)) || !h.Rmid.Valid(r.major) {
		return false
	}
	raw := b[:h.TotLen]
	if r.crc.sum(raw) != h.CRC || r.rec.decode(raw, r.major) != nil {
		return false
	}
	r.accepted(lsn, lsn+walAlignUp(LSN(h.TotLen)), r.header.Timeline)
	return true
}
