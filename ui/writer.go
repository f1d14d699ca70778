package ui

import (
	"os"
	"sync"
	"time"
)

// maxQueued bounds what waits for a terminal that does not take it. A screen is a few
// kilobytes.
const maxQueued = 1 << 20

// screenWriter writes to the terminal in a goroutine of its own. Bubble Tea's renderer
// holds its lock while it writes, and a terminal that stands still (ctrl-s, a dead line)
// would stop its event loop, and with it the way out. When too much waits, frames are
// dropped and the whole screen is drawn again later.
//
// It embeds the file so that Bubble Tea still finds the terminal.
type screenWriter struct {
	*os.File
	lost    func() // the terminal is gone; called once, from the goroutine
	repaint func() // frames were dropped and there is room again

	mu      sync.Mutex
	changed *sync.Cond
	queue   []byte
	dropped bool
	failed  error
	writing bool
	closed  bool
}

func newScreenWriter(f *os.File, lost, repaint func()) *screenWriter {
	w := &screenWriter{File: f, lost: lost, repaint: repaint}
	w.changed = sync.NewCond(&w.mu)
	go w.run()
	return w
}

// Write queues a copy and never waits.
func (w *screenWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return 0, w.failed
	}
	if len(w.queue)+len(p) > maxQueued {
		w.dropped = true
		return len(p), nil
	}
	w.queue = append(w.queue, p...)
	w.changed.Broadcast()
	return len(p), nil
}

// WriteString is what io.WriteString would otherwise take from the file.
func (w *screenWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func (w *screenWriter) run() {
	for {
		w.mu.Lock()
		for len(w.queue) == 0 && !w.closed {
			w.changed.Wait()
		}
		if len(w.queue) == 0 {
			w.mu.Unlock()
			return
		}
		p := w.queue
		w.queue, w.writing = nil, true
		w.mu.Unlock()
		_, err := w.File.Write(p)
		w.mu.Lock()
		w.writing = false
		again := w.dropped && len(w.queue) == 0 && err == nil && !w.closed
		if again {
			w.dropped = false
		}
		if err != nil {
			w.failed, w.queue = err, nil
		}
		w.changed.Broadcast()
		w.mu.Unlock()
		if err != nil {
			w.lost()
			return
		}
		if again {
			w.repaint()
		}
	}
}

// drain waits until all is written, for at most d, and lets the goroutine end. It reports
// whether everything came through.
func (w *screenWriter) drain(d time.Duration) bool {
	end := time.AfterFunc(d, func() {
		w.mu.Lock()
		w.closed = true
		w.changed.Broadcast()
		w.mu.Unlock()
	})
	defer end.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for (len(w.queue) > 0 || w.writing) && w.failed == nil && !w.closed {
		w.changed.Wait()
	}
	done := len(w.queue) == 0 && !w.writing && w.failed == nil
	w.closed = true
	w.changed.Broadcast()
	return done
}

// Close does not close the terminal.
func (w *screenWriter) Close() error { return nil }
