package agent

import (
	"context"
	"io"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// frameSize is how much goes into one zstd frame. Frames are independent, so that all
// processors compress at once; a file of several frames is as valid as one of one
// (RFC 8878 section 3), and 4 MiB lose next to nothing in ratio.
const frameSize = 4 << 20

// frameWriter compresses what is written to it in frames, in parallel, and writes them
// in order.
type frameWriter struct {
	ctx    context.Context
	enc    *zstd.Encoder
	buf    []byte
	frames chan *frame // to the writing goroutine, in order
	tokens chan []byte // buffers: bounds what is under way
	done   chan struct{}

	mu  sync.Mutex
	err error
}

type frame struct {
	plain  []byte
	packed []byte
	ready  chan struct{}
}

func newFrameWriter(ctx context.Context, w io.Writer) *frameWriter {
	workers := runtime.GOMAXPROCS(0)
	// Cannot fail: the options are constant and valid.
	enc, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(workers), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20))
	z := &frameWriter{ctx: ctx, enc: enc, frames: make(chan *frame, workers+1), tokens: make(chan []byte, workers+1), done: make(chan struct{})}
	for range workers + 1 {
		z.tokens <- nil
	}
	go z.drain(w)
	return z
}

func (z *frameWriter) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		if z.buf == nil {
			if err := z.acquire(); err != nil {
				return 0, err
			}
		}
		k := copy(z.buf[len(z.buf):cap(z.buf)], b)
		z.buf = z.buf[:len(z.buf)+k]
		b = b[k:]
		if len(z.buf) == cap(z.buf) {
			z.flush()
		}
	}
	return n, z.failed()
}

func (z *frameWriter) acquire() error {
	select {
	case z.buf = <-z.tokens:
		if z.buf == nil {
			z.buf = make([]byte, 0, frameSize)
		}
		z.buf = z.buf[:0]
		return nil
	case <-z.ctx.Done():
		return context.Cause(z.ctx)
	}
}

// flush sends the buffer to be compressed.
func (z *frameWriter) flush() {
	f := &frame{plain: z.buf, ready: make(chan struct{})}
	z.buf = nil
	z.frames <- f // there are no more buffers than places
	go func() {
		defer close(f.ready)
		f.packed = z.enc.EncodeAll(f.plain, nil)
	}()
}

func (z *frameWriter) drain(w io.Writer) {
	defer close(z.done)
	for f := range z.frames {
		<-f.ready
		if z.failed() == nil {
			if _, err := w.Write(f.packed); err != nil {
				z.mu.Lock()
				z.err = err
				z.mu.Unlock()
			}
		}
		z.tokens <- f.plain
	}
}

func (z *frameWriter) failed() error {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.err
}

// Close compresses what is left and waits until all is written.
func (z *frameWriter) Close() error {
	if len(z.buf) > 0 {
		z.flush()
	}
	close(z.frames)
	<-z.done
	_ = z.enc.Close() // holds no stream
	return z.failed()
}
