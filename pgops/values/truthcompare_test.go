package values

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// compareSample prints every value of a sample in every time zone.
func (s *session) compareSample(t *testing.T, x sample) {
	tab := s.tables[x.table()]
	if tab == nil {
		t.Fatalf("no table %s", x.table())
	}
	tuples, d := s.tuples(t, tab.node), NewDeformer(tab.cols)
	for i, zone := range x.zones() {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		env := s.env(t, tab, location)
		for suffix, p := range map[string]Printer{"text": NewText(tab.cols[0].Type, env), "json": NewJSON(tab.cols[0].Type, env)} {
			want := copyRows(t, filepath.Join(s.said, fmt.Sprintf("%s.%d.%s", x.table(), i, suffix)))
			compareRows(t, suffix+" in "+zone, want, func(n int) []string { return printRow(t, d, tuples[n], []Printer{p}) }, len(tuples))
		}
	}
}

// printRow prints the columns of a tuple; null is "\\N", as no printer writes it.
func printRow(t *testing.T, d *Deformer, tuple pgdisk.Tuple, printers []Printer) []string {
	t.Helper()
	values := make([][]byte, len(d.Columns()))
	if err := d.Deform(tuple, values); err != nil {
		t.Fatal(err)
	}
	var row []string
	for i, p := range printers {
		if d.Columns()[i].Dropped {
			continue
		}
		if values[i] == nil {
			row = append(row, copyNull)
			continue
		}
		text, err := p([]byte("before"), values[i])
		if err != nil {
			t.Errorf("column %d, value %x: %v", i+1, values[i], err)
		}
		row = append(row, strings.TrimPrefix(string(text), "before"))
	}
	return row
}

func compareRows(t *testing.T, what string, want [][]string, got func(n int) []string, n int) {
	t.Helper()
	if n != len(want) || n == 0 {
		t.Errorf("%s: %d rows, want %d", what, n, len(want))
	}
	bad := 0
	for i := range min(n, len(want)) {
		if row := got(i); !slices.Equal(row, want[i]) {
			t.Errorf("%s, row %d:\n got %.300q\nwant %.300q", what, i+1, row, want[i])
			if bad++; bad == 5 {
				return
			}
		}
	}
}

const copyNull = `\N`

// copyEscape writes a field of COPY's text format (CopyAttributeOutText, commands/copyto.c).
func copyEscape(dst []byte, s string) []byte {
	for _, c := range []byte(s) {
		switch c {
		case '\\':
			dst = append(dst, `\\`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '\r':
			dst = append(dst, `\r`...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// copyRows reads a file of COPY's text format.
func copyRows(t *testing.T, name string) [][]string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	unescape := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\b`, "\b", `\f`, "\f", `\v`, "\v")
	var rows [][]string
	for line := range strings.Lines(string(b)) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		for i, field := range row {
			if field != copyNull {
				row[i] = unescape.Replace(field)
			}
		}
		rows = append(rows, row)
	}
	return rows
}
