package values

// maxNesting bounds how deep values may lie in values. A server with max_stack_depth at its
// default of 2 MB stores jsonb of some 15000 levels, at the most that Linux gives it usually
// some 60000. Go's stack holds this many.
const maxNesting = 100000

// maxText bounds what a value prints: a server cannot make more (MaxAllocSize, utils/memutils.h).
// Every level of quotes can double it.
const maxText = 1<<30 - 1

// nestedCodec is a codec of a value that holds values; depth counts those it lies in.
type nestedCodec func(dst []byte, t *Type, v []byte, env *Env, depth int) ([]byte, error)

// compoundCodec returns the codec of the output function of a type that holds other values,
// of one that is not plain data, or of one that an extension brings; false if the function
// is not known here.
func compoundCodec(output string) (codec, bool) {
	if c := nestedText(output); c != nil {
		return outermost(c), true
	}
	switch output {
	case "enum_out", "anyenum_out":
		return enumOut, true
	case "jsonb_out":
		return jsonbOut, true
	case "jsonpath_out":
		return jsonpathOut, true
	case "tsvectorout":
		return tsvectorOut, true
	case "tsqueryout":
		return tsqueryOut, true
	case "gtsvectorout":
		return gtsvectorOut, true
	case "pg_snapshot_out", "txid_snapshot_out":
		return snapshotOut, true
	case "aclitemout":
		return aclitemOut, true
	case "oidvectorout":
		return oidvectorOut, true
	case "int2vectorout":
		return int2vectorOut, true
	case "pg_ndistinct_out":
		return ndistinctOut, true
	case "pg_dependencies_out":
		return dependenciesOut, true
	}
	if kind, ok := regKind(output); ok {
		return regOut(kind), true
	}
	c := extensionCodec(output)
	return c, c != nil
}

// compoundJSON returns the codec that prints a value of t the way row_to_json does; false if
// that is the text of the value, as a JSON string.
func compoundJSON(t *Type) (codec, bool) {
	if c := nestedJSON(outputOf(t)); c != nil {
		return outermost(c), true
	}
	switch outputOf(t) {
	case "oidvectorout":
		return jsonVector(oidvectorOut, `"`), true
	case "int2vectorout":
		return jsonVector(int2vectorOut, ""), true
	case "hstore_out":
		return hstoreJSON, true
	}
	return nil, false
}

// outermost makes a codec of one for nested values.
func outermost(c nestedCodec) codec {
	return func(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) { return c(dst, t, v, env, 0) }
}

// nestedText returns the codec of an output function of values that hold values of any type,
// else nil.
func nestedText(output string) nestedCodec {
	switch output {
	case "array_out", "anyarray_out", "anycompatiblearray_out":
		return arrayOut
	case "record_out":
		return recordOut
	case "range_out", "anyrange_out":
		return rangeOut
	case "multirange_out", "anymultirange_out":
		return multirangeOut
	}
	return nil
}

// nestedJSON is nestedText for JSON. Ranges are not taken apart.
func nestedJSON(output string) nestedCodec {
	switch output {
	case "array_out", "anyarray_out", "anycompatiblearray_out":
		return arrayJSON
	case "record_out":
		return recordJSON
	}
	return nil
}

// nested prints the values of one type that lie in a value.
type nested struct {
	t     *Type
	env   *Env
	depth int
	inner nestedCodec // of a type that holds values itself, or
	leaf  codec
}

// newNested returns what prints values of type t within a value at depth, as text or as JSON.
func newNested(t *Type, env *Env, depth int, asJSON bool) nested {
	p := nested{t: t, env: env, depth: depth + 1}
	base := baseOf(t)
	if asJSON {
		if p.inner = nestedJSON(outputOf(base)); p.inner == nil {
			p.leaf = jsonCodecOf(t)
		}
	} else if p.inner = nestedText(outputOf(base)); p.inner == nil {
		p.leaf = codecOf(t)
	}
	return p
}

// append appends the text of a value as it is stored, header and all.
func (p nested) append(dst, stored []byte) ([]byte, error) {
	if p.depth > maxNesting {
		return dst, badValue(p.t, "more than %d values within each other", maxNesting)
	}
	v, _, err := payload(p.t, stored, p.env, nil)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	if p.inner != nil {
		dst, err = p.inner(dst, p.t, v, p.env, p.depth)
	} else {
		dst, err = p.leaf(dst, p.t, v, p.env)
	}
	if err == nil && len(dst)-start > maxText {
		return dst, badValue(p.t, "more than %d bytes of text", maxText)
	}
	return dst, err
}
