package values

import (
	"encoding/binary"
	"math/bits"
)

// oidOut prints an OID, a transaction or a command id: 4 bytes without sign (oidout,
// utils/adt/oid.c; xidout and cidout, utils/adt/xid.c).
func oidOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 4 {
		return dst, shortValue(t, v, 4)
	}
	return appendUint(dst, uint64(binary.LittleEndian.Uint32(v))), nil
}

// xid8Out prints a transaction id with its epoch (xid8out, utils/adt/xid.c).
func xid8Out(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 8 {
		return dst, shortValue(t, v, 8)
	}
	return appendUint(dst, binary.LittleEndian.Uint64(v)), nil
}

const tidSize = 6 // sizeof(ItemPointerData), storage/itemptr.h

// tidOut prints the place of a tuple: block and item (tidout, utils/adt/tid.c).
func tidOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < tidSize {
		return dst, shortValue(t, v, tidSize)
	}
	le := binary.LittleEndian
	block := uint32(le.Uint16(v))<<16 | uint32(le.Uint16(v[2:])) // bi_hi, bi_lo
	dst = append(dst, '(')
	dst = appendUint(dst, uint64(block))
	dst = append(dst, ',')
	dst = appendUint(dst, uint64(le.Uint16(v[4:])))
	return append(dst, ')'), nil
}

// lsnOut prints a position in the WAL (pg_lsn_out, utils/adt/pg_lsn.c).
func lsnOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 8 {
		return dst, shortValue(t, v, 8)
	}
	n := binary.LittleEndian.Uint64(v)
	dst = appendUpperHex(dst, uint32(n>>32))
	dst = append(dst, '/')
	return appendUpperHex(dst, uint32(n)), nil
}

// appendUpperHex prints in upper-case hexadecimal without zeros in front.
func appendUpperHex(dst []byte, n uint32) []byte {
	const digits = "0123456789ABCDEF"
	for shift := max(bits.Len32(n)-1, 0) &^ 3; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return dst
}
