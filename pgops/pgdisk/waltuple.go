package pgdisk

import "fmt"

// WALTuple is a heap tuple as records hold it: of its header only what cannot be had from
// the rest of the record (xl_heap_header and xl_multi_insert_tuple, access/heapam_xlog.h).
type WALTuple struct {
	Infomask2 Infomask2
	Infomask  Infomask
	Hoff      uint8  // where the columns start in the whole tuple
	Data      []byte // everything from t_bits on: null bitmap, padding, columns
}

// decodeWALTuple reads xl_heap_header and takes all that is left for the tuple's data.
func decodeWALTuple(d *walBody) (t WALTuple, ok bool) {
	t = WALTuple{Infomask2: Infomask2(d.u16()), Infomask: Infomask(d.u16()), Hoff: d.u8()}
	t.Data = d.rest()
	return t, !d.short
}

// Len is the length of the whole tuple, bytes.
func (t WALTuple) Len() int { return TupleHeaderSize + len(t.Data) }

// Natts is the number of columns stored.
func (t WALTuple) Natts() int { return int(t.Infomask2 & HeapNattsMask) }

// Tuple makes the tuple whole, as replay writes it to the page (heap_xlog_insert,
// heapam_xlog.c): xmin inserted it, xmax is 0 or locks it already, ctid is its own place.
// The command id, which is not in the log, becomes 0.
func (t WALTuple) Tuple(xmin, xmax XID, ctid TID) (Tuple, error) {
	b := make([]byte, TupleHeaderSize, t.Len())
	h := TupleHeader{Xmin: xmin, Xmax: xmax, CTID: ctid, Infomask2: t.Infomask2, Infomask: t.Infomask, Hoff: t.Hoff}
	h.Encode(b)
	return DecodeTuple(append(b, t.Data...))
}

// WALInfobits says how a transaction in t_xmax holds a tuple (XLHL_*, access/heapam_xlog.h).
type WALInfobits uint8

// The bits.
const (
	WALXmaxIsMulti    WALInfobits = 0x01 // XLHL_XMAX_IS_MULTI
	WALXmaxLockOnly   WALInfobits = 0x02 // XLHL_XMAX_LOCK_ONLY
	WALXmaxExclLock   WALInfobits = 0x04 // XLHL_XMAX_EXCL_LOCK
	WALXmaxKeyShrLock WALInfobits = 0x08 // XLHL_XMAX_KEYSHR_LOCK
	WALKeysUpdated    WALInfobits = 0x10 // XLHL_KEYS_UPDATED
)

// Words names the bits that are set, as pg_waldump does.
func (b WALInfobits) Words() []string {
	return bitWords(uint16(b), []bitWord{
		{uint16(WALXmaxIsMulti), "IS_MULTI"}, {uint16(WALXmaxLockOnly), "LOCK_ONLY"},
		{uint16(WALXmaxExclLock), "EXCL_LOCK"}, {uint16(WALXmaxKeyShrLock), "KEYSHR_LOCK"},
		{uint16(WALKeysUpdated), "KEYS_UPDATED"},
	})
}

// Apply gives the infomasks of a tuple after t_xmax was set with these bits
// (fix_infomask_from_infobits, heapam_xlog.c).
func (b WALInfobits) Apply(m Infomask, m2 Infomask2) (Infomask, Infomask2) {
	m &^= HeapXmaxIsMulti | HeapXmaxLockOnly | HeapXmaxKeyShrLck | HeapXmaxExclLock
	m2 &^= HeapKeysUpdated
	for _, pair := range []struct {
		bit  WALInfobits
		mask Infomask
	}{
		{WALXmaxIsMulti, HeapXmaxIsMulti}, {WALXmaxLockOnly, HeapXmaxLockOnly},
		{WALXmaxExclLock, HeapXmaxExclLock}, {WALXmaxKeyShrLock, HeapXmaxKeyShrLck},
	} {
		if b&pair.bit != 0 {
			m |= pair.mask
		}
	}
	if b&WALKeysUpdated != 0 {
		m2 |= HeapKeysUpdated
	}
	return m, m2
}

