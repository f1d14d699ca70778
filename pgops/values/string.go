package values

import "bytes"

// textOut prints the string types as they are: text, character varying, character with its
// padding, json, and what is stored as a text (textout, varcharout, bpcharout:
// utils/adt/varlena.c, varchar.c; json_out: json.c). The bytes are in the database's encoding.
//
// PostgreSQL stores no zero byte in a string, and nothing that loads one would take it.
func textOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if n := bytes.IndexByte(v, 0); n >= 0 {
		return dst, badValue(t, "a zero byte at %d of %d", n, len(v))
	}
	return append(dst, v...), nil
}

// nameOut prints a name, which ends with the first zero byte of its 64 (nameout, utils/adt/name.c).
func nameOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	n := bytes.IndexByte(v, 0)
	if n < 0 {
		return dst, badValue(t, "no zero byte in its %d bytes", len(v))
	}
	return append(dst, v[:n]...), nil
}

// lastMajorWithPlainChar printed a "char" as the byte it is, whatever the byte.
const lastMajorWithPlainChar = 14

// charOut prints a "char". Nothing is printed for a zero byte. Since 15 a byte above 127 is
// printed as a backslash and three octal digits (charout, utils/adt/char.c).
func charOut(dst []byte, t *Type, v []byte, env *Env) ([]byte, error) {
	if len(v) < 1 {
		return dst, shortValue(t, v, 1)
	}
	switch c := v[0]; {
	case c == 0:
		return dst, nil
	case c < 0x80 || env.Major != 0 && env.Major <= lastMajorWithPlainChar:
		return append(dst, c), nil
	default:
		return append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7), nil
	}
}
