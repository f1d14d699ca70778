package pgops

import (
	"regexp"
	"strings"
	"time"
)

// LogLevel is the severity word of a server message (error_severity, utils/elog.h). The empty
// level marks a line without one: output of a tool, an entrypoint, or the postmaster before its
// logging was set up.
type LogLevel string

// The severities that matter here, worst first.
const (
	LevelPanic   LogLevel = "PANIC"
	LevelFatal   LogLevel = "FATAL"
	LevelError   LogLevel = "ERROR"
	LevelWarning LogLevel = "WARNING"
	LevelLog     LogLevel = "LOG"
	LevelNone    LogLevel = ""
)

// Rank orders severities for comparison; higher is worse. Unknown words rank lowest.
func (l LogLevel) Rank() int {
	switch l {
	case LevelPanic:
		return 5
	case LevelFatal:
		return 4
	case LevelError:
		return 3
	case LevelWarning:
		return 2
	case LevelLog:
		return 1
	}
	return 0
}

// LogExtra is a line that belongs to the message before it: Kind is DETAIL, HINT, CONTEXT, QUERY,
// LOCATION, BACKTRACE or STATEMENT.
type LogExtra struct {
	Kind string
	Text string
}

// LogEntry is one message of a server log with everything that belongs to it.
type LogEntry struct {
	LineNo  int       // number of its first line, from 1
	Line    string    // that line as it stood in the log, cut to MaxLogText bytes
	Time    time.Time // zero where the log gives none that can be read
	Level   LogLevel
	Message string
	Extra   []LogExtra
	Foreign bool // the severity word is a translated one: the message is not in English
}

// Limits of what is kept of a log. Anything beyond is counted and dropped, never stored.
const (
	MaxLogLine  = 64 << 10 // bytes of one physical line that are looked at
	MaxLogText  = 4 << 10  // bytes of a message or of an attached line that are kept
	maxLogExtra = 16       // attached lines kept for one message
)

// foreignWord finds severities as the translations shipped with PostgreSQL 13 to 18 write them.
// Words that a translation shares with English cannot tell, so they are left out.
var foreignWord = regexp.MustCompile(`(?:^|[\s\])>:])(FEHLER|WARNUNG|PANIK|HINWEIS|ERREUR|ATTENTION|JOURNAL|PANIQUE|REGISTRO|ADVERTENCIA|PÁNICO|ERRO|AVISO|PÂNICO|ERRORE|ATTENZIONE|OSTRZEŻENIE|BŁĄD|PANIKA|ОШИБКА|ВАЖНО|ПРЕДУПРЕЖДЕНИЕ|СООБЩЕНИЕ|ПАНИКА|ПОМИЛКА|УВАГА|HATA|UYARI|KAYIT|FEL|VARNING|LOGG|PANIK|日志|错误|警告|致命错误|比致命错误还过分的错误|ログ|エラー|パニック|로그|오류|경고|치명적오류|손상) ?: +`)

// splitSeverity cuts a plain line into its prefix, its severity word and its text. word is empty
// where the line has none. elog.c writes the word behind log_line_prefix, with a colon and two
// blanks; logs that went through other hands often have one blank left. The prefix may hold
// anything, so it is not parsed: the first severity word counts.
func splitSeverity(line string) (prefix, word, text string) {
	for at := 0; ; {
		colon := strings.Index(line[at:], ": ")
		if colon < 0 {
			return "", "", line
		}
		end := at + colon
		start := end
		for start > at && isSeverityByte(line[start-1]) {
			start--
		}
		word = line[start:end]
		if (knownLevel(word) || isExtra(word)) && (start == 0 || standsFree(line[start-1])) {
			return line[:start], word, strings.TrimLeft(line[end+1:], " ")
		}
		at = end + 1
	}
}

func isSeverityByte(c byte) bool { return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' }

// standsFree reports whether a severity word may stand behind c.
func standsFree(c byte) bool {
	return !(c >= 'a' && c <= 'z' || c == '_' || c == '"' || c == '\'')
}

// isExtra reports whether a severity word attaches its line to the message before it.
func isExtra(word string) bool {
	switch word {
	case "DETAIL", "HINT", "QUERY", "CONTEXT", "LOCATION", "BACKTRACE", "STATEMENT":
		return true
	}
	return false
}

// plainEntry reads one line of a stderr log. ok is false for a line that belongs to the entry
// before it, which the caller attaches.
func plainEntry(line string) (e LogEntry, extra LogExtra, ok bool) {
	prefix, word, text := splitSeverity(line)
	if isExtra(word) {
		return LogEntry{}, LogExtra{Kind: word, Text: cutText(text)}, false
	}
	e = LogEntry{Line: cutText(line), Level: LogLevel(word), Message: cutText(text)}
	if word == "" {
		prefix = line
		if len(prefix) > 200 {
			prefix = prefix[:200]
		}
		e.Foreign = foreignWord.MatchString(prefix)
	}
	e.Time = findTime(prefix)
	return e, LogExtra{}, true
}

// cutText bounds a kept text, on a character boundary.
func cutText(s string) string {
	if len(s) <= MaxLogText {
		return strings.Clone(s)
	}
	return strings.ToValidUTF8(s[:MaxLogText], "")
}

// addExtra attaches a line, up to the bound.
func (e *LogEntry) addExtra(x LogExtra) {
	if x.Text != "" && len(e.Extra) < maxLogExtra {
		e.Extra = append(e.Extra, x)
	}
}
