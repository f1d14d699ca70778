package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// table is text in columns.
type table struct {
	Columns []string
	Rows    [][]string
}

const columnGap = 2

// lines lays the table out. With a width, columns that do not fit are narrowed, the widest
// first, and their cells wrapped, so nothing is ever cut off; 0 means as wide as it needs.
func (t table) lines(width int) []string {
	if len(t.Columns) == 0 && len(t.Rows) == 0 {
		return nil
	}
	columns := len(t.Columns)
	for _, r := range t.Rows {
		columns = max(columns, len(r))
	}
	rows := make([][]string, 0, len(t.Rows)+1)
	if len(t.Columns) > 0 {
		rows = append(rows, t.Columns)
	}
	rows = append(rows, t.Rows...)
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = make([]string, columns)
		for j, c := range r {
			cells[i][j] = cleanLine(c)
		}
	}
	widths, right := measure(cells, columns, len(t.Columns) > 0)
	if width > 0 && !narrow(widths, longestWords(cells, columns), width) {
		return stacked(cells, len(t.Columns) > 0, width)
	}
	var out []string
	for i, r := range cells {
		out = append(out, layRow(r, widths, right)...)
		if i == 0 && len(t.Columns) > 0 {
			out = append(out, ruler(widths))
		}
	}
	return out
}

// measure finds each column's width, and whether it holds figures only and so is set to
// the right.
func measure(cells [][]string, columns int, titled bool) (widths []int, right []bool) {
	widths, right = make([]int, columns), make([]bool, columns)
	for j := range columns {
		figures := 0
		right[j] = true
		for i, r := range cells {
			widths[j] = max(widths[j], ansi.StringWidth(r[j]))
			if titled && i == 0 || r[j] == "" {
				continue
			}
			figures++
			if strings.Trim(r[j], "0123456789 .,%+-/") != "" {
				right[j] = false
			}
		}
		right[j] = right[j] && figures > 0
	}
	return widths, right
}

// leastColumn is how narrow a column may become before the table is stacked instead.
const leastColumn = 6

// longestWords are the widths below which a column would have to break words: numbers and
// names in evidence stay in one piece.
func longestWords(cells [][]string, columns int) []int {
	least := make([]int, columns)
	for j := range least {
		least[j] = leastColumn
		for _, r := range cells {
			for _, w := range strings.Fields(r[j]) {
				least[j] = max(least[j], ansi.StringWidth(w))
			}
		}
	}
	return least
}

// narrow takes width from the widest columns until the table fits, or reports that it
// cannot.
func narrow(widths, least []int, width int) bool {
	total := columnGap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for total > width {
		widest := -1
		for j, w := range widths {
			if w > least[j] && (widest < 0 || w > widths[widest]) {
				widest = j
			}
		}
		if widest < 0 {
			return false
		}
		widths[widest]--
		total--
	}
	return true
}

func layRow(cells []string, widths []int, right []bool) []string {
	wrapped := make([][]string, len(cells))
	height := 1
	for j, c := range cells {
		wrapped[j] = wrap(c, widths[j])
		height = max(height, len(wrapped[j]))
	}
	out := make([]string, height)
	for i := range out {
		var b strings.Builder
		for j := range cells {
			c := ""
			if i < len(wrapped[j]) {
				c = wrapped[j][i]
			}
			space := strings.Repeat(" ", max(0, widths[j]-ansi.StringWidth(c)))
			if right[j] {
				b.WriteString(space + c)
			} else {
				b.WriteString(c + space)
			}
			b.WriteString(strings.Repeat(" ", columnGap))
		}
		out[i] = strings.TrimRight(b.String(), " ")
	}
	return out
}

func ruler(widths []int) string {
	parts := make([]string, len(widths))
	for j, w := range widths {
		parts[j] = strings.Repeat("-", w)
	}
	return strings.Join(parts, strings.Repeat(" ", columnGap))
}

// stacked lists each row's cells one below the other, the first as their heading, for
// screens too narrow for columns.
func stacked(cells [][]string, titled bool, width int) []string {
	var out []string
	first := 0
	if titled {
		first = 1
	}
	for _, r := range cells[first:] {
		for j, c := range r {
			if j == 0 {
				out = append(out, hang(c, "  ", width)...)
				continue
			}
			if titled {
				c = cells[0][j] + ": " + c
			}
			for _, l := range hang(c, "  ", width-2) {
				out = append(out, "  "+l)
			}
		}
	}
	return out
}
