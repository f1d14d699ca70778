package values

import (
	"encoding/binary"
	"math"
	"strconv"
)

// What extended statistics start with: a magic number, a type and the number of items
// (statistics/statistics.h).
const (
	ndistinctMagic    = 0xA352BFA4 // STATS_NDISTINCT_MAGIC
	dependenciesMagic = 0xB4549A2C // STATS_DEPS_MAGIC
	statextBasic      = 1          // STATS_NDISTINCT_TYPE_BASIC, STATS_DEPS_TYPE_BASIC
	statextItems      = 12
	statextMaxColumns = 8 // STATS_MAX_DIMENSIONS
)

// statextCount checks the header and returns the number of items, each of which takes at
// least 12 bytes.
func statextCount(t *Type, v []byte, magic uint32) (int, error) {
	if len(v) < statextItems {
		return 0, shortValue(t, v, statextItems)
	}
	le := binary.LittleEndian
	if m, kind := le.Uint32(v), le.Uint32(v[4:]); m != magic || kind != statextBasic {
		return 0, badValue(t, "magic %08X and type %d, want %08X and %d", m, kind, magic, statextBasic)
	}
	n := int(le.Uint32(v[8:]))
	if n > (len(v)-statextItems)/12 {
		return 0, badValue(t, "%d items in %d bytes", n, len(v))
	}
	return n, nil
}

// ndistinctOut prints how many values combinations of columns have (pg_ndistinct_out,
// statistics/mvdistinct.c).
func ndistinctOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	le := binary.LittleEndian
	n, err := statextCount(t, v, ndistinctMagic)
	if err != nil {
		return dst, err
	}
	off := statextItems
	dst = append(dst, '{')
	for i := range n {
		if len(v)-off < 12 {
			return dst, shortValue(t, v, off+12)
		}
		distinct, columns := math.Float64frombits(le.Uint64(v[off:])), int(le.Uint32(v[off+8:]))
		off += 12
		if columns > statextMaxColumns || 2*columns > len(v)-off {
			return dst, badValue(t, "item %d has %d columns", i+1, columns)
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		for j := range columns {
			if j == 0 {
				dst = append(dst, '"')
			} else {
				dst = append(dst, ", "...)
			}
			dst = strconv.AppendInt(dst, int64(int16(le.Uint16(v[off+2*j:]))), 10)
		}
		off += 2 * columns
		dst = append(dst, `": `...)
		dst = strconv.AppendInt(dst, int64(int32(distinct)), 10)
	}
	return append(dst, '}'), nil
}

// dependenciesOut prints how much columns depend on others (pg_dependencies_out,
// statistics/dependencies.c).
func dependenciesOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	le := binary.LittleEndian
	n, err := statextCount(t, v, dependenciesMagic)
	if err != nil {
		return dst, err
	}
	off := statextItems
	dst = append(dst, '{')
	for i := range n {
		if len(v)-off < 10 {
			return dst, shortValue(t, v, off+10)
		}
		degree, columns := math.Float64frombits(le.Uint64(v[off:])), int(le.Uint16(v[off+8:]))
		off += 10
		if columns > statextMaxColumns || 2*columns > len(v)-off {
			return dst, badValue(t, "item %d has %d columns", i+1, columns)
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, '"')
		for j := range columns {
			if j == columns-1 {
				dst = append(dst, " => "...)
			} else if j > 0 {
				dst = append(dst, ", "...)
			}
			dst = strconv.AppendInt(dst, int64(int16(le.Uint16(v[off+2*j:]))), 10)
		}
		off += 2 * columns
		dst = append(dst, `": `...)
		dst = strconv.AppendFloat(dst, degree, 'f', 6, 64)
	}
	return append(dst, '}'), nil
}
