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
	With    string     // must match one of the DETAIL, HINT or CONTEXT lines
	Levels  []LogLevel // none: WARNING and worse, LOG, and lines without a severity
	Then    []string   // counts only if one of these symptoms follows in the same start
	Before  []string   // takes over the level of one of these that follows in the same start
	Echo    bool       // announces the message proper, and is not counted if that one follows
	Prefer  bool       // wins over other patterns that match the same message
	Weak    bool       // ordinary events write it too
}

// rule is a compiled pattern.
type rule struct {
	symptom int
	pattern Pattern
	prefix  string // the message starts with it: spares almost all regular expressions
	literal string // or at least contains it, where a line has no severity to start behind
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
		return `[^"\n]+?`, true, true
	case "rel":
		return `(?:base/\d+|global|pg_tblspc/\d+/\w+/\d+)/(?:t\d+_)?\d+(?:_[a-z]+)?(?:\.\d+)?`, true, true
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
	r.prefix, _, _ = strings.Cut(strings.TrimSuffix(p.Message, "$"), "{")
	if p.Prefer {
		r.weight += 10000
	}
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

// minWeight keeps out a pattern that would match almost anything.
const minWeight = 8

// alternation makes an expression from "a|b" and gives the length of the shortest word.
func alternation(words string) (expr string, shortest int) {
	parts := strings.Split(words, "|")
	shortest = len(parts[0])
	for i, part := range parts {
		shortest = min(shortest, len(part))
		parts[i] = regexp.QuoteMeta(part)
	}
	return "(?:" + strings.Join(parts, "|") + ")", shortest
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
			alternatives, shortest := alternation(name)
			b.WriteString(alternatives)
			weight += shortest
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
	if weight < minWeight {
		return "", "", 0, fmt.Errorf("pattern %q has too little fixed text", pattern)
	}
	if end {
		b.WriteString(`\s*$`)
	}
	return b.String(), longest, weight, nil
}

// match applies the rule to an entry and returns what it captured.
func (r *rule) match(e *LogEntry) (map[string]string, bool) {
	re := r.message
	if e.Level == LevelNone {
		re = r.anyhow
	} else if !strings.HasPrefix(e.Message, r.prefix) {
		return nil, false
	}
	if !strings.Contains(e.Message, r.literal) || !r.levelFits(e.Level) {
		return nil, false
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
