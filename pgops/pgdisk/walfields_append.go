package pgdisk

import "fmt"

// AppendText adds what Fields says as text: name: value, name: value. Printing every record of
// many gigabytes wants it.
func (r *WALRecord) AppendText(dst []byte) ([]byte, error) {
	w := walFieldWriter{r: r, out: dst, asText: true}
	if ok := w.record(); w.err == nil && !ok {
		w.err = &FormatError{File: "WAL record", Field: r.String(), Want: "parts that fit into the record", Got: fmt.Sprintf("%d bytes", len(r.MainData))}
	}
	return w.out, w.err
}
