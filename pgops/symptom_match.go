package pgops

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"
)

// SymptomHit is one symptom found in a log, on one object (a relation, a file, a table) where the
// message names one. Repetitions, over restarts too, are counted, not listed.
type SymptomHit struct {
	Symptom
	Level    LogLevel          // the worst at which it was written
	Line     string            // its latest line
	LineNo   int               // and that line's number, from 1
	Time     time.Time         // and time; zero if unknown
	First    time.Time         // time of its first line
	FirstNo  int               // number of its first line
	Count    int               // how often it was written
	Captures map[string]string // what the message named: lsn, rel, tablespace, database, relfilenode, fork, block, segment, xid, table, file, rmgr, op
	Context  []LogExtra        // DETAIL, HINT and CONTEXT of the latest one
	Past     bool              // the server came up after it and it did not come back
	Weak     bool              // only wordings that ordinary events write too

	cycle, readyFirst, readyLast int
}

// Limits of what Match keeps, whatever the log.
const (
	maxObjects  = 16   // objects of one symptom
	cancelEvery = 1024 // entries between two looks at the context
)

// LogReport is what Match made of a log.
type LogReport struct {
	Hits []SymptomHit // most important first
	Log  LogSummary
}

// Match reads a whole log and returns the symptoms in it, the one that keeps the server down
// first. The memory it takes does not grow with the log. Messages are recognised in English only
// (lc_messages C or en): LogSummary.Foreign counts those that are not. The error is the reader's
// or the context's; what was found up to there is returned with it.
func (c *Catalogue) Match(ctx context.Context, r io.Reader) (*LogReport, error) {
	in := NewLogReader(r)
	m := &matcher{cat: c, hits: make(map[string]*SymptomHit), objects: make(map[string]int),
		tentative: make(map[int]tentative), echoes: make(map[int]tentative), cycles: newCycleCounter()}
	var failed error
	for n := 0; ; n++ {
		if n%cancelEvery == 0 && ctx.Err() != nil {
			failed = ctx.Err()
			break
		}
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			failed = err
			break
		}
		m.entry(&e)
	}
	m.flushEchoes()
	report := &LogReport{Log: m.cycles.summary(in)}
	report.Log.MoreObjects = m.dropped
	report.Hits = m.ranked()
	return report, failed
}

// tentative is a match that waits for another symptom to follow in the same start.
type tentative struct {
	rule     *rule
	entry    LogEntry
	captures map[string]string
}

type matcher struct {
	cat       *Catalogue
	hits      map[string]*SymptomHit // by symptom and object
	objects   map[string]int         // objects seen of each symptom
	dropped   int
	tentative map[int]tentative // by symptom: the latest in this start
	echoes    map[int]tentative // by symptom: an announcement whose message has not come yet
	cycle     int
	cycles    *cycleCounter
}

func (m *matcher) entry(e *LogEntry) {
	if cycle := m.cycles.observe(e); cycle != m.cycle {
		m.flushEchoes()
		m.cycle = cycle
		clear(m.tentative)
	}
	best, captures := m.best(e)
	switch {
	case best == nil:
	case best.pattern.Echo:
		m.flushEcho(best.symptom)
		m.echoes[best.symptom] = tentative{rule: best, entry: *e, captures: captures}
	default:
		delete(m.echoes, best.symptom)
		m.record(best, e, captures, e.Level)
		m.confirm(m.cat.symptoms[best.symptom].ID, e.Level)
	}
}

// flushEchoes counts the announcements that no message followed.
func (m *matcher) flushEchoes() {
	for symptom := range m.cat.symptoms {
		m.flushEcho(symptom)
	}
}

func (m *matcher) flushEcho(symptom int) {
	t, ok := m.echoes[symptom]
	if !ok {
		return
	}
	delete(m.echoes, symptom)
	m.record(t.rule, &t.entry, t.captures, t.entry.Level)
	m.confirm(m.cat.symptoms[symptom].ID, t.entry.Level)
}

