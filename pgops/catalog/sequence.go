package catalog

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

func (l *loader) loadSequences(ctx context.Context) error {
	type sequence struct {
		oid pgdisk.OID
		Sequence
	}
	rows, err := readCatalog(ctx, l, sequenceRelation, func(s sequence) pgdisk.OID { return s.oid }, func(r row) (sequence, error) {
		return sequence{r.oid("seqrelid"), Sequence{
			Type: r.oid("seqtypid"), Start: r.int64("seqstart"), Increment: r.int64("seqincrement"),
			Min: r.int64("seqmin"), Max: r.int64("seqmax"), Cache: r.int64("seqcache"), Cycle: r.bool("seqcycle"),
		}}, nil
	})
	for oid, e := range rows {
		if r, ok := l.d.relations[oid]; ok {
			r.Sequence = &e.row.Sequence
		}
	}
	return err
}

// SequenceState is where a sequence stands (FormData_pg_sequence_data, commands/sequence.h).
// After a crash the server has already logged up to 32 values ahead (SEQ_LOG_VALS).
type SequenceState struct {
	Last     int64 // last_value
	Logged   int64 // log_cnt: values that the WAL has beyond it
	IsCalled bool  // false: Last is the next value
}

// sequenceMagic is in the special part of a sequence's page (SEQ_MAGIC, commands/sequence.c).
const sequenceMagic = 0x1717

// SequenceState reads where a sequence stands from its only page.
func (d *Database) SequenceState(r *Relation) (SequenceState, error) {
	if r.Kind != KindSequence || r.File.Number == 0 {
		return SequenceState{}, fmt.Errorf("%s.%s: not a sequence with a file", r.Schema, r.Name)
	}
	page, err := d.cluster.readSmall(r.File.Path(), pgdisk.BlockSize)
	if err != nil {
		return SequenceState{}, err
	}
	state, err := decodeSequence(page)
	if err != nil {
		return state, fmt.Errorf("%s: %w", r.File.Path(), err)
	}
	return state, nil
}

func decodeSequence(page []byte) (SequenceState, error) {
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil {
		return SequenceState{}, err
	}
	if found := h.Problems(); len(found) > 0 {
		return SequenceState{}, found[0]
	}
	le := binary.LittleEndian
	if int(h.Special)+4 > len(page) || le.Uint32(page[h.Special:]) != sequenceMagic {
		return SequenceState{}, &pgdisk.FormatError{Off: int64(h.Special), Field: "sequence page", Want: fmt.Sprintf("magic number %X", sequenceMagic), Got: "another"}
	}
	items := pgdisk.ItemIDs(page, h)
	if len(items) == 0 || items[0].Problem(h, 1, len(items)) != nil {
		return SequenceState{}, &pgdisk.FormatError{Off: pgdisk.PageHeaderSize, Field: "sequence page", Want: "one tuple", Got: fmt.Sprintf("%d line pointers, the first unsound", len(items))}
	}
	t, err := pgdisk.DecodeTuple(pgdisk.Item(page, items[0]))
	if err != nil {
		return SequenceState{}, err
	}
	b, err := t.Fixed(0, 17)
	if err != nil {
		return SequenceState{}, err
	}
	return SequenceState{Last: int64(le.Uint64(b)), Logged: int64(le.Uint64(b[8:])), IsCalled: b[16] != 0}, nil
}
