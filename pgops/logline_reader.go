package pgops

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// LogReader reads PostgreSQL log entries from stderr logs with any log_line_prefix, csvlog,
// jsonlog (15 and later), and any of these as Docker, Compose or a CRI runtime hands them out.
// The format is decided line by line, so a log that changes format in the middle is read through.
// Memory is bounded whatever the input: see MaxLogLine.
type LogReader struct {
	in      *bufio.Reader
	lineNo  int
	cut     int
	pending *LogEntry
	held    *LogEntry // a complete entry read ahead while finishing the one before
	eof     bool
}

// NewLogReader reads from r, which is not closed.
func NewLogReader(r io.Reader) *LogReader {
	return &LogReader{in: bufio.NewReaderSize(r, 32<<10)}
}

// Lines is how many physical lines were read so far; Cut is how many of them were too long to be
// looked at whole.
func (r *LogReader) Lines() (lines, cut int) { return r.lineNo, r.cut }

// Next returns the next entry, or io.EOF after the last one. Text that is no log entry at all is
// returned as an entry of LevelNone; nothing is skipped.
func (r *LogReader) Next() (LogEntry, error) {
	for {
		if r.held != nil {
			e := *r.held
			r.held = nil
			return e, nil
		}
		if r.eof {
			return r.flush()
		}
		line, err := r.readLine()
		if errors.Is(err, io.EOF) {
			r.eof = true
			continue
		}
		if err != nil {
			return LogEntry{}, fmt.Errorf("read log after line %d: %w", r.lineNo, err)
		}
		if e, ok := r.take(line); ok {
			return e, nil
		}
	}
}

// flush hands out the last entry.
func (r *LogReader) flush() (LogEntry, error) {
	if r.pending == nil {
		return LogEntry{}, io.EOF
	}
	e := *r.pending
	r.pending = nil
	return e, nil
}

// take digests one line and returns the entry before it where that one is complete now.
func (r *LogReader) take(line string) (LogEntry, bool) {
	if strings.TrimSpace(line) == "" {
		return LogEntry{}, false
	}
	stamp, body := stripCarrier(line)
	if e, ok := r.structured(body); ok {
		return r.replace(&e)
	}
	if body != "" && (body[0] == '\t' || (body[0] == ' ' && r.continues())) {
		r.extend(strings.TrimSpace(body))
		return LogEntry{}, false
	}
	e, extra, ok := plainEntry(stamp + body)
	if ok && e.Level == LevelNone {
		e.Message = cutText(body)
	}
	if !ok {
		if r.pending != nil {
			r.pending.addExtra(extra)
			return LogEntry{}, false
		}
		e = LogEntry{Line: cutText(line), Extra: []LogExtra{extra}}
	}
	e.LineNo = r.lineNo
	return r.replace(&e)
}

// replace makes e the pending entry and returns the one it displaces.
func (r *LogReader) replace(e *LogEntry) (LogEntry, bool) {
	old := r.pending
	r.pending = e
	if old == nil {
		return LogEntry{}, false
	}
	return *old, true
}

// continues reports whether an indented line can belong to the entry before it.
func (r *LogReader) continues() bool { return r.pending != nil && r.pending.Level != LevelNone }

// extend joins a continuation line to the last text of the pending entry (elog.c writes a tab
// before every further line of a message).
func (r *LogReader) extend(text string) {
	if r.pending == nil {
		r.pending = &LogEntry{LineNo: r.lineNo, Line: cutText(text), Message: cutText(text)}
		return
	}
	last := &r.pending.Message
	if n := len(r.pending.Extra); n > 0 {
		last = &r.pending.Extra[n-1].Text
	}
	if len(*last) < MaxLogText {
		*last = cutText(*last + "\n" + text)
	}
}

// structured tries the formats that hold a whole entry in one line (or, for CSV, one record).
func (r *LogReader) structured(body string) (LogEntry, bool) {
	if strings.HasPrefix(body, "{") {
		e, ok := jsonEntry(body)
		e.LineNo = r.lineNo
		return e, ok
	}
	if head := body[:min(len(body), 48)]; !strings.Contains(head, ",") || !csvStart.MatchString(body) {
		return LogEntry{}, false
	}
	start := r.lineNo
	for strings.Count(body, `"`)%2 == 1 && len(body) < MaxLogLine {
		more, err := r.readLine()
		if err != nil {
			break // the record was cut off: read what is there
		}
		_, more = stripCarrier(more)
		body += "\n" + more
	}
	e, ok := csvEntry(body)
	e.LineNo = start
	return e, ok
}

// carrierPattern is what a container runtime or Compose puts before each line.
var carrierPattern = regexp.MustCompile(`^(?:[\w.-]+ +\| ?)?(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?:std(?:out|err) [FP] )?)?`)

// stripCarrier takes the runtime's own prefix off a line. stamp is its time with a blank behind
// it, or empty.
func stripCarrier(line string) (stamp, body string) {
	head := line[:min(len(line), 96)]
	if !strings.Contains(head, "|") && (len(head) < 11 || head[10] != 'T') {
		return "", line
	}
	m := carrierPattern.FindStringSubmatchIndex(line)
	if m == nil || m[1] == 0 {
		return "", line
	}
	if m[2] >= 0 {
		stamp = line[m[2]:m[3]] + " "
	}
	return stamp, line[m[1]:]
}

// readLine reads one physical line without its end, cut to MaxLogLine bytes. Docker's json-file
// wrapping is taken off.
func (r *LogReader) readLine() (string, error) {
	var line []byte
	long := false
	for {
		part, err := r.in.ReadSlice('\n')
		if room := MaxLogLine - len(line); len(part) > room {
			long = true
			part = part[:room]
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && len(line) == 0 {
			return "", err
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		break
	}
	r.lineNo++
	if long {
		r.cut++
	}
	line = bytes.TrimRight(line, "\r\n")
	return unwrapDocker(strings.ToValidUTF8(string(line), "?")), nil
}

// unwrapDocker opens a line of Docker's json-file log driver.
func unwrapDocker(line string) string {
	if !strings.HasPrefix(line, `{"log":"`) {
		return line
	}
	var wrapped struct {
		Log  string `json:"log"`
		Time string `json:"time"`
	}
	if json.Unmarshal([]byte(line), &wrapped) != nil {
		return line
	}
	return wrapped.Time + " " + strings.TrimRight(wrapped.Log, "\r\n")
}
