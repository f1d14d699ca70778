package agent

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// readBack reads the whole copy from the medium, not from memory, and compares it with
// the hashes taken from the source.
func (c *copier) readBack() error {
	if c.req.NoReadBack {
		return nil
	}
	c.index.find(0) // sorts, before several goroutines search
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	v := &verifier{copier: c, ctx: ctx, meter: newMeter("read back", c.res.Bytes, c.res.Files, c.s.Progress)}
	work := make(chan entry, 64)
	var wg sync.WaitGroup
	for range copyWorkers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := v.worker(work); err != nil {
				cancel(err)
				for range work { // the walk must not block
				}
			}
		}()
	}
	err := walkTrees(ctx, c.dst, nil, func(e entry) error { return v.entry(e, work) })
	close(work)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if got := v.matched.Load(); got != c.expected() {
		return refuse(KindMismatch, "", fmt.Sprintf("the copy holds %d of %d entries", got, c.expected()),
			"the destination loses files: use another one")
	}
	v.meter.report("")
	c.res.ReadBack = v.method()
	return nil
}

// expected counts the entries that a copy has.
func (c *copier) expected() int64 { return c.res.Dirs + c.res.Files + c.res.Links }

type verifier struct {
	*copier
	ctx             context.Context
	meter           *meter
	matched         atomic.Int64
	direct, dropped atomic.Int64
}

func (v *verifier) method() string {
	d, c := v.direct.Load(), v.dropped.Load()
	switch {
	case d > 0 && c > 0:
		return "mixed"
	case d > 0:
		return "direct"
	case c > 0:
		return "cache dropped"
	}
	return ""
}

// entry checks that something of the copy belongs there, and sends files to be read.
func (v *verifier) entry(e entry, work chan<- entry) error {
	if e.err != nil {
		return fmt.Errorf("read the copy back: %s: %w", e.path, e.err)
	}
	if _, ok := v.index.find(pathKey(e.tree.Name, e.path)); !ok {
		return v.extra(e)
	}
	if e.stat.typ != TypeFile {
		v.matched.Add(1)
		return nil
	}
	select {
	case work <- e:
		return nil
	case <-v.ctx.Done():
		return context.Cause(v.ctx)
	}
}

// extra refuses an entry of the destination that the source does not have.
func (v *verifier) extra(e entry) error {
	if e.path == lostFound {
		return nil
	}
	return refuse(KindMismatch, e.path, fmt.Sprintf("piece %s of the copy holds %s, which the source does not", e.tree.Name, e.path),
		"something else writes to the destination: use another one")
}

func (v *verifier) worker(work <-chan entry) error {
	buf, free, err := alignedBuffer(chunkSize * 4)
	if err != nil {
		return err
	}
	defer free()
	for e := range work {
		if err := v.file(e, buf); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) file(e entry, buf []byte) error {
	f, direct, err := openForReadBack(e.tree.root, e.path)
	if err != nil {
		return fmt.Errorf("read the copy back: %w", err)
	}
	defer f.Close()
	if direct {
		v.direct.Add(1)
	} else {
		v.dropped.Add(1)
	}
	sum, err := hashReader(v.ctx, f, e.stat.size, buf, func(n int64) { v.meter.add(n, 0, e.path) })
	if err != nil {
		return fmt.Errorf("read the copy back: %s: %w", e.path, err)
	}
	want, _ := v.index.find(pathKey(e.tree.Name, e.path))
	if !want.same(sum) {
		return refuse(KindMismatch, e.path, fmt.Sprintf("piece %s: %s reads back different from what was written", e.tree.Name, e.path),
			"the destination or this machine's memory is faulty: do not use this copy, use another destination")
	}
	v.matched.Add(1)
	v.meter.add(0, 1, e.path)
	return nil
}

// hashReader hashes the size bytes of f through buf. It reads in whole buffers, as
// O_DIRECT asks, and ends at the size instead of asking for more. progress may be nil.
func hashReader(ctx context.Context, f *os.File, size int64, buf []byte, progress func(int64)) ([32]byte, error) {
	h := sha256.New()
	for off := int64(0); off < size; {
		if ctx.Err() != nil {
			return [32]byte{}, context.Cause(ctx)
		}
		n, err := f.Read(buf)
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("ends at byte %d of %d", off, size)
		}
		if err != nil {
			return [32]byte{}, err
		}
		h.Write(buf[:n])
		off += int64(n)
		if progress != nil {
			progress(int64(n))
		}
	}
	return [32]byte(h.Sum(nil)), nil
}

// hashFile hashes one file of a tree.
func hashFile(ctx context.Context, root *os.Root, name string, buf []byte, progress func(int64)) ([32]byte, error) {
	f, st, err := openFile(root, name)
	if err != nil {
		return [32]byte{}, err
	}
	defer f.Close()
	return hashReader(ctx, f, st.size, buf, progress)
}
