package unload

import (
	"encoding/binary"
	"slices"
)

// Constants of looking at eight bytes at a time.
const (
	wordOnes  = 0x0101010101010101
	wordHighs = 0x8080808080808080
)

// wordEscapes has a bit of wordHighs set if a byte of x is below '\r'+1 or a backslash:
// among these are all that COPY's text format escapes, and the zero byte.
func wordEscapes(x uint64) uint64 {
	slash := x ^ wordOnes*'\\'
	return ((x - wordOnes*('\r'+1)) | (slash - wordOnes)) &^ x & wordHighs
}

// appendCopyText appends text with the escapes of COPY's text format. ascii reports that it
// is; false says nothing. It declines text with a zero byte in it, of which dst then has a
// part.
func appendCopyText(dst, text []byte) (_ []byte, ascii, ok bool) {
	le := binary.LittleEndian
	n, at := len(text), len(dst)
	if n < 8 {
		return appendCopyBytes(dst, text)
	}
	out := slices.Grow(dst, n)[:at+n]
	all, i := uint64(0), 0
	for ; i+8 <= n; i += 8 {
		x := le.Uint64(text[i:])
		all |= x
		if wordEscapes(x) != 0 {
			return appendCopyEscaped(out[:at], text[i:])
		}
		le.PutUint64(out[at:], x)
		at += 8
	}
	if i < n { // the last eight again, with what is left
		x := le.Uint64(text[n-8:])
		all |= x
		if wordEscapes(x) != 0 {
			return appendCopyEscaped(out[:at], text[i:])
		}
		at += n - i
		le.PutUint64(out[at-8:], x)
	}
	return out[:at], all&wordHighs == 0, true
}

// appendCopyEscaped goes on from where there may be something to escape.
func appendCopyEscaped(dst, text []byte) (_ []byte, ascii, ok bool) {
	le := binary.LittleEndian
	for len(text) >= 8 {
		if x := le.Uint64(text); wordEscapes(x) == 0 {
			dst = append(dst, text[:8]...)
		} else if dst, _, ok = appendCopyBytes(dst, text[:8]); !ok {
			return dst, false, false
		}
		text = text[8:]
	}
	dst, _, ok = appendCopyBytes(dst, text)
	return dst, false, ok
}

// appendCopyBytes is for few bytes.
func appendCopyBytes(dst, text []byte) (_ []byte, ascii, ok bool) {
	all := byte(0)
	for _, c := range text {
		all |= c
		if c > '\r' && c != '\\' {
			dst = append(dst, c)
			continue
		}
		if c == 0 {
			return dst, false, false
		}
		if e := copyEscape(c); e != 0 {
			dst = append(dst, '\\', e)
		} else {
			dst = append(dst, c)
		}
	}
	return dst, all < 0x80, true
}

// twoDigits are the numbers from 00 to 99.
const twoDigits = "0001020304050607080910111213141516171819" +
	"2021222324252627282930313233343536373839" +
	"4041424344454647484950515253545556575859" +
	"6061626364656667686970717273747576777879" +
	"8081828384858687888990919293949596979899"

// appendInt appends a number in decimal.
func appendInt(dst []byte, n int64) []byte {
	u := uint64(n)
	if n < 0 {
		dst, u = append(dst, '-'), -u
	}
	if u < 10 {
		return append(dst, '0'+byte(u))
	}
	at := len(dst)
	i := at + digits(u)
	dst = slices.Grow(dst, 20)[:i]
	for u >= 100 {
		q := u / 100
		two := 2 * (u - 100*q)
		dst[i-1], dst[i-2] = twoDigits[two+1], twoDigits[two]
		u, i = q, i-2
	}
	if u >= 10 {
		dst[i-2] = twoDigits[2*u]
	}
	dst[i-1] = twoDigits[2*u+1]
	return dst
}

// digits is how many digits a number has, which is not 0.
func digits(u uint64) int {
	n := 0
	for ; u >= 1e8; u /= 1e8 {
		n += 8
	}
	switch {
	case u >= 1e7:
		return n + 8
	case u >= 1e6:
		return n + 7
	case u >= 1e5:
		return n + 6
	case u >= 1e4:
		return n + 5
	case u >= 1e3:
		return n + 4
	case u >= 1e2:
		return n + 3
	case u >= 10:
		return n + 2
	}
	return n + 1
}
