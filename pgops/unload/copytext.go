package unload

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

// escapeCopy escapes what was appended to dst from start on, in place.
func escapeCopy(dst []byte, start int) []byte {
	first, extra := -1, 0
	for i, c := range dst[start:] {
		if c <= '\r' && copyEscape(c) != 0 || c == '\\' {
			if extra++; first < 0 {
				first = start + i
			}
		}
	}
	if extra == 0 {
		return dst
	}
	return spread(dst, first, extra, func(c byte) (byte, byte) {
		if e := copyEscape(c); e != 0 {
			return '\\', e
		}
		return 0, c
	})
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
