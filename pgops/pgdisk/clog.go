package pgdisk

import "fmt"

// XactStatus is the fate of a transaction (XidStatus, access/clog.h).
type XactStatus uint8

// The statuses.
const (
	XactInProgress   XactStatus = iota // TRANSACTION_STATUS_IN_PROGRESS; after a crash: aborted
	XactCommitted                      // TRANSACTION_STATUS_COMMITTED
	XactAborted                        // TRANSACTION_STATUS_ABORTED
	XactSubCommitted                   // TRANSACTION_STATUS_SUB_COMMITTED: its parent decides
)

// String gives the status in words.
func (s XactStatus) String() string {
	switch s {
	case XactInProgress:
		return "in progress"
	case XactCommitted:
		return "committed"
	case XactAborted:
		return "aborted"
	case XactSubCommitted:
		return "sub-committed"
	}
	return fmt.Sprintf("transaction status %d", uint8(s))
}

// PageXactStatus reads the status of x from its pg_xact page (TransactionIdGetStatus,
// access/transam/clog.c). The ids below FirstNormalXID have no entry of meaning.
func PageXactStatus(page []byte, x XID) (XactStatus, error) {
	if err := wholePage("pg_xact page", page); err != nil {
		return 0, err
	}
	entry := XactGeometry().Locate(uint64(x)).Entry
	return XactStatus(page[entry/4] >> (entry % 4 * 2) & 3), nil
}

// ReadXactStatus returns the status of x. The bootstrap and frozen ids are always committed,
// the invalid id always aborted (TransactionLogFetch, access/transam/transam.c). A page that
// cannot be had is an *SLRUPageError.
func ReadXactStatus(pages SLRUPages, x XID) (XactStatus, error) {
	switch x {
	case InvalidXID:
		return XactAborted, nil
	case BootstrapXID, FrozenXID:
		return XactCommitted, nil
	}
	g := XactGeometry()
	page, err := pages.SLRUPage(g, g.Locate(uint64(x)).Page)
	if err != nil {
		return 0, fmt.Errorf("status of transaction %d: %w", x, err)
	}
	return PageXactStatus(page, x)
}

// LastUsedXact returns the index, counted from the first transaction of the segment, of the last
// entry that is not zero, and false when all are. Add it to FirstID of the segment's first page to
// get a transaction id. Data can be a whole pg_xact file or a part that starts on an entry.
//
// It is a lower bound for what was used: a transaction that was running leaves zeroes.
func LastUsedXact(data []byte) (uint64, bool) {
	i, ok := lastNonZero(data)
	if !ok {
		return 0, false
	}
	entry := uint64(i) * 4
	for b := data[i]; b > 3; b >>= 2 {
		entry++
	}
	return entry, true
}

// LastUsedOffset returns the index of the last entry of an offsets file that is not zero,
// and false when all are.
func LastUsedOffset(data []byte) (uint64, bool) {
	i, ok := lastNonZero(data)
	return uint64(i) / 4, ok
}

// LastUsedMember returns the index of the last member of a members file that has a transaction
// id, and false when none has. Data must start on a page.
func LastUsedMember(data []byte) (uint64, bool) {
	for end := len(data); ; {
		i, ok := lastNonZero(data[:end])
		if !ok {
			return 0, false
		}
		page, within := i/BlockSize, i%BlockSize
		group, at := within/memberGroupSize, within%memberGroupSize
		if group < membersPerPage/membersPerGroup && at >= membersPerGroup {
			return uint64(page*membersPerPage + group*membersPerGroup + (at-membersPerGroup)/4), true
		}
		end = i // a flag byte or the unused end of a page: no member by itself
	}
}

// lastNonZero finds the last byte that is not zero.
func lastNonZero(data []byte) (int, bool) {
	for i := len(data) - 1; i >= 0; i-- {
		if data[i] != 0 {
			return i, true
		}
	}
	return 0, false
}
