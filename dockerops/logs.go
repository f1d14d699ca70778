package dockerops

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Bounds of what Logs reads.
const (
	defaultLogBytes = 4 << 20
	maxLogLine      = 64 << 10 // longer lines are cut there
)

// LogOptions says which part of a log to read.
type LogOptions struct {
	Tail     int       // last lines of each container, 0 for all
	Since    time.Time // zero for the beginning
	MaxBytes int       // newest text kept, 0 for 4 MB
}

// LogLine is one line of a container's output.
type LogLine struct {
	Time   time.Time // when Docker received it; zero if it does not say
	Stream string    // "stdout" or "stderr"; always "stdout" with a TTY
	Text   string    // without the line end
}

// Log is part of the output of one container, or of the tasks of a service.
type Log struct {
	Lines []LogLine // oldest first
	Cut   bool      // older lines were dropped to keep to MaxBytes
}

// Logs reads the newest output of a target's container; for a service, of all
// its containers that are still on this host, dead ones too. A container
// whose log driver cannot be read gives ErrNoLogs.
func (c *Client) Logs(ctx context.Context, t Target, o LogOptions) (Log, error) {
	ids := []string{t.ContainerID}
	if t.Kind == KindService {
		list, err := c.containers(ctx)
		if err != nil {
			return Log{}, err
		}
		ids = nil
		for _, ct := range list {
			if ct.Labels[labelSwarmServiceID] == t.ServiceID {
				ids = append(ids, ct.ID)
			}
		}
	}
	k := logKeeper{max: cmp.Or(o.MaxBytes, defaultLogBytes)}
	for _, id := range ids {
		if id == "" {
			continue
		}
		if err := c.readLog(ctx, id, o, &k); err != nil && !(errors.Is(err, ErrNotFound) && len(ids) > 1) {
			return Log{}, err
		}
	}
	slices.SortStableFunc(k.lines, func(a, b LogLine) int { return a.Time.Compare(b.Time) })
	return Log{Lines: k.lines, Cut: k.cut}, nil
}

// readLog reads the log of one container.
func (c *Client) readLog(ctx context.Context, id string, o LogOptions, k *logKeeper) error {
	in, err := c.inspect(ctx, id)
	if err != nil {
		return err
	}
	opt := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true}
	if o.Tail > 0 {
		opt.Tail = strconv.Itoa(o.Tail)
	}
	if !o.Since.IsZero() {
		opt.Since = fmt.Sprintf("%d.%09d", o.Since.Unix(), o.Since.Nanosecond())
	}
	call, cancel := slow(ctx)
	defer cancel()
	r, err := c.api.ContainerLogs(call, id, opt)
	if err != nil {
		if strings.Contains(err.Error(), "does not support reading") {
			return fmt.Errorf("log of container %s: %w: look where its log driver sends it", id, ErrNoLogs)
		}
		return wrap(ctx, err, "log of container %s", id)
	}
	defer r.Close()
	stdout, stderr := &lineSplitter{stream: "stdout", keep: k}, &lineSplitter{stream: "stderr", keep: k}
	if in.Config != nil && in.Config.Tty {
		_, err = io.Copy(stdout, r)
	} else {
		_, err = stdcopy.StdCopy(stdout, stderr, r)
	}
	stdout.flush()
	stderr.flush()
	return wrap(ctx, err, "log of container %s", id)
}

// logKeeper keeps the newest lines within a number of bytes.
type logKeeper struct {
	max   int
	bytes int
	lines []LogLine
	cut   bool
}

// add appends a line and drops from the front, half of the bound at a time so
// that dropping stays cheap.
func (k *logKeeper) add(l LogLine) {
	k.lines = append(k.lines, l)
	if k.bytes += len(l.Text) + 1; k.bytes <= k.max {
		return
	}
	drop := 0
	for k.bytes > k.max/2 && drop < len(k.lines)-1 {
		k.bytes -= len(k.lines[drop].Text) + 1
		drop++
	}
	k.lines = slices.Delete(k.lines, 0, drop)
	k.cut = true
}

// lineSplitter cuts a byte stream into lines that begin with a time stamp.
type lineSplitter struct {
	stream string
	keep   *logKeeper
	part   []byte // of a line that is not complete
}

// Write implements io.Writer.
func (s *lineSplitter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		line, rest, found := bytes.Cut(p, []byte{'\n'})
		if room := maxLogLine - len(s.part); room > 0 {
			s.part = append(s.part, line[:min(len(line), room)]...)
		}
		if found {
			s.flush()
		}
		p = rest
	}
	return n, nil
}

// flush hands on the line gathered so far.
func (s *lineSplitter) flush() {
	if len(s.part) == 0 {
		return
	}
	l := LogLine{Stream: s.stream}
	stamp, text, _ := strings.Cut(strings.TrimSuffix(string(s.part), "\r"), " ")
	if at := dockerTime(stamp); !at.IsZero() {
		l.Time, l.Text = at, text
	} else {
		l.Text = strings.TrimSuffix(string(s.part), "\r")
	}
	s.part = s.part[:0]
	s.keep.add(l)
}
