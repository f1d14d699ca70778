package catalog

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// col returns the bytes of a column; nil is null, or the major has no such column.
func (r row) col(name string) []byte {
	if i, ok := r.index[name]; ok {
		return r.cols[i]
	}
	return nil
}

func (r row) uint32(name string) uint32 {
	if b := r.col(name); len(b) == 4 {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r row) oid(name string) pgdisk.OID { return pgdisk.OID(r.uint32(name)) }

func (r row) int32(name string) int32 { return int32(r.uint32(name)) }

func (r row) float4(name string) float32 { return math.Float32frombits(r.uint32(name)) }

func (r row) int16(name string) int16 {
	if b := r.col(name); len(b) == 2 {
		return int16(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (r row) int64(name string) int64 {
	if b := r.col(name); len(b) == 8 {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (r row) bool(name string) bool { return r.char(name) != 0 }

func (r row) char(name string) byte {
	if b := r.col(name); len(b) == 1 {
		return b[0]
	}
	return 0
}

// name reads a NameData: 64 bytes, filled up with zeroes.
func (r row) name(name string) string {
	b, _, _ := bytes.Cut(r.col(name), []byte{0})
	return string(b)
}

// text reads a text that is short enough to lie in the row; others are left empty.
func (r row) text(name string) string {
	b, err := inline(r.col(name))
	if err != nil {
		return ""
	}
	return string(b)
}

// maxInline bounds a compressed value in a row of a catalog: rows have less than a page, and
// pglz, the more effective method here, makes at most about 100 times as much of it.
const maxInline = 1 << 20

// inline returns the payload of a varlena that lies in the row, decompressed.
func inline(b []byte) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	v, err := pgdisk.DecodeVarlena(b)
	if err != nil {
		return nil, err
	}
	switch v.Kind {
	case pgdisk.VarlenaExternal:
		return nil, fmt.Errorf("a value of %d bytes lies in TOAST table %d", v.RawSize, v.Pointer.ToastRelID)
	case pgdisk.VarlenaCompressed:
		if v.RawSize > maxInline {
			return nil, fmt.Errorf("a compressed value claims to have %d bytes", v.RawSize)
		}
		return pgdisk.Decompress(v.Method, v.RawSize, v.Payload)
	}
	return v.Payload, nil
}

// array is an array's payload taken apart (ArrayType, utils/array.h).
type array struct {
	elem pgdisk.OID
	n    int
	data []byte // of the elements; nulls are not stored
	null bool   // it has a null bitmap
}

// arrayOf reads a one-dimensional array, or an int2vector or oidvector, which are stored alike.
func arrayOf(b []byte) (array, error) {
	p, err := inline(b)
	if err != nil || p == nil {
		return array{}, err
	}
	const fixed = 12 // ndim, dataoffset, elemtype
	le := binary.LittleEndian
	if len(p) < fixed {
		return array{}, fmt.Errorf("an array of %d bytes", len(p))
	}
	dims, offset := int32(le.Uint32(p)), int32(le.Uint32(p[4:]))
	a := array{elem: pgdisk.OID(le.Uint32(p[8:])), null: offset != 0}
	if dims == 0 {
		return a, nil
	}
	if dims != 1 || len(p) < fixed+8 {
		return array{}, fmt.Errorf("an array of %d dimensions in %d bytes", dims, len(p))
	}
	a.n = int(int32(le.Uint32(p[fixed:])))
	start := fixed + 8 // the header with its 4 bytes of length is aligned to 8 (ARR_OVERHEAD_NONULLS)
	if a.null {
		start = int(offset) - pgdisk.VarlenaHeaderSize
	}
	if a.n < 0 || a.n > len(p) || start < fixed+8 || start > len(p) {
		return array{}, fmt.Errorf("an array of %d elements from byte %d of %d", a.n, start, len(p))
	}
	a.data = p[start:]
	return a, nil
}

// int16s reads an int2vector or int2[].
func (r row) int16s(name string) ([]int16, error) {
	a, err := arrayOf(r.col(name))
	if err != nil || a.null || len(a.data) < 2*a.n {
		return nil, columnError(name, err)
	}
	list := make([]int16, a.n)
	for i := range list {
		list[i] = int16(binary.LittleEndian.Uint16(a.data[2*i:]))
	}
	return list, nil
}

// oids reads an oidvector.
func (r row) oids(name string) ([]pgdisk.OID, error) {
	a, err := arrayOf(r.col(name))
	if err != nil || a.null || len(a.data) < 4*a.n {
		return nil, columnError(name, err)
	}
	list := make([]pgdisk.OID, a.n)
	for i := range list {
		list[i] = pgdisk.OID(binary.LittleEndian.Uint32(a.data[4*i:]))
	}
	return list, nil
}

func columnError(name string, err error) error {
	if err == nil {
		err = fmt.Errorf("an array with nulls, or cut short")
	}
	return fmt.Errorf("%s: %w", name, err)
}

// entry is a decoded row of a catalog and where it was seen.
type entry[R any] struct {
	seen
	row R
}

// read decodes the visible rows of a catalog by key. When several versions of one row count
// as visible, because what would tell is lost, the newest is kept and marked doubtful.
func read[K comparable, R any](ctx context.Context, s *scanner, t *table, file pgdisk.RelFile, key func(R) K, decode func(row) (R, error)) (map[K]entry[R], error) {
	found := map[K]entry[R]{}
	err := s.scan(ctx, t, file, func(r row) error {
		decoded, err := decode(r)
		if err != nil {
			return err
		}
		e, k := entry[R]{seen: r.seen, row: decoded}, key(decoded)
		if old, ok := found[k]; ok {
			kept, other := e, old
			if !e.newer(old.seen) {
				kept, other = old, e
			}
			if kept.doubt == "" {
				kept.doubt = fmt.Sprintf("the version at %s of the same row counts as visible too", other.tid)
			}
			e = kept
		}
		found[k] = e
		return nil
	})
	return found, err
}
