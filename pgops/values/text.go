package values

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Printer appends the text of a value to dst and returns the extended slice; value is what a
// tuple holds, of a varlena header and all, and not null. After an error, a *ValueError, dst
// is returned as it was. A Printer keeps a buffer: each goroutine wants its own.
type Printer func(dst, value []byte) ([]byte, error)

// NewText returns the Printer of what the type's output function prints, which is what COPY
// and ::text give with DateStyle ISO, IntervalStyle postgres, bytea_output hex,
// extra_float_digits 1 and lc_monetary C. The text is in the encoding of the database.
func NewText(t *Type, env *Env) Printer {
	if t == nil {
		return newPrinter(&Type{}, unreadable, env)
	}
	return newPrinter(t, codecOf(t), env)
}

// newPrinter joins a codec with what makes its input from a stored value.
func newPrinter(t *Type, c codec, env *Env) Printer {
	if env == nil {
		env = &Env{}
	}
	var scratch []byte
	return func(dst, value []byte) ([]byte, error) {
		v, kept, err := payload(t, value, env, scratch)
		if err != nil {
			return dst, err
		}
		scratch = kept
		out, err := c(dst, t, v, env)
		if err != nil {
			return dst, err
		}
		return out, nil
	}
}

// maxScratch is how much a Printer keeps of the room it decompressed a value into.
const maxScratch = 1 << 20

// payload makes a codec's input from a value as it is stored: a varlena is fetched,
// decompressed and freed of its header, a C string of its last byte. Decompressed bytes may
// be put into scratch; kept is what can be given as scratch the next time.
func payload(t *Type, value []byte, env *Env, scratch []byte) (v, kept []byte, err error) {
	switch {
	case t.Len > 0:
		if len(value) != int(t.Len) {
			return nil, scratch, badValue(t, "%d bytes, want %d", len(value), t.Len)
		}
		return value, scratch, nil
	case t.Len == -2:
		if len(value) == 0 || value[len(value)-1] != 0 {
			return nil, scratch, badValue(t, "no zero byte at the end")
		}
		return value[:len(value)-1], scratch, nil
	}
	if n := len(value); n > 0 && value[0]&1 == 1 && int(value[0]>>1) == n {
		return value[pgdisk.VarlenaShortHeaderSize:], scratch, nil // short, as most are
	}
	d, err := pgdisk.DecodeVarlena(value)
	if err != nil {
		return nil, scratch, badCause(t, err, "read its header")
	}
	if d.Size != len(value) {
		return nil, scratch, badValue(t, "a length of %d in %d bytes", d.Size, len(value))
	}
	switch d.Kind {
	case pgdisk.VarlenaCompressed:
		return inflate(t, d.Payload, d.RawSize, d.Method, scratch)
	case pgdisk.VarlenaExternal:
		return fetch(t, d.Pointer, env, scratch)
	}
	return d.Payload, scratch, nil
}

// inflate decompresses into scratch if it has the room.
func inflate(t *Type, src []byte, raw int, method pgdisk.CompressionMethod, scratch []byte) (v, kept []byte, err error) {
	if raw > cap(scratch) {
		v, err = pgdisk.Decompress(method, raw, src)
	} else {
		v = scratch[:raw]
		err = pgdisk.DecompressInto(method, v, src)
	}
	if err != nil {
		return nil, scratch, badCause(t, err, "decompress it")
	}
	if cap(v) > cap(scratch) && cap(v) <= maxScratch {
		scratch = v
	}
	return v, scratch, nil
}

// fetch gets an external value. What is stored compressed starts with its raw size and
// method, which must be those of the pointer (toast_save_datum, access/common/toast_internals.c).
func fetch(t *Type, p pgdisk.ToastPointer, env *Env, scratch []byte) (v, kept []byte, err error) {
	where := fmt.Sprintf("chunks of value %d in TOAST table %d", p.ValueID, p.ToastRelID)
	if env.Fetch == nil {
		return nil, scratch, badValue(t, "it lies in the %s, which cannot be read here", where)
	}
	b, err := env.Fetch(p)
	if err != nil {
		return nil, scratch, badCause(t, err, "fetch the "+where)
	}
	if len(b) != int(p.ExtSize) {
		return nil, scratch, badValue(t, "the %s have %d bytes, want %d", where, len(b), p.ExtSize)
	}
	if p.Method == pgdisk.CompressNone {
		return b, scratch, nil
	}
	raw, method, err := pgdisk.CompressionInfo(b)
	if err != nil {
		return nil, scratch, badCause(t, err, "read the "+where)
	}
	if raw != int(p.RawSize)-pgdisk.VarlenaHeaderSize || method != p.Method {
		return nil, scratch, badValue(t, "the %s say %s of %d bytes, the pointer %s of %d", where,
			method, raw, p.Method, int(p.RawSize)-pgdisk.VarlenaHeaderSize)
	}
	return inflate(t, b[tcinfoSize:], raw, method, scratch)
}

const tcinfoSize = 4 // va_tcinfo, varatt.h
