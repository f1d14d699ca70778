package pgops

import (
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
)

// csvStart recognises the first line of a csvlog record: log_time with a zone, then a comma.
var csvStart = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [A-Za-z0-9+:-]+,`)

// Columns of csvlog (write_csvlog, error/csvlog.c). 13 has 24 columns, 14 and later 26; these
// positions did not move.
const (
	csvTime     = 0
	csvSeverity = 11
	csvMessage  = 13
	csvDetail   = 14
	csvHint     = 15
	csvContext  = 18
)

// csvEntry reads one csvlog record. A record that was cut off yields the columns it has, as long
// as the message is among them.
func csvEntry(record string) (LogEntry, bool) {
	rd := csv.NewReader(strings.NewReader(record))
	rd.LazyQuotes = true
	rd.FieldsPerRecord = -1
	fields, err := rd.Read()
	if err != nil || len(fields) <= csvMessage || !knownLevel(fields[csvSeverity]) {
		return LogEntry{}, false
	}
	e := LogEntry{
		Line:    cutText(record),
		Time:    findTime(fields[csvTime]),
		Level:   LogLevel(fields[csvSeverity]),
		Message: cutText(fields[csvMessage]),
	}
	for _, col := range []struct {
		at   int
		kind string
	}{{csvDetail, "DETAIL"}, {csvHint, "HINT"}, {csvContext, "CONTEXT"}} {
		if col.at < len(fields) {
			e.addExtra(LogExtra{Kind: col.kind, Text: cutText(fields[col.at])})
		}
	}
	return e, true
}

// knownLevel tells a severity from any other text in its place.
func knownLevel(s string) bool {
	switch LogLevel(s) {
	case LevelPanic, LevelFatal, LevelError, LevelWarning, LevelLog:
		return true
	}
	switch s {
	case "INFO", "NOTICE", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5":
		return true
	}
	return false
}

// jsonEntry reads one jsonlog line (write_jsonlog, error/jsonlog.c). It goes key by key and stops
// where the line was cut: message, detail and context stand before the statement, which is what
// makes lines long.
func jsonEntry(line string) (LogEntry, bool) {
	fields := jsonFields(line)
	if !knownLevel(fields["error_severity"]) {
		return LogEntry{}, false
	}
	e := LogEntry{
		Line:    cutText(line),
		Time:    findTime(fields["timestamp"]),
		Level:   LogLevel(fields["error_severity"]),
		Message: cutText(fields["message"]),
	}
	for _, x := range [][2]string{{"detail", "DETAIL"}, {"hint", "HINT"}, {"context", "CONTEXT"}} {
		e.addExtra(LogExtra{Kind: x[1], Text: cutText(fields[x[0]])})
	}
	return e, true
}

// jsonFields collects the string members of the outermost object, up to the first thing that is
// not JSON.
func jsonFields(line string) map[string]string {
	fields := make(map[string]string)
	dec := json.NewDecoder(strings.NewReader(line))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return fields
	}
	for dec.More() && len(fields) < 64 {
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return fields
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return fields
		}
		var text string
		if json.Unmarshal(value, &text) == nil {
			fields[name] = text
		}
	}
	return fields
}
