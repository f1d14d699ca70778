package ui

import (
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// actWords are an act's number and name on screen. Every name says where the act writes.
func actWords(a engine.Act) (short, where string) {
	switch a {
	case engine.Prepare:
		return "PREPARE", "the original is only read"
	case engine.Rehearsal:
		return "REHEARSAL", "on a copy"
	case engine.Performance:
		return "PERFORMANCE", "on the original"
	case engine.Closing:
		return "CLOSING", "give back, report"
	case engine.Undo:
		return "UNDO", "on the original"
	}
	return strings.ToUpper(cleanLine(string(a))), ""
}

// actNumber is the act as the header counts it: the rehearsal is act 1.
func actNumber(a engine.Act) string {
	switch a {
	case engine.Rehearsal:
		return "ACT 1"
	case engine.Performance:
		return "ACT 2"
	}
	return ""
}

// actTitle is "ACT 1  REHEARSAL on a copy".
func actTitle(a engine.Act) string {
	name, where := actWords(a)
	title := name
	if a == engine.Rehearsal || a == engine.Performance || a == engine.Undo {
		title = name + " " + where
	}
	if n := actNumber(a); n != "" {
		return n + "  " + title
	}
	return title
}

// mark is how a state looks: a glyph of two characters and a word, so that colour is
// never needed.
type mark struct {
	Glyph string
	Word  string
}

func markOf(s engine.State) mark {
	switch s {
	case engine.Pending:
		return mark{"  ", ""}
	case engine.Asking:
		return mark{"??", "asks you"}
	case engine.Running:
		return mark{">>", "running"}
	case engine.Waiting:
		return mark{"!!", "waits"}
	case engine.Consented:
		return mark{">>", "agreed"}
	case engine.Applying:
		return mark{">>", "applying"}
	case engine.Done:
		return mark{"ok", "done"}
	case engine.Failed:
		return mark{"XX", "FAILED"}
	case engine.Skipped:
		return mark{"--", "skipped"}
	case engine.Refused:
		return mark{"--", "declined"}
	case engine.Interrupted:
		return mark{"~~", "stopped"}
	case engine.Unsure:
		return mark{"?!", "UNKNOWN"}
	}
	return mark{"..", cleanLine(string(s))}
}

// resultMark is a verdict's glyph; its word is the result itself.
func resultMark(r engine.Result) string {
	switch r {
	case engine.Passed:
		return "ok"
	case engine.Fail:
		return "XX"
	}
	return "??"
}

// severityMark is a finding's glyph; its word is the severity itself.
func severityMark(s engine.Severity) string {
	switch s {
	case engine.Info:
		return "--"
	case engine.Warning:
		return "!!"
	}
	return "XX"
}

// gateWords say what agreeing would do, in words that do not depend on the step.
func gateWords(d engine.Danger) string {
	switch d {
	case engine.OnCopy:
		return "This writes to a copy. The original is not touched."
	case engine.Reversible:
		return "This changes the target, but not its data, and can be put back."
	case engine.Original:
		return "THIS REWRITES THE ORIGINAL."
	}
	return "This only reads."
}

// shellLine writes argv so that it can be pasted into a POSIX shell.
func shellLine(argv []string) string {
	quoted := make([]string, len(argv))
	for i, a := range argv {
		quoted[i] = shellWord(a)
	}
	return strings.Join(quoted, " ")
}

func shellWord(s string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%^"
	if s != "" && strings.Trim(s, safe) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// commandLine is what a command strip shows of an effect.
func commandLine(i engine.Intent) string {
	if len(i.Argv) > 0 {
		return cleanLine(shellLine(i.Argv))
	}
	return cleanLine(i.What)
}
