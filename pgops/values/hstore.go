package values

import "encoding/binary"

// Bits of an hstore's header and entries (contrib/hstore/hstore.h).
const (
	hstoreCount   = 0x0FFFFFFF // HS_COUNT
	hstoreNew     = 0x80000000 // HS_FLAG_NEWVERSION
	hstoreNull    = 0x40000000 // HENTRY_ISNULL
	hstoreEnd     = 0x3FFFFFFF // HENTRY_POSMASK
	hstoreEntries = 4          // after the header: two entries per pair, then keys and values
)

// hstoreOut prints pairs as "key"=>"value" (hstore_out, contrib/hstore/hstore_io.c).
func hstoreOut(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	return hstorePairs(dst, t, v, func(dst, key, value []byte) []byte {
		start := len(dst)
		dst = quoteWith(append(dst, key...), start, '\\')
		dst = append(dst, "=>"...)
		if value == nil {
			return append(dst, "NULL"...)
		}
		start = len(dst)
		return quoteWith(append(dst, value...), start, '\\')
	})
}

// hstoreJSON prints an object, as the cast from hstore to json does, which row_to_json uses
// (hstore_to_json, contrib/hstore/hstore_io.c).
func hstoreJSON(dst []byte, t *Type, v []byte, _ *Env) ([]byte, error) {
	dst, err := hstorePairs(append(dst, '{'), t, v, func(dst, key, value []byte) []byte {
		dst = append(appendJSONString(dst, key), ": "...)
		if value == nil {
			return append(dst, "null"...)
		}
		return appendJSONString(dst, value)
	})
	return append(dst, '}'), err
}

// hstorePairs prints all pairs with commas between; a nil value is null. Entries hold where
// their bytes end; they start where those before end.
func hstorePairs(dst []byte, t *Type, v []byte, pair func(dst, key, value []byte) []byte) ([]byte, error) {
	if len(v) < hstoreEntries {
		return dst, shortValue(t, v, hstoreEntries)
	}
	le := binary.LittleEndian
	header := le.Uint32(v)
	n := int(header & hstoreCount)
	if header&hstoreNew == 0 && n > 0 {
		return dst, badValue(t, "header %08X, the format of before 9.0", header)
	}
	if n > (len(v)-hstoreEntries)/8 {
		return dst, badValue(t, "%d pairs in %d bytes", n, len(v))
	}
	words := v[hstoreEntries+8*n:]
	end := 0
	next := func(i int) ([]byte, bool) {
		e := le.Uint32(v[hstoreEntries+4*i:])
		start := end
		end = int(e & hstoreEnd)
		if end < start || end > len(words) {
			return nil, false
		}
		if e&hstoreNull != 0 {
			return nil, true
		}
		return words[start:end:end], true
	}
	for i := range n {
		key, ok := next(2 * i)
		value, okValue := next(2*i + 1)
		if !ok || !okValue {
			return dst, badValue(t, "pair %d lies after its end", i+1)
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = pair(dst, key, value)
	}
	return dst, nil
}
