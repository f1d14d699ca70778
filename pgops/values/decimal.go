package values

import "strconv"

// appendUint prints a number in decimal.
func appendUint(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

// appendPadded prints a number in decimal with zeros before it to make width digits, width
// being at most 8. More digits are all printed (pg_ultostr_zeropad, utils/adt/numutils.c).
func appendPadded(dst []byte, n uint, width int) []byte {
	switch {
	case width == 2 && n < 100:
		return append(dst, byte('0'+n/10), byte('0'+n%10))
	case width == 4 && n < 10000:
		return append(dst, byte('0'+n/1000), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
	}
	for limit := uint(10); width > 1; width-- {
		if n < limit {
			const zeros = "00000000"
			dst = append(dst, zeros[:width-1]...)
			break
		}
		limit *= 10
	}
	return appendUint(dst, uint64(n))
}

// appendMicros prints a fraction of a second after its point, without zeros at the end, and
// nothing for 0 (AppendSeconds, utils/adt/datetime.c).
func appendMicros(dst []byte, micros uint) []byte {
	if micros == 0 {
		return dst
	}
	dst = append(dst, '.')
	dst = appendPadded(dst, micros/10000, 2)
	dst = appendPadded(dst, micros%10000, 4)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendHex prints bytes as pairs of lower-case hexadecimal digits.
func appendHex(dst, v []byte) []byte {
	for _, c := range v {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}
