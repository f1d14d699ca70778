package pgdisk

import "fmt"

// AppendFields is Fields into a slice that is used again: for readers of all records.
func (r *WALRecord) AppendFields(dst []RecordField) ([]RecordField, error) {
	w := walFieldWriter{r: r, fields: dst}
	if ok := w.record(); w.err == nil && !ok {
		w.err = &FormatError{File: "WAL record", Field: r.String(), Want: "parts that fit into the record", Got: fmt.Sprintf("%d bytes", len(r.MainData))}
	}
	return w.fields, w.err
}
