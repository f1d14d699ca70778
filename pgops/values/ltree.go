package values

import (
	"encoding/binary"
	"math"
	"strconv"
)

// Layout of ltree and lquery (contrib/ltree/ltree.h). Levels and variants are aligned to 8
// bytes from the varlena header on.
const (
	ltreeLevels   = 8 - varlenaHeaderSize  // LTREE_HDRSIZE
	lqueryLevels  = 16 - varlenaHeaderSize // LQUERY_HDRSIZE
	lqlHeader     = 16                     // LQL_HDRSIZE
	lvarHeader    = 8                      // LVAR_HDRSIZE
	lvarName      = 7                      // offset of lquery_variant.name
	lvarAnyEnd    = 0x01                   // LVAR_ANYEND
	lvarAnyCase   = 0x02                   // LVAR_INCASE
	lvarSubLexeme = 0x04                   // LVAR_SUBLEXEME
	lqlNot        = 0x10                   // LQL_NOT
	lqlCount      = 0x20                   // LQL_COUNT
)

// ltreeOut prints labels with dots between (ltree_out, contrib/ltree/ltree_io.c).
func ltreeOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 2 {
		return dst, shortValue(t, v, 2)
	}
	le := binary.LittleEndian
	off := ltreeLevels
	for i := range int(le.Uint16(v)) {
		if off+2 > len(v) {
			return dst, badValue(t, "label %d lies after its end", i+1)
		}
		n := int(le.Uint16(v[off:]))
		if off+2+n > len(v) {
			return dst, badValue(t, "label %d lies after its end", i+1)
		}
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = append(dst, v[off+2:off+2+n]...)
		off += (2 + n + 7) &^ 7
	}
	return dst, nil
}

// lqueryOut prints a pattern for ltrees (lquery_out, contrib/ltree/ltree_io.c).
func lqueryOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 2 {
		return dst, shortValue(t, v, 2)
	}
	le := binary.LittleEndian
	off := lqueryLevels
	for i := range int(le.Uint16(v)) {
		if off+lqlHeader > len(v) {
			return dst, badValue(t, "level %d lies after its end", i+1)
		}
		total := int(le.Uint16(v[off:]))
		if total < lqlHeader || off+total > len(v) {
			return dst, badValue(t, "level %d has %d bytes", i+1, total)
		}
		if i > 0 {
			dst = append(dst, '.')
		}
		var ok bool
		if dst, ok = appendLQueryLevel(dst, v[off:off+total]); !ok {
			return dst, badValue(t, "a variant of level %d lies after its end", i+1)
		}
		off += (total + 7) &^ 7
	}
	return dst, nil
}

// appendLQueryLevel prints a level: an asterisk, or variants of which one must match; then
// how often (lquery_level). It is false if the variants do not fit.
func appendLQueryLevel(dst, b []byte) ([]byte, bool) {
	le := binary.LittleEndian
	flag, variants := le.Uint16(b[2:]), int(le.Uint16(b[4:]))
	if variants == 0 {
		dst = append(dst, '*')
	} else if flag&lqlNot != 0 {
		dst = append(dst, '!')
	}
	off := lqlHeader
	for j := range variants {
		if off+lvarHeader > len(b) {
			return dst, false
		}
		n, marks := int(le.Uint16(b[off+4:])), b[off+6]
		if off+lvarName+n > len(b) {
			return dst, false
		}
		if j > 0 {
			dst = append(dst, '|')
		}
		dst = append(dst, b[off+lvarName:off+lvarName+n]...)
		for _, m := range [...]struct{ flag, letter byte }{{lvarSubLexeme, '%'}, {lvarAnyCase, '@'}, {lvarAnyEnd, '*'}} {
			if marks&m.flag != 0 {
				dst = append(dst, m.letter)
			}
		}
		off += (n+7)&^7 + lvarHeader
	}
	if flag&lqlCount != 0 || variants == 0 {
		dst = appendLQueryCount(dst, le.Uint16(b[6:]), le.Uint16(b[8:]), variants == 0)
	}
	return dst, true
}

// appendLQueryCount prints how many levels match; any number is what an asterisk means.
func appendLQueryCount(dst []byte, low, high uint16, asterisk bool) []byte {
	if low == 0 && high == math.MaxUint16 && asterisk {
		return dst
	}
	dst = append(dst, '{')
	if low == high {
		return append(strconv.AppendUint(dst, uint64(low), 10), '}')
	}
	if low != 0 {
		dst = strconv.AppendUint(dst, uint64(low), 10)
	}
	dst = append(dst, ',')
	if high != math.MaxUint16 {
		dst = strconv.AppendUint(dst, uint64(high), 10)
	}
	return append(dst, '}')
}
