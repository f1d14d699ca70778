package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"
	"strings"
)

// entry is one step of a walk.
type entry struct {
	tree *tree
	path string // relative to the piece, "." for its root
	stat stat
	err  error // the entry or the content of the directory could not be read
}

// start is a place where a walk begins.
type start struct {
	tree *tree
	path string
}

// walker visits trees without following links, names of a directory in byte order, a
// directory before what it holds, and nothing twice.
type walker struct {
	ctx  context.Context
	fn   func(entry) error
	done map[string]bool // starts and their ancestors, by piece and path
	live bool            // somebody may be writing: what vanishes meanwhile is passed over
}

// walkTrees visits everything below starts, then everything else of trees. An entry
// that lies below a missing start is no error: the start is passed over.
func walkTrees(ctx context.Context, trees []*tree, starts []start, fn func(entry) error) error {
	w := &walker{ctx: ctx, fn: fn, done: map[string]bool{}}
	for _, s := range starts {
		if err := w.start(s); err != nil {
			return err
		}
	}
	for _, t := range trees {
		if err := w.visit(t, t.root, ".", "."); err != nil {
			return err
		}
	}
	return nil
}

// walkLive is walkTrees for trees in which a server may be coming and going: what is listed
// and then gone is passed over. A copy must never be made this way.
func walkLive(ctx context.Context, trees []*tree, _ []start, fn func(entry) error) error {
	w := &walker{ctx: ctx, fn: fn, done: map[string]bool{}, live: true}
	for _, t := range trees {
		if err := w.visit(t, t.root, ".", "."); err != nil {
			return err
		}
	}
	return nil
}

func doneKey(t *tree, path string) string { return t.Name + "\x00" + path }

// start visits the ancestors of s alone, then s with all below it.
func (w *walker) start(s start) error {
	if _, err := s.tree.root.Lstat(s.path); err != nil {
		return nil
	}
	parts := strings.Split(s.path, "/")
	dir, root := ".", s.tree.root
	for i := range parts {
		if s.path == "." {
			break
		}
		if i > 0 {
			dir = join(dir, parts[i-1])
		}
		e := look(s.tree, root, dir, dir)
		if e.err != nil || e.stat.typ != TypeDir {
			return nil // a link or damage on the way: the general walk meets it
		}
		if err := w.once(e); err != nil {
			return err
		}
		w.done[doneKey(s.tree, dir)] = true
	}
	if w.done[doneKey(s.tree, s.path)+"/"] {
		return nil
	}
	err := w.visit(s.tree, root, s.path, s.path)
	w.done[doneKey(s.tree, s.path)+"/"] = true // with all below
	return err
}

// once reports an entry unless it was reported before. Damage found later is reported
// again.
func (w *walker) once(e entry) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if e.err == nil && w.done[doneKey(e.tree, e.path)] {
		return nil
	}
	return w.fn(e)
}

// visit reports the entry called name in root, and what it holds.
func (w *walker) visit(t *tree, root *os.Root, name, path string) error {
	if w.done[doneKey(t, path)+"/"] {
		return nil
	}
	e := look(t, root, name, path)
	if errors.Is(e.err, fs.ErrNotExist) {
		if w.live {
			return nil
		}
		return refuse(KindChanged, path, fmt.Sprintf("%s vanished while it was read", path), "stop whatever writes there, then run again")
	}
	if e.err != nil || e.stat.typ != TypeDir {
		return w.once(e)
	}
	sub, names, err := openDir(root, name)
	if w.live && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	e.err = err
	if err := w.once(e); err != nil || e.err != nil {
		return err
	}
	defer sub.Close()
	for _, n := range names {
		if err := w.visit(t, sub, n, join(path, n)); err != nil {
			return err
		}
	}
	return nil
}

// openDir opens a directory and lists it in byte order.
func openDir(root *os.Root, name string) (*os.Root, []string, error) {
	sub, err := root.OpenRoot(name)
	if err != nil {
		return nil, nil, err
	}
	f, err := sub.Open(".")
	if err != nil {
		sub.Close()
		return nil, nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		sub.Close()
		return nil, nil, err
	}
	sort.Strings(names)
	return sub, names, nil
}

// look stats one entry.
func look(t *tree, root *os.Root, name, path string) entry {
	e := entry{tree: t, path: path}
	fi, err := root.Lstat(name)
	if err == nil {
		e.stat, err = statOf(fi)
	}
	e.err = err
	return e
}
