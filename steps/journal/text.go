package journal

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of what an export for people repeats; the journal has the whole.
const (
	maxListed    = 30   // rows of a table, changes of a plan
	maxTextLines = 40   // of a text
	maxLineRunes = 500  // of a line of a text, of a table's cell
	maxVerdicts  = 500  // FAIL and COULD NOT CHECK that are listed one by one
	maxProse     = 4000 // runes of a sentence in running text
)

// clean removes what a terminal would act upon: control characters, and those that turn
// the direction of writing. Line ends stay, tabs become blanks.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Bidi_Control), r == '\u2028', r == '\u2029', r == '\ufeff':
			return -1
		case r == utf8.RuneError:
			return '?'
		}
		return r
	}, s)
}

// oneLine is clean on a single line of at most n runes.
func oneLine(s string, n int) string {
	return cut(strings.Join(strings.Fields(clean(s)), " "), n)
}

// cut shortens to n runes and says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n]) + fmt.Sprintf(" [%d more characters]", len(runes)-n)
}

// stamp is a time in UTC to the second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// clock is the time of day alone.
func clock(t time.Time) string { return t.UTC().Format("15:04:05") }

// took is a length of time for people.
func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// many counts things: "1 line", "2 lines".
func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func orNone(s, none string) string {
	if s == "" {
		return none
	}
	return s
}

// shell quotes an argument vector so that it can be pasted into a shell.
func shell(argv []string) string {
	quoted := make([]string, len(argv))
	for i, a := range argv {
		quoted[i] = a
		if a == "" || strings.ContainsFunc(a, func(r rune) bool { return !plainInShell(r) }) {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return clean(strings.Join(quoted, " "))
}

func plainInShell(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./,:=@%+", r)
}
