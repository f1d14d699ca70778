package agent

import (
	"context"
	"fmt"
	"slices"
)

// sync finishes the directories and makes the copy durable. pg_control was read first;
// it is read again last, because it is what a server writes that nobody knew of.
func (c *copier) sync() error {
	c.s.Progress(Progress{Phase: "sync"})
	if err := c.controlUnchanged(); err != nil {
		return err
	}
	if c.req.Resume {
		if err := c.removeExtras(); err != nil {
			return err
		}
	}
	for _, r := range slices.Backward(c.dirs) {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		if err := c.finishDir(byName(c.dst, r.Piece), r); err != nil {
			return fmt.Errorf("directory %s of the copy: %w", r.Path, err)
		}
	}
	for i, f := range c.barriers {
		if err := syncFS(f); err != nil {
			return fmt.Errorf("write out the file system of piece %s: %w", c.dst[i].Name, err)
		}
	}
	return nil
}

// removeExtras removes what the destination has and the source has not. It runs only when
// an attempt is resumed: then they are left-overs of that attempt.
func (c *copier) removeExtras() error {
	var extra []start
	err := walkTrees(c.ctx, c.dst, nil, func(e entry) error {
		if _, ok := c.index.find(pathKey(e.tree.Name, e.path)); !ok && e.path != lostFound {
			extra = append(extra, start{e.tree, e.path})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, x := range extra {
		if err := x.tree.root.RemoveAll(x.path); err != nil {
			return fmt.Errorf("remove a left-over of the earlier attempt: %w", err)
		}
	}
	return nil
}

// finishDir gives a directory its metadata, then makes its entries durable.
func (c *copier) finishDir(t *tree, r Record) error {
	d, err := openIn(t.root, string(r.Path))
	if err != nil {
		return err
	}
	defer d.close()
	if err := c.metadata(d, ".", d.file, &r); err != nil {
		return err
	}
	return d.file.Sync()
}

func (c *copier) controlUnchanged() error {
	for _, t := range c.src {
		for _, p := range t.parts() {
			if p.Role != RoleData {
				continue
			}
			path := join(string(p.Sub), "global/pg_control")
			sum, err := hashFile(c.ctx, t.root, path, make([]byte, chunkSize), nil)
			if err != nil {
				continue // missing or unreadable: its record says so
			}
			if e, ok := c.index.find(pathKey(t.Name, path)); ok && !e.same(sum) && c.control != [32]byte{} {
				return refuse(KindChanged, path, "pg_control changed while the cluster was copied",
					"a server runs on the source: find and stop it, then run again")
			}
		}
	}
	return nil
}

// sourceUnchanged walks the source once more: no file came, went or was touched since
// the copy began.
func (c *copier) sourceUnchanged() error {
	var n int64
	err := walkTrees(c.ctx, c.src, nil, func(e entry) error {
		n++
		old, ok := c.index.find(pathKey(e.tree.Name, e.path))
		switch {
		case !ok:
			return changed(&task{entry: e}, "it is new")
		case old.stat != e.stat.digest():
			return changed(&task{entry: e}, "its size, times, owner or mode are not what they were")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n != int64(len(c.index.entries)) {
		return refuse(KindChanged, "", fmt.Sprintf("the source had %d entries and has %d", len(c.index.entries), n),
			"something still writes to the source: find and stop it, then run again")
	}
	return nil
}
