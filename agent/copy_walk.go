package agent

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"sync"
)

// copyWorkers is how many files are copied at once. More do not help: two keep a disk
// busy, and each has a second goroutine that hashes.
const copyWorkers = 2

// task is one entry on its way through the copy. Tasks finish in any order and are
// reported in the order of the walk.
type task struct {
	entry
	rec    Record
	err    error
	reused bool
	done   chan struct{}
}

// copyAll runs the pass: one walker, copyWorkers workers, and this goroutine, which
// reports tasks in their order.
func (c *copier) copyAll() error {
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	c.meter = newMeter("copy", c.usage.Bytes, c.usage.Files, c.s.Progress)
	ordered, work := make(chan *task, 256), make(chan *task, 256)
	var wg sync.WaitGroup
	for range copyWorkers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c.worker(ctx, work)
		}()
	}
	wg.Add(1)
	go func() {
		defer wg.Done()
		defer close(ordered)
		defer close(work)
		if err := c.walk(ctx, ordered, work); err != nil {
			cancel(err)
		}
	}()
	var failed error
	for t := range ordered {
		<-t.done
		if failed != nil {
			continue
		}
		if failed = c.finish(t); failed != nil {
			cancel(failed)
		}
	}
	wg.Wait()
	if failed == nil {
		failed = context.Cause(ctx)
	}
	if failed != nil {
		return failed
	}
	c.linkNotes()
	c.meter.report("")
	return nil
}

// walk turns entries into tasks.
func (c *copier) walk(ctx context.Context, ordered, work chan<- *task) error {
	var dirs dirCache
	defer dirs.close()
	earlier := newRecordPeeker(c.s.input())
	defer earlier.stop()
	return walkTrees(ctx, c.src, c.starts(), func(e entry) error {
		t := &task{entry: e, rec: e.stat.record(e.tree.Name, e.path), done: make(chan struct{})}
		old, err := earlier.match(t.rec.key())
		if err != nil {
			return err
		}
		toWork := false
		if e.err != nil {
			if !isMediaError(e.err) {
				return c.unreadable(e)
			}
			t.rec.Problem = "cannot be read: " + e.err.Error()
		}
		switch {
		case e.stat.typ == TypeDir:
			t.err = c.makeDir(&dirs, t)
		case e.stat.typ == TypeLink:
			t.err = c.makeLink(&dirs, t)
		case e.stat.typ == TypeFile && c.firstLink(t):
			toWork = !c.reuse(&dirs, t, old)
		}
		if toWork {
			select {
			case work <- t:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		} else {
			close(t.done)
		}
		ordered <- t // copyAll reads to the end whatever happens
		return nil
	})
}

func (c *copier) unreadable(e entry) error {
	return &Error{Kind: KindOf(e.err), Path: Path(e.path), cause: e.err,
		Message: fmt.Sprintf("piece %s: %s cannot be read: %v", e.tree.Name, e.path, e.err),
		Hint:    "run as root or as the owner of the data"}
}

// firstLink is false for a file whose inode was met before in the same piece; finish
// links it to the copy of the first.
func (c *copier) firstLink(t *task) bool {
	if t.stat.nlink < 2 {
		return true
	}
	id := [2]uint64{t.stat.dev, t.stat.ino}
	l, ok := c.links[id]
	if !ok {
		l = link{piece: t.tree.Name, path: t.path, links: t.stat.nlink}
	}
	l.seen++
	c.links[id] = l
	if !ok || l.piece != t.tree.Name {
		return true
	}
	t.rec.LinkOf = Path(l.path)
	return false
}

// reuse takes over what an earlier attempt copied, if it still holds.
func (c *copier) reuse(dirs *dirCache, t *task, old *Record) bool {
	if old == nil || !t.stat.sameSource(old) || old.LinkOf != "" {
		return false
	}
	if _, ok := old.sum(); !ok {
		return false
	}
	parent, name := split(t.path)
	d, err := dirs.open(c.dest(t.tree), parent)
	if err != nil {
		return false
	}
	fi, err := d.root.Lstat(name)
	if err != nil {
		return false
	}
	st, err := statOf(fi)
	if err != nil || st.typ != TypeFile || st.size != t.stat.size {
		return false
	}
	t.rec, t.reused = *old, true
	c.meter.add(st.size, 1, t.path)
	return true
}

// recordPeeker gives the records of an earlier attempt as the walk comes to them.
type recordPeeker struct {
	next func() (Record, error, bool)
	stop func()
	held *Record
	end  bool
}

func newRecordPeeker(in iter.Seq2[Record, error]) *recordPeeker {
	p := &recordPeeker{}
	p.next, p.stop = iter.Pull2(in)
	return p
}

// match returns the record of key if it is the next one. A record whose entry does not
// come stays held, which only means that later files are copied again.
func (p *recordPeeker) match(key uint64) (*Record, error) {
	if p.held == nil && !p.end {
		r, err, ok := p.next()
		if err != nil {
			return nil, err
		}
		if p.end = !ok; ok {
			p.held = &r
		}
	}
	if p.held == nil || p.held.key() != key {
		return nil, nil
	}
	r := p.held
	p.held = nil
	return r, nil
}

// finish takes a done task in order: counts, links, indexes and streams it.
func (c *copier) finish(t *task) error {
	if t.err != nil {
		return t.err
	}
	if t.rec.LinkOf != "" && t.stat.typ == TypeFile {
		if err := c.hardLink(t); err != nil {
			return err
		}
	}
	sum, _ := t.rec.sum()
	if t.stat.nlink > 1 && t.rec.LinkOf == "" && t.stat.typ == TypeFile {
		c.firsts[firstKey(t.tree.Name, t.path)] = sum
	}
	if isControl(t.tree, t.path) {
		c.control = sum
	}
	c.index.add(t.rec.key(), t.stat.digest(), sum)
	c.count(t)
	if err := c.s.Record(t.rec); err != nil {
		return fmt.Errorf("hand over the record of %s: %w", t.path, err)
	}
	return nil
}

func (c *copier) count(t *task) {
	r := &t.rec
	switch t.stat.typ {
	case TypeDir:
		c.res.Dirs++
		c.dirs = append(c.dirs, *r)
	case TypeLink:
		c.res.Links++
	case TypeFile:
		c.res.Files++
		c.res.Bytes += r.Size
	case TypeSocket:
		c.note(t.tree.Name, t.path, "socket, not copied")
	case TypeFIFO, TypeDevice:
		r.Problem = "a " + string(t.stat.typ) + " has no place in a cluster: not copied"
		c.note(t.tree.Name, t.path, r.Problem)
	}
	c.res.Pages += r.Pages
	c.res.BadPages += r.BadPageCount
	c.res.BadBytes += r.BadBytes
	if r.BadBytes > 0 || t.entry.err != nil {
		c.res.BadFiles++
		c.note(t.tree.Name, t.path, "could not be read in full")
	}
	if t.reused {
		c.res.Reused++
	}
	if r.Cloned {
		c.res.Cloned++
	}
}

func hexSum(b [32]byte) string { return hex.EncodeToString(b[:]) }
