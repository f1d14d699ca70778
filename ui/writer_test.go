package ui

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// A reader that stands still costs frames, never time; when it goes on, the whole screen
// is drawn again.
func TestScreenWriterDrops(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	repainted := make(chan bool, 1)
	sw := newScreenWriter(w, func() {}, func() { repainted <- true })
	frame := bytes.Repeat([]byte("x"), 10_000)
	start := time.Now()
	for range 1000 { // ten times what is kept
		if n, err := sw.Write(frame); n != len(frame) || err != nil {
			t.Fatal(n, err)
		}
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("writing waited: %v", d)
	}
	sw.mu.Lock()
	queued, dropped := len(sw.queue), sw.dropped
	sw.mu.Unlock()
	if queued > maxQueued || !dropped {
		t.Errorf("%d bytes queued, dropped %v", queued, dropped)
	}
	go func() {
		buf := make([]byte, 1<<16)
		for {
			if _, err := r.Read(buf); err != nil {
				return
			}
		}
	}()
	select {
	case <-repainted:
	case <-time.After(5 * time.Second):
		t.Error("never drawn again")
	}
	if !sw.drain(5 * time.Second) {
		t.Error("not drained")
	}
}

// What is queued is written before the end, in order.
func TestScreenWriterDrains(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sw := newScreenWriter(w, func() {}, func() {})
	for _, s := range []string{"a", "b", "c"} {
		if _, err := sw.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	if !sw.drain(5 * time.Second) {
		t.Fatal("not drained")
	}
	w.Close()
	got := make([]byte, 10)
	if n, _ := r.Read(got); string(got[:n]) != "abc" {
		t.Errorf("got %q", got[:n])
	}
}

func TestScreenWriterLost(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	lost := make(chan bool, 1)
	sw := newScreenWriter(w, func() { lost <- true }, func() {})
	if _, err := sw.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-lost:
	case <-time.After(5 * time.Second):
		t.Error("the loss was not told")
	}
	if sw.drain(time.Second) {
		t.Error("claims that all was written")
	}
}
