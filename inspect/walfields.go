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
