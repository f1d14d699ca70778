package engine

import (
	"testing"
	"time"
)

// TestHubSlowReader: a reader that does not read holds nobody up, sees every event and
// only the latest progress.
func TestHubSlowReader(t *testing.T) {
	h := NewHub([]Event{{Seq: 1}})
	slow := h.Reader()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := int64(2); i <= 10_000; i++ {
			h.Publish(Event{Seq: i})
			h.Progress(Progress{What: "copy", Done: i})
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the publisher waits for a reader")
	}
	h.Close()
	progress, last := 0, int64(0)
	for {
		m, ok := slow.Next()
		if !ok {
			break
		}
		if m.Progress != nil {
			progress++
			if m.Progress.Done != 10_000 {
				t.Errorf("progress %d is not the latest", m.Progress.Done)
			}
			continue
		}
		if m.Event.Seq != last+1 {
			t.Fatalf("event %d follows %d", m.Event.Seq, last)
		}
		last = m.Event.Seq
	}
	if last != 10_000 || progress != 1 || h.Len() != 10_000 {
		t.Errorf("read up to event %d of %d and %d progress values", last, h.Len(), progress)
	}
}

// TestHubStop ends one reader that waits, and no other.
func TestHubStop(t *testing.T) {
	h := NewHub(nil)
	r, other := h.Reader(), h.Reader()
	ended := make(chan bool)
	go func() { _, ok := r.Next(); ended <- ok }()
	r.Stop()
	if <-ended {
		t.Error("a stopped reader got something")
	}
	h.Publish(Event{Seq: 1})
	if m, ok := other.Next(); !ok || m.Event.Seq != 1 {
		t.Errorf("the other reader got %+v, %v", m, ok)
	}
}

// TestHubProgress: an event ends what progress there was; the same work keeps its start.
func TestHubProgress(t *testing.T) {
	h := NewHub(nil)
	r := h.Reader()
	start := time.Now()
	h.Progress(Progress{What: "copy", Step: "s", Done: 1, At: start})
	h.Progress(Progress{What: "copy", Step: "s", Done: 2, At: start.Add(time.Second)})
	if m, _ := r.Next(); m.Progress == nil || m.Progress.Done != 2 || !m.Progress.Since.Equal(start) {
		t.Errorf("%+v", m.Progress)
	}
	h.Progress(Progress{What: "hash", Step: "s", At: start.Add(time.Minute)})
	if m, _ := r.Next(); m.Progress == nil || !m.Progress.Since.Equal(start.Add(time.Minute)) {
		t.Errorf("other work keeps the old start: %+v", m.Progress)
	}
	h.Progress(Progress{What: "hash", Step: "s"})
	h.Publish(Event{Seq: 1})
	h.Close()
	if m, ok := r.Next(); !ok || m.Event == nil {
		t.Errorf("%+v", m)
	}
	if m, ok := r.Next(); ok {
		t.Errorf("progress of what has ended is shown: %+v", m)
	}
}
