package unload

import "bytes"

const hexDigits = "0123456789abcdef"

// appendJSONString appends a JSON string as the server writes one (escape_json,
// utils/adt/json.c). Bytes that are not valid in the encoding are passed on.
func appendJSONString(dst []byte, s []byte) []byte {
	dst = append(dst, '"')
	for _, c := range s {
		switch c {
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '"', '\\':
			dst = append(dst, '\\', c)
		default:
			if c < ' ' {
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			} else {
				dst = append(dst, c)
			}
		}
	}
	return append(dst, '"')
}

// oneLine makes one line of the JSON text appended to dst from start on. A value of type
// json is printed as it was entered; a line end in it lies between its tokens, since JSON
// forbids it in strings, and a blank does the same there.
func oneLine(dst []byte, start int) {
	for _, end := range []byte{'\n', '\r'} {
		for at := start; ; {
			i := bytes.IndexByte(dst[at:], end)
			if i < 0 {
				break
			}
			at += i
			dst[at] = ' '
		}
	}
}

// appendHex appends bytes as bytea prints them: \x and two digits a byte.
func appendHex(dst, b []byte) []byte {
	dst = append(dst, '\\', 'x')
	for _, c := range b {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}
