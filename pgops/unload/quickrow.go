package unload

import (
	"encoding/binary"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// quickRow writes ordinary rows in COPY's text format in one pass over their bytes. It knows
// one answer, and else declines: whatever is not ordinary goes the long way (worker.item),
// which must come to the same bytes for what is.
type quickRow struct {
	steps     []quickStep
	charset   charset
	nextXID   pgdisk.XID
	frozenXID pgdisk.XID
	xmin      pgdisk.XID // the last one that was found good
}

// quickStep is what to do about a column. Those that are not printed are stepped over.
type quickStep struct {
	kind    quickKind
	print   values.Printer // of a printed column
	plain   bool           // its text never needs an escape
	printed bool
	first   bool // of those printed
	len     int  // attlen
	pad     int  // alignment less 1
	align   byte
	missing []byte
}

// quickKind is how a column is printed.
type quickKind uint8

const (
	quickOther quickKind = iota // by its Printer
	quickInt4
	quickInt8
	quickText
)

// newQuickRow prepares for a table; nil when its rows cannot be written like that.
func newQuickRow(t *table, rows *rowPrinter, nextXID pgdisk.XID) *quickRow {
	if rows.format != FormatCopy {
		return nil
	}
	q := &quickRow{charset: rows.charset, nextXID: nextXID, frozenXID: t.frozenXID}
	for i := range t.columns {
		c := &t.columns[i]
		pad := map[byte]int{'c': 0, 's': 1, 'i': 3, 'd': 7}
		if _, ok := pad[c.Align]; !ok {
			return nil
		}
		q.steps = append(q.steps, quickStep{len: int(c.Len), align: c.Align, pad: pad[c.Align], missing: c.Missing})
	}
	for i := range rows.columns {
		c := &rows.columns[i]
		s := &q.steps[c.index]
		s.printed, s.first, s.print, s.plain = true, i == 0, c.print, c.plain
		if c.opaque == "" {
			s.kind = quickKindOf(&t.columns[c.index])
		}
	}
	return q
}

// quickKindOf knows the columns whose Printer quickRow makes do without.
func quickKindOf(c *values.Column) quickKind {
	if c.Type == nil || c.Type.Len != c.Len {
		return quickOther
	}
	switch output := c.Type.Output; {
	case output == "int4out" && c.Len == 4:
		return quickInt4
	case output == "int8out" && c.Len == 8:
		return quickInt8
	case (output == "textout" || output == "varcharout" || output == "bpcharout") && c.Len == -1:
		return quickText
	}
	return quickOther
}

// row appends the row of a tuple, its bytes from header to end. false: dst is as it was, and
// the tuple has to be looked at in detail.
func (q *quickRow) row(dst []byte, raw []byte) ([]byte, bool) {
	natts, nulls, hoff, ok := q.ordinary(raw)
	if !ok {
		return dst, false
	}
	start := len(dst)
	out, plain, ok := q.columns(dst, raw[hoff:], natts, nulls)
	if !ok || !plain && !q.charset.sound(out[start:]) {
		return out[:start], false
	}
	return append(out, '\n'), true
}

// ordinary reports a tuple whose header is sound and by which the row is visible without any
// doubt (TupleHeader.Problems, Visibility.Judge and worker.judge say nothing else of it).
// nulls is its null bitmap, nil without nulls.
func (q *quickRow) ordinary(raw []byte) (natts int, nulls []byte, hoff int, ok bool) {
	if len(raw) <= pgdisk.TupleHeaderSize {
		return 0, nil, 0, false
	}
	le := binary.LittleEndian
	item, mask := le.Uint16(raw[16:]), pgdisk.Infomask(le.Uint16(raw[20:]))
	const decided = pgdisk.HeapXminCommitted | pgdisk.HeapXmaxInvalid
	if mask&(decided|pgdisk.HeapXmaxCommitted) != decided || item == 0 || item == pgdisk.SpecTokenItem {
		return 0, nil, 0, false
	}
	natts, hoff = int(le.Uint16(raw[18:])&uint16(pgdisk.HeapNattsMask)), pgdisk.TupleHeaderSize+1
	if mask&pgdisk.HeapHasNull != 0 {
		hoff = (pgdisk.TupleHeaderSize + (natts+7)/8 + 7) &^ 7
	}
	if int(raw[22]) != hoff || hoff > len(raw) || natts > len(q.steps) {
		return 0, nil, 0, false
	}
	if mask&pgdisk.HeapHasNull != 0 {
		nulls = raw[pgdisk.TupleHeaderSize:hoff]
	}
	xmin := pgdisk.XID(le.Uint32(raw))
	if mask&pgdisk.HeapXminFrozen != pgdisk.HeapXminFrozen && xmin != q.xmin && !q.possible(xmin) {
		return 0, nil, 0, false
	}
	return natts, nulls, hoff, true
}

// possible reports that a transaction that is not frozen can have been.
func (q *quickRow) possible(xmin pgdisk.XID) bool {
	if xmin.Normal() && (q.nextXID != 0 && !xmin.Precedes(q.nextXID) || q.frozenXID != 0 && xmin.Precedes(q.frozenXID)) {
		return false
	}
	q.xmin = xmin
	return true
}

// columns appends the columns, stored ones from b. plain reports that all is ASCII.
func (q *quickRow) columns(dst []byte, b []byte, natts int, nulls []byte) (_ []byte, plain, ok bool) {
	off, plain := 0, true
	for i := range q.steps {
		s := &q.steps[i]
		if s.printed && !s.first {
			dst = append(dst, '\t')
		}
		if i >= natts {
			if dst, plain, ok = s.value(dst, s.missing, plain); !ok {
				return dst, false, false
			}
			continue
		}
		if nulls != nil && nulls[i>>3]&(1<<(i&7)) == 0 {
			dst, _, _ = s.value(dst, nil, plain)
			continue
		}
		start := (off + s.pad) &^ s.pad
		switch s.kind {
		case quickInt4:
			if off = start + 4; off > len(b) {
				return dst, false, false
			}
			dst = appendInt(dst, int64(int32(binary.LittleEndian.Uint32(b[start:]))))
		case quickInt8:
			if off = start + 8; off > len(b) {
				return dst, false, false
			}
			dst = appendInt(dst, int64(binary.LittleEndian.Uint64(b[start:])))
		case quickText:
			if off < len(b) && b[off]&1 == 1 && b[off] != 1 {
				end := off + int(b[off]>>1)
				if end > len(b) {
					return dst, false, false
				}
				var ascii bool
				if dst, ascii, ok = appendCopyText(dst, b[off+1:end]); !ok {
					return dst, false, false
				}
				plain, off = plain && ascii, end
				continue
			}
			fallthrough
		default:
			start, end, ok := s.find(b, off)
			if !ok {
				return dst, false, false
			}
			if dst, plain, ok = s.value(dst, b[start:end:end], plain); !ok {
				return dst, false, false
			}
			off = end
		}
	}
	return dst, plain, off == len(b)
}

// find is where the value lies, if there can be no two opinions about it.
func (s *quickStep) find(b []byte, off int) (start, end int, ok bool) {
	if s.len > 0 {
		start = (off + s.pad) &^ s.pad
		return start, start + s.len, start+s.len <= len(b)
	}
	start, end, err := values.NextValue(b, off, int16(s.len), s.align)
	switch {
	case err != nil:
		return 0, 0, false
	case s.len == -1 && b[start]&1 == 1: // a short header, before which there is no padding
		return start, end, start == off
	}
	return start, end, start&s.pad == 0
}

// value appends a value by its Printer, nil being null.
func (s *quickStep) value(dst, v []byte, plain bool) ([]byte, bool, bool) {
	if !s.printed {
		return dst, plain, true
	}
	if v == nil {
		return append(dst, '\\', 'N'), plain, true
	}
	at := len(dst)
	dst, err := s.print(dst, v)
	if err != nil {
		return dst, false, false
	}
	if !s.plain {
		var ascii bool
		dst, ascii = escapeCopy(dst, at)
		plain = plain && ascii
	}
	return dst, plain, true
}
