package values

import (
	"encoding/binary"
	"strconv"
)

// snapshotOut prints a pg_snapshot or txid_snapshot as xmin:xmax:xip, where xip are the
// transactions that were running, with commas between (pg_snapshot_out, utils/adt/xid8funcs.c).
func snapshotOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	const running = 20 // after nxip, xmin and xmax
	if len(v) < running {
		return dst, shortValue(t, v, running)
	}
	le := binary.LittleEndian
	n := int(le.Uint32(v))
	if n > (len(v)-running)/8 {
		return dst, badValue(t, "%d transactions in %d bytes", n, len(v))
	}
	dst = strconv.AppendUint(dst, le.Uint64(v[4:]), 10)
	dst = append(dst, ':')
	dst = strconv.AppendUint(dst, le.Uint64(v[12:]), 10)
	dst = append(dst, ':')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, le.Uint64(v[running+8*i:]), 10)
	}
	return dst, nil
}
