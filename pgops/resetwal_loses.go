package pgops

import (
	"fmt"
	"strings"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// ResetLoss is what a WAL reset throws away.
type ResetLoss struct {
	From, To  pgdisk.LSN // the WAL that is not replayed; equal when there is nothing to replay
	Records   uint64
	Commits   uint64
	First     time.Time // of the first and last commit, zero when there is none
	Last      time.Time
	Created   []string // relation files made in that stretch, at most 200
	More      uint64   // how many more there are
	Unknown   bool     // WAL could not be read to its end: there may be more
	Sentences []string // the same for people
}

// WhatResetLoses says what the reset of the WAL gives up. Transactions that committed after
// the last checkpoint are neither kept nor undone as a whole: what of them had reached the data files
// stays, the rest is gone, so that tables and indexes disagree.
func WhatResetLoses(ev Evidence) ResetLoss {
	w := ev.WAL
	l := ResetLoss{Commits: w.Commits, Created: w.Created, More: w.CreatedCount - uint64(len(w.Created))}
	if ev.Control.State == ControlGood && ev.Control.Values.State.Clean() && w.Scanned && w.Records+w.Beyond <= 1 {
		l.From, l.To = w.End, w.End
		l.Sentences = []string{"Nothing: the server was shut down in order, all of its WAL is in the data files."}
		return l
	}
	l.Unknown = !w.Scanned || w.Damaged
	if !w.Scanned {
		l.Sentences = []string{"WAL cannot be read (" + w.Why + "), so what is lost with it cannot be listed: everything that committed after the last checkpoint may be incomplete."}
		return l
	}
	l.From, l.To, l.Records = w.From, w.End, w.Records+w.Beyond
	l.Sentences = append(l.Sentences, fmt.Sprintf("WAL from %s to %s is thrown away without being replayed: %d records, %d commits.", l.From, l.To, l.Records, l.Commits))
	if w.Commits > 0 {
		l.First, l.Last = time.UnixMicro(w.FirstCommit).UTC(), time.UnixMicro(w.LastCommit).UTC()
		l.Sentences = append(l.Sentences, fmt.Sprintf("These transactions committed from %s to %s. What of them had reached the data files by chance stays, the rest is lost: rows can be missing or old, and indexes can disagree with their tables.",
			l.First.Format("2006-01-02 15:04:05 MST"), l.Last.Format("2006-01-02 15:04:05 MST")))
	}
	if w.CreatedCount > 0 {
		shown := w.Created[:min(len(w.Created), 5)]
		l.Sentences = append(l.Sentences, fmt.Sprintf("%d tables, indexes or sequences were made in that stretch (%s); most likely they will not exist, and their files stay behind as orphans.", w.CreatedCount, strings.Join(shown, ", ")))
	}
	if w.Damaged {
		l.Sentences = append(l.Sentences, fmt.Sprintf("WAL is damaged at %s, and more of it follows: %d records there were counted as well, the damaged ones could not be.", w.End, w.Beyond))
	}
	return l
}
