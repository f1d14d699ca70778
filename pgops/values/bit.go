package values

import "encoding/binary"

// bitOut prints a bit string, which starts with the number of its bits; the first is the
// highest of its byte (bit_out and varbit_out, utils/adt/varbit.c).
func bitOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 4 {
		return dst, shortValue(t, v, 4)
	}
	n, bits := int64(int32(binary.LittleEndian.Uint32(v))), v[4:]
	if n < 0 || n > 8*int64(len(bits)) {
		return dst, badValue(t, "%d bits in %d bytes", n, len(bits))
	}
	for i := range int(n) {
		dst = append(dst, '0'+bits[i/8]>>(7-i%8)&1)
	}
	return dst, nil
}
