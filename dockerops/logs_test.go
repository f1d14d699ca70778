package dockerops

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

func TestLogs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.stranger("flood", containerCmd("flood", "300"), container.HostConfig{}, true)
	ct := b.exited(id)
	all, err := b.Logs(b.ctx, ct, LogOptions{})
	b.must(err)
	if len(all.Lines) != 600 || all.Cut {
		t.Fatalf("%d lines, cut %v", len(all.Lines), all.Cut)
	}
	next := map[string]int{}
	for i, l := range all.Lines {
		kind := strings.TrimPrefix(l.Stream, "std")
		if l.Text != fmt.Sprint(kind, " ", next[kind]) || l.Time.IsZero() || i > 0 && l.Time.Before(all.Lines[i-1].Time) {
			t.Fatalf("line %d: %+v", i, l)
		}
		next[kind]++
	}
	tail, err := b.Logs(b.ctx, ct, LogOptions{Tail: 5})
	if err != nil || len(tail.Lines) != 5 {
		t.Errorf("tail: %d lines, %v", len(tail.Lines), err)
	}
	since, err := b.Logs(b.ctx, ct, LogOptions{Since: time.Now().Add(time.Hour)})
	if err != nil || len(since.Lines) != 0 {
		t.Errorf("since: %d lines, %v", len(since.Lines), err)
	}
	few, err := b.Logs(b.ctx, ct, LogOptions{MaxBytes: 200})
	last := all.Lines[len(all.Lines)-1].Text
	if err != nil || !few.Cut || len(few.Lines) == 0 || len(few.Lines) > 30 || few.Lines[len(few.Lines)-1].Text[:3] != last[:3] {
		t.Errorf("bounded: %d lines, cut %v, %v", len(few.Lines), few.Cut, err)
	}
}

// exited waits for a container's end.
func (b *bench) exited(id string) Target {
	b.t.Helper()
	_, err := b.Wait(b.ctx, id)
	b.must(err)
	ct, err := b.Container(b.ctx, id)
	b.must(err)
	return ct
}

func TestLogsOfTTY(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	cfg := containerCmd("fail", "1")
	cfg.Tty = true
	ct := b.exited(b.stranger("tty", cfg, container.HostConfig{}, true))
	got, err := b.Logs(b.ctx, ct, LogOptions{})
	if err != nil || len(got.Lines) != 2 || got.Lines[0].Text != "out line" || got.Lines[1].Text != "err line" || got.Lines[0].Time.IsZero() {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestLogsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ct := b.exited(b.stranger("none", containerCmd("fail", "1"), container.HostConfig{LogConfig: container.LogConfig{Type: "none"}}, true))
	if _, err := b.Logs(b.ctx, ct, LogOptions{}); !errors.Is(err, ErrNoLogs) {
		t.Errorf("got %v", err)
	}
}

func TestLineSplitterBoundsLines(t *testing.T) {
	k := &logKeeper{max: 1 << 20}
	s := &lineSplitter{stream: "stdout", keep: k}
	for range 100 {
		if _, err := s.Write([]byte(strings.Repeat("x", 10000))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Write([]byte("\nnext\n\n2024-05-06T07:08:09.123456789Z stamped\r\n")); err != nil {
		t.Fatal(err)
	}
	if len(k.lines) != 3 || len(k.lines[0].Text) != maxLogLine || k.lines[1].Text != "next" || k.lines[2].Text != "stamped" {
		t.Errorf("%d lines", len(k.lines))
	}
	if want := time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC); !k.lines[2].Time.Equal(want) {
		t.Errorf("time %v", k.lines[2].Time)
	}
}
