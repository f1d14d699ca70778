package values

import (
	"encoding/binary"
	"fmt"
)

// Flags of a jsonb container (utils/jsonb.h).
const (
	jsonbCount  = 0x0FFFFFFF // JB_CMASK: elements, or pairs
	jsonbScalar = 0x10000000 // JB_FSCALAR: an array of one that stands for its element
	jsonbObject = 0x20000000 // JB_FOBJECT
	jsonbArray  = 0x40000000 // JB_FARRAY
)

// Parts of a jsonb entry (utils/jsonb.h).
const (
	jentryOffLen    = 0x0FFFFFFF // JENTRY_OFFLENMASK
	jentryType      = 0x70000000 // JENTRY_TYPEMASK
	jentryHasOff    = 0x80000000 // JENTRY_HAS_OFF: an offset of the end, not a length
	jentryString    = 0x00000000 // JENTRY_ISSTRING
	jentryNumeric   = 0x10000000 // JENTRY_ISNUMERIC
	jentryFalse     = 0x20000000 // JENTRY_ISBOOL_FALSE
	jentryTrue      = 0x30000000 // JENTRY_ISBOOL_TRUE
	jentryNull      = 0x40000000 // JENTRY_ISNULL
	jentryContainer = 0x50000000 // JENTRY_ISCONTAINER
)

// jsonbOut prints a jsonb as jsonb_out does (utils/adt/jsonb.c), keys in the order in which
// they are stored.
func jsonbOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	if len(v) < 4 {
		return dst, shortValue(t, v, 4)
	}
	p := jsonbPrinter{t: t, env: env, limit: len(dst) + maxText}
	if header := binary.LittleEndian.Uint32(v); header&jsonbScalar != 0 && header&(jsonbCount|jsonbArray) != jsonbArray|1 {
		return dst, badValue(t, "a scalar with header %08X", header)
	}
	return p.container(dst, v, 0)
}

// jsonbPrinter prints the parts of a jsonb.
type jsonbPrinter struct {
	t     *Type
	env   *Env
	limit int // length of dst that must not be passed: a number of 2 bytes can print 130000
}

// jsonbChildren steps through the children of a container.
type jsonbChildren struct {
	entries []byte // 4 bytes each
	data    []byte
	end     int // where the child before ended
}

// next returns the type and the bytes of child i; children must be taken in order. They
// never overlap, so reading all of them takes no longer than the value is long.
func (c *jsonbChildren) next(i int) (kind uint32, b []byte, off int, err error) {
	e := binary.LittleEndian.Uint32(c.entries[4*i:])
	off = c.end
	end := int(e & jentryOffLen)
	if e&jentryHasOff == 0 {
		end += off
	}
	if end < off || end > len(c.data) {
		return 0, nil, 0, fmt.Errorf("child %d of a jsonb container takes %d to %d of %d bytes", i, off, end, len(c.data))
	}
	c.end = end
	return e & jentryType, c.data[off:end], off, nil
}

// container prints an array or object, or the scalar that an array of one stands for.
func (p jsonbPrinter) container(dst, b []byte, depth int) ([]byte, error) {
	if depth > maxNesting {
		return dst, badValue(p.t, "more than %d containers within each other", maxNesting)
	}
	if len(b) < 4 {
		return dst, badValue(p.t, "a container of %d bytes", len(b))
	}
	header := binary.LittleEndian.Uint32(b)
	n := int(header & jsonbCount)
	object := header&jsonbObject != 0
	if object == (header&jsonbArray != 0) {
		return dst, badValue(p.t, "a container with header %08X is neither array nor object", header)
	}
	entries := n
	if object {
		entries = 2 * n
	}
	if entries > (len(b)-4)/4 {
		return dst, badValue(p.t, "%d children in a container of %d bytes", entries, len(b))
	}
	children := &jsonbChildren{entries: b[4 : 4+4*entries], data: b[4+4*entries:]}
	if object {
		return p.object(dst, children, n, depth)
	}
	return p.array(dst, children, n, header&jsonbScalar != 0, depth)
}

func (p jsonbPrinter) array(dst []byte, children *jsonbChildren, n int, scalar bool, depth int) ([]byte, error) {
	if !scalar {
		dst = append(dst, '[')
	}
	for i := range n {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		kind, b, off, err := children.next(i)
		if err != nil {
			return dst, badCause(p.t, err, "read an array")
		}
		if dst, err = p.child(dst, kind, b, off, depth); err != nil {
			return dst, err
		}
	}
	if !scalar {
		dst = append(dst, ']')
	}
	return dst, nil
}

// object prints pairs. All keys are stored before all values.
func (p jsonbPrinter) object(dst []byte, keys *jsonbChildren, n int, depth int) ([]byte, error) {
	values := *keys
	for i := range n {
		if _, _, _, err := values.next(i); err != nil {
			return dst, badCause(p.t, err, "read the keys of an object")
		}
	}
	dst = append(dst, '{')
	for i := range n {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		kind, key, _, err := keys.next(i)
		if err != nil {
			return dst, badCause(p.t, err, "read a key of an object")
		}
		if kind != jentryString {
			return dst, badValue(p.t, "a key of type %08X", kind)
		}
		dst = appendJSONString(dst, key)
		dst = append(dst, ": "...)
		kind, b, off, err := values.next(n + i)
		if err != nil {
			return dst, badCause(p.t, err, "read a value of an object")
		}
		if dst, err = p.child(dst, kind, b, off, depth); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// child prints an element or a value. Numbers and containers are aligned to 4 bytes from the
// start of the data of the container that they lie in; the padding is part of them.
func (p jsonbPrinter) child(dst []byte, kind uint32, b []byte, off, depth int) ([]byte, error) {
	if len(dst) > p.limit {
		return dst, badValue(p.t, "more than %d bytes of text", maxText)
	}
	switch kind {
	case jentryString:
		return appendJSONString(dst, b), nil
	case jentryFalse:
		return append(dst, "false"...), nil
	case jentryTrue:
		return append(dst, "true"...), nil
	case jentryNull:
		return append(dst, "null"...), nil
	case jentryNumeric, jentryContainer:
		pad := -off & 3
		if pad > len(b) {
			return dst, badValue(p.t, "a child of %d bytes, %d of them padding", len(b), pad)
		}
		if kind == jentryContainer {
			return p.container(dst, b[pad:], depth+1)
		}
		return appendNumeric(dst, p.t, b[pad:], p.env)
	}
	return dst, badValue(p.t, "a child of type %08X", kind)
}

// appendNumeric prints a numeric with its header, as it lies in a jsonb or jsonpath.
func appendNumeric(dst []byte, t *Type, stored []byte, env *Env) ([]byte, error) {
	start, end, err := NextValue(stored, 0, -1, 'c')
	if err != nil {
		return dst, badCause(t, err, "read a number")
	}
	v, _, err := payload(&Type{Name: "numeric", Len: -1}, stored[start:end], env, nil)
	if err != nil {
		return dst, err
	}
	return numericOut(dst, t, v, env)
}
