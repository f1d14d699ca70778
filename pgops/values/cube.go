package values

import (
	"encoding/binary"
	"math"
)

// Bits of a cube's header (contrib/cube/cubedata.h).
const (
	cubePoint  = 0x80000000 // POINT_BIT: one corner is stored, the other is the same
	cubeDims   = 0x7FFFFFFF // DIM_MASK
	cubeMaxDim = 100        // CUBE_MAX_DIM
)

// cubeOut prints the corners of a cube, of a point one (cube_out, contrib/cube/cube.c).
func cubeOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	if len(v) < 4 {
		return dst, shortValue(t, v, 4)
	}
	header := binary.LittleEndian.Uint32(v)
	n := int(header & cubeDims)
	if n > cubeMaxDim {
		return dst, badValue(t, "%d dimensions, want at most %d", n, cubeMaxDim)
	}
	corner := 8 * n
	want := 4 + 2*corner
	if header&cubePoint != 0 {
		want = 4 + corner
	}
	if len(v) < want {
		return dst, shortValue(t, v, want)
	}
	dst, err := appendCorner(dst, t, v[4:4+corner], env)
	if err != nil || header&cubePoint != 0 {
		return dst, err
	}
	if sameCorner(v[4:4+corner], v[4+corner:want]) {
		return dst, nil
	}
	return appendCorner(append(dst, ','), t, v[4+corner:want], env)
}

// sameCorner compares numbers, not bytes: zeros of both signs are the same, NaN is none.
func sameCorner(a, b []byte) bool {
	for i := 0; i < len(a); i += 8 {
		x := math.Float64frombits(binary.LittleEndian.Uint64(a[i:]))
		if y := math.Float64frombits(binary.LittleEndian.Uint64(b[i:])); x != y {
			return false
		}
	}
	return true
}

// appendCorner prints the coordinates of a corner.
func appendCorner(dst []byte, t *Type, b []byte, env *Env) ([]byte, error) {
	dst = append(dst, '(')
	for i := 0; i < len(b); i += 8 {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		var err error
		if dst, err = float8Out(dst, t, b[i:i+8], env); err != nil {
			return dst, err
		}
	}
	return append(dst, ')'), nil
}
