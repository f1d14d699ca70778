package pgdisk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// RelMapMagic starts a pg_filenode.map (RELMAPPER_FILEMAGIC, utils/cache/relmapper.c).
const RelMapMagic = 0x592717

// RelMapName is the file's name, in global/ and in the directory of each database.
const RelMapName = "pg_filenode.map"

// RelMapping says which files a mapped catalog has (RelMapping, utils/cache/relmapper.c).
// Catalogs that are needed to find any other are mapped here and have no number in pg_class.
type RelMapping struct {
	OID    OID
	Number RelFileNumber
}

// RelMap is a pg_filenode.map (RelMapFile, utils/cache/relmapper.c).
type RelMap struct {
	Mappings []RelMapping
	Slots    int // room for mappings: 62 up to 15, 64 from 16 on
}

// Lookup returns the file number of a mapped catalog.
func (m *RelMap) Lookup(oid OID) (RelFileNumber, bool) {
	for _, e := range m.Mappings {
		if e.OID == oid {
			return e.Number, true
		}
	}
	return 0, false
}

// relMapHeader is the space for magic number and count.
const relMapHeader = 8

// relMapCRC returns where the CRC of a map with that many slots lies.
func relMapCRC(slots int) int { return relMapHeader + slots*8 }

// DecodeRelMap reads a pg_filenode.map. Files of up to 15 have 512 bytes, later ones 524;
// which one it is, is told by where the CRC matches. A file with damaged content is a
// *FormatError and gives no map: a wrong file number here leads the server to foreign files.
func DecodeRelMap(b []byte) (*RelMap, error) {
	if len(b) < relMapCRC(62)+4 {
		return nil, &FormatError{File: RelMapName, Field: "size", Want: "512 or 524 bytes", Got: fmt.Sprintf("%d bytes", len(b))}
	}
	le := binary.LittleEndian
	if magic := le.Uint32(b); magic != RelMapMagic {
		return nil, &FormatError{File: RelMapName, Field: "magic number", Want: fmt.Sprintf("%X", RelMapMagic), Got: fmt.Sprintf("%X", magic)}
	}
	slots, err := relMapSlots(b)
	if err != nil {
		return nil, err
	}
	n := int32(le.Uint32(b[4:]))
	if n < 0 || int(n) > slots {
		return nil, &FormatError{File: RelMapName, Off: 4, Field: "number of mappings", Want: fmt.Sprintf("0 to %d", slots), Got: fmt.Sprint(n)}
	}
	m := &RelMap{Slots: slots, Mappings: make([]RelMapping, n)}
	for i := range m.Mappings {
		off := relMapHeader + i*8
		m.Mappings[i] = RelMapping{OID: OID(le.Uint32(b[off:])), Number: RelFileNumber(le.Uint32(b[off+4:]))}
	}
	return m, nil
}

// relMapSlots finds the size of the map by its CRC.
func relMapSlots(b []byte) (int, error) {
	var found string
	for _, slots := range []int{62, 64} {
		off := relMapCRC(slots)
		if len(b) < off+4 {
			continue
		}
		stored := binary.LittleEndian.Uint32(b[off:])
		computed := crc32.Checksum(b[:off], crc32.MakeTable(crc32.Castagnoli))
		if stored == computed {
			return slots, nil
		}
		found = fmt.Sprintf("%08X where the content gives %08X", stored, computed)
	}
	return 0, &FormatError{File: RelMapName, Off: int64(len(b) - 4), Field: "CRC", Want: "a matching one", Got: found}
}

// EncodeRelMap writes the file of a major: 512 bytes up to 15, 524 from 16 on.
func EncodeRelMap(m *RelMap) ([]byte, error) {
	if (m.Slots != 62 && m.Slots != 64) || len(m.Mappings) > m.Slots {
		return nil, fmt.Errorf("encode %s: %d mappings in %d slots: want 62 or 64 slots and no more mappings", RelMapName, len(m.Mappings), m.Slots)
	}
	le := binary.LittleEndian
	crc := relMapCRC(m.Slots)
	b := make([]byte, crc+4, 524)
	if m.Slots == 62 {
		b = b[:512] // a pad of four bytes follows the CRC
	}
	le.PutUint32(b, RelMapMagic)
	le.PutUint32(b[4:], uint32(len(m.Mappings)))
	for i, e := range m.Mappings {
		le.PutUint32(b[relMapHeader+i*8:], uint32(e.OID))
		le.PutUint32(b[relMapHeader+i*8+4:], uint32(e.Number))
	}
	le.PutUint32(b[crc:], crc32.Checksum(b[:crc], crc32.MakeTable(crc32.Castagnoli)))
	return b, nil
}
