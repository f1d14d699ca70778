package values

import "encoding/binary"

// Bits of the first two bytes of a numeric (NumericChoice, utils/adt/numeric.c).
const (
	numericSignMask = 0xC000 // NUMERIC_SIGN_MASK
	numericNeg      = 0x4000 // NUMERIC_NEG
	numericShort    = 0x8000 // NUMERIC_SHORT
	numericSpecial  = 0xC000 // NUMERIC_SPECIAL

	numericSpecialMask = 0xF000 // NUMERIC_EXT_SIGN_MASK, 14 on
	numericPInf        = 0xD000 // NUMERIC_PINF
	numericNInf        = 0xF000 // NUMERIC_NINF

	numericDscaleMask = 0x3FFF // NUMERIC_DSCALE_MASK

	numericShortNeg         = 0x2000 // NUMERIC_SHORT_SIGN_MASK
	numericShortDscale      = 0x1F80 // NUMERIC_SHORT_DSCALE_MASK
	numericShortDscaleShift = 7      // NUMERIC_SHORT_DSCALE_SHIFT
	numericShortWeightNeg   = 0x0040 // NUMERIC_SHORT_WEIGHT_SIGN_MASK
	numericShortWeight      = 0x003F // NUMERIC_SHORT_WEIGHT_MASK

	numericBase      = 10000 // NBASE
	numericDecDigits = 4     // DEC_DIGITS
)

// numeric is the finite number digits * 10000^weight, digits being a fraction in base 10000
// with one digit before its point (NumericVar, utils/adt/numeric.c).
type numeric struct {
	negative bool
	weight   int    // from -32768 to 32767
	dscale   int    // decimal digits after the point, up to 16383
	digits   []byte // of two bytes each
	special  string // NaN or an infinity; the rest is then not set
}

// decodeNumeric reads the payload of a numeric (NumericData).
func decodeNumeric(t *Type, v []byte) (numeric, error) {
	le := binary.LittleEndian
	if len(v) < 2 {
		return numeric{}, shortValue(t, v, 2)
	}
	var n numeric
	h := le.Uint16(v)
	switch {
	case h&numericSignMask == numericSpecial:
		switch h & numericSpecialMask {
		case numericPInf:
			return numeric{special: "Infinity"}, nil
		case numericNInf:
			return numeric{special: "-Infinity"}, nil
		}
		return numeric{special: "NaN"}, nil
	case h&numericSignMask == numericShort:
		n = numeric{negative: h&numericShortNeg != 0, weight: int(h & numericShortWeight),
			dscale: int(h & numericShortDscale >> numericShortDscaleShift), digits: v[2:]}
		if h&numericShortWeightNeg != 0 {
			n.weight |= ^numericShortWeight
		}
	default:
		if len(v) < 4 {
			return numeric{}, shortValue(t, v, 4)
		}
		n = numeric{negative: h&numericSignMask == numericNeg, dscale: int(h & numericDscaleMask),
			weight: int(int16(le.Uint16(v[2:]))), digits: v[4:]}
	}
	if len(n.digits)%2 != 0 {
		return numeric{}, badValue(t, "%d bytes of digits of 2 bytes", len(n.digits))
	}
	if n.digit(0) == 0 && (len(n.digits) > 0 || n.weight > 0) { // zero has no digits and weight 0
		return numeric{}, badValue(t, "a first digit of 0, which is never stored")
	}
	for i := 0; i < len(n.digits); i += 2 {
		if d := le.Uint16(n.digits[i:]); d >= numericBase {
			return numeric{}, badValue(t, "digit %d of base %d", d, numericBase)
		}
	}
	return n, nil
}

// digit returns the digit of the given number, which is 0 where none is stored.
func (n *numeric) digit(i int) uint {
	if i < 0 || i >= len(n.digits)/2 {
		return 0
	}
	return uint(binary.LittleEndian.Uint16(n.digits[2*i:]))
}

// numericOut prints a numeric with as many digits after the point as its display scale says
// (numeric_out and get_str_from_var, utils/adt/numeric.c).
func numericOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if out, ok := appendUsualNumeric(dst, v); ok {
		return out, nil
	}
	n, err := decodeNumeric(t, v)
	if err != nil {
		return dst, err
	}
	if n.special != "" {
		return append(dst, n.special...), nil
	}
	return n.append(dst), nil
}

// appendUsualNumeric is the short way for most numbers: those in the short format, of at least
// 1, with all digits that are printed stored and no others. dst is not changed by the rest.
func appendUsualNumeric(dst, v []byte) ([]byte, bool) {
	const usual, other = numericShort, numericSignMask | numericShortNeg | numericShortWeightNeg
	if len(v) < 4 || len(v)%2 != 0 {
		return dst, false
	}
	h := binary.LittleEndian.Uint16(v)
	point, scale := int(h&numericShortWeight)+1, int(h&numericShortDscale>>numericShortDscaleShift)
	if h&other != usual || point+(scale+numericDecDigits-1)/numericDecDigits != len(v)/2-1 {
		return dst, false
	}
	d := uint(binary.LittleEndian.Uint16(v[2:]))
	if d == 0 || d >= numericBase {
		return dst, false
	}
	out := appendUint(dst, uint64(d))
	for i := 4; i < len(v); i += 2 {
		if i == 2*point+2 {
			out = append(out, '.')
		}
		if d = uint(binary.LittleEndian.Uint16(v[i:])); d >= numericBase {
			return dst, false
		}
		out = appendPadded(out, d, numericDecDigits)
	}
	if extra := scale % numericDecDigits; extra > 0 {
		out = out[:len(out)-numericDecDigits+extra]
	}
	return out, true
}

func (n *numeric) append(dst []byte) []byte {
	if n.negative {
		dst = append(dst, '-')
	}
	if n.weight < 0 {
		dst = append(dst, '0')
	} else {
		dst = appendUint(dst, uint64(n.digit(0)))
		for i := 1; i <= n.weight; i++ {
			dst = appendPadded(dst, n.digit(i), numericDecDigits)
		}
	}
	if n.dscale == 0 {
		return dst
	}
	dst = append(dst, '.')
	end := len(dst) + n.dscale
	for i := n.weight + 1; len(dst) < end; i++ {
		dst = appendPadded(dst, n.digit(i), numericDecDigits)
	}
	return dst[:end]
}
