package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// makeDir makes a directory of the copy, writable for now; finishDirs gives it its own
// mode, owner and times when everything is in it.
func (c *copier) makeDir(dirs *dirCache, t *task) error {
	if t.entry.err == nil {
		from, err := t.tree.root.Open(t.path)
		if err != nil {
			return c.unreadable(entry{tree: t.tree, path: t.path, err: err})
		}
		defer from.Close()
		if t.rec.Xattrs, err = listXattrs(from, "."); err != nil {
			return err
		}
	}
	if t.path == "." {
		return nil
	}
	parent, name := split(t.path)
	d, err := dirs.open(c.dest(t.tree), parent)
	if err != nil {
		return fmt.Errorf("destination directory of %s: %w", t.path, err)
	}
	if err := d.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the copy of directory %s: %w", t.path, err)
	}
	return nil
}

// makeLink copies a symbolic link verbatim, wherever it points.
func (c *copier) makeLink(dirs *dirCache, t *task) error {
	parent, name := split(t.path)
	from, err := openIn(t.tree.root, parent)
	if err != nil {
		return c.unreadable(entry{tree: t.tree, path: t.path, err: err})
	}
	defer from.close()
	target, err := from.root.Readlink(name)
	if err != nil {
		return c.unreadable(entry{tree: t.tree, path: t.path, err: err})
	}
	t.rec.Target = Path(target)
	if t.rec.Xattrs, err = listXattrs(from.file, name); err != nil {
		return err
	}
	to, err := dirs.open(c.dest(t.tree), parent)
	if err != nil {
		return fmt.Errorf("destination directory of %s: %w", t.path, err)
	}
	if c.req.Resume {
		if err := to.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("replace the copy of link %s: %w", t.path, err)
		}
	}
	if err := to.root.Symlink(target, name); err != nil {
		return fmt.Errorf("make the copy of link %s: %w", t.path, err)
	}
	return c.metadata(to, name, nil, &t.rec)
}

// hardLink gives a further name to a file that is copied already.
func (c *copier) hardLink(t *task) error {
	first := firstKey(t.tree.Name, string(t.rec.LinkOf))
	root := c.dest(t.tree).root
	err := root.Link(string(t.rec.LinkOf), t.path)
	if errors.Is(err, fs.ErrExist) && c.req.Resume {
		if err = root.Remove(t.path); err == nil {
			err = root.Link(string(t.rec.LinkOf), t.path)
		}
	}
	if err != nil {
		return fmt.Errorf("link %s to %s in the copy: %w", t.path, t.rec.LinkOf, err)
	}
	t.rec.SHA256 = hexSum(c.firsts[first])
	c.meter.add(0, 1, t.path)
	return nil
}

// linkNotes warns of files that have names outside the pieces: with pg_upgrade --link
// the old and the new cluster share their files, and repairing one ruins the other.
func (c *copier) linkNotes() {
	for _, l := range c.links {
		if l.seen < l.links {
			c.note(l.piece, l.path, fmt.Sprintf("has %d links and only %d are in the set: another directory shares this file (pg_upgrade --link, cp -l?)", l.links, l.seen))
		}
	}
}

// metadata gives a copied entry its owner, attributes, mode and time, in the order in
// which each does not undo the one before. f is the open file, nil for a link.
func (c *copier) metadata(d *dir, name string, f *os.File, r *Record) error {
	lost, err := applyMetadata(d, name, f, r)
	for _, x := range lost {
		r.Problem = fmt.Sprintf("extended attribute %s could not be set on the copy", x)
	}
	if err != nil {
		return fmt.Errorf("copy of %s: %w", r.Path, err)
	}
	return nil
}

// applyMetadata sets what r says on name in d. It returns the extended attributes that
// the file system or our rights do not allow.
func applyMetadata(d *dir, name string, f *os.File, r *Record) (lost []Path, err error) {
	if err := chown(d, name, r); err != nil {
		return nil, err
	}
	for _, x := range r.Xattrs {
		err := setXattr(d.file, name, x)
		if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			lost = append(lost, x.Name)
		} else if err != nil {
			return lost, fmt.Errorf("set extended attribute %s: %w", x.Name, err)
		}
	}
	if f != nil {
		if err := setMode(f, r.Mode); err != nil {
			return lost, fmt.Errorf("set mode %04o: %w", r.Mode, err)
		}
	}
	if err := setTimes(d.file, name, r.MtimeNS); err != nil {
		return lost, fmt.Errorf("set modification time: %w", err)
	}
	return lost, nil
}

// chown sets numeric owners. Without the right to, it is enough that they are right.
func chown(d *dir, name string, r *Record) error {
	err := d.root.Lchown(name, int(r.UID), int(r.GID))
	if err == nil {
		return nil
	}
	fi, serr := d.root.Lstat(name)
	if serr == nil {
		if st, serr := statOf(fi); serr == nil && st.uid == r.UID && st.gid == r.GID {
			return nil
		}
	}
	return fmt.Errorf("set owner %d:%d: %w", r.UID, r.GID, err)
}
