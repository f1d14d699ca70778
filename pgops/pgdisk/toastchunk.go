package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// TOASTMaxChunk is the number of bytes in every chunk of a value but its last
// (TOAST_MAX_CHUNK_SIZE, access/heaptoast.h); pg_control has the cluster's own number.
const TOASTMaxChunk = 1996

// toastColumns is the number of columns of a TOAST table.
const toastColumns = 3

// TOASTChunk is a row of a TOAST table (access/common/toast_internals.c, toast_save_datum).
type TOASTChunk struct {
	ID   OID    // chunk_id: va_valueid of the value's pointer
	Seq  int32  // chunk_seq: 0, 1, 2 ...
	Data []byte // chunk_data: part of the tuple, not a copy
}

// DecodeTOASTChunk reads a row of a TOAST table. Its last column is a plain varlena with a
// header of 1 or 4 bytes: chunks are never compressed themselves nor stored elsewhere.
func DecodeTOASTChunk(t Tuple) (TOASTChunk, error) {
	bad := func(off int, field, want, got string) (TOASTChunk, error) {
		return TOASTChunk{}, &FormatError{Off: int64(t.Hoff) + int64(off), Field: field, Want: want, Got: got}
	}
	if t.Natts() != toastColumns || t.HasNulls() {
		return bad(0, "TOAST row", "3 columns, none null", fmt.Sprintf("%d columns, t_infomask 0x%04X", t.Natts(), uint16(t.Infomask)))
	}
	b := t.Columns()
	if len(b) < 9 {
		return bad(0, "TOAST row", "9 bytes or more", fmt.Sprintf("%d bytes", len(b)))
	}
	le := binary.LittleEndian
	c := TOASTChunk{ID: OID(le.Uint32(b)), Seq: int32(le.Uint32(b[4:]))}
	head, size := 1, int(b[8]>>1) // VARATT_IS_1B: the lowest bit is set
	if b[8]&1 == 0 {
		if len(b) < 12 || b[8]&3 != 0 {
			return bad(8, "chunk_data", "a plain varlena", fmt.Sprintf("header byte 0x%02X of %d bytes", b[8], len(b)-8))
		}
		head, size = 4, int(le.Uint32(b[8:])>>2)
	}
	if size < head || size > len(b)-8 {
		return bad(8, "chunk_data", fmt.Sprintf("%d to %d bytes", head, len(b)-8), fmt.Sprint(size))
	}
	c.Data = b[8+head : 8+size : 8+size]
	return c, nil
}
