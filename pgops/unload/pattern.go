package unload

import (
	"fmt"
	"strings"
)

// Pattern chooses tables: [SCHEMA.]NAME where '*' stands for any number of characters. A
// double-quoted part is taken as it is, dots, stars and all, with "" for a quote in it.
// Without a schema it fits the name in every schema. Upper and lower case differ.
type Pattern struct {
	text         string
	schema, name []glob
	anySchema    bool
}

// glob is a piece of a pattern: literal characters, or a star.
type glob struct {
	star    bool
	literal string
}

// ParsePattern reads one pattern.
func ParsePattern(text string) (Pattern, error) {
	parts, err := splitPattern(text)
	if err != nil {
		return Pattern{}, err
	}
	p := Pattern{text: text}
	switch len(parts) {
	case 1:
		p.anySchema, p.name = true, parts[0]
	case 2:
		p.schema, p.name = parts[0], parts[1]
	default:
		return Pattern{}, fmt.Errorf("table %q: want NAME or SCHEMA.NAME; a dot within a name needs double quotes", text)
	}
	return p, nil
}

// splitPattern cuts at the dots that are not quoted.
func splitPattern(text string) ([][]glob, error) {
	var parts [][]glob
	var part []glob
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			part = append(part, glob{literal: literal.String()})
			literal.Reset()
		}
	}
	empty := true
	end := func() error {
		if flush(); empty {
			return fmt.Errorf("table %q: a name is empty", text)
		}
		parts, part, empty = append(parts, part), nil, true
		return nil
	}
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '"' && quoted && i+1 < len(text) && text[i+1] == '"':
			literal.WriteByte('"')
			i++
		case c == '"':
			quoted, empty = !quoted, false
		case quoted, c != '.' && c != '*':
			literal.WriteByte(c)
			empty = false
		case c == '*':
			flush()
			part, empty = append(part, glob{star: true}), false
		default:
			if err := end(); err != nil {
				return nil, err
			}
		}
	}
	if quoted {
		return nil, fmt.Errorf("table %q: a double quote is not closed", text)
	}
	return parts, end()
}

// Match reports whether the pattern fits a table.
func (p Pattern) Match(schema, name string) bool {
	return (p.anySchema || matchGlob(p.schema, schema)) && matchGlob(p.name, name)
}

// String gives the pattern as it was written.
func (p Pattern) String() string { return p.text }

// matchGlob takes each literal at its first place after a star, which is enough: what comes
// later is a star or the end.
func matchGlob(globs []glob, s string) bool {
	for i, g := range globs {
		if g.star {
			continue
		}
		starBefore := i > 0 && globs[i-1].star
		switch {
		case starBefore && i == len(globs)-1:
			return strings.HasSuffix(s, g.literal)
		case starBefore:
			at := strings.Index(s, g.literal)
			if at < 0 {
				return false
			}
			s = s[at+len(g.literal):]
		case !strings.HasPrefix(s, g.literal):
			return false
		default:
			s = s[len(g.literal):]
		}
	}
	return s == "" || len(globs) > 0 && globs[len(globs)-1].star
}
