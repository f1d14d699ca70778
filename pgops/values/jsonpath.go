package values

import (
	"encoding/binary"
	"strconv"
)

// Header of a jsonpath (utils/jsonpath.h).
const (
	jsonpathVersion = 1          // JSONPATH_VERSION
	jsonpathLax     = 0x80000000 // JSONPATH_LAX
	jsonpathItems   = 4          // where the items start, after the header
)

// Kinds of items (JsonPathItemType, utils/jsonpath.h). They are on disk, so none changes.
const (
	jpiNull           = 0
	jpiString         = 1
	jpiNumeric        = 2
	jpiBool           = 3
	jpiAnd            = 4
	jpiOr             = 5
	jpiNot            = 6
	jpiIsUnknown      = 7
	jpiEqual          = 8
	jpiGreaterOrEqual = 13
	jpiAdd            = 14
	jpiSub            = 15
	jpiMul            = 16
	jpiMod            = 18
	jpiPlus           = 19
	jpiMinus          = 20
	jpiAnyArray       = 21
	jpiAnyKey         = 22
	jpiIndexArray     = 23
	jpiAny            = 24
	jpiKey            = 25
	jpiCurrent        = 26
	jpiRoot           = 27
	jpiVariable       = 28
	jpiFilter         = 29
	jpiExists         = 30
	jpiDatetime       = 37
	jpiLast           = 40
	jpiStartsWith     = 41
	jpiLikeRegex      = 42
	jpiDecimal        = 46 // from 43 on since 17
	jpiTime           = 50
	jpiTimestampTZ    = 53
)

// jsonpathWord returns what an item of a fixed text prints, or the word of an operator or
// method; nothing for the others.
func jsonpathWord(kind int) string {
	return [...]string{
		jpiNull: "null", jpiAnd: "&&", 5: "||", jpiEqual: "==", 9: "!=", 10: "<", 11: ">", 12: "<=", 13: ">=",
		jpiAdd: "+", jpiSub: "-", jpiMul: "*", 17: "/", jpiMod: "%", jpiPlus: "+", jpiMinus: "-",
		jpiAnyArray: "[*]", jpiAnyKey: "*", jpiCurrent: "@", jpiRoot: "$",
		31: ".type()", 32: ".size()", 33: ".abs()", 34: ".floor()", 35: ".ceiling()", 36: ".double()",
		jpiDatetime: ".datetime", 38: ".keyvalue()", jpiLast: "last", jpiStartsWith: "starts with",
		43: ".bigint()", 44: ".boolean()", 45: ".date()", jpiDecimal: ".decimal", 47: ".integer()", 48: ".number()", 49: ".string()",
		jpiTime: ".time", 51: ".time_tz", 52: ".timestamp", jpiTimestampTZ: ".timestamp_tz",
	}[kind]
}

// jsonpathPriority says how tight an item binds (operationPriority, utils/adt/jsonpath.c).
func jsonpathPriority(kind int) int {
	switch {
	case kind == jpiOr:
		return 0
	case kind == jpiAnd:
		return 1
	case kind >= jpiEqual && kind <= jpiGreaterOrEqual || kind == jpiStartsWith:
		return 2
	case kind == jpiAdd || kind == jpiSub:
		return 3
	case kind >= jpiMul && kind <= jpiMod:
		return 4
	case kind == jpiPlus || kind == jpiMinus:
		return 5
	}
	return 6
}

// jsonpathOut prints a jsonpath as jsonpath_out does (utils/adt/jsonpath.c).
func jsonpathOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	if len(v) < jsonpathItems {
		return dst, shortValue(t, v, jsonpathItems)
	}
	header := binary.LittleEndian.Uint32(v)
	if version := header &^ jsonpathLax; version != jsonpathVersion {
		return dst, badValue(t, "version %d, want %d", version, jsonpathVersion)
	}
	if header&jsonpathLax == 0 {
		dst = append(dst, "strict "...)
	}
	p := &jsonpathPrinter{t: t, env: env, b: v[jsonpathItems:], last: -1}
	p.dst = dst
	err := p.items(0, false, true, 0)
	return p.dst, err
}

