package agent

import (
	"encoding/json"
	"io"
	"iter"
	"sync"
)

// Stream is what a job talks to while it works. The zero value discards everything and
// has no input, which is what a call in process often wants.
type Stream struct {
	OnProgress func(Progress)
	OnRecord   func(any) error           // an error stops the job
	Input      iter.Seq2[Record, error]  // records that the caller sends; may be ranged over once
	raw        func() (io.Reader, error) // for jobs that leave the protocol
	out        io.Writer
}

// Progress reports how far the job is. It never fails: progress is not worth a job.
func (s *Stream) Progress(p Progress) {
	if s != nil && s.OnProgress != nil {
		s.OnProgress(p)
	}
}

// Record streams one result.
func (s *Stream) Record(v any) error {
	if s == nil || s.OnRecord == nil {
		return nil
	}
	return s.OnRecord(v)
}

// input gives the records of the caller, none if there are none.
func (s *Stream) input() iter.Seq2[Record, error] {
	if s == nil || s.Input == nil {
		return func(func(Record, error) bool) {}
	}
	return s.Input
}

// RecordsOf makes an input of records in memory.
func RecordsOf(records []Record) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// lineWriter writes protocol lines, one at a time.
type lineWriter struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

func (l *lineWriter) write(v any) error {
	b, err := encodeLine(v)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		_, l.err = l.w.Write(b)
	}
	return l.err
}

func (l *lineWriter) record(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return l.write(answer{Record: b})
}
