package unload

// quoteCSV quotes what was appended to dst from start on, where COPY does
// (CopyAttributeOutCSV, commands/copyto.c): an empty string, which would read as null;
// delimiter, quote or line end in it; and \. as the only column. In quotes a quote is doubled.
func quoteCSV(dst []byte, start int, single bool) []byte {
	quotes, needs := 0, len(dst) == start
	for _, c := range dst[start:] {
		switch c {
		case '"':
			quotes++
			needs = true
		case ',', '\n', '\r':
			needs = true
		}
	}
	if !needs && !(single && string(dst[start:]) == `\.`) {
		return dst
	}
	dst = append(dst, 0)
	copy(dst[start+1:], dst[start:])
	dst[start] = '"'
	if quotes > 0 {
		dst = spread(dst, start+1, quotes, func(c byte) (byte, byte) {
			if c == '"' {
				return '"', '"'
			}
			return 0, c
		})
	}
	return append(dst, '"')
}
