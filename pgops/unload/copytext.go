package unload

import "encoding/binary"

// copyEscape gives the letter that follows the backslash where COPY's text format escapes a
// byte, and 0 where it does not (CopyAttributeOutText, commands/copyto.c). The delimiter, a
// tab, is among those that have a letter.
func copyEscape(c byte) byte {
	switch c {
	case '\b':
		return 'b'
	case '\f':
		return 'f'
	case '\n':
		return 'n'
	case '\r':
		return 'r'
	case '\t':
		return 't'
	case '\v':
		return 'v'
	case '\\':
		return '\\'
	}
	return 0
}

// escapeCopy escapes what was appended to dst from start on, in place. plain reports that it
// is ASCII without a zero byte; false says nothing.
func escapeCopy(dst []byte, start int) (_ []byte, plain bool) {
	n, plain := unescaped(dst[start:])
	first, extra := start+n, 0
	for _, c := range dst[first:] {
		if copyEscape(c) != 0 {
			extra++
		}
	}
	if extra == 0 {
		return dst, plain && first == len(dst)
	}
	return spread(dst, first, extra, func(c byte) (byte, byte) {
		if e := copyEscape(c); e != 0 {
			return '\\', e
		}
		return 0, c
	}), false
}

// unescaped returns a number of bytes at the start of b of which none needs an escape or is
// zero: all of them up to seven before the first that does. It looks at eight at a time.
// plain reports that these are ASCII.
func unescaped(b []byte) (n int, plain bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	all := uint64(0)
	for ; n+8 <= len(b); n += 8 {
		x := binary.LittleEndian.Uint64(b[n:])
		control := (x - ones*('\r'+1)) &^ x // the high bit is set in a byte below '\r'+1
		slash := x ^ ones*'\\'
		slash = (slash - ones) &^ slash // and here in one that is zero
		if (control|slash)&highs != 0 {
			break
		}
		all |= x
	}
	if n+8 <= len(b) {
		return n, all&highs == 0
	}
	for ; n < len(b) && b[n] != 0 && copyEscape(b[n]) == 0; n++ {
		all |= uint64(b[n])
	}
	return n, all&highs == 0
}

// spread makes room for extra bytes from first on and writes each byte as pair gives it, one
// byte or two, from the end so that nothing is overwritten before it was read.
func spread(dst []byte, first, extra int, pair func(byte) (before, c byte)) []byte {
	from := len(dst)
	for range extra {
		dst = append(dst, 0)
	}
	to := len(dst)
	for from > first {
		from--
		before, c := pair(dst[from])
		to--
		dst[to] = c
		if before != 0 {
			to--
			dst[to] = before
		}
	}
	return dst
}
