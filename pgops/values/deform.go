package values

import (
	"fmt"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Deformer takes the tuples of one table apart (heap_deform_tuple, access/common/heaptuple.c).
// It holds no state between tuples and may be used by several goroutines.
type Deformer struct {
	cols   []Column
	starts []int // of the leading columns of fixed width, while none is null (attcacheoff)
}

// NewDeformer returns a Deformer for the columns of a table in order of attnum, dropped ones
// included. Their Len and Align are used, not those of the type, which a dropped column has
// lost.
func NewDeformer(cols []Column) *Deformer {
	d := &Deformer{cols: cols}
	off := 0
	for _, c := range cols {
		start, err := alignTo(off, c.Align)
		if err != nil || c.Len <= 0 {
			break
		}
		d.starts = append(d.starts, start)
		off = start + int(c.Len)
	}
	return d
}

// Columns returns the columns it was made for.
func (d *Deformer) Columns() []Column { return d.cols }

// Deform puts the value of column i into out[i], which is part of the tuple's bytes: of a
// varlena header and all. nil is null. A column younger than the tuple gets its Missing; a
// dropped column stays nil. Columns that the catalog does not know of are left alone.
//
// out must be as long as the list of columns. After an error, a *ColumnError, the columns
// from its Index on are nil; those before it are right.
func (d *Deformer) Deform(t pgdisk.Tuple, out [][]byte) error {
	if len(out) != len(d.cols) {
		return fmt.Errorf("deform: room for %d columns, want %d", len(out), len(d.cols))
	}
	natts := min(t.Natts(), len(d.cols))
	if err := d.stored(t, natts, out); err != nil {
		return err
	}
	for i := natts; i < len(d.cols); i++ {
		out[i] = nil
		if !d.cols[i].Dropped {
			out[i] = d.cols[i].Missing
		}
	}
	return nil
}

// stored takes the columns that the tuple has.
func (d *Deformer) stored(t pgdisk.Tuple, natts int, out [][]byte) error {
	b, off, known, nulls := t.Columns(), 0, len(d.starts), t.HasNulls()
	for i := range natts {
		if nulls && t.IsNull(i+1) {
			out[i] = nil
			known = 0 // what follows lies further to the front
			continue
		}
		c := &d.cols[i]
		var start, end int
		if i < known && d.starts[i]+int(c.Len) <= len(b) {
			start, end = d.starts[i], d.starts[i]+int(c.Len)
		} else {
			var err error
			if start, end, err = NextValue(b, off, c.Len, c.Align); err != nil {
				clear(out[i:])
				return &ColumnError{Index: i, Name: c.Name, Off: off, Err: err}
			}
		}
		out[i], off = b[start:end:end], end
		if c.Dropped {
			out[i] = nil
		}
	}
	return nil
}
