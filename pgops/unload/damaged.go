package unload

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// damagedRow is a line of a file of damaged rows: a row that is visible but not among the
// good ones.
type damagedRow struct {
	Block   pgdisk.BlockNumber `json:"block"`
	Item    uint16             `json:"item"`
	Xmin    pgdisk.XID         `json:"xmin"`
	Xmax    pgdisk.XID         `json:"xmax"`
	Why     []string           `json:"why"`
	Columns []damagedField     `json:"columns"`
	Rest    string             `json:"rest,omitempty"`  // what follows these columns, in hex
	Tuple   string             `json:"tuple,omitempty"` // all of it, in hex, when the columns cannot be told apart
}

// damagedField is a column of a damaged row: its text, or its bytes. Neither is null.
type damagedField struct {
	Name string  `json:"name"`
	Text *string `json:"text"`
	Hex  string  `json:"hex,omitempty"`
	Why  string  `json:"why,omitempty"`
}

func (d damagedRow) append(dst []byte) []byte {
	b, err := json.Marshal(d)
	if err != nil { // strings and numbers always marshal
		panic(err)
	}
	return append(append(dst, b...), '\n')
}

// damaged writes a visible row that is not to be trusted, column by column as text: those
// that can be printed, and the bytes of the others.
func (w *worker) damaged(why string, deformErr error) {
	w.end.counts.Damaged++
	d := damagedRow{Block: w.tid.Block, Item: w.tid.Item, Xmin: w.tuple.Xmin, Xmax: w.tuple.Xmax}
	if why != "" {
		d.Why = append(d.Why, why)
	}
	known := len(w.table.columns)
	if deformErr != nil {
		d.Why = append(d.Why, deformErr.Error())
		var column *values.ColumnError
		if errors.As(deformErr, &column) {
			known = column.Index
			d.Rest = string(appendHex(nil, w.tuple.Columns()[min(column.Off, len(w.tuple.Columns())):]))
		} else {
			d.Tuple = string(appendHex(nil, rawTuple(w.tuple)))
		}
	}
	if w.toast != nil {
		w.toast.lenient = true
		defer func() { w.toast.lenient = false }()
	}
	w.damagedFields(&d, known)
	n := w.noteAt(NoteRow)
	n.Reason = "kept in " + w.table.paths.damaged
	if len(d.Why) > 0 {
		n.Reason += ": " + d.Why[0]
	}
	w.part.notes = n.append(w.part.notes)
	w.part.damaged = d.append(w.part.damaged)
	if w.part.size() >= partSize {
		w.flush()
	}
}

// damagedFields prints the columns up to known.
func (w *worker) damagedFields(d *damagedRow, known int) {
	cs := w.table.database.charset
	for i := range w.rows.columns {
		c := &w.rows.columns[i]
		if c.index >= known {
			break
		}
		f := damagedField{Name: cs.string(c.name)}
		v := w.vals[c.index]
		if v == nil {
			d.Columns = append(d.Columns, f)
			continue
		}
		text, err := c.text(nil, v)
		if err == nil {
			var ok bool
			if text, ok = cs.convert(text, 0); !ok || !cs.sound(text) {
				err = errText(cs)
			}
		}
		if err != nil {
			f.Hex, f.Why = string(appendHex(nil, v)), err.Error()
			w.end.counts.BadValues++
			n := w.noteAt(NoteValue)
			n.Column, n.Reason, n.Hex = f.Name, f.Why, f.Hex
			w.part.notes = n.append(w.part.notes)
			if why := f.Name + ": " + f.Why; !slices.Contains(d.Why, why) {
				d.Why = append(d.Why, why)
			}
		} else {
			s := string(text)
			f.Text = &s
		}
		d.Columns = append(d.Columns, f)
	}
}

// rawTuple is the tuple as it lies on its page.
func rawTuple(t pgdisk.Tuple) []byte {
	raw := make([]byte, pgdisk.TupleHeaderSize, int(t.Hoff)+len(t.Columns()))
	t.TupleHeader.Encode(raw)
	for len(raw) < int(t.Hoff) { // null bitmap and padding
		raw = append(raw, 0)
	}
	for i := range t.Natts() {
		if t.HasNulls() && !t.IsNull(i+1) {
			raw[pgdisk.TupleHeaderSize+i/8] |= 1 << (i % 8)
		}
	}
	return append(raw, t.Columns()...)
}

// columnsEnd is where the stored columns end within the tuple's columns, by the lengths of
// the values.
func columnsEnd(t pgdisk.Tuple, columns []values.Column, vals [][]byte) (int, error) {
	off, nulls := 0, t.HasNulls()
	for i := range min(t.Natts(), len(columns)) {
		if nulls && t.IsNull(i+1) {
			continue
		}
		c, v := &columns[i], vals[i]
		if v == nil { // dropped, and still stored
			_, end, err := values.NextValue(t.Columns(), off, c.Len, c.Align)
			if err != nil {
				return 0, fmt.Errorf("dropped column %d: %w", i+1, err)
			}
			off = end
			continue
		}
		if c.Len != -1 || v[0]&1 == 0 { // not aligned: a short header
			switch c.Align {
			case 'i':
				off = (off + 3) &^ 3
			case 'd':
				off = (off + 7) &^ 7
			case 's':
				off = (off + 1) &^ 1
			}
		}
		off += len(v)
	}
	return off, nil
}
