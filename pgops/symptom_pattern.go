package pgops

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Pattern is one wording of a symptom. Message and With are literal text with placeholders:
// {lsn}, {block}, {xid}, {tli}, {number}, {file}, {rel}, {segment}, {table} and the like stand for
// what the server fills in and are captured under that name; {n} and {any} are not captured;
// {a|b} is either word; {q} is a quote that some majors write and some do not. A message pattern
// matches from the start of the message; "$" at its end means that nothing may follow.
type Pattern struct {
	Message string
	With    string
	Levels  []LogLevel
	Then    []string
	Before  []string
	Weak    bool
}

// rule is a compiled pattern.
type rule struct {
	symptom int
	pattern Pattern
	literal string // must occur in the message: spares most regular expressions
	weight  int    // fixed characters: of two rules that match, the one that says more wins
	message *regexp.Regexp
	anyhow  *regexp.Regexp // the same not anchored, for lines without a severity
	with    *regexp.Regexp
}

var placeholderPattern = regexp.MustCompile(`\{([^{}]+)\}`)

// placeholders are the expressions behind the names. Everything is bounded by what the server can
// print there, so that one line cannot be swallowed whole.
func placeholder(name string) (expr string, captured, ok bool) {
	switch name {
	case "lsn":
		return `[0-9A-F]{1,8}/[0-9A-F]{1,8}`, true, true
	case "block", "xid", "tli", "number", "offset", "toast", "signal", "oid":
		return `\d+`, true, true
	case "n":
		return `-?\d+`, false, true
	case "hex":
		return `[0-9A-Fa-f]+`, true, true
	case "file", "table", "index", "name":
		return `[^"\n]{1,1024}?`, true, true
	case "rel":
		return `(?:base|global|pg_tblspc)/[A-Za-z0-9_/.]{1,200}`, true, true
	case "segment":
		return `[0-9A-F]{24}(?:\.\w{1,20})?`, true, true
	case "q":
		return `"?`, false, true
	case "any":
		return `.*?`, false, true
	case "word":
		return `\S+?`, false, true
	}
	return "", false, false
}

// compile turns a pattern of symptom number i into a rule.
func (c *Catalogue) compile(i int, p Pattern) (rule, error) {
	for _, id := range slices.Concat(p.Then, p.Before) {
		if _, ok := c.byID[id]; !ok {
			return rule{}, fmt.Errorf("pattern %q names the unknown symptom %q", p.Message, id)
		}
	}
	r := rule{symptom: i, pattern: p}
	expr, literal, weight, err := translate(p.Message)
	if err != nil {
		return rule{}, err
	}
	r.literal, r.weight = literal, weight
	if r.message, err = regexp.Compile(`(?s)^` + expr); err != nil {
		return rule{}, fmt.Errorf("pattern %q: %w", p.Message, err)
	}
	if r.anyhow, err = regexp.Compile(expr); err != nil {
		return rule{}, fmt.Errorf("pattern %q: %w", p.Message, err)
	}
	if p.With == "" {
		return r, nil
	}
	expr, _, weight, err = translate(p.With)
	if err != nil {
		return rule{}, err
	}
	r.weight += weight + 1000 // evidence in two places beats any single line
	if r.with, err = regexp.Compile(expr); err != nil {
		return rule{}, fmt.Errorf("pattern %q: %w", p.With, err)
	}
	return r, nil
}

// translate makes a regular expression from a pattern, with its longest literal part and the
// number of its fixed characters.
func translate(pattern string) (expr, longest string, weight int, err error) {
	var b strings.Builder
	end := strings.HasSuffix(pattern, "$")
	rest := strings.TrimSuffix(pattern, "$")
	seen := make(map[string]bool)
	addLiteral := func(s string) {
		b.WriteString(regexp.QuoteMeta(s))
		weight += len(s)
		if len(s) > len(longest) {
			longest = s
		}
	}
	at := 0
	for _, m := range placeholderPattern.FindAllStringSubmatchIndex(rest, -1) {
		addLiteral(rest[at:m[0]])
		at = m[1]
		name := rest[m[2]:m[3]]
		if strings.Contains(name, "|") {
			parts := strings.Split(name, "|")
			for i := range parts {
				parts[i] = regexp.QuoteMeta(parts[i])
			}
			b.WriteString("(?:" + strings.Join(parts, "|") + ")")
			weight++
			continue
		}
		sub, captured, ok := placeholder(name)
		if !ok {
			return "", "", 0, fmt.Errorf("pattern %q: unknown placeholder {%s}", pattern, name)
		}
		if captured && !seen[name] {
			seen[name] = true
			sub = "(?P<" + name + ">" + sub + ")"
		}
		b.WriteString(sub)
	}
	addLiteral(rest[at:])
	if len(longest) < 4 {
		return "", "", 0, fmt.Errorf("pattern %q has too little fixed text", pattern)
	}
	if end {
		b.WriteString(`\s*$`)
	}
	return b.String(), longest, weight, nil
}

// match applies the rule to an entry and returns what it captured.
func (r *rule) match(e *LogEntry) (map[string]string, bool) {
	if !strings.Contains(e.Message, r.literal) || !r.levelFits(e.Level) {
		return nil, false
	}
	re := r.message
	if e.Level == LevelNone {
		re = r.anyhow
	}
	m := re.FindStringSubmatch(e.Message)
	if m == nil {
		return nil, false
	}
	captures := make(map[string]string)
	capture(captures, re, m)
	if r.with == nil {
		return captures, true
	}
	for _, x := range e.Extra {
		if x.Kind == "STATEMENT" || x.Kind == "QUERY" {
			continue
		}
		if m := r.with.FindStringSubmatch(x.Text); m != nil {
			capture(captures, r.with, m)
			return captures, true
		}
	}
	return nil, false
}

func (r *rule) levelFits(l LogLevel) bool {
	if len(r.pattern.Levels) > 0 {
		return slices.Contains(r.pattern.Levels, l)
	}
	switch l {
	case LevelPanic, LevelFatal, LevelError, LevelWarning, LevelLog, LevelNone:
		return true
	}
	return false
}

// capture stores the named groups; the first text under a name stays.
func capture(into map[string]string, re *regexp.Regexp, m []string) {
	for i, name := range re.SubexpNames() {
		if name == "" || m[i] == "" {
			continue
		}
		if _, there := into[name]; !there {
			into[name] = m[i]
		}
	}
}
