package values

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// More than one decimal can be the shortest that reads back as a number. PostgreSQL's printer
// and strconv choose differently in two rare cases, which lead here:
//
//   - A decimal half way between two numbers reads back as one of them, by rounding to even.
//     strconv prints it, PostgreSQL does not rely on it (acceptBounds, common/d2s.c).
//   - The number lies half way between two decimals of equal length. PostgreSQL takes the
//     even one.

// delicate tells the numbers for which that can be; nearly all others are told by a glance.
//
// A decimal of up to 17 digits that is half way between numbers is a whole number, odd and a
// multiple of 5 to the power of its zeros; that ends at 134 (64) bits. A number that lies half way between decimals has all its digits and few: one more
// than its shortest form, which needs more than format.digits.
func (format floatFormat) delicate(a float64) bool {
	m, exp := mantissaOf(a)
	if exp >= 0 {
		size := bits.Len64(m) + exp
		return size > format.mantissa && size < 3*format.mantissa
	}
	return -exp <= format.mantissa/2+2 && a*math.Pow10(-exp) >= math.Pow10(format.digits)
}

// mantissaOf takes a apart: a is m times 2 to the power of exp, and m is odd.
func mantissaOf(a float64) (m uint64, exp int) {
	fraction, exp := math.Frexp(a)
	m = uint64(fraction * (1 << 53))
	zeros := bits.TrailingZeros64(m)
	return m >> zeros, exp - 53 + zeros
}

// appendDelicate prints a by exact arithmetic. The nearest decimal is tried first, which
// strconv rounds to even, then strconv's shortest, which at a power of two can be another;
// then the same with a digit more.
func (format floatFormat) appendDelicate(dst []byte, a float64) []byte {
	low, high := format.neighbourhood(a)
	shortest := strconv.AppendFloat(nil, a, 'e', -1, format.bits)
	for digits := countDigits(shortest); ; digits++ {
		nearest := strconv.AppendFloat(nil, a, 'e', digits-1, format.bits)
		for _, s := range [][]byte{nearest, shortest} {
			n, ok := new(big.Rat).SetString(string(s))
			if ok && n.Cmp(low) > 0 && n.Cmp(high) < 0 {
				return appendDecimal(dst, s, a >= format.plain && a < format.most)
			}
		}
	}
}

// neighbourhood returns the two points half way to the numbers next to a.
func (format floatFormat) neighbourhood(a float64) (low, high *big.Rat) {
	fraction, exp := math.Frexp(a)
	half := math.Ldexp(1, exp-format.mantissa-1)
	below := half
	if fraction == 0.5 {
		below /= 2 // below a power of two they lie closer
	}
	n := new(big.Rat).SetFloat64(a)
	high = new(big.Rat).Add(n, new(big.Rat).SetFloat64(half))
	low = new(big.Rat).Sub(n, new(big.Rat).SetFloat64(below))
	return low, high
}

// countDigits counts the digits before the exponent.
func countDigits(s []byte) int {
	n := 0
	for _, c := range s {
		if c == 'e' {
			break
		}
		if c != '.' {
			n++
		}
	}
	return n
}

// appendDecimal appends a number that strconv wrote with an exponent; plain without it.
func appendDecimal(dst, s []byte, plain bool) []byte {
	if !plain {
		return append(dst, s...)
	}
	digits := make([]byte, 0, len(s))
	exp := 0
	for i, c := range s {
		if c == 'e' {
			exp, _ = strconv.Atoi(string(s[i+1:]))
			break
		}
		if c != '.' {
			digits = append(digits, c)
		}
	}
	for ; exp < 0; exp++ {
		digits = append([]byte{'0'}, digits...)
	}
	for len(digits) <= exp {
		digits = append(digits, '0')
	}
	dst = append(dst, digits[:exp+1]...)
	if len(digits) > exp+1 {
		dst = append(dst, '.')
		dst = append(dst, digits[exp+1:]...)
	}
	return dst
}
