package values

import (
	"encoding/binary"
	"encoding/hex"
)

// Flags of a geometry (GSERIALIZED, liblwgeom of PostGIS; format 2 since 3.0).
const (
	gisZ        = 0x01 // third coordinate
	gisM        = 0x02 // measure
	gisBox      = 0x04 // a bounding box of floats precedes the shape
	gisGeodetic = 0x08 // a geography: its box has three dimensions
	gisExtended = 0x10 // in format 2: 8 more bytes of flags precede the box
	gisFormat2  = 0x40
	gisShape    = 4 // where the shape, or what precedes it, starts
	gisMaxDepth = 200
)

// Kinds of shapes, as they are stored, and what well-known binary calls the last two.
const (
	gisPoint      = 1
	gisLine       = 2
	gisPolygon    = 3
	gisCollection = 7
	gisCircular   = 8
	gisPolyhedral = 13
	gisTriangle   = 14
	gisTIN        = 15
)

// Flags of the type in extended well-known binary.
const (
	ewkbZ    = 0x80000000
	ewkbM    = 0x40000000
	ewkbSRID = 0x20000000
)

// geometryOut prints a geometry or geography of PostGIS as extended well-known binary, little
// endian, in upper-case hex digits.
func geometryOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < gisShape {
		return dst, shortValue(t, v, gisShape)
	}
	flags := v[3]
	// The number of the reference system has 21 bits and a sign, the highest byte first.
	srid := int32(uint32(v[0])<<27|uint32(v[1])<<19|uint32(v[2])<<11) >> 11
	w := &ewkbWriter{t: t, b: v, off: gisShape, dims: 2 + int(flags&gisZ) + int(flags&gisM>>1)}
	if flags&gisZ != 0 {
		w.flags |= ewkbZ
	}
	if flags&gisM != 0 {
		w.flags |= ewkbM
	}
	if flags&gisFormat2 != 0 && flags&gisExtended != 0 {
		w.off += 8
	}
	if flags&gisGeodetic != 0 {
		w.off += int(flags&gisBox>>2) * 4 * 6
	} else {
		w.off += int(flags&gisBox>>2) * 4 * 2 * w.dims
	}
	if err := w.shape(srid, 0); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = hex.AppendEncode(dst, w.out)
	for i := start; i < len(dst); i++ {
		if dst[i] >= 'a' {
			dst[i] -= 'a' - 'A'
		}
	}
	return dst, nil
}

// ewkbWriter turns one geometry into extended well-known binary.
type ewkbWriter struct {
	t     *Type
	b     []byte
	off   int    // where in b to read on
	dims  int    // coordinates of a point
	flags uint32 // of the type
	out   []byte
}

// number reads 4 bytes.
func (w *ewkbWriter) number() (uint32, error) {
	if w.off > len(w.b)-4 {
		return 0, shortValue(w.t, w.b, w.off+4)
	}
	n := binary.LittleEndian.Uint32(w.b[w.off:])
	w.off += 4
	return n, nil
}

// points copies the coordinates of n points.
func (w *ewkbWriter) points(n uint32) error {
	size := int64(n) * int64(w.dims) * 8
	if size > int64(len(w.b)-w.off) {
		return badValue(w.t, "%d points in the %d bytes that are left", n, len(w.b)-w.off)
	}
	w.out = append(w.out, w.b[w.off:w.off+int(size)]...)
	w.off += int(size)
	return nil
}

// shape writes the shape that is read next. Only the outermost names its reference system.
func (w *ewkbWriter) shape(srid int32, depth int) error {
	if depth > gisMaxDepth {
		return badValue(w.t, "more than %d collections within each other", gisMaxDepth)
	}
	kind, err := w.number()
	if err != nil {
		return err
	}
	n, err := w.number()
	if err != nil {
		return err
	}
	w.head(kind, srid)
	le := binary.LittleEndian
	switch {
	case kind == gisPoint && n == 0:
		for range w.dims {
			w.out = le.AppendUint64(w.out, 0x7FF8000000000000) // NaN: there is no count to be 0
		}
		return nil
	case kind == gisPoint && n == 1:
		return w.points(n)
	case kind == gisLine || kind == gisCircular:
		w.out = le.AppendUint32(w.out, n)
		return w.points(n)
	case kind == gisTriangle:
		if n == 0 {
			w.out = le.AppendUint32(w.out, 0)
			return nil
		}
		w.out = le.AppendUint32(le.AppendUint32(w.out, 1), n) // one ring
		return w.points(n)
	case kind == gisPolygon:
		return w.polygon(n)
	case kind > gisPolygon && kind <= gisCollection || kind > gisCircular && kind <= gisPolyhedral || kind == gisTIN:
		return w.collection(n, depth)
	}
	return badValue(w.t, "a shape of kind %d with %d parts", kind, n)
}

// head writes byte order, type and reference system.
func (w *ewkbWriter) head(kind uint32, srid int32) {
	le := binary.LittleEndian
	switch kind { // WKB_POLYHEDRALSURFACE_TYPE, WKB_TIN_TYPE, WKB_TRIANGLE_TYPE
	case gisPolyhedral:
		kind = 15
	case gisTIN:
		kind = 16
	case gisTriangle:
		kind = 17
	}
	flags := w.flags
	if srid != 0 {
		flags |= ewkbSRID
	}
	w.out = le.AppendUint32(append(w.out, 1), kind|flags)
	if srid != 0 {
		w.out = le.AppendUint32(w.out, uint32(srid))
	}
}

// polygon writes rings. The numbers of their points come first, padded to 8 bytes.
func (w *ewkbWriter) polygon(rings uint32) error {
	if int64(rings) > int64(len(w.b)-w.off)/4 {
		return badValue(w.t, "%d rings in the %d bytes that are left", rings, len(w.b)-w.off)
	}
	le := binary.LittleEndian
	counts := w.b[w.off:]
	w.off += (4*int(rings) + 7) &^ 7
	w.out = le.AppendUint32(w.out, rings)
	for i := range int(rings) {
		n := le.Uint32(counts[4*i:])
		w.out = le.AppendUint32(w.out, n)
		if w.off > len(w.b) {
			return shortValue(w.t, w.b, w.off)
		}
		if err := w.points(n); err != nil {
			return err
		}
	}
	return nil
}

// collection writes shapes, each of at least 8 bytes.
func (w *ewkbWriter) collection(shapes uint32, depth int) error {
	if int64(shapes) > int64(len(w.b)-w.off)/8 {
		return badValue(w.t, "%d shapes in the %d bytes that are left", shapes, len(w.b)-w.off)
	}
	w.out = binary.LittleEndian.AppendUint32(w.out, shapes)
	for range shapes {
		if err := w.shape(0, depth+1); err != nil {
			return err
		}
	}
	return nil
}
