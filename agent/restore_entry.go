package agent

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
)

// restore brings one entry back from the snapshot.
func (r *restorer) restore(t *tree, rec *Record) error {
	path := string(rec.Path)
	parent, name := split(path)
	r.dirs.close() // the cache must not hold what is replaced
	if rec.Type == TypeDir {
		return r.restoreDir(t, rec)
	}
	d, err := openIn(t.root, parent)
	if err != nil {
		return err
	}
	defer d.close()
	if rec.Type == TypeLink {
		return r.restoreLink(d, name, rec)
	}
	if rec.LinkOf != "" {
		if err := t.root.RemoveAll(path); err != nil {
			return err
		}
		if err := t.root.Link(string(rec.LinkOf), path); err != nil {
			return err
		}
		return d.file.Sync()
	}
	if rec.Nlink > 1 {
		r.inodes[firstKey(rec.Piece, path)] = true
	}
	return r.restoreFile(d, name, rec)
}

// restoreDir makes a directory where there is none, in place of whatever is there; its
// metadata comes at the end.
func (r *restorer) restoreDir(t *tree, rec *Record) error {
	path := string(rec.Path)
	if path == "." {
		return nil
	}
	fi, err := t.root.Lstat(path)
	if err == nil && fi.IsDir() {
		return nil
	}
	if err == nil {
		if err := t.root.RemoveAll(path); err != nil {
			return err
		}
	}
	return t.root.Mkdir(path, 0o700)
}

func (r *restorer) restoreLink(d *dir, name string, rec *Record) error {
	if err := d.root.RemoveAll(name); err != nil {
		return err
	}
	if err := d.root.Symlink(string(rec.Target), name); err != nil {
		return err
	}
	if err := restoreMetadata(d, name, nil, rec); err != nil {
		return err
	}
	return d.file.Sync()
}

// restoreFile puts a file in place under a temporary name first. Holes come back as
// holes, and zeros that were allocated as zeros: WAL is preallocated on purpose.
func (r *restorer) restoreFile(d *dir, name string, rec *Record) error {
	src, st, err := openFile(byName(r.snap, rec.Piece).root, string(rec.Path))
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	defer src.Close()
	if st.size != rec.Size {
		return refuse(KindMismatch, string(rec.Path), fmt.Sprintf("the snapshot's %s is %d bytes long, its record says %d", rec.Path, st.size, rec.Size),
			"the snapshot was written to: do not use it")
	}
	if fi, err := d.root.Lstat(name); err == nil && fi.IsDir() {
		if err := d.root.RemoveAll(name); err != nil {
			return err
		}
	}
	err = writeDurably(d.root, name, 0o600, func(w io.Writer) error {
		f := w.(*os.File)
		h := sha256.New()
		if err := r.content(src, st, f, h); err != nil {
			return err
		}
		if err := f.Truncate(rec.Size); err != nil {
			return err
		}
		if hexSum([32]byte(h.Sum(nil))) != rec.SHA256 {
			return refuse(KindMismatch, string(rec.Path), fmt.Sprintf("the snapshot's %s is not what its record says", rec.Path),
				"the snapshot is damaged: do not use it; the target's file was left as it is")
		}
		return restoreMetadata(d, name+partialSuffix, f, rec)
	})
	if err == nil {
		r.res.Bytes += rec.Size
	}
	return err
}

// restoreMetadata is applyMetadata that also removes attributes that the record lacks.
func restoreMetadata(d *dir, name string, f *os.File, rec *Record) error {
	now, err := listXattrs(d.file, name)
	if err != nil {
		return err
	}
	for _, x := range now {
		has := slices.ContainsFunc(rec.Xattrs, func(y Xattr) bool { return x.Name == y.Name })
		if !has {
			if err := removeXattr(d.file, name, x.Name); err != nil {
				return fmt.Errorf("remove extended attribute %s: %w", x.Name, err)
			}
		}
	}
	lost, err := applyMetadata(d, name, f, rec)
	if err == nil && len(lost) > 0 {
		err = fmt.Errorf("extended attributes %q cannot be set: %w", lost, errors.ErrUnsupported)
	}
	return err
}

// content writes the snapshot's bytes of a file to dst, holes left out, and all of them
// to h.
func (r *restorer) content(src *os.File, st stat, dst *os.File, h hash.Hash) error {
	data, err := newDataMap(src, st, func(int64, int64) {})
	if err != nil {
		return err
	}
	for off := int64(0); off < st.size; off += chunkSize {
		if r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		part := r.buf[:min(chunkSize, st.size-off)]
		clear(part)
		var failed error
		_, err := data.within(off, int64(len(part)), func(e Extent) {
			b := part[e.Off-off : e.Off-off+e.Len]
			_, rerr := src.ReadAt(b, e.Off)
			_, werr := dst.WriteAt(b, e.Off)
			failed = errors.Join(failed, rerr, werr)
		})
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		h.Write(part)
	}
	return nil
}
