package journal

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// md makes text safe inside Markdown: nothing in it is taken for markup, a table's bar or
// a control character, and it stays on its line.
func md(s string) string {
	runes := []rune(oneLine(s, maxProse))
	var b strings.Builder
	for i, r := range runes {
		if strings.ContainsRune("\\`*[]<>|~", r) ||
			r == '_' && (i == 0 || i == len(runes)-1 || !word(runes[i-1]) || !word(runes[i+1])) ||
			r == '&' && i+1 < len(runes) && (runes[i+1] == '#' || unicode.IsLetter(runes[i+1])) ||
			i == 0 && strings.ContainsRune("#+-=", r) ||
			(r == '.' || r == ')') && i > 0 && i < 10 && digits(runes[:i]) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func word(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func digits(runes []rune) bool {
	for _, r := range runes {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// page is a Markdown document being written.
type page struct{ *bytes.Buffer }

func (p page) heading(level int, format string, args ...any) {
	if !bytes.HasSuffix(p.Bytes(), []byte("\n\n")) {
		p.gap()
	}
	fmt.Fprintf(p, "%s %s\n\n", strings.Repeat("#", level), md(fmt.Sprintf(format, args...)))
}

func (p page) para(format string, args ...any) {
	fmt.Fprintf(p, "%s\n\n", md(fmt.Sprintf(format, args...)))
}

func (p page) item(format string, args ...any) {
	fmt.Fprintf(p, "- %s\n", md(fmt.Sprintf(format, args...)))
}

func (p page) sub(format string, args ...any) {
	fmt.Fprintf(p, "  - %s\n", md(fmt.Sprintf(format, args...)))
}

// gap ends a list.
func (p page) gap() { p.WriteString("\n") }

// table writes at most limit rows and says where the rest is.
func (p page) table(columns []string, rows [][]string, limit int, rest string) {
	cells := func(row []string) {
		for i := range columns {
			cell := ""
			if i < len(row) {
				cell = md(cut(row[i], maxLineRunes))
			}
			p.WriteString("| " + cell + " ")
		}
		p.WriteString("|\n")
	}
	cells(columns)
	p.WriteString(strings.Repeat("|---", len(columns)) + "|\n")
	for _, row := range rows[:min(len(rows), limit)] {
		cells(row)
	}
	p.gap()
	if n := len(rows) - limit; n > 0 {
		p.para("%d more rows are not shown; all are in %s.", n, rest)
	}
}

// fenceFor is a row of backticks that is longer than any in the text.
func fenceFor(text string) string {
	longest, run := 2, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return strings.Repeat("`", longest+1)
}

// fence writes text as it is, in a block that nothing in it can end.
func (p page) fence(text, rest string) {
	lines := strings.Split(strings.TrimRight(clean(text), "\n"), "\n")
	more := len(lines) - maxTextLines
	lines = lines[:min(len(lines), maxTextLines)]
	marks := fenceFor(strings.Join(lines, "\n"))
	p.WriteString(marks + "text\n")
	for _, l := range lines {
		p.WriteString(cut(strings.TrimRight(l, " "), maxLineRunes) + "\n")
	}
	p.WriteString(marks + "\n\n")
	if more > 0 {
		p.para("%d more lines are not shown; all are in %s.", more, rest)
	}
}
