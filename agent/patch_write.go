package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// write makes the changes that are not in place, syncs, and looks again.
func (p *patcher) write() error {
	if p.req.DryRun {
		for _, a := range p.already {
			if a {
				p.res.Already++
			}
		}
		return nil
	}
	w := &patchWriter{dirs: map[start]bool{}}
	defer w.close()
	for i := range p.req.Changes {
		c := &p.req.Changes[i]
		if p.already[i] {
			p.res.Already++
			continue
		}
		if p.ctx.Err() != nil {
			return errors.Join(context.Cause(p.ctx), w.sync())
		}
		if err := w.apply(byName(p.trees, c.Piece), c); err != nil {
			return fmt.Errorf("change %d, %s %s: %w", i, c.Op, c.Path, err)
		}
		p.res.Written++
		p.res.Bytes += int64(len(c.After))
		p.s.Progress(Progress{Phase: "patch", Path: c.Path, Bytes: p.res.Bytes, Files: int64(i + 1), FilesTotal: int64(len(p.req.Changes))})
	}
	if err := w.sync(); err != nil {
		return err
	}
	return p.lookAgain()
}

// lookAgain proves by reading that every change is in place.
func (p *patcher) lookAgain() error {
	if err := p.inspect(); err != nil {
		return fmt.Errorf("after writing: %w", err)
	}
	for i, a := range p.already {
		if c := p.req.Changes[i]; !a && !p.undone(i) {
			return refuse(KindMismatch, string(c.Path), fmt.Sprintf("change %d of %s was written and is not there", i, c.Path),
				"the disk loses writes: do not go on with it")
		}
	}
	return nil
}

// undone reports whether a later change of the patch removes what change i made.
func (p *patcher) undone(i int) bool {
	for _, c := range p.req.Changes[i+1:] {
		if c.Piece == p.req.Changes[i].Piece && c.Path == p.req.Changes[i].Path && (c.Op == OpRemove || c.Op == OpRmdir) {
			return true
		}
	}
	return false
}

// patchWriter keeps the file that is written to open until the next one's turn, so that
// it is synced once.
type patchWriter struct {
	at   start
	file *os.File
	dirs map[start]bool // to sync at the end
}

func (w *patchWriter) apply(t *tree, c *Change) error {
	path := string(c.Path)
	if c.Op == OpWrite || c.Op == OpTruncate {
		if err := w.open(t, path); err != nil {
			return err
		}
		if c.Op == OpTruncate {
			return w.file.Truncate(c.NewSize)
		}
		_, err := w.file.WriteAt(c.After, c.Off)
		return err
	}
	if err := w.finishFile(); err != nil {
		return err
	}
	parent, name := split(path)
	w.dirs[start{t, parent}] = true
	d, err := openIn(t.root, parent)
	if err != nil {
		return err
	}
	defer d.close()
	switch c.Op {
	case OpCreate:
		return createWhole(d, name, c)
	case OpMkdir:
		return createDir(d, name, c)
	}
	return d.root.Remove(name) // OpRemove and OpRmdir: inspect saw which it is
}

func (w *patchWriter) open(t *tree, path string) error {
	if w.file != nil && w.at == (start{t, path}) {
		return nil
	}
	if err := w.finishFile(); err != nil {
		return err
	}
	f, err := t.root.OpenFile(path, os.O_WRONLY|openNoFollow, 0)
	if err != nil {
		return err
	}
	w.at, w.file = start{t, path}, f
	return nil
}

func (w *patchWriter) finishFile() error {
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.file.Sync(), w.file.Close())
	w.file = nil
	return err
}

// sync makes everything durable.
func (w *patchWriter) sync() error {
	if err := w.finishFile(); err != nil {
		return fmt.Errorf("sync %s: %w", w.at.path, err)
	}
	for d := range w.dirs {
		err := syncDir(d.tree.root, d.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sync directory %s: %w", d.path, err)
		}
	}
	return nil
}

func (w *patchWriter) close() { _ = w.finishFile() }

func (c *Change) record() *Record {
	r := &Record{UID: c.UID, GID: c.GID, Mode: c.Mode, MtimeNS: c.MtimeNS}
	if r.MtimeNS == 0 {
		r.MtimeNS = nowNS()
	}
	return r
}

// createWhole makes a file with its content, owner and mode at once.
func createWhole(d *dir, name string, c *Change) error {
	tmp := name + partialSuffix
	return writeDurably(d.root, name, 0o600, func(w io.Writer) error {
		if _, err := w.Write(c.After); err != nil {
			return err
		}
		f, err := d.root.OpenFile(tmp, os.O_WRONLY|openNoFollow, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = applyMetadata(d, tmp, f, c.record())
		return err
	})
}

func createDir(d *dir, name string, c *Change) error {
	if err := d.root.Mkdir(name, 0o700); err != nil {
		return err
	}
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := applyMetadata(d, name, f, c.record()); err != nil {
		return err
	}
	return f.Sync()
}
