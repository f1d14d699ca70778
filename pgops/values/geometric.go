package values

import (
	"encoding/binary"
)

// Sizes of the parts of geometric types (utils/geo_decls.h).
const (
	floatSize     = 8
	pointSize     = 2 * floatSize
	pathPoints    = 12              // offsetof(PATH, p) without the varlena header
	polygonPoints = 4 + 2*pointSize // offsetof(POLYGON, p) without the varlena header
)

// pointOut prints a point: (x,y) (point_out, utils/adt/geo_ops.c).
func pointOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < pointSize {
		return dst, shortValue(t, v, pointSize)
	}
	return appendPoint(dst, v), nil
}

// lsegOut prints a line segment: [(x,y),(x,y)] (lseg_out).
func lsegOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 2*pointSize {
		return dst, shortValue(t, v, 2*pointSize)
	}
	return append(appendPoints(append(dst, '['), v, 2), ']'), nil
}

// boxOut prints two corners: (x,y),(x,y) (box_out).
func boxOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 2*pointSize {
		return dst, shortValue(t, v, 2*pointSize)
	}
	return appendPoints(dst, v, 2), nil
}

// lineOut prints the numbers of Ax+By+C=0: {A,B,C} (line_out).
func lineOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 3*floatSize {
		return dst, shortValue(t, v, 3*floatSize)
	}
	dst = appendFloat8(append(dst, '{'), v)
	dst = appendFloat8(append(dst, ','), v[floatSize:])
	dst = appendFloat8(append(dst, ','), v[2*floatSize:])
	return append(dst, '}'), nil
}

// circleOut prints centre and radius: <(x,y),r> (circle_out).
func circleOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < pointSize+floatSize {
		return dst, shortValue(t, v, pointSize+floatSize)
	}
	dst = appendPoint(append(dst, '<'), v)
	dst = appendFloat8(append(dst, ','), v[pointSize:])
	return append(dst, '>'), nil
}

// pathOut prints a path, closed in parentheses, open in brackets (path_out). It is stored as
// the number of points, whether it is closed, 4 bytes of nothing, the points (PATH).
func pathOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < pathPoints {
		return dst, shortValue(t, v, pathPoints)
	}
	if binary.LittleEndian.Uint32(v[4:]) == 0 {
		return appendFigure(dst, t, v, pathPoints, '[', ']')
	}
	return appendFigure(dst, t, v, pathPoints, '(', ')')
}

// polygonOut prints a polygon (poly_out). It is stored as the number of points, the box
// around them, the points (POLYGON).
func polygonOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < polygonPoints {
		return dst, shortValue(t, v, polygonPoints)
	}
	return appendFigure(dst, t, v, polygonPoints, '(', ')')
}

// appendFigure prints as many points as the first 4 bytes say, which lie at v[off:].
func appendFigure(dst []byte, t *Type, v []byte, off int, open, closing byte) ([]byte, error) {
	n, points := binary.LittleEndian.Uint32(v), v[off:]
	if uint64(n)*pointSize != uint64(len(points)) {
		return dst, badValue(t, "%d points in %d bytes", n, len(points))
	}
	return append(appendPoints(append(dst, open), points, int(n)), closing), nil
}

func appendPoints(dst, v []byte, n int) []byte {
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPoint(dst, v[i*pointSize:])
	}
	return dst
}

func appendPoint(dst, v []byte) []byte {
	dst = appendFloat8(append(dst, '('), v)
	dst = appendFloat8(append(dst, ','), v[floatSize:])
	return append(dst, ')')
}
