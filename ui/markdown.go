package ui

import (
	"regexp"
	"strings"
)

// markdown lays out a step's prose: headings, paragraphs, lists, fenced code and tables.
// It keeps every word, and the backquotes of code, so that nothing depends on attributes.
func markdown(text string, width int, st styles) []string {
	m := &mdWriter{width: width, st: st}
	for _, l := range strings.Split(clean(text), "\n") {
		m.line(strings.TrimRight(l, " "))
	}
	m.flush()
	for len(m.out) > 0 && m.out[len(m.out)-1] == "" {
		m.out = m.out[:len(m.out)-1]
	}
	return m.out
}

type mdWriter struct {
	width int
	st    styles
	out   []string

	para   []string // the paragraph or list item being gathered
	first  string   // its first line's indent
	rest   string   // its other lines' indent
	rows   [][]string
	fenced bool
}

var listItem = regexp.MustCompile(`^(\s*)([-*+]|\d+[.)])\s+(.*)$`)

func (m *mdWriter) line(l string) {
	trimmed := strings.TrimSpace(l)
	if strings.HasPrefix(trimmed, "```") {
		m.flush()
		m.fenced = !m.fenced
		return
	}
	if m.fenced {
		m.out = append(m.out, indent(wrap(l, m.width-2), "  ")...)
		return
	}
	if !strings.HasPrefix(trimmed, "|") {
		m.endTable()
	}
	switch item := listItem.FindStringSubmatch(l); {
	case trimmed == "":
		m.flush()
		m.blank()
	case strings.HasPrefix(trimmed, "|"):
		m.endParagraph()
		m.row(trimmed)
	case strings.HasPrefix(trimmed, "#"):
		m.flush()
		m.out = append(m.out, m.st.paintAll(toneStrong, wrap(strings.TrimLeft(trimmed, "# "), m.width))...)
	case item != nil:
		m.flush()
		marker := item[2] + " "
		if strings.ContainsAny(item[2], "*+") {
			marker = "- "
		}
		m.first, m.rest = item[1]+marker, item[1]+strings.Repeat(" ", len(marker))
		m.para = []string{item[3]}
	default:
		m.para = append(m.para, trimmed)
	}
}

func (m *mdWriter) blank() {
	if n := len(m.out); n > 0 && m.out[n-1] != "" {
		m.out = append(m.out, "")
	}
}

func (m *mdWriter) flush() {
	m.endParagraph()
	m.endTable()
}

func (m *mdWriter) endParagraph() {
	if len(m.para) == 0 {
		return
	}
	text := inlineMarks(strings.Join(m.para, " "))
	for i, l := range wrap(text, max(leastColumn, m.width-len(m.rest))) {
		in := m.rest
		if i == 0 {
			in = m.first
		}
		m.out = append(m.out, in+l)
	}
	m.para, m.first, m.rest = nil, "", ""
}

var (
	mdLink   = regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`)
	mdStrong = regexp.MustCompile(`\*\*([^*]+)\*\*|__([^_]+)__`)
)

// inlineMarks drops what is only for a renderer. Bold is dropped too: a style could not
// survive the wrapping of a line, and the words are what counts.
func inlineMarks(s string) string {
	s = mdLink.ReplaceAllString(s, "$1 ($2)")
	return mdStrong.ReplaceAllString(s, "$1$2")
}

func (m *mdWriter) row(l string) {
	cells := strings.Split(strings.Trim(l, "|"), "|")
	separator := true
	for i, c := range cells {
		cells[i] = inlineMarks(strings.TrimSpace(c))
		separator = separator && strings.Trim(cells[i], "-: ") == ""
	}
	if !separator {
		m.rows = append(m.rows, cells)
	}
}

func (m *mdWriter) endTable() {
	if len(m.rows) == 0 {
		return
	}
	m.out = append(m.out, table{m.rows[0], m.rows[1:]}.lines(m.width)...)
	m.rows = nil
}
