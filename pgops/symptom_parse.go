package pgops

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The files under symptoms/ hold one block for each symptom:
//
//	[27] redo-page-mismatch
//	severity: fatal
//	playbook: crash-loop
//	flags: lossless not-corruption          (optional)
//	message: invalid lp$                    (a pattern; what follows up to the next one belongs to it)
//	levels: PANIC ERROR                     (optional: only at these; "-" is a line without severity)
//	with: WAL redo at {lsn}                 (optional: one of its DETAIL, HINT, CONTEXT lines matches)
//	then: id id                             (optional: counts only if one of these follows in the same start)
//	before: id id                           (optional: weighs as much as one of these that follows)
//	echo: yes                               (optional: announces the message proper; not counted if that one follows)
//	prefer: yes                             (optional: wins over other patterns that match the same message)
//	weak: yes                               (optional: ordinary events write it too; shown as harmless)
//	meaning: text
//	next: text
//	remedy: text                            (as often as needed)
//
// A line that starts with a blank continues the one before. "#" starts a comment line.

var symptomHead = regexp.MustCompile(`^\[(\d+)\] ([a-z0-9]+(?:-[a-z0-9]+)*)$`)

// parseSymptoms reads one family's file; the family is the file's name without its ending.
func parseSymptoms(name, text string) ([]Symptom, error) {
	var out []Symptom
	family := strings.TrimSuffix(name, ".txt")
	for i, line := range joinContinued(text) {
		if line == "" || line[0] == '#' {
			continue
		}
		if m := symptomHead.FindStringSubmatch(line); m != nil {
			number, err := strconv.Atoi(m[1])
			if err != nil {
				return nil, fmt.Errorf("%s line %d: %w", name, i+1, err)
			}
			out = append(out, Symptom{Number: number, ID: m[2], Family: family})
			continue
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("%s line %d: text before the first symptom", name, i+1)
		}
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			return nil, fmt.Errorf("%s line %d: want \"key: value\", found %q", name, i+1, line)
		}
		if err := out[len(out)-1].set(key, strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("%s line %d: %w", name, i+1, err)
		}
	}
	for i := range out {
		if err := out[i].complete(); err != nil {
			return nil, fmt.Errorf("%s: symptom %d: %w", name, out[i].Number, err)
		}
	}
	return out, nil
}

// joinContinued folds continuation lines into the line they continue, leaving empty lines in
// their place so that line numbers stay right.
func joinContinued(text string) []string {
	lines := strings.Split(text, "\n")
	last := 0
	for i, line := range lines {
		if strings.HasPrefix(line, " ") && i > 0 {
			lines[last] += " " + strings.TrimSpace(line)
			lines[i] = ""
			continue
		}
		last = i
	}
	return lines
}

// set stores one key of a symptom's block.
func (s *Symptom) set(key, value string) error {
	switch key {
	case "severity":
		s.Severity = Severity(value)
	case "playbook":
		s.Playbook = value
	case "flags":
		s.Lossless = strings.Contains(value, "lossless")
		s.NotCorruption = strings.Contains(value, "not-corruption")
	case "message":
		s.Patterns = append(s.Patterns, Pattern{Message: value})
	case "meaning":
		s.Meaning = value
	case "next":
		s.Next = value
	case "remedy":
		s.Remedies = append(s.Remedies, value)
	default:
		return s.setPattern(key, value)
	}
	return nil
}

// setPattern stores a key that belongs to the last pattern.
func (s *Symptom) setPattern(key, value string) error {
	if len(s.Patterns) == 0 {
		return fmt.Errorf("%q before the first message", key)
	}
	p := &s.Patterns[len(s.Patterns)-1]
	switch key {
	case "levels":
		for _, word := range strings.Fields(value) {
			p.Levels = append(p.Levels, LogLevel(strings.TrimPrefix(word, "-")))
		}
	case "with":
		p.With = value
	case "then":
		p.Then = strings.Fields(value)
	case "before":
		p.Before = strings.Fields(value)
	case "echo":
		p.Echo = true
	case "prefer":
		p.Prefer = true
	case "weak":
		p.Weak = true
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}

// complete checks that a block left nothing out.
func (s *Symptom) complete() error {
	if s.Severity.rank() == 0 && s.Severity != SeverityHarmless {
		return fmt.Errorf("unknown severity %q", s.Severity)
	}
	switch s.Playbook {
	case PlaybookCrashLoop, PlaybookCheckTables, PlaybookRescueTable, PlaybookRebuildTable, PlaybookNone:
	default:
		return fmt.Errorf("unknown playbook %q", s.Playbook)
	}
	if len(s.Patterns) == 0 || s.Meaning == "" || s.Next == "" {
		return fmt.Errorf("%s lacks a message, a meaning or a next action", s.ID)
	}
	if s.NotCorruption && s.Playbook != PlaybookNone {
		return fmt.Errorf("%s is no corruption and must name no playbook", s.ID)
	}
	return nil
}
