package journal

import "regexp"

// redact removes what looks like a secret before the line is hashed: afterwards it could
// not be removed without breaking the chain. It works on JSON text and on plain output;
// a quote, backslash or blank ends a value, so that the JSON stays whole.
func redact(b []byte) []byte {
	for _, r := range secrets() {
		b = r.re.ReplaceAll(b, []byte(r.with))
	}
	return b
}

type rule struct {
	re   *regexp.Regexp
	with string
}

func secrets() []rule {
	const value = `[^\s"'\\&;,}]+`
	return []rule{
		{regexp.MustCompile(`(?i)\b(PGPASSWORD|POSTGRES_PASSWORD|[A-Z_]*PASSWORD|[A-Z_]*SECRET[A-Z_]*|[A-Z_]*TOKEN)=` + value), "${1}=[REDACTED]"},
		{regexp.MustCompile(`(?i)\b(password|sslpassword|passphrase)(\s*=\s*\\?'?)` + value), "${1}${2}[REDACTED]"},
		{regexp.MustCompile(`(?i)\b(postgres(?:ql)?://[^:/@\s"\\]+):[^@\s"\\]+@`), "${1}:[REDACTED]@"},
		{regexp.MustCompile(`(?i)\b(authorization:\s*(?:basic|bearer)\s+)` + value), "${1}[REDACTED]"},
		{regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`), "[REDACTED]"},
		{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----`), "[REDACTED]"},
	}
}
