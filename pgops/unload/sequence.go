package unload

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// readSequence reads the state of a sequence: the first tuple of its only page, which is not
// subject to visibility (commands/sequence.c).
func readSequence(src *source, s sequence, cs charset) (sequenceState, error) {
	state := sequenceState{Schema: cs.string(s.schema), Name: cs.string(s.name), OID: s.oid}
	if s.files.blocks() == 0 {
		return state, fmt.Errorf("its file %s is missing or empty", s.files.path(0))
	}
	rel := newRelReader(src.fsys, s.files)
	defer rel.close()
	page := make([]byte, pgdisk.BlockSize)
	if err := rel.read(page, 0); err != nil {
		return state, err
	}
	if src.checksums {
		if v, stored, computed := pgdisk.VerifyPage(page, 0); v == pgdisk.PageChecksumBad {
			return state, fmt.Errorf("its page fails its checksum: %04X is stored, %04X computed", stored, computed)
		}
	}
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil {
		return state, err
	}
	if h.IsNew() {
		return state, errors.New("its page was never written")
	}
	if problems := h.Problems(); len(problems) > 0 {
		return state, problems[0]
	}
	t, err := chunkAt(page, pgdisk.TID{Item: 1})
	if err != nil {
		return state, err
	}
	row, err := t.Fixed(0, 17)
	if err != nil {
		return state, err
	}
	le := binary.LittleEndian
	state.LastValue, state.LogCount, state.IsCalled = int64(le.Uint64(row)), int64(le.Uint64(row[8:])), row[16] != 0
	return state, nil
}
