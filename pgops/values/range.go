package values

import (
	"encoding/binary"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// The flags of a range (utils/rangetypes.h).
const (
	rangeEmpty     = 0x01 // RANGE_EMPTY
	rangeLowerIncl = 0x02 // RANGE_LB_INC
	rangeUpperIncl = 0x04 // RANGE_UB_INC
	rangeLowerInf  = 0x08 // RANGE_LB_INF
	rangeUpperInf  = 0x10 // RANGE_UB_INF
	rangeLowerNull = 0x20 // RANGE_LB_NULL
	rangeUpperNull = 0x40 // RANGE_UB_NULL
)

// rangeBounds is where the bounds of a range start: after its type's OID (RangeType,
// utils/rangetypes.h). With the varlena header that is a multiple of 8.
const rangeBounds = 4

// rangeOut prints a range as range_out does (utils/adt/rangetypes.c). Its last byte holds
// the flags.
func rangeOut(dst []byte, t *Type, v []byte, env *Env, depth int) ([]byte, error) {
	if len(v) < rangeBounds+1 {
		return dst, shortValue(t, v, rangeBounds+1)
	}
	sub, err := rangeSubtype(t, pgdisk.OID(binary.LittleEndian.Uint32(v)), env)
	if err != nil {
		return dst, err
	}
	flags := v[len(v)-1]
	dst, _, err = appendRange(dst, t, v[rangeBounds:len(v)-1], flags, newNested(sub, env, depth, false))
	return dst, err
}

// rangeSubtype finds the type of the bounds of a range of the type with the OID that the
// value names.
func rangeSubtype(t *Type, oid pgdisk.OID, env *Env) (*Type, error) {
	base := baseOf(t)
	if base.OID != oid && env.Lookup != nil {
		if found, ok := env.Lookup(oid); ok {
			base = baseOf(found)
		}
	}
	if base.Kind != KindRange || base.OID != oid {
		return nil, badValue(t, "it says it is of the type with OID %d", oid)
	}
	if base.Range == nil {
		return nil, badValue(t, "the type of its bounds is not known")
	}
	return base.Range, nil
}

// appendRange prints a range from its bounds, which lie at the start of b, and returns where
// they end.
func appendRange(dst []byte, t *Type, b []byte, flags byte, bound nested) ([]byte, int, error) {
	if flags&rangeEmpty != 0 {
		return append(dst, "empty"...), 0, nil
	}
	off := 0
	one := func(dst []byte, absent byte) ([]byte, error) {
		if flags&absent != 0 {
			return dst, nil
		}
		start, end, err := NextValue(b, off, bound.t.Len, bound.t.Align)
		if err != nil {
			return dst, badCause(t, err, "find its bounds")
		}
		off = end
		return appendQuoted(dst, b[start:end:end], bound, isRangeSpecial)
	}
	dst = append(dst, "(["[flags&rangeLowerIncl/rangeLowerIncl])
	dst, err := one(dst, rangeLowerInf|rangeLowerNull)
	if err != nil {
		return dst, off, err
	}
	dst = append(dst, ',')
	if dst, err = one(dst, rangeUpperInf|rangeUpperNull); err != nil {
		return dst, off, err
	}
	return append(dst, ")]"[flags&rangeUpperIncl/rangeUpperIncl]), off, nil
}

// isRangeSpecial tells the bytes for which range_out quotes a bound.
func isRangeSpecial(c byte) bool { return c == '[' || c == ']' || isRecordSpecial(c) }

// appendQuoted prints a value within a range or record: in quotes if it is empty or holds a
// special byte. Quotes and backslashes are doubled, quoted or not.
func appendQuoted(dst, stored []byte, p nested, special func(c byte) bool) ([]byte, error) {
	start := len(dst)
	dst, err := p.append(dst, stored)
	if err != nil {
		return dst, err
	}
	need := len(dst) == start
	for _, c := range dst[start:] {
		if special(c) {
			need = true
			break
		}
	}
	if !need {
		return dst, nil
	}
	return quoteWith(dst, start, 0), nil
}
