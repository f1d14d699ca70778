package ui

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// Answers decide where nobody is there to ask. The file format is one "key = value" per
// line; blank lines and lines that begin with # are skipped, spaces around key and value
// are dropped, and there is no quoting. Keys:
//
//	NAME                the answer to the question of that name
//	consent.on-copy     yes: agree to what writes to copies only
//	consent.reversible  yes: agree to what changes the target but not its data
//	consent.original    as-rehearsed, or a digest: agree to rewriting the original;
//	                    put-back: agree to what pgrescue undo does, and to nothing else
//	consent.unknown     yes: consent.original also holds after an interrupted try whose
//	                    outcome is not known
//	confirm             HOST/SYSID4, the challenge a person would type. With
//	                    as-rehearsed HOST alone will do, and for the practice
//	                    cluster that pgrescue demo makes, the word demo
//
// consent.original does nothing without confirm, and never covers a plan that differs
// from the rehearsed one. A digest is that of the whole rehearsal or of one step's plan.
type Answers struct {
	values map[string]string
}

// The keys that are not questions.
const (
	keyOnCopy     = "consent.on-copy"
	keyReversible = "consent.reversible"
	keyOriginal   = "consent.original"
	keyUnknown    = "consent.unknown"
	keyConfirm    = "confirm"

	asRehearsed = "as-rehearsed"
	putBack     = "put-back"
	confirmDemo = "demo"
)

// maxAnswers bounds an answers file; a real one has a dozen lines.
const maxAnswers = 64 << 10

// LoadAnswers reads an answers file. questions are the names that may be answered; any
// other key is an error that names its line, since a misspelt consent must not pass
// silently.
func LoadAnswers(path string, questions []string) (Answers, error) {
	f, err := os.Open(path)
	if err != nil {
		return Answers{}, engine.Errorf(engine.Usage, "give --answers the path of a readable file", "answers file: %w", err)
	}
	defer f.Close()
	return ParseAnswers(f, path, questions)
}

// ParseAnswers reads the format from r; name is what errors call it.
func ParseAnswers(r io.Reader, name string, questions []string) (Answers, error) {
	a := Answers{values: map[string]string{}}
	in := bufio.NewScanner(io.LimitReader(r, maxAnswers+1))
	read := 0
	for n := 1; in.Scan(); n++ {
		if read += len(in.Bytes()) + 1; read > maxAnswers {
			return Answers{}, badLine(name, n, "the file is larger than %d bytes", maxAnswers)
		}
		line := strings.TrimSpace(in.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" {
			return Answers{}, badLine(name, n, "want key = value")
		}
		if _, twice := a.values[key]; twice {
			return Answers{}, badLine(name, n, "%s is answered twice", key)
		}
		if err := checkAnswer(key, value, questions); err != nil {
			return Answers{}, badLine(name, n, "%w", err)
		}
		a.values[key] = value
	}
	if err := in.Err(); err != nil {
		return Answers{}, engine.Errorf(engine.Usage, "", "answers file %s: %w", name, err)
	}
	return a, nil
}

func badLine(name string, n int, format string, args ...any) error {
	return engine.Errorf(engine.Usage, "correct the line; the keys are explained in the manual",
		"answers file %s, line %d: %w", name, n, fmt.Errorf(format, args...))
}

func checkAnswer(key, value string, questions []string) error {
	switch key {
	case keyOnCopy, keyReversible, keyUnknown:
		if value != "yes" && value != "no" {
			return fmt.Errorf("%s must be yes or no, not %q", key, value)
		}
	case keyOriginal:
		if value != asRehearsed && value != putBack && value != "no" && !isDigest(value) {
			return fmt.Errorf("%s must be %s, %s, no, or a digest of 64 hexadecimal digits, not %q", key, asRehearsed, putBack, value)
		}
	case keyConfirm:
		if value == "" {
			return fmt.Errorf("%s must not be empty", key)
		}
	default:
		if !slices.Contains(questions, key) {
			return fmt.Errorf("no question is called %q", key)
		}
	}
	return nil
}

func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// Approve is the answers of an unattended performance: consent to the rehearsal or plan
// with the digest, on the host and system that confirm names, and to giving back what was
// stopped.
func Approve(digest, confirm string) (Answers, error) {
	if !isDigest(digest) {
		return Answers{}, engine.Errorf(engine.Usage, "take it from the rehearsal's report", "%q is not a digest of 64 hexadecimal digits", digest)
	}
	if host, system, ok := strings.Cut(confirm, "/"); !ok || host == "" || system == "" {
		return Answers{}, engine.Errorf(engine.Usage, "give the host's short name and the last four digits of the system identifier", "%q is not of the form HOST/SYSID4", confirm)
	}
	return Answers{values: map[string]string{
		keyOriginal: digest, keyConfirm: confirm, keyReversible: "yes", keyOnCopy: "yes",
	}}, nil
}

// Answer is the value given for a question.
func (a Answers) Answer(name string) (string, bool) {
	v, ok := a.values[name]
	return v, ok
}

// With returns the answers and one more.
func (a Answers) With(key, value string) Answers {
	values := map[string]string{key: value}
	for k, v := range a.values {
		if k != key {
			values[k] = v
		}
	}
	return Answers{values: values}
}
