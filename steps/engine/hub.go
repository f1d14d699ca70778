package engine

import (
	"sync"
)

// Hub carries events and progress from the engine to any number of front ends. Publishing
// never waits: events are kept and each reader follows at its own speed, progress is a
// single latest value that a slow reader simply sees less often.
type Hub struct {
	mu       sync.Mutex
	changed  *sync.Cond
	events   []Event
	progress *Progress
	pulse    int64 // counts progress values
	closed   bool
}

// NewHub starts with the events of the past.
func NewHub(past []Event) *Hub {
	h := &Hub{events: past}
	h.changed = sync.NewCond(&h.mu)
	return h
}

// Publish adds an event that is already durable.
func (h *Hub) Publish(e Event) {
	h.mu.Lock()
	h.events = append(h.events, e)
	h.progress = nil
	h.mu.Unlock()
	h.changed.Broadcast()
}

// Progress replaces the latest progress.
func (h *Hub) Progress(p Progress) {
	h.mu.Lock()
	if h.progress != nil && h.progress.What == p.What && h.progress.Step == p.Step {
		p.Since = h.progress.Since
	} else if p.Since.IsZero() {
		p.Since = p.At
	}
	h.progress = &p
	h.pulse++
	h.mu.Unlock()
	h.changed.Broadcast()
}

// Close ends all readers once they have read everything.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.changed.Broadcast()
}

// Reader follows a hub. It belongs to one goroutine; Stop may be called from another.
type Reader struct {
	hub     *Hub
	read    int
	pulse   int64
	stopped bool // under hub.mu
}

// Reader starts at the first event.
func (h *Hub) Reader() *Reader { return &Reader{hub: h} }

// Stop makes Next return ok == false.
func (r *Reader) Stop() {
	r.hub.mu.Lock()
	r.stopped = true
	r.hub.mu.Unlock()
	r.hub.changed.Broadcast()
}

// Next waits for the next message; ok is false after Stop, and after the hub was closed and
// all has been read.
func (r *Reader) Next() (m Message, ok bool) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case r.stopped:
			return Message{}, false
		case r.read < len(h.events):
			e := h.events[r.read]
			r.read++
			return Message{Event: &e}, true
		case h.progress != nil && r.pulse != h.pulse:
			r.pulse = h.pulse
			p := *h.progress
			return Message{Progress: &p}, true
		case h.closed:
			return Message{}, false
		}
		h.changed.Wait()
	}
}

// Len is the number of events so far.
func (h *Hub) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}
