package inspect

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// appendRecordJSON adds the object of one record. Millions of them are written: each key is
// added by hand, in the form that encoding/json would give a struct of the same keys, which the
// test keeps.
func (r *walRun) appendRecordJSON(p *walPart, rec *pgdisk.WALRecord) error {
	b := append(p.out, `{"kind":"record","lsn":"`...)
	b = appendLSN(b, rec.LSN)
	b = appendLSN(append(b, `","end_lsn":"`...), rec.EndLSN)
	b = appendLSN(append(b, `","prev":"`...), rec.Prev)
	b = appendKey(append(b, '"'), "timeline", rec.Timeline)
	b = appendKey(b, "xid", rec.XID)
	b = append(b, p.kind(rec).json...)
	b = appendKey(b, "info", rec.Info) // xl_info
	b = appendKey(b, "tot_len", rec.TotLen)
	b = appendKey(b, "rec_len", rec.TotLen-uint32(rec.ImageBytes())) // without page images
	if rec.Origin != 0 {
		b = appendKey(b, "origin", rec.Origin)
	}
	if rec.TopLevelXID != 0 {
		b = appendKey(b, "toplevel_xid", rec.TopLevelXID)
	}
	b = p.appendFieldsJSON(b, rec)
	for i := range rec.Blocks {
		b = append(b, sep(i, `,"blocks":[`)...)
		b = appendBlockJSON(b, &rec.Blocks[i])
	}
	if len(rec.Blocks) > 0 {
		b = append(b, ']')
	}
	b = appendKey(b, "main_data_bytes", uint(len(rec.MainData)))
	if r.opt.Bytes {
		b = hex.AppendEncode(append(b, `,"bytes":"`...), rec.Raw) // page headers taken out
		b = append(b, '"')
	}
	p.out = append(b, "}\n"...)
	return nil
}

// appendFieldsJSON adds what the record's body says, and what is wrong with it.
func (p *walPart) appendFieldsJSON(b []byte, rec *pgdisk.WALRecord) []byte {
	err := p.fields.Read(rec)
	for i := range p.fields.Len() {
		name, value := p.fields.Field(i)
		b = append(append(b, sep(i, `,"fields":[`)...), `{"name":`...)
		b = appendJSONString(b, name)
		b = appendJSONString(append(b, `,"value":`...), value)
		b = append(b, '}')
	}
	if p.fields.Len() > 0 {
		b = append(b, ']')
	}
	if err != nil {
		b = appendJSONString(append(b, `,"problem":`...), err.Error())
	}
	return b
}

// appendBlockJSON adds one block reference.
func appendBlockJSON(b []byte, ref *pgdisk.WALBlockRef) []byte {
	b = strconv.AppendUint(append(b, `{"id":`...), uint64(ref.ID), 10)
	b = appendKey(b, "tablespace", ref.Rel.Tablespace)
	b = appendKey(b, "database", ref.Rel.Database)
	b = appendKey(b, "relation", ref.Rel.Number) // file number
	b = append(append(b, `,"fork":"`...), ref.Fork.String()...)
	b = appendKey(append(b, '"'), "block", ref.Block)
	if ref.WillInit {
		b = append(b, `,"will_init":true`...)
	}
	b = appendKey(b, "data_bytes", uint(len(ref.Data)))
	if !ref.HasImage {
		return append(b, `,"has_image":false}`...)
	}
	b = append(b, `,"has_image":true`...)
	if ref.ApplyImage {
		b = append(b, `,"apply":true`...) // replay restores the page from the image
	}
	if ref.HoleOffset != 0 {
		b = appendKey(b, "hole_offset", ref.HoleOffset)
	}
	if ref.HoleLength != 0 {
		b = appendKey(b, "hole_length", ref.HoleLength)
	}
	b = append(append(b, `,"compression":"`...), ref.Compression.String()...)
	b = append(b, '"')
	if len(ref.Image) > 0 {
		b = appendKey(b, "image_bytes", uint(len(ref.Image))) // as stored
	}
	return append(b, '}')
}

// appendKey adds a number, not the first of its object.
func appendKey[T ~uint | ~uint8 | ~uint16 | ~uint32](b []byte, key string, v T) []byte {
	b = append(append(append(b, `,"`...), key...), `":`...)
	return strconv.AppendUint(b, uint64(v), 10)
}

// sep is what comes before item i of an array: its opening, or a comma.
func sep(i int, opening string) string {
	if i == 0 {
		return opening
	}
	return ","
}

// appendJSONString adds a string as encoding/json writes it.
func appendJSONString[T string | []byte](b []byte, s T) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(string(s)) // of a string there is no error
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// json adds one object on a line of its own.
func (p *walPart) json(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	p.out = append(append(p.out, b...), '\n')
	return nil
}

// writeJSON writes one object at once.
func (r *walRun) writeJSON(v any) error {
	if err := r.sum.json(v); err != nil {
		return err
	}
	return r.flush(&r.sum)
}
