package dockerops

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/pkg/stdcopy"
)

func TestExecStream(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.idle()
	s, err := b.ExecStream(b.ctx, id, HelperBinary, "cat")
	b.must(err)
	defer s.Close()
	for _, text := range []string{"one", "two"} {
		if _, err := s.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(s, got); err != nil || string(got) != text {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	b.must(s.CloseWrite())
	if rest, err := io.ReadAll(s); err != nil || len(rest) != 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
	if code, err := s.Wait(b.ctx); err != nil || code != 0 {
		t.Errorf("exit %d, %v", code, err)
	}

	s, err = b.ExecStream(b.ctx, id, HelperBinary, "fail", "9")
	b.must(err)
	defer s.Close()
	out, err := io.ReadAll(s)
	if err != nil || string(out) != "out line\n" || s.Stderr() != "err line\n" {
		t.Errorf("fail: %q, %q, %v", out, s.Stderr(), err)
	}
	if code, err := s.Wait(b.ctx); err != nil || code != 9 {
		t.Errorf("exit %d, %v", code, err)
	}
}

func TestStartAttached(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	spec := b.spec(nil, "cat")
	spec.OpenStdin = true
	id, err := b.Create(b.ctx, spec)
	b.must(err)
	s, err := b.StartAttached(b.ctx, id)
	b.must(err)
	if _, err := s.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(s, got); err != nil || string(got) != "hello" {
		t.Fatalf("got %q, %v", got, err)
	}
	b.must(s.Close())
	b.eventually("process 1 ended with its stdin", func() bool {
		ct, err := b.Container(b.ctx, id)
		return err == nil && ct.State.Status == "exited" && ct.State.ExitCode == 0
	})
}

// dialEcho connects to a unix socket that echoes, in a container without
// network.
func (b *bench) dialEcho() net.Conn {
	b.t.Helper()
	s := b.spec(nil, "serve", "/run/s")
	s.Tmpfs = map[string]string{"/run": ""}
	id, err := b.Run(b.ctx, s)
	b.must(err)
	c, err := b.Dial(b.ctx, id, HelperBinary, "tunnel", "/run/s")
	b.must(err)
	b.t.Cleanup(func() { c.Close() })
	return c
}

func TestDialDeadlines(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c := b.dialEcho()
	buf := make([]byte, 64)
	b.must(c.SetReadDeadline(time.Now().Add(200 * time.Millisecond)))
	start := time.Now()
	_, err := c.Read(buf)
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want a timeout", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("the deadline took %v", d)
	}
	// A deadline set from elsewhere wakes a read that is already waiting,
	// and the connection is as good as before.
	b.must(c.SetDeadline(time.Time{}))
	woken := make(chan error, 1)
	go func() { _, err := c.Read(buf); woken <- err }()
	time.Sleep(50 * time.Millisecond)
	b.must(c.SetDeadline(time.Unix(1, 0)))
	if err := <-woken; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("woken with %v", err)
	}
	b.must(c.SetDeadline(time.Time{}))
	if _, err := c.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, buf[:4]); err != nil || string(buf[:4]) != "ping" {
		t.Errorf("after deadlines: %q, %v", buf[:4], err)
	}
	// Close wakes a waiting read too.
	go func() { _, err := c.Read(buf); woken <- err }()
	time.Sleep(50 * time.Millisecond)
	b.must(c.Close())
	select {
	case err := <-woken:
		if err == nil {
			t.Error("read after close succeeded")
		}
	case <-time.After(10 * time.Second):
		t.Error("close does not wake a read")
	}
}

func TestDialBulk(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c := b.dialEcho()
	const size = 32 << 20
	sent := sha256.New()
	go func() {
		src := rand.NewChaCha8([32]byte{1})
		if _, err := io.CopyN(io.MultiWriter(c, sent), src, size); err != nil {
			t.Error(err)
		}
		if err := c.(*Stream).CloseWrite(); err != nil {
			t.Error(err)
		}
	}()
	got := sha256.New()
	start := time.Now()
	n, err := io.Copy(got, c)
	if err != nil || n != size || !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
		t.Errorf("echoed %d of %d bytes, %v", n, size, err)
	}
	t.Logf("%.0f MB/s there and back", size/1e6/time.Since(start).Seconds())
	if got := c.(*Stream).Stderr(); got != "tunnel open\n" {
		t.Errorf("stderr %q", got)
	}
}

