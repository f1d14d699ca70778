package ui

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Everything shown comes from damaged data, server logs and container names. clean removes
// what would let it drive the terminal: escape sequences, control and formatting
// characters (bidirectional overrides, zero-width joiners). Newlines stay, tabs become
// spaces.
func clean(s string) string {
	if plainASCII(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "?")
	s = ansi.Strip(s)
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteRune(r)
		case r == '\t':
			b.WriteString("    ")
		case r == '\r':
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cleanLine is clean on a single line.
func cleanLine(s string) string {
	return strings.TrimSpace(strings.Join(strings.Fields(clean(s)), " "))
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 0x20 && c != '\n') || c > 0x7e {
			return false
		}
	}
	return true
}

// asciiFold spells the signs our own texts use in ASCII and replaces all others by a
// question mark. Escape sequences stay.
func asciiFold(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r > 0x7e }) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r <= 0x7e {
			b.WriteRune(r)
			continue
		}
		b.WriteString(asciiSign(r))
	}
	return b.String()
}

// asciiSign keeps the width wherever it can: the frame has been laid out already.
func asciiSign(r rune) string {
	switch r {
	case '·', '•', '‐', '–', '—', '─', '━':
		return "-"
	case '│', '┃':
		return "|"
	case '┌', '┐', '└', '┘', '├', '┤', '┬', '┴', '┼':
		return "+"
	case '…':
		return "~"
	case '→', '▸':
		return ">"
	case '←':
		return "<"
	case '↑':
		return "^"
	case '↓':
		return "v"
	case '×':
		return "x"
	case '“', '”', '„', '«', '»':
		return `"`
	case '‘', '’':
		return "'"
	case '█', '▓':
		return "#"
	case '░':
		return "."
	case '\u00a0':
		return " "
	}
	return strings.Repeat("?", max(0, ansi.StringWidth(string(r))))
}
