package agent

import (
	"context"
	"errors"
	"os"
)

// tryClone lets the copy share the blocks of the source where the file system can. The
// content is still read once, for its hash. A refusal that holds for every file ends the
// trying for the piece.
func (w *fileCopier) tryClone(t *task, src, dst *os.File) bool {
	w.cloneMu.Lock()
	try := w.clone[t.tree.Name]
	w.cloneMu.Unlock()
	if !try || t.stat.size == 0 {
		return false
	}
	err := cloneFile(dst, src)
	if err == nil {
		t.rec.Cloned = true
		return true
	}
	if cloneImpossible(err) {
		w.cloneMu.Lock()
		w.clone[t.tree.Name] = false
		w.cloneMu.Unlock()
	}
	// Whatever the reason, a partly cloned file must not remain.
	_ = dst.Truncate(0)
	return false
}

var errFound = errors.New("found")

// canClone tries with the first file that has content whether the destination can share
// blocks with the source, across mounts too.
func canClone(ctx context.Context, src, dst *tree) bool {
	can := false
	err := walkTrees(ctx, []*tree{src}, nil, func(e entry) error {
		if e.err != nil || e.stat.typ != TypeFile || e.stat.size == 0 {
			return nil
		}
		from, _, err := openFile(src.root, e.path)
		if err != nil {
			return nil // unreadable; another file will do
		}
		defer from.Close()
		can = cloneOnce(dst, from) == nil
		return errFound
	})
	return can && errors.Is(err, errFound)
}

func cloneOnce(dst *tree, from *os.File) error {
	const name = ".pgrescue-probe"
	to, err := dst.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|openNoFollow, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		to.Close()
		_ = dst.root.Remove(name) // the destination's emptiness is checked again by the read-back
	}()
	return cloneFile(to, from)
}
