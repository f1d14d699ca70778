package inspect

import "github.com/pgrescue/pgrescue/pgops/pgdisk"

// appendFields adds what the record's body says: name: value, name: value.
func (p *walPart) appendFields(b []byte, rec *pgdisk.WALRecord) []byte {
	b, err := rec.AppendText(b)
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
