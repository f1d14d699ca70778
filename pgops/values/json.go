package values

import "slices"

// NewJSON returns the Printer of what row_to_json makes of a value, byte for byte: numbers
// and booleans bare, dates and timestamps in ISO 8601, json and jsonb as they are, arrays and
// composites taken apart, everything else its text as a JSON string
// (json_categorize_type, utils/adt/jsonfuncs.c; datum_to_json_internal, utils/adt/json.c).
func NewJSON(t *Type, env *Env) Printer {
	if t == nil {
		return newPrinter(&Type{}, unreadable, env)
	}
	return newPrinter(t, jsonCodecOf(t), env)
}

// jsonCodecOf returns the codec that prints a value as JSON.
func jsonCodecOf(t *Type) codec {
	base := baseOf(t)
	if c, ok := compoundJSON(base); ok {
		return c
	}
	c := codecOf(base)
	if base.OID < firstNormalOID { // what an extension prints is a string, whatever it reuses
		switch outputOf(base) {
		case "int2out", "int4out", "int8out", "float4out", "float8out", "numeric_out":
			return jsonNumber(c)
		case "json_out", "jsonb_out":
			return c
		case "boolout":
			return boolJSON
		case "timestamp_out":
			return timestampJSON
		case "timestamptz_out":
			return timestampTZJSON
		}
	}
	return jsonString(c)
}

// firstNormalOID is the first OID that is not built in (FirstNormalObjectId, access/transam.h).
const firstNormalOID = 16384

// maxDomains bounds how many domains may lie over each other.
const maxDomains = 64

// baseOf returns the type under a domain (getBaseType, utils/cache/lsyscache.c).
func baseOf(t *Type) *Type {
	for range maxDomains {
		if t.Kind != KindDomain || t.Base == nil {
			break
		}
		t = t.Base
	}
	return t
}

// jsonNumber leaves a number bare, and puts what is none (NaN, Infinity) into quotes.
func jsonNumber(c codec) codec {
	return func(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
		start := len(dst)
		dst, err := c(dst, t, v, env)
		if err != nil || isJSONNumber(dst[start:]) {
			return dst, err
		}
		return quoteTail(dst, start), nil
	}
}

// isJSONNumber tells the numbers among what the number types print.
func isJSONNumber(s []byte) bool {
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	return len(s) > 0 && s[0] >= '0' && s[0] <= '9'
}

// jsonString makes a JSON string of the text that c prints.
func jsonString(c codec) codec {
	return func(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
		start := len(dst)
		dst, err := c(dst, t, v, env)
		if err != nil {
			return dst, err
		}
		return quoteTail(dst, start), nil
	}
}

// appendJSONString appends s as a JSON string, escaped as escape_json does (utils/adt/json.c):
// bytes above 127 and DEL stay.
func appendJSONString(dst, s []byte) []byte {
	start := len(dst)
	return quoteTail(append(dst, s...), start)
}

// quoteTail makes a JSON string of dst[start:], in place: what has to be escaped is spread out
// from the end.
func quoteTail(dst []byte, start int) []byte {
	extra := 0
	for _, c := range dst[start:] {
		if c < ' ' || c == '"' || c == '\\' {
			extra += len(jsonEscape(c)) - 1
		}
	}
	end := len(dst)
	dst = slices.Grow(dst, extra+2)[:end+extra+2]
	dst[len(dst)-1] = '"'
	if extra == 0 {
		copy(dst[start+1:], dst[start:end])
	}
	for from, to := end-1, len(dst)-1; extra > 0 && from >= start; from-- {
		c := dst[from]
		if c >= ' ' && c != '"' && c != '\\' {
			to--
			dst[to] = c
			continue
		}
		escape := jsonEscape(c)
		to -= len(escape)
		copy(dst[to:], escape)
	}
	dst[start] = '"'
	return dst
}

// jsonEscape returns what stands for a control character, a quote or a backslash.
func jsonEscape(c byte) string {
	switch c {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	const all = `\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0009\u000a\u000b\u000c\u000d\u000e\u000f` +
		`\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f`
	return all[int(c)*6 : int(c)*6+6]
}