// best picks, of all rules that match an entry, the one that says most. Rules that wait for
// another symptom are set aside.
func (m *matcher) best(e *LogEntry) (*rule, map[string]string) {
	var best *rule
	var found map[string]string
	for i := range m.cat.rules {
		r := &m.cat.rules[i]
		if best != nil && r.weight <= best.weight && len(r.pattern.Then) == 0 {
			continue
		}
		captures, ok := r.match(e)
		if !ok {
			continue
		}
		if len(r.pattern.Then) > 0 {
			m.tentative[r.symptom] = tentative{rule: r, entry: *e, captures: captures}
			continue
		}
		best, found = r, captures
	}
	if best != nil && len(best.pattern.Before) > 0 {
		m.tentative[best.symptom] = tentative{rule: best, entry: *e, captures: found}
	}
	return best, found
}

// confirm counts the matches that waited for the symptom id, at the level of that one.
func (m *matcher) confirm(id string, level LogLevel) {
	for symptom, t := range m.tentative {
		waited := false
		for _, want := range t.rule.pattern.Then {
			waited = waited || want == id
		}
		raised := false
		for _, want := range t.rule.pattern.Before {
			raised = raised || want == id
		}
		switch {
		case waited:
			m.record(t.rule, &t.entry, t.captures, level)
			delete(m.tentative, symptom)
		case raised:
			if h := m.hits[m.key(t.rule, t.captures)]; h != nil {
				h.raise(level)
			}
			delete(m.tentative, symptom)
		}
	}
}

func (m *matcher) key(r *rule, captures map[string]string) string {
	s := &m.cat.symptoms[r.symptom]
	return s.ID + "\x00" + captures["rel"] + "\x00" + captures["file"] + "\x00" + captures["table"] + "\x00" + captures["index"]
}

// record adds an occurrence to its hit.
func (m *matcher) record(r *rule, e *LogEntry, captures map[string]string, level LogLevel) {
	addDetailFile(captures, e)
	addRedo(captures, e)
	addRelation(captures)
	symptom := m.cat.symptoms[r.symptom]
	key := m.key(r, captures)
	h := m.hits[key]
	if h == nil {
		if m.objects[symptom.ID] >= maxObjects {
			m.dropped++
			return
		}
		m.objects[symptom.ID]++
		h = &SymptomHit{Symptom: symptom, FirstNo: e.LineNo, First: e.Time, Weak: true, readyFirst: m.cycles.sum.Ready}
		m.hits[key] = h
	}
	h.raise(level)
	h.Weak = h.Weak && r.pattern.Weak
	h.Line, h.LineNo, h.Time = e.Line, e.LineNo, e.Time
	h.Captures, h.Context = captures, contextLines(e)
	h.Count++
	h.cycle, h.readyLast = m.cycle, m.cycles.sum.Ready
}

func (h *SymptomHit) raise(l LogLevel) {
	if l.Rank() > h.Level.Rank() {
		h.Level = l
	}
}

func contextLines(e *LogEntry) []LogExtra {
	var out []LogExtra
	for _, x := range e.Extra {
		switch x.Kind {
		case "DETAIL", "HINT", "CONTEXT":
			out = append(out, x)
		}
	}
	return out
}

// addRedo adds the replay position: it names the relation and the block where the message does not.
func addRedo(captures map[string]string, e *LogEntry) {
	pos, ok := e.Redo()
	if !ok {
		return
	}
	put(captures, "redo", pos.LSN.String())
	put(captures, "lsn", pos.LSN.String())
	put(captures, "rmgr", pos.Rmgr)
	put(captures, "op", pos.Op)
	if len(pos.Blocks) > 0 && captures["rel"] == "" && captures["file"] == "" {
		b := pos.Blocks[0]
		put(captures, "rel", relPath(b))
		put(captures, "tablespace", utoa(uint32(b.Tablespace)))
		captures["block"] = utoa(uint32(b.Block))
	}
}

// detailFile is how slru.c names the file behind a transaction status it cannot read.
var detailFile = regexp.MustCompile(`Could not [a-z ]{2,20} file "(pg_[a-z_/]{2,30}/[0-9A-F]{4,15})"`)

// addDetailFile adds the file that only DETAIL names: the number in such a message may be a
// transaction, a group of lockers or a member, and only the path tells which.
func addDetailFile(captures map[string]string, e *LogEntry) {
	for _, x := range e.Extra {
		if m := detailFile.FindStringSubmatch(x.Text); x.Kind == "DETAIL" && m != nil {
			put(captures, "file", m[1])
		}
	}
}

func put(captures map[string]string, name, value string) {
	if _, there := captures[name]; !there && value != "" {
		captures[name] = strings.Clone(value)
	}
}
