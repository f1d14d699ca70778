package values

import "encoding/binary"

// Families of addresses (PGSQL_AF_INET, PGSQL_AF_INET6; utils/inet.h).
const (
	inetV4 = 2
	inetV6 = 3
)

// inetOut prints a host address, with the length of its mask if that is not all of it
// (inet_out, utils/adt/network.c).
func inetOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	return appendInet(dst, t, v, false)
}

// cidrOut prints a network, always with the length of its mask (cidr_out).
func cidrOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	return appendInet(dst, t, v, true)
}

// appendInet reads the family, the bits of the mask and the address (inet_struct, utils/inet.h).
func appendInet(dst []byte, t *Type, v []byte, mask bool) ([]byte, error) {
	if len(v) < 2 {
		return dst, shortValue(t, v, 2)
	}
	family, bits, addr := v[0], int(v[1]), v[2:]
	size := 16
	if family == inetV4 {
		size = 4
	}
	switch {
	case family != inetV4 && family != inetV6:
		return dst, badValue(t, "address family %d, want 2 or 3", family)
	case len(addr) != size || bits > 8*size:
		return dst, badValue(t, "%d bits in an address of %d bytes, want %d", bits, len(addr), size)
	case family == inetV4:
		dst = appendIPv4(dst, addr)
	default:
		dst = appendIPv6(dst, addr)
	}
	if mask || bits < 8*size {
		dst = append(dst, '/')
		dst = appendUint(dst, uint64(bits))
	}
	return dst, nil
}

func appendIPv4(dst, addr []byte) []byte {
	for i, c := range addr[:4] {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = appendUint(dst, uint64(c))
	}
	return dst
}

// appendIPv6 prints eight words, the longest run of two or more zeros as ::, and an address
// that holds one of version 4 with that at its end (inet_net_ntop_ipv6, port/inet_net_ntop.c).
func appendIPv6(dst, addr []byte) []byte {
	var words [8]uint16
	for i := range words {
		words[i] = binary.BigEndian.Uint16(addr[2*i:])
	}
	base, n := longestZeros(words)
	holdsV4 := base == 0 && (n == 6 || n == 5 && words[5] == 0xFFFF)
	for i, w := range words {
		switch {
		case i >= base && i < base+n:
			if i == base {
				dst = append(dst, ':')
			}
			continue
		case i > 0:
			dst = append(dst, ':')
		}
		if i == 6 && holdsV4 {
			return appendIPv4(dst, addr[12:])
		}
		dst = appendHexWord(dst, w)
	}
	if n > 0 && base+n == len(words) {
		dst = append(dst, ':')
	}
	return dst
}

// longestZeros finds the first of the longest runs of two or more zeros; n is 0 if there is none.
func longestZeros(words [8]uint16) (base, n int) {
	for i := 0; i < len(words); i++ {
		run := 0
		for i+run < len(words) && words[i+run] == 0 {
			run++
		}
		if run > n && run > 1 {
			base, n = i, run
		}
		i += run
	}
	return base, n
}

// appendHexWord prints without zeros in front.
func appendHexWord(dst []byte, w uint16) []byte {
	for shift := 12; shift > 0; shift -= 4 {
		if w>>shift != 0 {
			dst = append(dst, hexDigits[w>>shift&15])
		}
	}
	return append(dst, hexDigits[w&15])
}
