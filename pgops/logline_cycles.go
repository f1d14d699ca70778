package pgops

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LogSummary is what a log says apart from its symptoms.
type LogSummary struct {
	Lines   int // physical lines read
	Cut     int // of these, lines longer than MaxLogLine
	Entries int
	First   time.Time // zero where no line has a time
	Last    time.Time

	Starts  int           // how often a server began to start or to recover
	Ready   int           // how often one came to accept connections
	Period  time.Duration // median time between two starts; 0 if unknown
	Signals map[int]int   // signal number: how many server processes it ended
	Startup map[int]int   // of these, the startup process, which replays WAL
	Version string        // of the last server that named it: 15.18

	LastRedo    *RedoPosition // the last replay position that an error or PANIC named
	Foreign     int           // messages with a translated severity word
	MoreObjects int           // damaged objects beyond the ones listed: counted in no hit
}

// Looping reports a server that keeps starting and does not stay up.
func (s *LogSummary) Looping() bool { return s.Starts >= 3 && s.Ready*2 < s.Starts }

// maxPeriods bounds the times between starts that are kept: the latest ones.
const maxPeriods = 64

var (
	versionPattern = regexp.MustCompile(`^starting PostgreSQL (\S{1,32})`)
	signalPattern  = regexp.MustCompile(`^(.{1,80}?) \(PID \d+\) was terminated by (?:signal (\d{1,2})|exception)`)
)

// cycleCounter recognises starts in a stream of entries.
type cycleCounter struct {
	sum      LogSummary
	sawState bool // the current start has said in which state it found the cluster
	began    time.Time
	periods  []time.Duration
}

func newCycleCounter() *cycleCounter {
	return &cycleCounter{sum: LogSummary{Signals: make(map[int]int), Startup: make(map[int]int)}}
}

// observe digests one entry and returns the number of the start it belongs to, from 0 for what
// stands before the first one.
func (c *cycleCounter) observe(e *LogEntry) int {
	c.sum.Entries++
	if !e.Time.IsZero() {
		if c.sum.First.IsZero() {
			c.sum.First = e.Time
		}
		c.sum.Last = e.Time
	}
	if e.Foreign {
		c.sum.Foreign++
	}
	if pos, ok := e.Redo(); ok && e.Level.Rank() >= LevelError.Rank() {
		c.sum.LastRedo = &pos
	}
	if e.Level == LevelLog {
		c.observeLog(e)
	}
	return c.sum.Starts
}

func (c *cycleCounter) observeLog(e *LogEntry) {
	msg := e.Message
	switch {
	case strings.HasPrefix(msg, "starting PostgreSQL "):
		if m := versionPattern.FindStringSubmatch(msg); m != nil {
			c.sum.Version = m[1]
		}
		c.begin(e.Time)
	case strings.HasPrefix(msg, "database system was interrupted"),
		strings.HasPrefix(msg, "database system shutdown was interrupted"),
		strings.HasPrefix(msg, "database system was shut down"):
		if c.sum.Starts == 0 || c.sawState {
			c.begin(e.Time)
		}
		c.sawState = true
	case strings.HasPrefix(msg, "database system is ready to accept"):
		c.sum.Ready++
	default:
		c.observeSignal(msg)
	}
}

func (c *cycleCounter) observeSignal(msg string) {
	m := signalPattern.FindStringSubmatch(msg)
	if m == nil {
		return
	}
	signal, err := strconv.Atoi(m[2])
	if err != nil {
		return // an exception of another operating system
	}
	c.sum.Signals[signal]++
	if m[1] == "startup process" {
		c.sum.Startup[signal]++
	}
}

func (c *cycleCounter) begin(t time.Time) {
	c.sum.Starts++
	c.sawState = false
	if !t.IsZero() && !c.began.IsZero() && t.After(c.began) {
		if len(c.periods) == maxPeriods {
			c.periods = slices.Delete(c.periods, 0, 1)
		}
		c.periods = append(c.periods, t.Sub(c.began))
	}
	c.began = t
}

// summary closes the count.
func (c *cycleCounter) summary(r *LogReader) LogSummary {
	c.sum.Lines, c.sum.Cut = r.Lines()
	if len(c.periods) > 0 {
		slices.Sort(c.periods)
		c.sum.Period = c.periods[len(c.periods)/2]
	}
	return c.sum
}
