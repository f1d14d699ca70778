package journal

import (
	"bytes"
	"encoding/json"
	"regexp"
)

// redacted stands where a secret was.
const redacted = "[REDACTED]"

// redactor removes what looks like a secret before a line is hashed: afterwards it could
// not be removed without breaking the chain. It would rather take too much than too
// little. What it leaves it leaves alone when it sees it again.
type redactor struct {
	rules []rule
	name  *regexp.Regexp // of a JSON object's key whose value is a secret
}

type rule struct {
	re   *regexp.Regexp
	with string
}

func newRedactor() *redactor {
	// A value is quoted in the way of libpq or SQL, of a shell, or ends at a blank.
	const value = `(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|[^\s'"][^\s]*)`
	const secretName = `[A-Za-z0-9_.-]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)`
	return &redactor{
		name: regexp.MustCompile(`(?i)^` + secretName + `$`),
		rules: []rule{
			{regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)`), redacted},
			// A line of an environment, to its end: the value may hold blanks.
			{regexp.MustCompile(`(?im)^(\s*(?:export\s+)?` + secretName + `=)[^\n]+$`), "${1}" + redacted},
			{regexp.MustCompile(`(?i)((?:` + secretName + `|\bsslpassword|\bpass)\s*=\s*)` + value), "${1}" + redacted},
			// JSON inside of text, whose quotes may be escaped.
			{regexp.MustCompile(`(?i)(\\*"` + secretName + `\\*"\s*:\s*)\\*"(?:[^"\\]|\\+[^"\\])*\\*"?`), `${1}"` + redacted + `"`},
			// A log of statements: ALTER ROLE x PASSWORD '...'.
			{regexp.MustCompile(`(?i)(\bPASSWORD\s+E?)'(?:[^'\\]|\\.|'')*'?`), "${1}'" + redacted + "'"},
			{regexp.MustCompile(`(?i)(--(?:password|passphrase|token|secret)[ =])` + value), "${1}" + redacted},
			{regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://[^:/@\s"']*):[^\s"'/]+@`), "${1}:" + redacted + "@"},
			{regexp.MustCompile(`(?i)(\bauthorization"?\s*:\s*"?(?:(?:basic|bearer|digest|token)\s+)?)[^\s"']+`), "${1}" + redacted},
			{regexp.MustCompile(`(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}`), "${1}" + redacted},
			{regexp.MustCompile(`SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=$:]+`), redacted},
			{regexp.MustCompile(`\bmd5[0-9a-f]{32}\b`), redacted},
			{regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`), redacted},
			{regexp.MustCompile(`\b(?:ghp|gho|ghs|ghu|glpat|xox[bp])[_-][A-Za-z0-9_-]{16,}`), redacted},
		},
	}
}

// suspicious is a quick look at whether any rule could apply: nearly no text holds one of
// these words, and the rules cost a hundred times more. Each rule needs one of them.
func suspicious(b []byte) bool {
	b = bytes.ToLower(b)
	for _, word := range [...]string{"passw", "pass=", "pass ", "passphrase", "secret", "token", "key", "://", "authorization", "bearer",
		"scram-sha", "md5", "akia", "asia", "ghp", "gho", "ghs", "ghu", "glpat", "xox"} {
		if bytes.Contains(b, []byte(word)) {
			return true
		}
	}
	return false
}

// text redacts what a command printed.
func (r *redactor) text(b []byte) []byte {
	if !suspicious(b) {
		return b
	}
	for _, rule := range r.rules {
		b = rule.re.ReplaceAll(b, []byte(rule.with))
	}
	return b
}

// json redacts the strings of a JSON document one by one, so that it stays one; the rest
// of it is kept byte for byte. A string whose key names a secret goes whole.
func (r *redactor) json(doc []byte) []byte {
	var out []byte
	kept := 0 // doc[:kept] is in out
	key := ""
	for i := 0; i < len(doc); i++ {
		switch doc[i] {
		case '{', '[', ']', '}', ',':
			key = ""
			continue
		case '"':
		default:
			continue
		}
		end := stringEnd(doc, i)
		if end < 0 {
			break // no JSON: the encoder refuses it
		}
		literal := doc[i:end]
		if isKey := bytes.HasPrefix(bytes.TrimLeft(doc[end:], " \t\r\n"), []byte(":")); isKey {
			key = unquote(literal)
		} else if clean := r.literal(literal, r.name.MatchString(key)); clean != nil {
			out = append(append(out, doc[kept:i]...), clean...)
			kept = end
		}
		i = end - 1
	}
	if out == nil {
		return doc
	}
	return append(out, doc[kept:]...)
}

// literal is the redacted form of a JSON string, or nil if there is nothing to redact.
func (r *redactor) literal(quoted []byte, whole bool) []byte {
	s := unquote(quoted)
	clean := s
	if inner := []byte(s); json.Valid(inner) {
		clean = string(r.json(inner)) // JSON in a string: its own quotes end its values
	}
	clean = string(r.text([]byte(clean)))
	if whole && s != "" {
		clean = redacted
	}
	if clean == s {
		return nil
	}
	b, err := json.Marshal(clean)
	if err != nil {
		return []byte(`"` + redacted + `"`)
	}
	return b
}

// stringEnd is the index behind the closing quote of the string that begins at i, or -1.
func stringEnd(doc []byte, i int) int {
	for i++; i < len(doc); i++ {
		switch doc[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

func unquote(literal []byte) string {
	var s string
	if json.Unmarshal(literal, &s) != nil {
		return ""
	}
	return s
}
