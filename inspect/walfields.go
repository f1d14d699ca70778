package inspect

import "github.com/pgrescue/pgrescue/pgops/pgdisk"

// appendFields adds what the record's body says: name: value, name: value.
func (p *walPart) appendFields(b []byte, rec *pgdisk.WALRecord) []byte {
	fields, err := rec.AppendFields(p.fields[:0])
	p.fields = fields
	for i, f := range fields {
		if i > 0 {
			b = append(b, ", "...)
		}
		if f.Name != "" {
			b = append(append(b, f.Name...), ": "...)
		}
		b = append(b, f.Value...)
	}
	if err != nil {
		b = append(append(b, " PROBLEM: "...), err.Error()...)
	}
	return b
}

func walFields(rec *pgdisk.WALRecord) (list []walFieldJSON, problem string) {
	fields, err := rec.Fields()
	for _, f := range fields {
		list = append(list, walFieldJSON(f))
	}
	if err != nil {
		problem = err.Error()
	}
	return list, problem
}
