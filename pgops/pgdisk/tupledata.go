package pgdisk

import "fmt"

// Words names the bits that are set, as htup_details.h does without HEAP_. Combinations
// that mean something of their own (XMIN_FROZEN, XMAX_SHR_LOCK) are given as such.
func (m Infomask) Words() []string {
	return bitWords(uint16(m), []bitWord{
		{uint16(HeapHasNull), "HASNULL"}, {uint16(HeapHasVarWidth), "HASVARWIDTH"},
		{uint16(HeapHasExternal), "HASEXTERNAL"}, {uint16(HeapHasOIDOld), "HASOID_OLD"},
		{uint16(HeapXmaxShrLock), "XMAX_SHR_LOCK"}, {uint16(HeapXmaxKeyShrLck), "XMAX_KEYSHR_LOCK"},
		{uint16(HeapXmaxExclLock), "XMAX_EXCL_LOCK"}, {uint16(HeapComboCID), "COMBOCID"},
		{uint16(HeapXmaxLockOnly), "XMAX_LOCK_ONLY"},
		{uint16(HeapXminFrozen), "XMIN_FROZEN"}, {uint16(HeapXminCommitted), "XMIN_COMMITTED"},
		{uint16(HeapXminInvalid), "XMIN_INVALID"}, {uint16(HeapXmaxCommitted), "XMAX_COMMITTED"},
		{uint16(HeapXmaxInvalid), "XMAX_INVALID"}, {uint16(HeapXmaxIsMulti), "XMAX_IS_MULTI"},
		{uint16(HeapUpdated), "UPDATED"}, {uint16(HeapMovedOff), "MOVED_OFF"}, {uint16(HeapMovedIn), "MOVED_IN"},
	})
}

// Words names the bits beside the number of columns.
func (m Infomask2) Words() []string {
	return bitWords(uint16(m), []bitWord{
		{uint16(HeapKeysUpdated), "KEYS_UPDATED"}, {uint16(HeapHotUpdated), "HOT_UPDATED"},
		{uint16(HeapOnlyTuple), "ONLY_TUPLE"},
	})
}

type bitWord struct {
	bits uint16
	word string
}

// bitWords takes each bit once: a combination listed first uses its bits up.
func bitWords(m uint16, table []bitWord) []string {
	var words []string
	for _, w := range table {
		if m&w.bits == w.bits {
			words = append(words, w.word)
			m &^= w.bits
		}
	}
	return words
}

// nullBitmapOffset is where the null bitmap starts (t_bits).
const nullBitmapOffset = TupleHeaderSize

// headerLen returns where columns start according to the other fields: header and null
// bitmap, aligned to 8 bytes.
func (h TupleHeader) headerLen() int {
	n := TupleHeaderSize
	if h.HasNulls() {
		n += (h.Natts() + 7) / 8
	}
	return (n + 7) &^ 7
}

// Problems lists what is wrong with the header of a tuple of length bytes, nothing for a
// sound one. Transaction ids are not judged: what is sound for them depends on the cluster.
func (h TupleHeader) Problems(length int) []*FormatError {
	var problems []*FormatError
	if want := h.headerLen(); int(h.Hoff) != want {
		problems = append(problems, &FormatError{Off: 22, Field: "t_hoff",
			Want: fmt.Sprintf("%d for %d columns", want, h.Natts()), Got: fmt.Sprint(h.Hoff)})
	}
	if int(h.Hoff) > length {
		problems = append(problems, &FormatError{Off: 22, Field: "t_hoff",
			Want: fmt.Sprintf("at most the tuple's %d bytes", length), Got: fmt.Sprint(h.Hoff)})
	}
	if h.XmaxCommitted() && h.XmaxIsMulti() {
		problems = append(problems, &FormatError{Off: 20, Field: "t_infomask",
			Want: "XMAX_COMMITTED or XMAX_IS_MULTI", Got: fmt.Sprintf("both (0x%04X)", uint16(h.Infomask))})
	}
	if h.CTID.Item == 0 {
		problems = append(problems, &FormatError{Off: 16, Field: "t_ctid", Want: "a line pointer from 1", Got: h.CTID.String()})
	}
	return problems
}

// Tuple is a heap tuple: its header and all its bytes.
type Tuple struct {
	TupleHeader
	data []byte
}

// DecodeTuple reads a tuple from the bytes of its item, whose header must hold together
// enough to find the columns.
func DecodeTuple(item []byte) (Tuple, error) {
	h, err := DecodeTupleHeader(item)
	if err != nil {
		return Tuple{}, err
	}
	if int(h.Hoff) < h.headerLen() || int(h.Hoff) > len(item) {
		return Tuple{}, &FormatError{Off: 22, Field: "t_hoff",
			Want: fmt.Sprintf("%d to %d", h.headerLen(), len(item)), Got: fmt.Sprint(h.Hoff)}
	}
	return Tuple{TupleHeader: h, data: item}, nil
}

// IsNull reports whether the column of the given number (from 1) is null or not stored.
func (t Tuple) IsNull(attnum int) bool {
	if attnum < 1 || attnum > t.Natts() {
		return true
	}
	if !t.HasNulls() {
		return false
	}
	i := attnum - 1
	return t.data[nullBitmapOffset+i/8]&(1<<(i%8)) == 0
}

// Columns returns the stored columns, from t_hoff on.
func (t Tuple) Columns() []byte { return t.data[t.Hoff:] }

// Fixed returns size bytes at off in the columns. It finds a column whose offset is fixed:
// every earlier column has a fixed width and is not null, which the catalogs promise for
// their leading columns.
func (t Tuple) Fixed(off, size int) ([]byte, error) {
	c := t.Columns()
	if off < 0 || size < 0 || off > len(c) || size > len(c)-off {
		return nil, &FormatError{Off: int64(t.Hoff) + int64(off), Field: "column",
			Want: fmt.Sprintf("%d bytes", size), Got: fmt.Sprintf("a tuple of %d bytes", len(t.data))}
	}
	return c[off : off+size], nil
}
