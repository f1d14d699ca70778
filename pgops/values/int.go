package values

import (
	"encoding/binary"
	"strconv"
)

// int2Out prints a smallint (int2out, utils/adt/int.c).
func int2Out(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 2 {
		return dst, shortValue(t, v, 2)
	}
	return strconv.AppendInt(dst, int64(int16(binary.LittleEndian.Uint16(v))), 10), nil
}

// int4Out prints an integer (int4out, utils/adt/int.c).
func int4Out(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 4 {
		return dst, shortValue(t, v, 4)
	}
	return strconv.AppendInt(dst, int64(int32(binary.LittleEndian.Uint32(v))), 10), nil
}

// int8Out prints a bigint (int8out, utils/adt/int8.c).
func int8Out(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 8 {
		return dst, shortValue(t, v, 8)
	}
	return strconv.AppendInt(dst, int64(binary.LittleEndian.Uint64(v)), 10), nil
}