// fakeStream is a Stream over bytes that did not come from a daemon.
func fakeStream(r io.Reader) *Stream {
	return &Stream{conn: types.HijackedResponse{Reader: bufio.NewReaderSize(r, 16)}}
}

// stutter fails every other read with a deadline, as a busy driver has it.
type stutter struct {
	r    io.Reader
	fail bool
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.fail = !s.fail; s.fail {
		return 0, os.ErrDeadlineExceeded
	}
	return s.r.Read(p)
}

func TestStreamDeadlineAnywhereLosesNothing(t *testing.T) {
	var wire bytes.Buffer
	stdout, stderr := stdcopy.NewStdWriter(&wire, stdcopy.Stdout), stdcopy.NewStdWriter(&wire, stdcopy.Stderr)
	var want, wantErr strings.Builder
	for i := range 200 {
		text := strings.Repeat(string(rune('a'+i%26)), i)
		w, keep := stdout, &want
		if i%3 == 0 {
			w, keep = stderr, &wantErr
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		keep.WriteString(text)
	}
	s := fakeStream(&stutter{r: iotest.OneByteReader(&wire)})
	var got []byte
	buf := make([]byte, 7)
	for {
		n, err := s.Read(buf)
		got = append(got, buf[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if string(got) != want.String() || s.Stderr() != wantErr.String() {
		t.Errorf("got %d and %d bytes, want %d and %d", len(got), len(s.Stderr()), want.Len(), wantErr.Len())
	}
}

func TestStreamCutShort(t *testing.T) {
	tests := []struct {
		name, wire string
		want       error
	}{
		{"nothing", "", io.EOF},
		{"in a header", "\x01\x00\x00", io.ErrUnexpectedEOF},
		{"in a frame", "\x01\x00\x00\x00\x00\x00\x00\x05abc", io.ErrUnexpectedEOF},
		{"in stderr", "\x02\x00\x00\x00\x00\x00\x00\x05abc", io.ErrUnexpectedEOF},
		{"empty frames", "\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00", io.EOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := fakeStream(strings.NewReader(tt.wire))
			var err error
			for buf := make([]byte, 8); err == nil; {
				_, err = s.Read(buf)
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := fakeStream(strings.NewReader("HTTP/1.1 500 Internal")).Read(make([]byte, 8)); err == nil || !strings.Contains(err.Error(), "multiplex") {
		t.Errorf("raw text: %v", err)
	}
}

// FuzzStream: whatever the wire holds, Read ends, never gives more than came
// in, and agrees with Docker's own StdCopy where that finds no fault.
func FuzzStream(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x03abc\x02\x00\x00\x00\x00\x00\x00\x02xy"))
	f.Add([]byte("\x01\x00\x00\x00\xff\xff\xff\xffabc"))
	f.Add([]byte("\x07aaaaaaaaaaaaaa"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		got, err := io.ReadAll(fakeStream(bytes.NewReader(wire)))
		if len(got) > len(wire) {
			t.Fatalf("%d bytes out of %d", len(got), len(wire))
		}
		for i := 0; i+frameHeader <= len(wire); { // StdCopy takes stdin and system errors otherwise
			if wire[i] != 1 && wire[i] != 2 {
				return
			}
			size := int(uint32(wire[i+4])<<24 | uint32(wire[i+5])<<16 | uint32(wire[i+6])<<8 | uint32(wire[i+7]))
			if size > len(wire) {
				return // StdCopy would allocate it
			}
			i += frameHeader + size
		}
		var want, wantErr bytes.Buffer
		_, refErr := stdcopy.StdCopy(&want, &wantErr, bytes.NewReader(wire))
		if refErr == nil && err == nil && !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("got %q, StdCopy %q", got, want.Bytes())
		}
	})
}
