package values

// Sizes of hardware addresses (macaddr and macaddr8, utils/inet.h).
const (
	macaddrSize  = 6
	macaddr8Size = 8
)

// macaddrOut prints a MAC address (macaddr_out, utils/adt/mac.c).
func macaddrOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	return appendMAC(dst, t, v, macaddrSize)
}

// macaddr8Out prints a MAC address in EUI-64 format (macaddr8_out, utils/adt/mac8.c).
func macaddr8Out(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	return appendMAC(dst, t, v, macaddr8Size)
}

func appendMAC(dst []byte, t *Type, v []byte, size int) ([]byte, error) {
	if len(v) < size {
		return dst, shortValue(t, v, size)
	}
	for i, c := range v[:size] {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst, nil
}
