package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// worker copies the content of files.
func (c *copier) worker(ctx context.Context, work <-chan *task) {
	w := &fileCopier{copier: c, ctx: ctx, hash: newHasher()}
	defer w.hash.close()
	defer w.from.close()
	defer w.to.close()
	for t := range work {
		if ctx.Err() != nil {
			t.err = context.Cause(ctx)
		} else {
			t.err = w.copy(t)
		}
		close(t.done)
	}
}

// fileCopier is one worker's state.
type fileCopier struct {
	*copier
	ctx      context.Context
	from, to dirCache
	hash     *hasher
}

func (w *fileCopier) copy(t *task) error {
	parent, name := split(t.path)
	from, err := w.from.open(t.tree, parent)
	if err != nil {
		return w.sourceError(t, err)
	}
	to, err := w.to.open(w.dest(t.tree), parent)
	if err != nil {
		return fmt.Errorf("destination directory of %s: %w", t.path, err)
	}
	src, now, err := openFile(from.root, name)
	if err != nil && !isMediaError(err) {
		return w.sourceError(t, err)
	}
	if err == nil {
		defer src.Close()
		if d := t.stat.diff(now); d != "" {
			return changed(t, d)
		}
		if t.rec.Xattrs, err = listXattrs(from.file, name); err != nil {
			return err
		}
	}
	dst, err := w.create(to, name)
	if err != nil {
		return fmt.Errorf("create the copy of %s: %w", t.path, err)
	}
	defer dst.Close()
	if src == nil {
		err = w.allBad(t, dst)
	} else {
		err = w.content(t, src, dst)
	}
	if err != nil {
		return err
	}
	w.x.afterFile(t.path)
	if src != nil {
		if err := w.lookAgain(t, from.root, src, name); err != nil {
			return err
		}
	}
	if err := w.metadata(to, name, dst, &t.rec); err != nil {
		return err
	}
	w.meter.add(0, 1, t.path)
	return dst.Close()
}

// create makes the file of a copy. What an interrupted attempt left is replaced.
func (w *fileCopier) create(to *dir, name string) (*os.File, error) {
	const flags = os.O_RDWR | os.O_CREATE | os.O_EXCL | openNoFollow
	f, err := to.root.OpenFile(name, flags, 0o600)
	if errors.Is(err, fs.ErrExist) && w.req.Resume {
		if err := to.root.RemoveAll(name); err != nil {
			return nil, err
		}
		f, err = to.root.OpenFile(name, flags, 0o600)
	}
	return f, err
}

// allBad stands in for a file that cannot even be opened.
func (w *fileCopier) allBad(t *task, dst *os.File) error {
	t.rec.addBad(0, t.stat.size)
	t.rec.Problem = "cannot be opened: the copy is all zeros"
	w.hash.in <- chunk{begin: true}
	w.hash.in <- chunk{zeros: t.stat.size}
	w.hash.in <- chunk{end: true}
	t.rec.SHA256 = hexSum(<-w.hash.sum)
	w.meter.add(t.stat.size, 0, t.path)
	return dst.Truncate(t.stat.size)
}

// lookAgain makes sure that what was copied did not change meanwhile.
func (w *fileCopier) lookAgain(t *task, root *os.Root, src *os.File, name string) error {
	fi, err := src.Stat()
	if err != nil {
		return w.sourceError(t, err)
	}
	now, err := statOf(fi)
	if err != nil {
		return err
	}
	if d := t.stat.diff(now); d != "" {
		return changed(t, d)
	}
	if _, err := root.Lstat(name); err != nil {
		return w.sourceError(t, err)
	}
	return nil
}

func (w *fileCopier) sourceError(t *task, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return changed(t, "it vanished")
	}
	return w.unreadable(entry{tree: t.tree, path: t.path, err: err})
}

func changed(t *task, what string) error {
	return refuse(KindChanged, t.path, fmt.Sprintf("piece %s: %s changed while it was copied: %s", t.tree.Name, t.path, what),
		"something still writes to the source: find and stop it, then run again")
}

// content copies, hashes and checks the bytes of one file.
func (w *fileCopier) content(t *task, src, dst *os.File) error {
	if w.tryClone(t, src, dst) {
		dst = nil
	}
	adviseSequential(src)
	data, err := newDataMap(src, t.stat, t.rec.addHole)
	if err != nil {
		return w.sourceError(t, err)
	}
	w.hash.in <- chunk{begin: true, pages: newPageCheck(t.tree, t.path, w.facts, &t.rec)}
	err = w.chunks(t, src, dst, data)
	w.hash.in <- chunk{end: true}
	t.rec.SHA256 = hexSum(<-w.hash.sum)
	if err != nil {
		return err
	}
	if dst != nil && t.rec.HoleCount > 0 {
		return dst.Truncate(t.stat.size)
	}
	return nil
}

// chunks moves the bytes. dst is nil where only hashing is wanted.
func (w *fileCopier) chunks(t *task, src, dst *os.File, data *dataMap) error {
	var exts []Extent
	for off := int64(0); off < t.stat.size; off += chunkSize {
		if w.ctx.Err() != nil {
			return context.Cause(w.ctx)
		}
		n := min(chunkSize, t.stat.size-off)
		exts = exts[:0]
		any, err := data.within(off, n, func(e Extent) { exts = append(exts, e) })
		if err != nil {
			return w.sourceError(t, err)
		}
		if !any {
			w.hash.in <- chunk{zeros: n}
			w.meter.add(n, 0, t.path)
			continue
		}
		buf := <-w.hash.free
		if err := w.read(t, src, buf[:n], off); err != nil {
			w.hash.free <- buf
			return err
		}
		w.hash.in <- chunk{buf: buf, n: int(n)}
		for _, e := range exts {
			if dst == nil {
				break
			}
			if _, err := dst.WriteAt(buf[e.Off-off:e.Off-off+e.Len], e.Off); err != nil {
				return fmt.Errorf("write the copy of %s: %w", t.path, err)
			}
		}
		w.meter.add(n, 0, t.path)
	}
	return nil
}

// badUnit is the size in which ranges around a read error are tried again: the smallest
// that page caches read.
const badUnit = 4096

// badTries is how often a failing unit is read before it is given up.
const badTries = 3

// read fills b from off. Units that cannot be read become zeros and are recorded.
func (w *fileCopier) read(t *task, src *os.File, b []byte, off int64) error {
	n, err := w.x.readAt(src, t.path, b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return changed(t, fmt.Sprintf("it ended at byte %d", off+int64(n)))
	}
	if !isMediaError(err) {
		return w.sourceError(t, err)
	}
	for lo := 0; lo < len(b); lo += badUnit {
		unit := b[lo:min(lo+badUnit, len(b))]
		if err := w.readUnit(t, src, unit, off+int64(lo)); err != nil {
			return err
		}
	}
	return nil
}

func (w *fileCopier) readUnit(t *task, src *os.File, unit []byte, off int64) error {
	for range badTries {
		n, err := w.x.readAt(src, t.path, unit, off)
		if n == len(unit) {
			return nil
		}
		if err == nil || errors.Is(err, io.EOF) {
			return changed(t, fmt.Sprintf("it ended at byte %d", off+int64(n)))
		}
		if !isMediaError(err) {
			return w.sourceError(t, err)
		}
	}
	clear(unit)
	t.rec.addBad(off, int64(len(unit)))
	return nil
}