// WALHeapMulti is a Heap2/MULTI_INSERT record (xl_heap_multi_insert): several tuples on one
// page, as COPY writes them.
type WALHeapMulti struct {
	Flags  uint8 // XLH_INSERT_*
	Init   bool  // the page is new: tuples have the line pointers 1, 2, 3...
	Count  int
	Lines  WALOffsets // line pointers; none when Init
	tuples []byte
}

// WALHeapMulti decodes a Heap2/MULTI_INSERT record. Its tuples are missing when a page image
// holds them, see Len.
func (r *WALRecord) WALHeapMulti() (m WALHeapMulti, ok bool) {
	if r.Rmid != RmgrHeap2 || r.Info&walHeapOpMask != walHeap2MultiInsert {
		return WALHeapMulti{}, false
	}
	d := walBody{b: r.MainData}
	m.Init = r.Info&walHeapInitPage != 0
	m.Flags = d.u8()
	d.align(2)
	m.Count = int(d.u16())
	if !m.Init {
		m.Lines = d.items(uint32(m.Count), 2)
	}
	if d.short {
		return WALHeapMulti{}, false
	}
	if block, have := r.blockBody(0); have {
		m.tuples = block.b
		n := 0
		for range m.Tuples {
			n++
		}
		ok = n == m.Count
		return m, ok
	}
	return m, true
}

// HasTuples reports whether the record holds the tuples, not only a page image that does.
func (m *WALHeapMulti) HasTuples() bool { return m.tuples != nil }

// Line is the line pointer of the i-th tuple.
func (m *WALHeapMulti) Line(i int) uint16 {
	if m.Init {
		return uint16(i + 1)
	}
	return m.Lines.At(i)
}

// Tuples goes through the tuples with their line pointers.
func (m *WALHeapMulti) Tuples(yield func(line uint16, t WALTuple) bool) {
	d := walBody{b: m.tuples}
	for i := range m.Count {
		d.align(2)
		n := int(d.u16())
		t := WALTuple{Infomask2: Infomask2(d.u16()), Infomask: Infomask(d.u16()), Hoff: d.u8()}
		t.Data = d.take(n)
		if d.short || !yield(m.Line(i), t) {
			return
		}
	}
}

// Rebuild makes the new version of an updated row whole. old holds the bytes of the old
// version, of which the new one may share the first and last columns; they are on the same
// page then (heap_xlog_update, heapam_xlog.c). Without such shares old may be nil.
func (u *WALHeapUpdate) Rebuild(old []byte) (WALTuple, error) {
	t := u.New
	bitmap := int(t.Hoff) - TupleHeaderSize
	if !u.HasNew || bitmap < 0 || bitmap > len(t.Data) {
		return WALTuple{}, &FormatError{Field: "updated tuple", Want: "a header and data", Got: fmt.Sprintf("t_hoff %d, %d bytes", t.Hoff, len(t.Data))}
	}
	if u.Prefix == 0 && u.Suffix == 0 {
		return t, nil
	}
	h, err := DecodeTupleHeader(old)
	if err != nil {
		return WALTuple{}, fmt.Errorf("old version: %w", err)
	}
	columns := len(old) - int(h.Hoff)
	if int(u.Prefix) > columns || int(u.Suffix) > columns {
		return WALTuple{}, &FormatError{Field: "old version", Want: fmt.Sprintf("columns of %d bytes", max(u.Prefix, u.Suffix)), Got: fmt.Sprintf("%d bytes", columns)}
	}
	b := make([]byte, 0, len(t.Data)+int(u.Prefix)+int(u.Suffix))
	b = append(b, t.Data[:bitmap]...)
	b = append(b, old[h.Hoff:int(h.Hoff)+int(u.Prefix)]...)
	b = append(b, t.Data[bitmap:]...)
	t.Data = append(b, old[len(old)-int(u.Suffix):]...)
	return t, nil
}
