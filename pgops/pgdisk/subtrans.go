package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// subtransEntrySize is the size of an entry: the parent's transaction id
// (access/transam/subtrans.c).
const subtransEntrySize = 4

// MaxSubtransDepth bounds how far up a chain of subtransactions is followed. It is far more
// than savepoints are nested; every step also has to lead to an older transaction.
const MaxSubtransDepth = 1 << 20

// PageSubtransParent reads the parent of x from its pg_subtrans page. 0 means that x is no
// subtransaction, or that the entry was zeroed since.
func PageSubtransParent(page []byte, x XID) (XID, error) {
	if err := wholePage("pg_subtrans page", page); err != nil {
		return 0, err
	}
	return XID(binary.LittleEndian.Uint32(page[SubtransGeometry().Locate(uint64(x)).Entry*subtransEntrySize:])), nil
}

// PutPageSubtransParent writes the parent of x into its page.
func PutPageSubtransParent(page []byte, x, parent XID) error {
	if err := wholePage("pg_subtrans page", page); err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(page[SubtransGeometry().Locate(uint64(x)).Entry*subtransEntrySize:], uint32(parent))
	return nil
}

// ReadSubtransParent returns the parent of x (SubTransGetParent, access/transam/subtrans.c), 0
// when it has none. A page that cannot be had is an *SLRUPageError.
//
// pg_subtrans serves transactions that run. The server zeroes the pages in use at every start
// and removes old files, so 0 does not prove that x was no subtransaction.
func ReadSubtransParent(pages SLRUPages, x XID) (XID, error) {
	if !x.Normal() {
		return InvalidXID, nil
	}
	g := SubtransGeometry()
	page, err := pages.SLRUPage(g, g.Locate(uint64(x)).Page)
	if err != nil {
		return InvalidXID, fmt.Errorf("parent of transaction %d: %w", x, err)
	}
	return PageSubtransParent(page, x)
}

// SubtransChain returns the ancestors of x, its parent first and the top-level transaction
// last, none when x has no parent (SubTransGetTopmostTransaction, access/transam/subtrans.c).
// A parent is always older than its child; one that is not is damage, a circle included, and
// ends the chain with a *FormatError beside the ancestors before it.
func SubtransChain(pages SLRUPages, x XID) ([]XID, error) {
	var chain []XID
	for child := x; len(chain) < MaxSubtransDepth; {
		parent, err := ReadSubtransParent(pages, child)
		if err != nil || parent == InvalidXID {
			return chain, err
		}
		if !parent.Normal() || !parent.Precedes(child) {
			l := SubtransGeometry().Locate(uint64(child))
			return chain, &FormatError{File: l.Path(), Off: l.PageByte + int64(l.Entry)*subtransEntrySize,
				Field: fmt.Sprintf("parent of transaction %d", child), Want: "an older transaction", Got: fmt.Sprint(parent)}
		}
		chain = append(chain, parent)
		child = parent
	}
	return chain, fmt.Errorf("ancestors of transaction %d: more than %d", x, MaxSubtransDepth)
}

// LastUsedSubtrans returns the index of the last entry of a subtrans file that is not zero,
// and false when all are.
func LastUsedSubtrans(data []byte) (uint64, bool) {
	i, ok := lastNonZero(data)
	return uint64(i) / subtransEntrySize, ok
}
