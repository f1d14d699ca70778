package pgops

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// englishOnly says what the catalogue can read.
const englishOnly = "Only messages in English (lc_messages C or en) are recognised."

// Explain puts the hits into words: one short paragraph for each symptom that matters, then which
// playbook follows, then what a log cannot tell.
func Explain(hits []SymptomHit) []string {
	var out []string
	harmless := 0
	told := make(map[string]bool)
	for i := range hits {
		h := &hits[i]
		if h.Weighed() == SeverityHarmless {
			harmless++
			continue
		}
		if told[h.ID] {
			continue
		}
		told[h.ID] = true
		out = append(out, paragraph(h, otherObjects(hits, h.ID)))
	}
	if len(out) == 0 {
		note := "Nothing in this log is known to mean trouble. " + englishOnly
		if harmless > 0 {
			note = fmt.Sprintf("%s in this log belong to ordinary life; nothing is known to mean trouble. %s", plural(harmless, "message"), englishOnly)
		}
		return []string{note}
	}
	playbook, why := Choose(hits)
	if playbook == "" {
		out = append(out, "No playbook may act yet. "+why)
	} else {
		out = append(out, "Playbook: "+playbook+".")
	}
	return append(out, "A log shows only where the server stopped. It cannot say how many pages or rows are damaged behind that place, nor whether WAL holds more after it; that takes a look at the files.")
}

// paragraph tells one symptom.
func paragraph(h *SymptomHit, others int) string {
	var b strings.Builder
	switch {
	case h.Past:
		b.WriteString("Earlier, over since: ")
	case h.Weighed() == SeverityFatal:
		b.WriteString("Keeps the server down: ")
	case h.Weighed() == SeverityDamage:
		b.WriteString("Damage: ")
	default:
		b.WriteString("To follow up: ")
	}
	fmt.Fprintf(&b, "%s (%s, line %d", h.ID, seen(h.Count), h.LineNo)
	if !h.Time.IsZero() {
		b.WriteString(", " + h.Time.UTC().Format(time.RFC3339))
	}
	b.WriteString(")")
	if where := Where(h.Captures); where != "" {
		b.WriteString(" at " + where)
	}
	if others > 0 {
		fmt.Fprintf(&b, " and on %s more", plural(others, "object"))
	}
	b.WriteString(". " + h.Meaning + " Next: " + h.Next)
	if h.Lossless && !h.NotCorruption {
		b.WriteString(" A remedy that loses nothing is known.")
	}
	return b.String()
}

// Where names the place that a hit's captures point to, in few words; empty if they name none.
func Where(captures map[string]string) string {
	var parts []string
	if captures["redo"] != "" {
		record := captures["rmgr"]
		if captures["op"] != "" {
			record += "/" + captures["op"]
		}
		parts = append(parts, "WAL record "+captures["redo"]+" ("+record+")")
	}
	switch {
	case captures["rel"] != "" && captures["block"] != "":
		parts = append(parts, captures["rel"]+" block "+captures["block"])
	case captures["rel"] != "":
		parts = append(parts, captures["rel"])
	case captures["file"] != "":
		parts = append(parts, captures["file"])
	case captures["segment"] != "":
		parts = append(parts, "segment "+captures["segment"])
	case captures["table"] != "":
		parts = append(parts, captures["table"])
	case captures["index"] != "":
		parts = append(parts, "index "+captures["index"])
	case captures["lsn"] != "" && captures["redo"] == "":
		parts = append(parts, captures["lsn"])
	}
	if captures["xid"] != "" {
		parts = append(parts, "id "+captures["xid"])
	}
	return strings.Join(parts, ", ")
}

func otherObjects(hits []SymptomHit, id string) int {
	n := -1
	for i := range hits {
		if hits[i].ID == id {
			n++
		}
	}
	return n
}

func seen(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Explain is the package's Explain with what the log says beside its symptoms: the restart loop,
// crashes without a message, and messages in another language.
func (r *LogReport) Explain() []string {
	var out []string
	if s := r.Log.loopNote(); s != "" {
		out = append(out, s)
	}
	out = append(out, Explain(r.Hits)...)
	if n := r.Log.Startup[6]; n > 0 && topHit(r.Hits) == nil {
		out = append(out, fmt.Sprintf("The startup process aborted %s (signal 6), and its last message is not one that is known here. Read the PANIC line before it.", seen(n)))
	}
	if n := r.Log.Signals[9]; n > 0 {
		out = append(out, fmt.Sprintf("A server process was killed from outside %s (signal 9). Look for the kernel's out-of-memory killer and the container's memory limit.", seen(n)))
	}
	if r.Log.MoreObjects > 0 {
		out = append(out, fmt.Sprintf("%s on further objects are not listed one by one.", plural(r.Log.MoreObjects, "message")))
	}
	if note := r.languageNote(); note != "" {
		out = append(out, note)
	}
	return out
}

// languageNote warns where the log, or part of it, could not be read.
func (r *LogReport) languageNote() string {
	if r.Log.Foreign == 0 {
		return ""
	}
	return fmt.Sprintf("%s in another language than English could not be read. Start the clone with lc_messages=C to get them in English.", plural(r.Log.Foreign, "message"))
}

// loopNote describes a restart loop.
func (s *LogSummary) loopNote() string {
	if !s.Looping() {
		return ""
	}
	note := fmt.Sprintf("The server began to start %s in this log and came up %s", seen(s.Starts), seen(s.Ready))
	if s.Ready == 0 {
		note = fmt.Sprintf("The server began to start %s in this log and never came up", seen(s.Starts))
	}
	if s.Period > 0 {
		note += fmt.Sprintf(", about every %s", s.Period.Round(100*time.Millisecond))
	}
	var signals []int
	for n := range s.Startup {
		signals = append(signals, n)
	}
	sort.Ints(signals)
	for _, n := range signals {
		note += fmt.Sprintf("; signal %d ended the startup process %s", n, seen(s.Startup[n]))
	}
	return note + "."
}
