package pgdisk

import (
	"encoding/binary"
	"fmt"
)

const (
	walRecordHeaderSize = 24 // SizeOfXLogRecord, access/xlogrecord.h
	walRecordCRCOffset  = 20 // offsetof(XLogRecord, xl_crc)

	// WALMaxRecordSize is the longest record a server writes, 1020 MB (XLogRecordMaxSize,
	// access/xlogrecord.h). Older minors did not check, but nothing they write comes near.
	WALMaxRecordSize = 1020 << 20

	walAlign = 8 // MAXIMUM_ALIGNOF: where records start
)

// WALRecordHeader opens each record (XLogRecord, access/xlogrecord.h).
type WALRecordHeader struct {
	TotLen uint32 // xl_tot_len, bytes of header and data, page headers not counted
	XID    XID    // xl_xid, 0 outside a transaction
	Prev   LSN    // xl_prev, where the record before starts
	Info   uint8  // xl_info
	Rmid   RmgrID // xl_rmid
	CRC    uint32 // xl_crc, CRC-32C
	pad    uint16 // two bytes that every server writes as zeros
}

// DecodeWALRecordHeader reads the 24 bytes at the start of a record, unchecked.
func DecodeWALRecordHeader(b []byte) (WALRecordHeader, error) {
	if len(b) < walRecordHeaderSize {
		return WALRecordHeader{}, &FormatError{Field: "WAL record header", Want: "24 bytes", Got: fmt.Sprintf("%d bytes", len(b))}
	}
	var h WALRecordHeader
	h.set((*[walRecordHeaderSize]byte)(b))
	return h, nil
}

// set reads the header in place: copying it about costs more than reading it.
func (h *WALRecordHeader) set(b *[walRecordHeaderSize]byte) {
	le := binary.LittleEndian
	h.TotLen = le.Uint32(b[:])
	h.XID = XID(le.Uint32(b[4:]))
	h.Prev = LSN(le.Uint64(b[8:]))
	h.Info = b[16]
	h.Rmid = RmgrID(b[17])
	h.pad = le.Uint16(b[18:])
	h.CRC = le.Uint32(b[20:])
}

// WALRecord is one decoded record. Raw, Blocks, MainData and the byte slices inside
// Blocks belong to the reader and hold until its next call.
type WALRecord struct {
	WALRecordHeader
	LSN      LSN        // where the record starts
	EndLSN   LSN        // where the next one may start: what pd_lsn of a changed page is set to
	Timeline TimelineID // of the page that the record starts on
	Major    int        // PostgreSQL major that wrote it

	Raw         []byte // the whole record as stored, page headers taken out
	Blocks      []WALBlockRef
	MainData    []byte
	Origin      uint16 // replication origin, 0 for none (RepOriginId)
	TopLevelXID XID    // 14 on: top transaction of a subtransaction, else 0
}

// Class is what the record does, without the resource manager: LOCK.
func (r *WALRecord) Class() string { return WALClassName(r.Major, r.Rmid, r.Info) }

// String names resource manager and class as the server's own messages do: Heap/LOCK.
func (r *WALRecord) String() string { return r.Rmid.String() + "/" + r.Class() }

// Is reports whether the record is of that manager and class; class is one of the
// values of xl_info's upper four bits.
func (r *WALRecord) Is(id RmgrID, class uint8) bool {
	return r.Rmid == id && r.Info&walInfoRmgrMask == class
}

// ImageBytes sums the page images as stored: pg_waldump's total length minus its record length.
func (r *WALRecord) ImageBytes() int {
	n := 0
	for i := range r.Blocks {
		n += len(r.Blocks[i].Image)
	}
	return n
}

// DecodeWALRecord takes a whole record, page headers taken out, apart into rec. Slices
// of rec point into raw; rec.Blocks is reused. The checksum is not looked at, see
// WALRecordCRC. LSN, EndLSN and Timeline are left to the caller.
func DecodeWALRecord(raw []byte, major int, rec *WALRecord) error {
	h, err := DecodeWALRecordHeader(raw)
	if err != nil {
		return err
	}
	if uint64(h.TotLen) != uint64(len(raw)) {
		return &FormatError{Field: "WAL record length", Want: fmt.Sprint(len(raw)), Got: fmt.Sprint(h.TotLen)}
	}
	rec.LSN, rec.EndLSN, rec.Timeline = 0, 0, 0
	rec.WALRecordHeader = h
	return rec.decode(raw, major)
}

// decode takes apart what follows the header, which has been read. Here and in what it calls
// fields are set one by one: a literal would be built first and then copied, for each record.
func (r *WALRecord) decode(raw []byte, major int) error {
	r.Major, r.Raw = major, raw
	r.Blocks, r.MainData = r.Blocks[:0], nil
	r.Origin, r.TopLevelXID = 0, 0
	var d walFragments
	d.raw, d.off, d.major = raw, walRecordHeaderSize, major
	return d.decode(r)
}
