package pgdisk

import (
	"encoding/binary"
	"hash/crc32"
)

// walShortCRC is the length of a record up to which its parts are put into order first, bytes.
const walShortCRC = 256

// WALRecordCRC computes what xl_crc must be for a whole record with the page headers
// taken out: the data first, then the header up to the checksum (COMP_CRC32C in
// ValidXLogRecord, xlogreader.c). raw must hold at least the 24 byte header.
func WALRecordCRC(raw []byte) uint32 {
	return walRecordCRC(crc32.MakeTable(crc32.Castagnoli), raw)
}

func walRecordCRC(table *crc32.Table, raw []byte) uint32 {
	return crc32.Update(crc32.Update(0, table, raw[walRecordHeaderSize:]), table, raw[:walRecordCRCOffset])
}

// storedWALCRC is xl_crc of a record.
func storedWALCRC(raw []byte) uint32 {
	return binary.LittleEndian.Uint32(raw[walRecordCRCOffset:])
}

// walSummer computes checksums of many records. Most are so short that starting a sum costs
// as much as the sum itself: a copy with the header behind the data needs one start, not two.
type walSummer struct {
	table *crc32.Table
	short [walShortCRC]byte
}

// sum is WALRecordCRC.
func (s *walSummer) sum(raw []byte) uint32 {
	if s.table == nil {
		s.table = crc32.MakeTable(crc32.Castagnoli)
	}
	if len(raw) > walShortCRC {
		return walRecordCRC(s.table, raw)
	}
	n := copy(s.short[:], raw[walRecordHeaderSize:])
	*(*[walRecordCRCOffset]byte)(s.short[n:]) = [walRecordCRCOffset]byte(raw)
	return crc32.Update(0, s.table, s.short[:n+walRecordCRCOffset])
}
