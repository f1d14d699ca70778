package values

import (
	"encoding/binary"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Limits of arrays (utils/array.h).
const (
	maxArrayDims  = 6                 // MAXDIM
	maxArrayItems = 1 << 30 / 8       // MaxArraySize: MaxAllocSize / sizeof(Datum)
	arrayDims     = 16                // where the dimensions start: sizeof(ArrayType)
	vlHeader      = varlenaHeaderSize // offsets on disk count it, a payload lacks it
)

// varlenaHeaderSize is the 4-byte header that a payload was freed of.
const varlenaHeaderSize = pgdisk.VarlenaHeaderSize

// arrayValue is an array taken apart (ArrayType, utils/array.h).
type arrayValue struct {
	elem   *Type
	dims   []int // length of each dimension
	lower  []int // lower bound of each dimension
	items  int
	nulls  []byte // a bit per item, 0 for null; nil if none is null
	data   []byte // the items that are not null, the first aligned to 8 bytes
	offset int    // where in data the next item starts
}

// decodeArray reads the header of an array. No dimension has more items than the array has
// bytes or bits in its bitmap, so what is built from it is bounded by len(v).
func decodeArray(t *Type, v []byte, env *Env) (*arrayValue, error) {
	if len(v) < arrayDims-vlHeader {
		return nil, shortValue(t, v, arrayDims-vlHeader)
	}
	le := binary.LittleEndian
	ndim, dataOffset := int(int32(le.Uint32(v))), int(int32(le.Uint32(v[4:])))
	if ndim < 0 || ndim > maxArrayDims {
		return nil, badValue(t, "%d dimensions, want 0 to %d", ndim, maxArrayDims)
	}
	head := arrayDims + 8*ndim // ARR_OVERHEAD_NONULLS before alignment
	if len(v) < head-vlHeader {
		return nil, shortValue(t, v, head-vlHeader)
	}
	elem, err := arrayElem(t, pgdisk.OID(le.Uint32(v[8:])), env)
	if err != nil {
		return nil, err
	}
	a := &arrayValue{elem: elem, dims: make([]int, ndim), lower: make([]int, ndim)}
	if err := a.dimensions(t, v[arrayDims-vlHeader:]); err != nil {
		return nil, err
	}
	start := head // a multiple of 8 without the bitmap
	if dataOffset != 0 {
		start = dataOffset
		if a.items > 8*len(v) || start < (head+(a.items+7)/8+7)&^7 || start&7 != 0 {
			return nil, badValue(t, "data at %d, want it after the null bitmap of %d elements", start, a.items)
		}
		a.nulls = v[head-vlHeader:]
	}
	if a.items > 0 && (start-vlHeader > len(v) || a.nulls == nil && a.items > len(v)) {
		return nil, badValue(t, "%d bytes do not hold %d elements", len(v), a.items)
	}
	if a.items > 0 {
		a.data = v[start-vlHeader:]
	}
	return a, nil
}

// dimensions reads lengths and lower bounds and counts the items (ArrayGetNItems).
func (a *arrayValue) dimensions(t *Type, b []byte) error {
	le := binary.LittleEndian
	n := len(a.dims)
	if n > 0 {
		a.items = 1
	}
	for i := range a.dims {
		a.dims[i] = int(int32(le.Uint32(b[4*i:])))
		a.lower[i] = int(int32(le.Uint32(b[4*(n+i):])))
		if a.dims[i] < 0 {
			return badValue(t, "dimension %d has length %d", i+1, a.dims[i])
		}
		if a.items *= a.dims[i]; a.items > maxArrayItems {
			return badValue(t, "more than %d elements", maxArrayItems)
		}
	}
	return nil
}

// arrayElem finds the type of the elements. What counts is the one that the array names,
// as for the server; a column of type anyarray has no other.
func arrayElem(t *Type, oid pgdisk.OID, env *Env) (*Type, error) {
	elem := baseOf(t).Elem
	if elem != nil && elem.OID == oid {
		return elem, nil
	}
	if env.Lookup != nil {
		if found, ok := env.Lookup(oid); ok {
			return found, nil
		}
	}
	if elem != nil {
		return nil, badValue(t, "it says its elements are of the type with OID %d, not %s", oid, typeName(elem))
	}
	return nil, badValue(t, "its elements are of the type with OID %d, which is not known", oid)
}

// next returns item k, which must be called for in order; nil is null.
func (a *arrayValue) next(k int) ([]byte, error) {
	if a.nulls != nil && a.nulls[k/8]&(1<<(k%8)) == 0 {
		return nil, nil
	}
	start, end, err := NextValue(a.data, a.offset, a.elem.Len, a.elem.Align)
	if err != nil {
		return nil, err
	}
	a.offset = end
	return a.data[start:end:end], nil
}

// arrayOut prints an array as array_out does (utils/adt/arrayfuncs.c).
func arrayOut(dst []byte, t *Type, v []byte, env *Env, depth int) ([]byte, error) {
	a, err := decodeArray(t, v, env)
	if err != nil {
		return dst, err
	}
	if a.items == 0 {
		return append(dst, "{}"...), nil
	}
	p := newNested(a.elem, env, depth, false)
	w := arrayWriter{open: '{', close: '}', delim: a.elem.Delim}
	if w.delim == 0 {
		w.delim = ','
	}
	dst = a.appendBounds(dst)
	return a.walk(dst, t, w, func(dst []byte, item []byte) ([]byte, error) {
		if item == nil {
			return append(dst, "NULL"...), nil
		}
		start := len(dst)
		dst, err := p.append(dst, item)
		if err != nil {
			return dst, err
		}
		return quoteArrayItem(dst, start, w.delim), nil
	})
}

// arrayJSON prints an array as array_to_json does: lower bounds are lost (utils/adt/json.c).
func arrayJSON(dst []byte, t *Type, v []byte, env *Env, depth int) ([]byte, error) {
	a, err := decodeArray(t, v, env)
	if err != nil {
		return dst, err
	}
	if a.items == 0 {
		return append(dst, "[]"...), nil
	}
	p := newNested(a.elem, env, depth, true)
	return a.walk(dst, t, arrayWriter{'[', ']', ','}, func(dst []byte, item []byte) ([]byte, error) {
		if item == nil {
			return append(dst, "null"...), nil
		}
		return p.append(dst, item)
	})
}

// appendBounds prints the dimensions, which array_out does if a lower bound is not 1.
func (a *arrayValue) appendBounds(dst []byte) []byte {
	plain := true
	for _, l := range a.lower {
		plain = plain && l == 1
	}
	if plain {
		return dst
	}
	for i, l := range a.lower {
		dst = append(dst, '[')
		dst = strconv.AppendInt(dst, int64(l), 10)
		dst = append(dst, ':')
		dst = strconv.AppendInt(dst, int64(int32(l+a.dims[i]-1)), 10)
		dst = append(dst, ']')
	}
	return append(dst, '=')
}

// arrayWriter holds what brackets the dimensions and what separates the items.
type arrayWriter struct{ open, close, delim byte }

// walk prints all items by each, row by row, with brackets around every dimension.
func (a *arrayValue) walk(dst []byte, t *Type, w arrayWriter, each func(dst, item []byte) ([]byte, error)) ([]byte, error) {
	index := make([]int, len(a.dims))
	opened := 0 // dimensions that are open
	for k := range a.items {
		if k > 0 {
			dst = append(dst, w.delim)
		}
		for ; opened < len(a.dims); opened++ {
			dst = append(dst, w.open)
		}
		item, err := a.next(k)
		if err != nil {
			return dst, badCause(t, err, "find element "+strconv.Itoa(k+1))
		}
		if dst, err = each(dst, item); err != nil {
			return dst, err
		}
		for i := len(a.dims) - 1; i >= 0; i-- {
			if index[i]++; index[i] < a.dims[i] {
				break
			}
			index[i] = 0
			dst = append(dst, w.close)
			opened--
		}
	}
	return dst, nil
}

// quoteArrayItem puts dst[start:] into quotes where array_in would take it for something else.
func quoteArrayItem(dst []byte, start int, delim byte) []byte {
	s := dst[start:]
	need := len(s) == 0 || len(s) == 4 && (s[0]|0x20) == 'n' && (s[1]|0x20) == 'u' && (s[2]|0x20) == 'l' && (s[3]|0x20) == 'l'
	for _, c := range s {
		if c == '"' || c == '\\' || c == '{' || c == '}' || c == delim || isSpace(c) {
			need = true
			break
		}
	}
	if !need {
		return dst
	}
	return quoteWith(dst, start, '\\')
}

// isSpace tells what the scanners of arrays, records and ranges take for a blank
// (scanner_isspace, parser/scansup.c; isspace in the C locale).
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// quoteWith puts dst[start:] into double quotes in place. Quotes and backslashes in it are
// escaped by escape, or doubled if that is 0.
func quoteWith(dst []byte, start int, escape byte) []byte {
	extra := 2
	for _, c := range dst[start:] {
		if c == '"' || c == '\\' {
			extra++
		}
	}
	from := len(dst) - 1
	for range extra {
		dst = append(dst, 0)
	}
	to := len(dst) - 1
	dst[to] = '"'
	for to--; from >= start; from-- {
		c := dst[from]
		dst[to] = c
		to--
		if c == '"' || c == '\\' {
			dst[to] = c
			if escape != 0 {
				dst[to] = escape
			}
			to--
		}
	}
	dst[start] = '"'
	return dst
}
