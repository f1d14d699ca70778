package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// SequenceMagic marks the only page of a sequence (SEQ_MAGIC, commands/sequence.c).
const SequenceMagic uint32 = 0x1717

const (
	sequenceSpecialSize = 8  // MAXALIGN(sizeof(sequence_magic))
	sequenceRowSize     = 17 // to the end of is_called
)

// Sequence is the row of a sequence (FormData_pg_sequence_data, commands/sequence.h). The
// server writes last_value ahead: after a crash up to 32 values are skipped.
type Sequence struct {
	LastValue int64 // last_value
	LogCount  int64 // log_cnt: values that may still be fetched without a WAL record
	IsCalled  bool  // is_called: last_value was handed out
	Tuple     TupleHeader
}

// DecodeSequence reads the page of a sequence: it must have the magic number and one row.
func DecodeSequence(page []byte) (Sequence, error) {
	b, err := specialOf(page, sequenceSpecialSize, "sequence page")
	if err != nil {
		return Sequence{}, err
	}
	le := binary.LittleEndian
	if magic := le.Uint32(b); magic != SequenceMagic {
		return Sequence{}, &FormatError{Off: BlockSize - sequenceSpecialSize, Field: "sequence magic", Want: fmt.Sprintf("0x%04X", SequenceMagic), Got: fmt.Sprintf("0x%04X", magic)}
	}
	h, err := DecodePageHeader(page)
	if err != nil {
		return Sequence{}, err
	}
	items := ItemIDs(page, h)
	if len(items) == 0 {
		return Sequence{}, &FormatError{Off: 12, Field: "pd_lower", Want: "a line pointer", Got: "none"}
	}
	t, err := DecodeTuple(Item(page, items[0]))
	if err != nil {
		return Sequence{}, err
	}
	row, err := t.Fixed(0, sequenceRowSize)
	if err != nil {
		return Sequence{}, err
	}
	return Sequence{LastValue: int64(le.Uint64(row)), LogCount: int64(le.Uint64(row[8:])), IsCalled: row[16] != 0, Tuple: t.TupleHeader}, nil
}
