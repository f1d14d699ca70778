package unload

import (
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/pgops/values"
)

// rowPrinter prints the rows of one table. It is for one goroutine.
type rowPrinter struct {
	format  Format
	charset charset
	columns []columnPrinter
}

type columnPrinter struct {
	printed
	name  string
	print values.Printer // in the format of the output
	text  values.Printer // as text, for the file of damaged rows
}

func newRowPrinter(t *table, format Format, env *values.Env) *rowPrinter {
	p := &rowPrinter{format: format, charset: t.database.charset}
	for _, c := range t.printed {
		col := columnPrinter{printed: c, name: t.columns[c.index].Name}
		switch typ := t.columns[c.index].Type; {
		case c.opaque != "":
			col.text, col.print = printHex, printHex
			if format == FormatJSONL {
				col.print = printHexJSON
			}
		default:
			col.text = values.NewText(typ, env)
			col.print = col.text
			if format == FormatJSONL {
				col.print = values.NewJSON(typ, env)
			}
		}
		p.columns = append(p.columns, col)
	}
	return p
}

// printHex stands in for the output function of a type that is not known.
func printHex(dst, value []byte) ([]byte, error) { return appendHex(dst, value), nil }

func printHexJSON(dst, value []byte) ([]byte, error) {
	return append(appendHex(append(dst, `"\`...), value), '"'), nil
}

// valueError says which column of a row could not be printed.
type valueError struct {
	column int // index in rowPrinter.columns, -1 when it is the row as a whole
	err    error
}

// row appends a row. When a value cannot be printed, dst is returned as it was.
func (p *rowPrinter) row(dst []byte, vals [][]byte) ([]byte, *valueError) {
	start := len(dst)
	var bad *valueError
	sound := false // what is plain need not be judged again
	switch p.format {
	case FormatCopy:
		dst, sound, bad = p.copyFields(dst, vals)
	case FormatCSV:
		dst, bad = p.csvFields(dst, vals)
	default:
		dst, bad = p.jsonFields(append(dst, '{'), vals)
		dst = append(dst, '}')
	}
	if bad != nil {
		return dst[:start], bad
	}
	if !sound {
		if dst, bad = p.finish(dst, start); bad != nil {
			return dst[:start], bad
		}
	}
	return append(dst, '\n'), nil
}

// finish judges a row's text as a whole.
func (p *rowPrinter) finish(dst []byte, start int) ([]byte, *valueError) {
	if p.format != FormatJSONL {
		if !p.charset.sound(dst[start:]) {
			return dst, &valueError{-1, errText(p.charset)}
		}
		return dst, nil
	}
	oneLine(dst, start)
	out, ok := p.charset.convert(dst, start)
	if !ok {
		return out, &valueError{-1, errText(p.charset)}
	}
	return out, nil
}

// copyFields appends the columns in COPY's text format; plain reports that they are ASCII
// without a zero byte.
func (p *rowPrinter) copyFields(dst []byte, vals [][]byte) (_ []byte, plain bool, _ *valueError) {
	plain = true
	for i := range p.columns {
		c := &p.columns[i]
		if i > 0 {
			dst = append(dst, '\t')
		}
		v := vals[c.index]
		if v == nil {
			dst = append(dst, '\\', 'N')
			continue
		}
		at := len(dst)
		var err error
		if dst, err = c.print(dst, v); err != nil {
			return dst, false, &valueError{i, err}
		}
		if !c.plain {
			var ascii bool
			dst, ascii = escapeCopy(dst, at)
			plain = plain && ascii
		}
	}
	return dst, plain, nil
}

func (p *rowPrinter) csvFields(dst []byte, vals [][]byte) ([]byte, *valueError) {
	for i := range p.columns {
		c := &p.columns[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		v := vals[c.index]
		if v == nil {
			continue
		}
		at := len(dst)
		var err error
		if dst, err = c.print(dst, v); err != nil {
			return dst, &valueError{i, err}
		}
		if !c.plain {
			dst = quoteCSV(dst, at, len(p.columns) == 1)
		}
	}
	return dst, nil
}

func (p *rowPrinter) jsonFields(dst []byte, vals [][]byte) ([]byte, *valueError) {
	for i := range p.columns {
		c := &p.columns[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, c.key...)
		v := vals[c.index]
		if v == nil {
			dst = append(dst, "null"...)
			continue
		}
		var err error
		if dst, err = c.print(dst, v); err != nil {
			return dst, &valueError{i, err}
		}
	}
	return dst, nil
}

// headLine is what stands at the top of a table's file: the names of the columns in CSV. extra
// come before those of the table.
func headLine(t *table, format Format, extra ...string) []byte {
	if format != FormatCSV {
		return nil
	}
	names := extra
	for _, c := range t.printed {
		names = append(names, t.columns[c.index].Name)
	}
	var line []byte
	for i, name := range names {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, name...)
		line = quoteCSV(line, len(line)-len(name), len(names) == 1)
	}
	return append(line, '\n')
}

// deadColumns stand before those of the table in a file of dead rows.
func deadColumns() []string { return []string{"block", "item", "xmin", "xmax", "why"} }

// deadRow appends a row that is not visible. A value that cannot be printed stands there as
// hex: parts of dead rows are removed by right. bad gets its column.
func (p *rowPrinter) deadRow(dst []byte, tid pgdisk.TID, t pgdisk.TupleHeader, why string, vals [][]byte, bad func(column string, v []byte, err error)) []byte {
	lead := []string{strconv.FormatUint(uint64(tid.Block), 10), strconv.Itoa(int(tid.Item)),
		strconv.FormatUint(uint64(t.Xmin), 10), strconv.FormatUint(uint64(t.Xmax), 10), why}
	separator := map[Format]byte{FormatCopy: '\t', FormatCSV: ',', FormatJSONL: ','}[p.format]
	if p.format == FormatJSONL {
		dst = append(dst, '{')
	}
	for i, s := range lead {
		if i > 0 {
			dst = append(dst, separator)
		}
		if p.format == FormatJSONL {
			dst = append(appendJSONString(dst, []byte(deadColumns()[i])), ':')
		}
		if p.format == FormatJSONL && i == len(lead)-1 {
			dst = appendJSONString(dst, []byte(s))
		} else {
			dst = append(dst, s...)
		}
	}
	for i := range p.columns {
		dst = p.deadField(append(dst, separator), &p.columns[i], vals, bad)
	}
	if p.format == FormatJSONL {
		dst = append(dst, '}')
	}
	return append(dst, '\n')
}

func (p *rowPrinter) deadField(dst []byte, c *columnPrinter, vals [][]byte, bad func(string, []byte, error)) []byte {
	v := vals[c.index]
	at := len(dst)
	if p.format == FormatJSONL {
		dst = append(dst, c.key...)
	}
	start := len(dst)
	switch {
	case v == nil && p.format == FormatCopy:
		return append(dst, '\\', 'N')
	case v == nil && p.format == FormatCSV:
		return dst
	case v == nil:
		return append(dst, "null"...)
	}
	dst, err := c.print(dst, v)
	if err == nil {
		var whole *valueError
		if dst, whole = p.finish(dst, at); whole != nil {
			err = whole.err
		}
	}
	if err != nil {
		bad(c.name, v, err)
		dst = dst[:start]
		if p.format == FormatJSONL {
			dst, _ = printHexJSON(dst, v)
			return dst
		}
		dst = appendHex(dst, v)
	}
	switch p.format {
	case FormatCopy:
		dst, _ = escapeCopy(dst, start)
		return dst
	case FormatCSV:
		return quoteCSV(dst, start, false)
	}
	return dst
}

func errText(c charset) error { return textError(c.name) }

// textError says that the text of a row is none in the encoding of the database.
type textError string

func (e textError) Error() string {
	return "its text is not valid in the encoding " + string(e)
}
