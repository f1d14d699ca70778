package values

import (
	"encoding/binary"
	"math"
	"strconv"
)

// float4Out prints a real (float4out, utils/adt/float.c).
func float4Out(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 4 {
		return dst, shortValue(t, v, 4)
	}
	f := math.Float32frombits(binary.LittleEndian.Uint32(v))
	return appendFloat(dst, float64(f), single()), nil
}

// float8Out prints a double precision (float8out, utils/adt/float.c).
func float8Out(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 8 {
		return dst, shortValue(t, v, 8)
	}
	return appendFloat8(dst, v), nil
}

// appendFloat8 prints the double precision number at the start of v.
func appendFloat8(dst, v []byte) []byte {
	return appendFloat(dst, math.Float64frombits(binary.LittleEndian.Uint64(v)), double())
}

// floatFormat is what differs between the two widths (common/d2s.c, common/f2s.c).
type floatFormat struct {
	bits     int     // for strconv
	mantissa int     // bits of the mantissa
	plain    float64 // numbers from here on, and below most, are written without exponent
	most     float64
	digits   int // a number of so many decimal digits is read back as it was, whatever it is
}

func single() floatFormat {
	return floatFormat{bits: 32, mantissa: 24, plain: float64(float32(1e-4)), most: 1e6, digits: 6}
}

func double() floatFormat {
	return floatFormat{bits: 64, mantissa: 53, plain: 1e-4, most: 1e15, digits: 15}
}

// appendFloat prints the shortest decimal that reads back as f: plain from 1e-4 up to 15
// digits (6 of a real) before the point, with an exponent outside (double_to_shortest_decimal_buf
// in common/d2s.c, float_to_shortest_decimal_buf in common/f2s.c).
func appendFloat(dst []byte, f float64, format floatFormat) []byte {
	a := math.Abs(f)
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		if math.Signbit(f) {
			dst = append(dst, '-')
		}
		return append(dst, '0')
	case format.delicate(a):
		if f < 0 {
			dst = append(dst, '-')
		}
		return format.appendDelicate(dst, a)
	case a >= format.plain && a < format.most:
		return strconv.AppendFloat(dst, f, 'f', -1, format.bits)
	}
	return strconv.AppendFloat(dst, f, 'e', -1, format.bits)
}
