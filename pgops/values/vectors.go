package values

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// vectorItems is where the numbers of an oidvector or int2vector start. Its header is that
// of an array of one dimension without nulls (oidvector and int2vector, c.h).
const vectorItems = 24 - varlenaHeaderSize

// vectorLen reads how many numbers of the given size a vector has.
func vectorLen(t *Type, v []byte, size int) (int, error) {
	if len(v) < vectorItems {
		return 0, shortValue(t, v, vectorItems)
	}
	le := binary.LittleEndian
	if ndim, data := le.Uint32(v), le.Uint32(v[4:]); ndim != 1 || data != 0 {
		return 0, badValue(t, "%d dimensions and data at %d, want 1 and 0", ndim, data)
	}
	n := int(int32(le.Uint32(v[12:])))
	if n < 0 || n > (len(v)-vectorItems)/size {
		return 0, badValue(t, "%d numbers in %d bytes", n, len(v))
	}
	return n, nil
}

// oidvectorOut prints numbers with blanks between (oidvectorout, utils/adt/oid.c).
func oidvectorOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	n, err := vectorLen(t, v, 4)
	if err != nil {
		return dst, err
	}
	for i := range n {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint32(v[vectorItems+4*i:])), 10)
	}
	return dst, nil
}

// int2vectorOut prints numbers with blanks between (int2vectorout, utils/adt/int.c).
func int2vectorOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	n, err := vectorLen(t, v, 2)
	if err != nil {
		return dst, err
	}
	for i := range n {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, int64(int16(binary.LittleEndian.Uint16(v[vectorItems+2*i:]))), 10)
	}
	return dst, nil
}

// jsonVector makes an array of what c prints: for row_to_json both vectors are arrays, one of
// strings, since an OID is no number to it, and one of numbers. quote goes around each.
func jsonVector(c codec, quote string) codec {
	return func(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
		text, err := c(nil, t, v, env)
		if err != nil {
			return dst, err
		}
		dst = append(dst, '[')
		for i, number := range bytes.Fields(text) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, quote...)
			dst = append(dst, number...)
			dst = append(dst, quote...)
		}
		return append(dst, ']'), nil
	}
}
