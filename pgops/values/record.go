package values

import (
	"encoding/binary"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// recordValue is a composite value taken apart: a heap tuple whose header names its type
// (HeapTupleHeaderData with t_datum, access/htup_details.h).
type recordValue struct {
	fields []Column
	values [][]byte // as stored; nil is null
}

// decodeRecord finds the fields of a composite. Offsets in the header count the 4 bytes of
// the varlena header, which are its datum_len_.
func decodeRecord(t *Type, v []byte, env *Env) (*recordValue, error) {
	const fixed = pgdisk.TupleHeaderSize - vlHeader
	if len(v) < fixed {
		return nil, shortValue(t, v, fixed)
	}
	le := binary.LittleEndian
	fields, err := recordFields(t, pgdisk.OID(le.Uint32(v[4:])), env)
	if err != nil {
		return nil, err
	}
	natts := int(pgdisk.Infomask2(le.Uint16(v[14:])) & pgdisk.HeapNattsMask)
	hoff := int(v[18]) - vlHeader
	var nulls []byte
	start := fixed
	if pgdisk.Infomask(le.Uint16(v[16:]))&pgdisk.HeapHasNull != 0 {
		start += (natts + 7) / 8
		nulls = v[fixed:]
	}
	if hoff < start || hoff > len(v) || v[18]&7 != 0 {
		return nil, badValue(t, "fields at %d of %d bytes, after a header of %d", hoff, len(v), start)
	}
	r := &recordValue{fields: fields, values: make([][]byte, len(fields))}
	if err := r.deform(v[hoff:], nulls, natts); err != nil {
		return nil, badCause(t, err, "find its fields")
	}
	return r, nil
}

// deform finds the values (heap_deform_tuple). Fields that the type got after the value was
// stored have the value of their Missing.
func (r *recordValue) deform(b, nulls []byte, natts int) error {
	off := 0
	for i := range r.fields {
		c := &r.fields[i]
		if i >= natts {
			r.values[i] = c.Missing
			continue
		}
		if nulls != nil && nulls[i/8]&(1<<(i%8)) == 0 {
			continue
		}
		start, end, err := NextValue(b, off, c.Len, c.Align)
		if err != nil {
			return &ColumnError{Index: i, Name: c.Name, Off: off, Err: err}
		}
		r.values[i], off = b[start:end:end], end
	}
	return nil
}

// recordFields finds the fields of the type with the OID that a value names.
func recordFields(t *Type, oid pgdisk.OID, env *Env) ([]Column, error) {
	base := baseOf(t)
	if base.OID == oid && base.Kind == KindComposite && base.Fields != nil {
		return base.Fields, nil
	}
	if env.Lookup != nil {
		if found, ok := env.Lookup(oid); ok {
			if found = baseOf(found); found.Kind == KindComposite && found.Fields != nil {
				return found.Fields, nil
			}
		}
	}
	if base.OID == oid && base.Kind == KindComposite {
		return nil, nil // of no fields
	}
	return nil, badValue(t, "it says it is of the type with OID %d, whose fields are not known", oid)
}

// recordOut prints a composite as record_out does (utils/adt/rowtypes.c).
func recordOut(dst []byte, t *Type, v []byte, env *Env, depth int) ([]byte, error) {
	r, err := decodeRecord(t, v, env)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '(')
	first := true
	for i, c := range r.fields {
		if c.Dropped {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if r.values[i] == nil {
			continue
		}
		p, err := newField(t, &c, env, depth, false)
		if err != nil {
			return dst, err
		}
		if dst, err = appendQuoted(dst, r.values[i], p, isRecordSpecial); err != nil {
			return dst, err
		}
	}
	return append(dst, ')'), nil
}

// recordJSON prints a composite as row_to_json does.
func recordJSON(dst []byte, t *Type, v []byte, env *Env, depth int) ([]byte, error) {
	r, err := decodeRecord(t, v, env)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	first := true
	for i, c := range r.fields {
		if c.Dropped {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendJSONString(dst, []byte(c.Name))
		dst = append(dst, ':')
		if r.values[i] == nil {
			dst = append(dst, "null"...)
			continue
		}
		p, err := newField(t, &c, env, depth, true)
		if err != nil {
			return dst, err
		}
		if dst, err = p.append(dst, r.values[i]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// newField returns what prints the values of a field.
func newField(t *Type, c *Column, env *Env, depth int, asJSON bool) (nested, error) {
	ft := c.Type
	if ft == nil && env.Lookup != nil {
		ft, _ = env.Lookup(c.TypeOID)
	}
	if ft == nil {
		return nested{}, badValue(t, "field %q is of the type with OID %d, which is not known", c.Name, c.TypeOID)
	}
	return newNested(ft, env, depth, asJSON), nil
}

// isRecordSpecial tells the bytes for which record_out quotes a field.
func isRecordSpecial(c byte) bool {
	return c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || isSpace(c)
}
