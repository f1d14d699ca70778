package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// Classes of MultiXact records (XLOG_MULTIXACT_*, access/multixact.h).
const (
	walMultiZeroOffPage = 0x00
	walMultiZeroMemPage = 0x10
	walMultiCreateID    = 0x20
	walMultiTruncateID  = 0x30
)

// WALMultiStatus says how a member holds the tuple (MultiXactStatus, access/multixact.h).
type WALMultiStatus uint32

// String gives the words that pg_waldump prints.
func (s WALMultiStatus) String() string {
	words := [...]string{"keysh", "sh", "fornokeyupd", "forupd", "nokeyupd", "upd"}
	if int(s) < len(words) {
		return words[s]
	}
	return fmt.Sprintf("status %d", uint32(s))
}

// Update reports whether the member changed or deleted the tuple, not only locked it
// (ISUPDATE_from_mxstatus).
func (s WALMultiStatus) Update() bool { return s == 4 || s == 5 }

// WALMultiMember is one transaction of a multixact.
type WALMultiMember struct {
	XID    XID
	Status WALMultiStatus
}

// WALMultiCreate is a MultiXact/CREATE_ID record (xl_multixact_create): all that
// pg_multixact holds of one multixact, enough to write it anew.
type WALMultiCreate struct {
	LSN     LSN
	Multi   MultiXactID
	Offset  MultiXactOffset // of the first member
	members []byte          // 8 bytes each, the reader's
}

// Len is the number of members.
func (m *WALMultiCreate) Len() int { return len(m.members) / 8 }

// Member is the i-th member, which lies at Offset+i.
func (m *WALMultiCreate) Member(i int) WALMultiMember {
	b := m.members[8*i:]
	return WALMultiMember{XID(binary.LittleEndian.Uint32(b)), WALMultiStatus(binary.LittleEndian.Uint32(b[4:]))}
}

// Members copies the members.
func (m *WALMultiCreate) Members() []WALMultiMember {
	list := make([]WALMultiMember, m.Len())
	for i := range list {
		list[i] = m.Member(i)
	}
	return list
}

// NextOffset is the first offset after the members; it wraps around at 2^32.
func (m *WALMultiCreate) NextOffset() MultiXactOffset { return m.Offset + MultiXactOffset(m.Len()) }

// Next is the id that follows, which steps over 0 (MultiXactAdvanceNextMXact in multixact_redo).
func (m *WALMultiCreate) Next() MultiXactID { return max(m.Multi+1, FirstMultiXactID) }

// WALMultiCreate decodes a MultiXact/CREATE_ID record. The members hold until the
// reader's next call.
func (r *WALRecord) WALMultiCreate() (m WALMultiCreate, ok bool) {
	b := r.MainData
	if !r.Is(RmgrMultiXact, walMultiCreateID) || len(b) < 12 {
		return WALMultiCreate{}, false
	}
	le := binary.LittleEndian
	n := uint64(le.Uint32(b[8:]))
	if n*8 > uint64(len(b)-12) {
		return WALMultiCreate{}, false
	}
	return WALMultiCreate{
		LSN:     r.LSN,
		Multi:   MultiXactID(le.Uint32(b)),
		Offset:  MultiXactOffset(le.Uint32(b[4:])),
		members: b[12 : 12+8*n],
	}, true
}

// WALMultiZero is a MultiXact/ZERO_OFF_PAGE or ZERO_MEM_PAGE record: a page came into
// use and was filled with zeros.
type WALMultiZero struct {
	LSN     LSN
	Members bool   // pg_multixact/members, else offsets
	Page    uint64 // counted from the start of the area
}

// WALMultiZero decodes a MultiXact/ZERO_OFF_PAGE or ZERO_MEM_PAGE record. 17 widened the
// page number.
func (r *WALRecord) WALMultiZero() (z WALMultiZero, ok bool) {
	z = WALMultiZero{LSN: r.LSN, Members: r.Is(RmgrMultiXact, walMultiZeroMemPage)}
	if !z.Members && !r.Is(RmgrMultiXact, walMultiZeroOffPage) {
		return WALMultiZero{}, false
	}
	switch {
	case r.Major >= 17 && len(r.MainData) >= 8:
		z.Page = binary.LittleEndian.Uint64(r.MainData)
	case r.Major < 17 && len(r.MainData) >= 4:
		z.Page = uint64(binary.LittleEndian.Uint32(r.MainData))
	default:
		return WALMultiZero{}, false
	}
	return z, true
}

// WALMultiTruncate is a MultiXact/TRUNCATE_ID record (xl_multixact_truncate): what lies
// before the ends is gone.
type WALMultiTruncate struct {
	LSN           LSN
	OldestMultiDB OID
	StartMulti    MultiXactID
	EndMulti      MultiXactID // the oldest multixact that is kept
	StartOffset   MultiXactOffset
	EndOffset     MultiXactOffset // its first member
}

// WALMultiTruncate decodes a MultiXact/TRUNCATE_ID record.
func (r *WALRecord) WALMultiTruncate() (t WALMultiTruncate, ok bool) {
	b := r.MainData
	if !r.Is(RmgrMultiXact, walMultiTruncateID) || len(b) < 20 {
		return WALMultiTruncate{}, false
	}
	le := binary.LittleEndian
	return WALMultiTruncate{
		LSN:           r.LSN,
		OldestMultiDB: OID(le.Uint32(b)),
		StartMulti:    MultiXactID(le.Uint32(b[4:])),
		EndMulti:      MultiXactID(le.Uint32(b[8:])),
		StartOffset:   MultiXactOffset(le.Uint32(b[12:])),
		EndOffset:     MultiXactOffset(le.Uint32(b[16:])),
	}, true
}
