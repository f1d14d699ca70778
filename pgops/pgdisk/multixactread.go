package pgdisk

import (
	"errors"
	"fmt"
)

// MaxMultiXactMembers bounds how many members one multixact is believed to have. A real one
// has as many as there were sessions locking the row at once, plus their subtransactions;
// a damaged length is usually in the billions.
const MaxMultiXactMembers = 1 << 20

// MultiXactFault says what makes a multixact unreadable.
type MultiXactFault int

// The faults, in the order in which reading meets them.
const (
	MultiXactNotValid     MultiXactFault = iota + 1 // the id is 0
	MultiXactNotCreated                             // the id is not below the next id to be given out
	OffsetFileMissing                               // the file of its offsets entry is not there
	OffsetPageShort                                 // the file ends before the entry's page does
	OffsetUnreadable                                // reading it failed
	OffsetZero                                      // the entry was never written, or was zeroed
	NextOffsetFileMissing                           // the same for the following entry, which marks the end
	NextOffsetPageShort                             //
	NextOffsetUnreadable                            //
	NextOffsetZero                                  // old servers wait for ever on it, newer ones report an error
	MultiXactLengthAbsurd                           // the two entries enclose no members, or too many
	MembersFileMissing                              // the file of a member is not there
	MembersPageShort                                //
	MembersUnreadable                               //
	MemberZero                                      // a member has no transaction id: the page was zeroed
	MemberStatusUnknown                             // a member's status is none that PostgreSQL has
)

// String gives the fault in words.
func (f MultiXactFault) String() string {
	words := [...]string{
		MultiXactNotValid:     "0 is no multixact",
		MultiXactNotCreated:   "it has not been created yet",
		OffsetFileMissing:     "the file with its offset is missing",
		OffsetPageShort:       "the file with its offset is too short",
		OffsetUnreadable:      "its offset cannot be read",
		OffsetZero:            "its offset is zero",
		NextOffsetFileMissing: "the file with the following offset is missing",
		NextOffsetPageShort:   "the file with the following offset is too short",
		NextOffsetUnreadable:  "the following offset cannot be read",
		NextOffsetZero:        "the following offset is zero",
		MultiXactLengthAbsurd: "its number of members is absurd",
		MembersFileMissing:    "a file with its members is missing",
		MembersPageShort:      "a file with its members is too short",
		MembersUnreadable:     "its members cannot be read",
		MemberZero:            "a member has transaction id zero",
		MemberStatusUnknown:   "a member has an unknown status",
	}
	if f < MultiXactNotValid || int(f) >= len(words) {
		return fmt.Sprintf("multixact fault %d", int(f))
	}
	return words[f]
}

// MultiXactError says why the members of a multixact cannot be read.
type MultiXactError struct {
	ID     MultiXactID
	Fault  MultiXactFault
	At     Location // of the entry or member at fault; empty when the id itself is wrong
	Detail string   // numbers, may be empty
	Err    error    // an *SLRUPageError when a page could not be had
}

func (e *MultiXactError) Error() string {
	s := fmt.Sprintf("multixact %d: %s", e.ID, e.Fault)
	if e.At.Dir != "" {
		s += fmt.Sprintf(" (%s, page %d, entry %d)", e.At.Path(), e.At.Page, e.At.Entry)
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

func (e *MultiXactError) Unwrap() error { return e.Err }

// ReadMultiXact returns the members of m, reading what the server would read
// (GetMultiXactIdMembers, access/transam/multixact.c).
//
// next and nextOffset are the ids to be given out next: NextMulti and NextMultiOffset from
// pg_control after a clean shutdown. After a crash pg_control is behind; take higher ones from
// WAL, or ids that were created since are reported as MultiXactNotCreated. The members'
// files may hold a readable multixact that is older than the cluster's oldestMulti; whether
// it is, is the caller's to compare.
//
// On a *MultiXactError with a fault of members, the members read before it are returned too.
func ReadMultiXact(pages SLRUPages, m, next MultiXactID, nextOffset MultiXactOffset) ([]Member, error) {
	if m == 0 {
		return nil, &MultiXactError{ID: m, Fault: MultiXactNotValid}
	}
	if !m.Precedes(next) {
		return nil, &MultiXactError{ID: m, Fault: MultiXactNotCreated, Detail: fmt.Sprintf("the next one to be created is %d", next)}
	}
	start, err := readOffset(pages, m, m, OffsetFileMissing)
	if err != nil {
		return nil, err
	}
	end := nextOffset
	if m.Next() != next {
		if end, err = readOffset(pages, m, m.Next(), NextOffsetFileMissing); err != nil {
			return nil, err
		}
	}
	length := end - start
	if length == 0 || length > MaxMultiXactMembers {
		return nil, &MultiXactError{ID: m, Fault: MultiXactLengthAbsurd, At: OffsetOf(m).Location,
			Detail: fmt.Sprintf("from %d to %d are %d", start, end, length)}
	}
	return readMembers(pages, m, start, length)
}

// readOffset reads the entry of one id on behalf of m. missing is the first of the four
// faults (missing, short, unreadable, zero) that apply to that entry.
func readOffset(pages SLRUPages, m, entry MultiXactID, missing MultiXactFault) (MultiXactOffset, error) {
	l := OffsetOf(entry)
	page, err := pages.SLRUPage(OffsetsGeometry(), l.Page)
	if err != nil {
		return 0, pageFault(m, l.Location, missing, err)
	}
	o, err := PageOffset(page, entry)
	if err != nil {
		return 0, pageFault(m, l.Location, missing, err)
	}
	if o == 0 {
		return 0, &MultiXactError{ID: m, Fault: missing + OffsetZero - OffsetFileMissing, At: l.Location}
	}
	return o, nil
}

// pageFault classifies an error from reading a page; missing is the first of three faults in a row.
func pageFault(m MultiXactID, l Location, missing MultiXactFault, err error) error {
	e := &MultiXactError{ID: m, Fault: missing + OffsetUnreadable - OffsetFileMissing, At: l, Err: err, Detail: err.Error()}
	var page *SLRUPageError
	if errors.As(err, &page) {
		switch page.Kind {
		case HoleMissing:
			e.Fault, e.Detail = missing, ""
		case HoleShort:
			e.Fault, e.Detail = missing+OffsetPageShort-OffsetFileMissing, fmt.Sprintf("%d of %d bytes are there", page.Have, BlockSize)
		}
	}
	return e
}

func readMembers(pages SLRUPages, m MultiXactID, start, length MultiXactOffset) ([]Member, error) {
	var members []Member // grows as read: length is from disk
	for i := range length {
		o := start + i
		l := MemberOf(o)
		page, err := pages.SLRUPage(MembersGeometry(), l.Page)
		if err != nil {
			return members, pageFault(m, l.Location, MembersFileMissing, err)
		}
		member, err := PageMember(page, o)
		if err != nil {
			return members, pageFault(m, l.Location, MembersFileMissing, err)
		}
		if member.XID == InvalidXID {
			if o == 0 {
				continue // after a wraparound of offsets, slot 0 stays unused
			}
			return members, &MultiXactError{ID: m, Fault: MemberZero, At: l.Location, Detail: fmt.Sprintf("member %d of %d", i+1, length)}
		}
		if !member.Status.Valid() {
			return members, &MultiXactError{ID: m, Fault: MemberStatusUnknown, At: l.Location, Detail: member.Status.String()}
		}
		members = append(members, member)
	}
	return members, nil
}
