package values

import (
	"encoding/binary"
	"math"
	"strconv"
)

// pgvectorItems is where the numbers of a vector or halfvec start: after the number of
// dimensions and 2 bytes that are not used (Vector, vector.h of pgvector).
const pgvectorItems = 4

// vectorOut prints a vector of pgvector, numbers of 4 bytes, as [1,2.5].
func vectorOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	n, err := pgvectorLen(t, v, 4)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		off := pgvectorItems + 4*i
		if dst, err = float4Out(dst, t, v[off:off+4], env); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

// halfvecOut prints a halfvec of pgvector, numbers of 2 bytes (IEEE 754 binary16).
func halfvecOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	n, err := pgvectorLen(t, v, 2)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		f := halfFloat(binary.LittleEndian.Uint16(v[pgvectorItems+2*i:]))
		b := binary.LittleEndian.AppendUint32(nil, math.Float32bits(f))
		if dst, err = float4Out(dst, t, b, env); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func pgvectorLen(t *Type, v []byte, size int) (int, error) {
	if len(v) < pgvectorItems {
		return 0, shortValue(t, v, pgvectorItems)
	}
	n := int(binary.LittleEndian.Uint16(v))
	if want := pgvectorItems + size*n; len(v) != want {
		return 0, badValue(t, "%d bytes, want %d for %d dimensions", len(v), want, n)
	}
	return n, nil
}

// halfFloat widens a number of 16 bits: 1 of sign, 5 of exponent, 10 of fraction.
func halfFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&0x1F), uint32(h&0x3FF)
	switch {
	case exp == 0x1F:
		return math.Float32frombits(sign | 0xFF<<23 | frac<<13)
	case exp == 0: // no implicit bit
		f := float32(frac) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(f))
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}

// sparsevecOut prints a sparsevec of pgvector as {1:0.5,7:2}/10: the numbers that are not
// zero, counted from 1, and how many there are (SparseVector, sparsevec.h of pgvector).
func sparsevecOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	const indices = 12 // after dim, nnz and 4 bytes that are not used
	if len(v) < indices {
		return dst, shortValue(t, v, indices)
	}
	le := binary.LittleEndian
	n := int(le.Uint32(v[4:]))
	if n > len(v)/8 || len(v) != indices+8*n {
		return dst, badValue(t, "%d numbers in %d bytes", n, len(v))
	}
	dst = append(dst, '{')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(int32(le.Uint32(v[indices+4*i:])))+1, 10)
		dst = append(dst, ':')
		off := indices + 4*n + 4*i
		var err error
		if dst, err = float4Out(dst, t, v[off:off+4], env); err != nil {
			return dst, err
		}
	}
	dst = append(dst, "}/"...)
	return strconv.AppendInt(dst, int64(int32(le.Uint32(v))), 10), nil
}
