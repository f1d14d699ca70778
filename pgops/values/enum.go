package values

import (
	"encoding/binary"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// enumOut prints the label of an enum's value, which is the OID of its row in pg_enum
// (enum_out, utils/adt/enum.c).
func enumOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	if len(v) < 4 {
		return dst, shortValue(t, v, 4)
	}
	oid := pgdisk.OID(binary.LittleEndian.Uint32(v))
	label, ok := baseOf(t).Labels[oid]
	if !ok {
		return dst, badValue(t, "it has no label for %d (pg_enum.oid)", oid)
	}
	return append(dst, label...), nil
}
