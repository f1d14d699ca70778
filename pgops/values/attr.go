package values

import (
	"bytes"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// NextValue finds the value at or after off in the columns of a tuple, whose first byte is
// aligned to 8 bytes: b[start:end] is the value. length is typlen or attlen, align typalign
// or attalign (att_align_pointer and att_addlength_pointer, access/tupmacs.h).
//
// A varlena with a 1-byte header or a TOAST pointer is not aligned. Padding is zero and no
// such header is, so a byte that is not zero is the start of the value.
func NextValue(b []byte, off int, length int16, align byte) (start, end int, err error) {
	if off < 0 || off > len(b) {
		return 0, 0, attrError(off, fmt.Sprintf("an offset of at most %d", len(b)), fmt.Sprint(off))
	}
	start, err = alignTo(off, align)
	if err != nil {
		return 0, 0, err
	}
	switch {
	case length > 0:
		end = start + int(length)
	case length == -1:
		if off < len(b) && b[off] != 0 {
			start = off
		}
		if start >= len(b) {
			return 0, 0, attrError(start, "a value", "the end of the tuple")
		}
		n, err := pgdisk.VarlenaSize(b[start:])
		if err != nil {
			return 0, 0, err
		}
		end = start + n
	case length == -2:
		if start >= len(b) {
			return 0, 0, attrError(start, "a value", "the end of the tuple")
		}
		n := bytes.IndexByte(b[start:], 0)
		if n < 0 {
			return 0, 0, attrError(start, "a string that ends with a zero byte", "no such byte")
		}
		end = start + n + 1
	default:
		return 0, 0, attrError(off, "a type length above 0, -1 or -2", fmt.Sprint(length))
	}
	if end > len(b) {
		return 0, 0, attrError(start, fmt.Sprintf("a value of %d bytes", end-start), fmt.Sprintf("%d bytes left", max(len(b)-start, 0)))
	}
	return start, end, nil
}

// alignTo rounds off up to the alignment of a type (att_align_nominal, access/tupmacs.h).
func alignTo(off int, align byte) (int, error) {
	switch align {
	case 'i':
		return (off + 3) &^ 3, nil
	case 'd':
		return (off + 7) &^ 7, nil
	case 'c':
		return off, nil
	case 's':
		return (off + 1) &^ 1, nil
	}
	return 0, attrError(off, "alignment c, s, i or d", fmt.Sprintf("%q", align))
}

func attrError(off int, want, got string) error {
	return &pgdisk.FormatError{File: "tuple", Field: "column", Off: int64(off), Want: want, Got: got}
}
