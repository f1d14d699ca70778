package pgdisk

// walSequenceLog is XLOG_SEQ_LOG (commands/sequence.h).
const walSequenceLog = 0x00

// WALSequence is a Sequence/LOG record (xl_seq_rec): the page of a sequence is made anew
// with one tuple.
type WALSequence struct {
	Relation WALRelation
	Tuple    []byte // the whole tuple, header and all

	// What the tuple says (FormData_pg_sequence_data). last_value is what the sequence has
	// reserved: up to 32 values ahead of what it has handed out.
	LastValue int64
	LogCount  int64
	Called    bool
}

// WALSequence decodes a Sequence/LOG record.
func (r *WALRecord) WALSequence() (s WALSequence, ok bool) {
	if !r.Is(RmgrSequence, walSequenceLog) {
		return WALSequence{}, false
	}
	d := walBody{b: r.MainData}
	s.Relation, s.Tuple = d.relation(), d.rest()
	t, err := DecodeTuple(s.Tuple)
	if d.short || err != nil {
		return WALSequence{}, false
	}
	c := walBody{b: t.Columns()}
	s.LastValue, s.LogCount, s.Called = int64(c.u64()), int64(c.u64()), c.u8() != 0
	return s, !c.short
}
