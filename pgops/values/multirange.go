package values

import (
	"encoding/binary"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// multirangeItems is where the items of a multirange start: after its type's OID and the
// number of ranges (MultirangeType, utils/multirangetypes.h).
const multirangeItems = 8

// Bits of a multirange's item (utils/adt/multirangetypes.c).
const (
	multirangeHasOffset = 0x80000000 // MULTIRANGE_ITEM_OFF_BIT: an offset, not a length
	multirangeOffLen    = 0x7FFFFFFF // MULTIRANGE_ITEM_GET_OFFLEN
)

// multirangeOut prints a multirange as multirange_out does. Every range but the first has an
// item that leads to its bounds, every range a byte of flags.
func multirangeOut(dst []byte, t *Type, v []byte, env *Env, depth int) ([]byte, error) {
	if len(v) < multirangeItems {
		return dst, shortValue(t, v, multirangeItems)
	}
	le := binary.LittleEndian
	sub, err := multirangeSubtype(t, pgdisk.OID(le.Uint32(v)), env)
	if err != nil {
		return dst, err
	}
	n := int(le.Uint32(v[4:]))
	if n == 0 {
		return append(dst, "{}"...), nil
	}
	if n > len(v) {
		return dst, badValue(t, "%d ranges in %d bytes", n, len(v))
	}
	items := v[multirangeItems:]
	flagsAt := multirangeItems + 4*(n-1)
	boundsAt, err := alignTo(vlHeader+flagsAt+n, sub.Align)
	if err != nil {
		return dst, badCause(t, err, "find its bounds")
	}
	if flagsAt+n > len(v) {
		return dst, shortValue(t, v, flagsAt+n)
	}
	// Of ranges without bounds nothing follows the flags, not even the padding.
	bounds := v[min(boundsAt-vlHeader, len(v)):]
	p := newNested(sub, env, depth+1, false) // a range lies between
	off, limit := 0, len(bounds)
	dst = append(dst, '{')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
			item := le.Uint32(items[4*(i-1):])
			if item&multirangeHasOffset != 0 {
				off = 0
			}
			off += int(item & multirangeOffLen)
		}
		if off > limit {
			return dst, badValue(t, "the bounds of range %d start at %d of %d bytes", i+1, off, limit)
		}
		if dst, _, err = appendRange(dst, t, bounds[off:], v[flagsAt+i], p); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// multirangeSubtype finds the type of the bounds of a multirange of the type with the OID
// that the value names.
func multirangeSubtype(t *Type, oid pgdisk.OID, env *Env) (*Type, error) {
	base := baseOf(t)
	if base.OID != oid && env.Lookup != nil {
		if found, ok := env.Lookup(oid); ok {
			base = baseOf(found)
		}
	}
	if base.Kind != KindMultirange || base.OID != oid {
		return nil, badValue(t, "it says it is of the type with OID %d", oid)
	}
	if base.Range == nil || base.Range.Range == nil {
		return nil, badValue(t, "the type of its ranges is not known")
	}
	return base.Range.Range, nil
}
