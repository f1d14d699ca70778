package drop

import (
	"regexp"
	"strings"
	"time"
)

// operator works the screen as a person does: reads what the footer and the pane ask for
// and presses that, one key at a time.
type operator struct {
	*terminal
	seen map[string]int // what was done, by kind
	// before is called when a consent to change the original is on screen, armed.
	before func(challenge string)
}

func newOperator(tm *terminal) *operator { return &operator{terminal: tm, seen: map[string]int{}} }

// challenge finds what has to be typed.
var challenge = regexp.MustCompile(`To agree, type (\S+) and press enter`)

// outcomes are the words of a closed incident in the header.
var outcomes = []string{"HEALED", "REHEARSED", "FAILED", "DECLINED", "ABORTED", "STALE", "UNKNOWN", "UNDONE"}

// work goes on until stop says so, or the incident has closed; then it returns the outcome.
func (o *operator) work(limit time.Duration, stop func(screen string) bool) string {
	o.t.Helper()
	end := time.Now().Add(limit)
	for {
		s := strings.Join(o.settled(), "\n")
		header := strings.Join(strings.Split(s, "\n")[:2], "\n")
		for _, w := range outcomes {
			if strings.Contains(header, w) {
				return w
			}
		}
		if stop != nil && stop(s) {
			return ""
		}
		if time.Now().After(end) {
			o.t.Fatalf("after %s the screen shows\n%s", limit, s)
		}
		if !o.respond(s) {
			time.Sleep(30 * time.Millisecond)
		}
	}
}

// footer is the end of the last line: what is known of the original.
var footer = regexp.MustCompile(`original: ([A-Z]+(?: [A-Z]+)?)$`)

// original is what the footer says of it, once a whole frame is on screen.
func (o *operator) original() string {
	o.t.Helper()
	var m []string
	until(o.t, 5*time.Second, "the state of the original at the foot of the screen", func() bool {
		lines := o.settled()
		m = footer.FindStringSubmatch(lines[len(lines)-1])
		return m != nil && len(lines) == o.height
	})
	return m[1]
}

// respond presses what the screen asks for, if anything.
func (o *operator) respond(s string) bool {
	o.t.Helper()
	switch {
	case strings.Contains(s, "Consent: "):
		return o.consent(s)
	case strings.Contains(s, "Answered. Waiting") || strings.Contains(s, "Decided. Waiting") || strings.Contains(s, "Agreed. Waiting"):
		return false
	case strings.Contains(s, "look around first"): // a question
		if !strings.Contains(s, "[ready]") {
			return false
		}
		o.did("question")
		o.press("Enter")
		o.gone("Answered. Waiting", s)
	case strings.Contains(s, "g review and decide"):
		o.did("review")
		o.press("g")
		o.see(5*time.Second, "Consent: ")
	case strings.Contains(s, "enter show the plan"):
		o.press("Enter")
		o.gone("enter show the plan", s)
	case strings.Contains(s, "enter agree") && strings.Contains(s, "[ready]"):
		o.did("copy")
		o.press("Enter")
		o.gone("[ready]", s)
	default:
		return false
	}
	return true
}

// consent works the dialog.
func (o *operator) consent(s string) bool {
	o.t.Helper()
	if strings.Contains(s, "to be read first") {
		o.press("End")
		time.Sleep(600 * time.Millisecond)
		return true
	}
	if !strings.Contains(s, "[ready]") {
		return false
	}
	if m := challenge.FindStringSubmatch(s); m != nil {
		o.did("original")
		if o.before != nil {
			o.before(m[1])
		}
		o.typeSlowly(m[1])
		o.press("Enter")
	} else {
		o.did("reversible")
		o.press("y")
	}
	o.gone("Consent: ", s)
	return true
}

// did counts a decision and looks at the screen it is made on.
func (o *operator) did(what string) {
	o.t.Helper()
	o.seen[what]++
	o.check(o.original())
}

// gone waits until what was pressed shows: the words are off the screen, or it changed.
func (o *operator) gone(words, before string) {
	o.t.Helper()
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if s := o.text(); s != before && !strings.Contains(s, words) {
			return
		}
	}
}
