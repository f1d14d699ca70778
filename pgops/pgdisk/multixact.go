package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// Cutting of a members page (MULTIXACT_MEMBERS_PER_MEMBERGROUP and MULTIXACT_MEMBERGROUP_SIZE,
// access/transam/multixact.c): four flag bytes, then the four transaction ids. Twelve bytes at
// the end of the page are unused.
const (
	membersPerGroup = 4
	memberGroupSize = membersPerGroup + 4*membersPerGroup
	membersPerPage  = BlockSize / memberGroupSize * membersPerGroup
)

// MemberStatus says what a member of a multixact did to the tuple (MultiXactStatus, access/multixact.h).
type MemberStatus uint8

// The statuses. Only the last two changed the tuple; the others locked it.
const (
	ForKeyShare    MemberStatus = iota // MultiXactStatusForKeyShare
	ForShare                           // MultiXactStatusForShare
	ForNoKeyUpdate                     // MultiXactStatusForNoKeyUpdate
	ForUpdate                          // MultiXactStatusForUpdate
	NoKeyUpdate                        // MultiXactStatusNoKeyUpdate: an UPDATE that left the key alone
	Update                             // MultiXactStatusUpdate: an UPDATE of the key, or a DELETE
)

// String gives the word that pg_get_multixact_members uses (mxstatus_to_string).
func (s MemberStatus) String() string {
	switch s {
	case ForKeyShare:
		return "keysh"
	case ForShare:
		return "sh"
	case ForNoKeyUpdate:
		return "fornokeyupd"
	case ForUpdate:
		return "forupd"
	case NoKeyUpdate:
		return "nokeyupd"
	case Update:
		return "upd"
	}
	return fmt.Sprintf("unknown status %d", uint8(s))
}

// IsUpdate reports whether the member updated or deleted the tuple rather than locking it
// (ISUPDATE_from_mxstatus).
func (s MemberStatus) IsUpdate() bool { return s > ForUpdate }

// Valid reports whether PostgreSQL knows the status.
func (s MemberStatus) Valid() bool { return s <= Update }

// Member is one transaction of a multixact (MultiXactMember, access/multixact.h).
type Member struct {
	XID    XID
	Status MemberStatus
}

// Next returns the id that is given out after m: after the highest comes 1, since 0 is invalid.
func (m MultiXactID) Next() MultiXactID {
	if m+1 < FirstMultiXactID {
		return FirstMultiXactID
	}
	return m + 1
}

// OffsetLocation is where the offsets entry of one multixact lies.
type OffsetLocation struct {
	Location
	Byte int64 // of the 4-byte entry, within the file
}

// OffsetOf finds the offsets entry of m (MultiXactIdToOffsetPage and MultiXactIdToOffsetEntry).
func OffsetOf(m MultiXactID) OffsetLocation {
	l := OffsetsGeometry().Locate(uint64(m))
	return OffsetLocation{Location: l, Byte: l.PageByte + int64(l.Entry)*4}
}

// MemberLocation is where one member lies.
type MemberLocation struct {
	Location
	FlagByte int64 // of the 1-byte status, within the file
	XIDByte  int64 // of the 4-byte transaction id, within the file
}

// MemberOf finds the member at o (MXOffsetToMemberPage, MXOffsetToFlagsOffset and MXOffsetToMemberOffset).
func MemberOf(o MultiXactOffset) MemberLocation {
	l := MembersGeometry().Locate(uint64(o))
	group := l.PageByte + int64(l.Entry/membersPerGroup)*memberGroupSize
	within := int64(l.Entry % membersPerGroup)
	return MemberLocation{Location: l, FlagByte: group + within, XIDByte: group + membersPerGroup + 4*within}
}

// PageOffset reads the offsets entry of m from its page. 0 means that none was written.
func PageOffset(page []byte, m MultiXactID) (MultiXactOffset, error) {
	if err := wholePage("offsets page", page); err != nil {
		return 0, err
	}
	l := OffsetOf(m)
	return MultiXactOffset(binary.LittleEndian.Uint32(page[l.Byte-l.PageByte:])), nil
}

// PutPageOffset writes the offsets entry of m into its page.
func PutPageOffset(page []byte, m MultiXactID, o MultiXactOffset) error {
	if err := wholePage("offsets page", page); err != nil {
		return err
	}
	l := OffsetOf(m)
	binary.LittleEndian.PutUint32(page[l.Byte-l.PageByte:], uint32(o))
	return nil
}

// PageMember reads the member at o from its page, as it is: the transaction id can be 0
// and the status unknown.
func PageMember(page []byte, o MultiXactOffset) (Member, error) {
	if err := wholePage("members page", page); err != nil {
		return Member{}, err
	}
	l := MemberOf(o)
	return Member{
		XID:    XID(binary.LittleEndian.Uint32(page[l.XIDByte-l.PageByte:])),
		Status: MemberStatus(page[l.FlagByte-l.PageByte]),
	}, nil
}

// PutPageMember writes the member at o into its page.
func PutPageMember(page []byte, o MultiXactOffset, m Member) error {
	if err := wholePage("members page", page); err != nil {
		return err
	}
	l := MemberOf(o)
	page[l.FlagByte-l.PageByte] = byte(m.Status)
	binary.LittleEndian.PutUint32(page[l.XIDByte-l.PageByte:], uint32(m.XID))
	return nil
}

// EncodeOffsetEntry returns the four bytes of an offsets entry.
func EncodeOffsetEntry(o MultiXactOffset) []byte {
	return binary.LittleEndian.AppendUint32(nil, uint32(o))
}

// ZeroPages returns n zeroed SLRU pages, as the server makes them when an id enters a new
// page (SimpleLruZeroPage). A zeroed page of members makes every lock and update recorded
// there disappear: count what refers to it first.
func ZeroPages(n int) []byte { return make([]byte, max(n, 0)*BlockSize) }

func wholePage(what string, page []byte) error {
	if len(page) != BlockSize {
		return &FormatError{Field: what, Want: fmt.Sprintf("%d bytes", BlockSize), Got: fmt.Sprintf("%d bytes", len(page))}
	}
	return nil
}
