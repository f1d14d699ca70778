package pgdisk

import "bytes"

// Classes of ReplicationOrigin records (XLOG_REPLORIGIN_*, replication/origin.h) and of
// LogicalMessage records (XLOG_LOGICAL_MESSAGE, replication/message.h).
const (
	walOriginSet  = 0x00
	walOriginDrop = 0x10

	walLogicalMessage = 0x00
)

// WALOriginSet is a ReplicationOrigin/SET record (xl_replorigin_set): how far replication
// from an origin has come.
type WALOriginSet struct {
	Remote LSN // there
	Node   uint16
	Force  bool // also when that goes backwards
}

// WALOriginSet decodes a ReplicationOrigin/SET record.
func (r *WALRecord) WALOriginSet() (s WALOriginSet, ok bool) {
	if !r.Is(RmgrReplicationOrigin, walOriginSet) {
		return WALOriginSet{}, false
	}
	d := walBody{b: r.MainData}
	s = WALOriginSet{Remote: LSN(d.u64()), Node: d.u16(), Force: d.u8() != 0}
	return s, !d.short
}

// WALOriginDrop decodes a ReplicationOrigin/DROP record.
func (r *WALRecord) WALOriginDrop() (node uint16, ok bool) {
	if !r.Is(RmgrReplicationOrigin, walOriginDrop) {
		return 0, false
	}
	d := walBody{b: r.MainData}
	node = d.u16()
	return node, !d.short
}

// WALMessage is a LogicalMessage/MESSAGE record (xl_logical_message): what
// pg_logical_emit_message wrote.
type WALMessage struct {
	Database      OID
	Transactional bool
	Prefix        string
	Message       []byte
}

// WALMessage decodes a LogicalMessage/MESSAGE record.
func (r *WALRecord) WALMessage() (m WALMessage, ok bool) {
	if !r.Is(RmgrLogicalMessage, walLogicalMessage) {
		return WALMessage{}, false
	}
	d := walBody{b: r.MainData}
	m.Database, m.Transactional = OID(d.u32()), d.u8() != 0
	d.align(8)
	prefix, size := d.u64(), d.u64()
	if d.short || prefix > uint64(len(d.b)) || size > uint64(len(d.b)) {
		return WALMessage{}, false
	}
	name, _, _ := bytes.Cut(d.take(int(prefix)), []byte{0})
	m.Prefix, m.Message = string(name), d.take(int(size))
	return m, !d.short
}
