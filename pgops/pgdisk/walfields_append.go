package pgdisk

// AppendText adds what Fields says as text: name: value, name: value. Printing every record of
// many gigabytes wants it.
func (r *WALRecord) AppendText(dst []byte) ([]byte, error) {
	w := walFieldWriter{r: r, out: dst, asText: true}
	w.run()
	return w.out, w.err
}

// RecordText holds what Fields says in memory that is used again for the next record.
type RecordText struct {
	out   []byte
	spans []recordSpan
}

// recordSpan is a field whose value begins at out[from] and ends where the next one begins.
type recordSpan struct {
	name string
	from int
}

// Read takes in the body of a record. The error is that of Fields: what was read up to there
// is taken in.
func (t *RecordText) Read(r *WALRecord) error {
	t.spans = t.spans[:0]
	w := walFieldWriter{r: r, out: t.out[:0], asText: true, spans: &t.spans}
	w.run()
	t.out = w.out
	return w.err
}

// Len is the number of fields.
func (t *RecordText) Len() int { return len(t.spans) }

// Field is one field, as in RecordField. The value is good until the next Read.
func (t *RecordText) Field(i int) (name string, value []byte) {
	end := len(t.out)
	if i+1 < len(t.spans) {
		end = t.spans[i+1].from
	}
	return t.spans[i].name, t.out[t.spans[i].from:end]
}