// jsonpathPrinter prints the items of one jsonpath. Items lead to others by their distance.
// A server writes an item after those that lead to it, in the order in which they are
// printed; what leads back, or to an item that was printed already, is an error, so that
// the work is bounded by the length of the value.
type jsonpathPrinter struct {
	t    *Type
	env  *Env
	b    []byte
	last int // position of the item that was printed last
	dst  []byte
}

// jsonpathItem is the head of an item.
type jsonpathItem struct {
	kind int
	pos  int // of the item
	next int // distance of the item that is applied to its result, or 0
	body int // position of what follows the head
}

// item reads the head of the item at pos: its kind, and after padding its next.
func (p *jsonpathPrinter) item(pos int) (jsonpathItem, error) {
	if pos <= p.last || pos >= len(p.b) {
		return jsonpathItem{}, badValue(p.t, "an item at %d of %d bytes, after one at %d", pos, len(p.b), p.last)
	}
	it := jsonpathItem{kind: int(p.b[pos]), pos: pos, body: (pos+1+3)&^3 + 4}
	if it.kind > jpiTimestampTZ {
		return it, badValue(p.t, "an item of kind %d", it.kind)
	}
	next, err := p.number(it.body - 4)
	it.next = int(int32(next))
	return it, err
}

func (p *jsonpathPrinter) number(off int) (uint32, error) {
	if off < 0 || off > len(p.b)-4 {
		return 0, badValue(p.t, "a number at %d of %d bytes", off, len(p.b))
	}
	return binary.LittleEndian.Uint32(p.b[off:]), nil
}

// text returns the n bytes at off.
func (p *jsonpathPrinter) text(off int, n uint32) ([]byte, error) {
	if off > len(p.b) || int(n) > len(p.b)-off {
		return nil, badValue(p.t, "a string of %d bytes at %d of %d", n, off, len(p.b))
	}
	return p.b[off : off+int(n)], nil
}

// items prints the item at pos and those that are applied to it. inKey says that something
// precedes it, brackets that an operator gets parentheses.
func (p *jsonpathPrinter) items(pos int, inKey, brackets bool, depth int) error {
	if depth > maxNesting {
		return badValue(p.t, "more than %d items within each other", maxNesting)
	}
	for {
		it, err := p.item(pos)
		if err != nil {
			return err
		}
		p.last = it.pos
		if err := p.print(it, inKey, brackets, depth); err != nil {
			return err
		}
		if it.next == 0 {
			return nil
		}
		pos, inKey, brackets = it.pos+it.next, true, true
	}
}

// argument prints the item that the number at off leads to. within is the item that it is an
// operand of, which puts parentheses around what binds less; 0 if nothing does.
func (p *jsonpathPrinter) argument(it jsonpathItem, off, within, depth int) error {
	distance, err := p.number(off)
	if err != nil {
		return err
	}
	pos := it.pos + int(int32(distance))
	if pos < 0 || pos >= len(p.b) {
		return badValue(p.t, "an item at %d of %d bytes", pos, len(p.b))
	}
	brackets := within != 0 && jsonpathPriority(int(p.b[pos])) <= jsonpathPriority(within)
	return p.items(pos, false, brackets, depth+1)
}

func (p *jsonpathPrinter) add(s string) { p.dst = append(p.dst, s...) }

// bracketed prints by f between parentheses if they are wanted.
func (p *jsonpathPrinter) bracketed(wanted bool, f func() error) error {
	if !wanted {
		return f()
	}
	p.add("(")
	err := f()
	p.add(")")
	return err
}

// addNumber prints a number.
func (p *jsonpathPrinter) addNumber(n uint32) {
	p.dst = strconv.AppendUint(p.dst, uint64(n), 10)
}
