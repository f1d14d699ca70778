package values

import "encoding/binary"

// moneyOut prints a money as lc_monetary C does, which knows neither a currency nor a
// grouping: $ before the number, two digits after the point, a comma every three before
// (cash_out, utils/adt/cash.c).
func moneyOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 8 {
		return dst, shortValue(t, v, 8)
	}
	n := int64(binary.LittleEndian.Uint64(v))
	cents := uint64(n)
	if n < 0 {
		dst = append(dst, '-')
		cents = -cents
	}
	dst = append(dst, '$')
	start := len(dst)
	dst = appendUint(dst, cents/100)
	for i := len(dst) - 3; i > start; i -= 3 {
		dst = append(dst, 0)
		copy(dst[i+1:], dst[i:])
		dst[i] = ','
	}
	dst = append(dst, '.')
	return appendPadded(dst, uint(cents%100), 2), nil
}
