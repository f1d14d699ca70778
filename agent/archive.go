package agent

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"
)

// ArchiveRequest asks for a second copy of a snapshot in one file. The input is the
// snapshot's records, in their order.
type ArchiveRequest struct {
	Pieces []Piece `json:"pieces"` // of the snapshot
	Path   string  `json:"path"`   // of the archive to make, absolute; by custom *.tar.zst
	UID    uint32  `json:"uid"`    // owner of the archive
	GID    uint32  `json:"gid"`
}

// ArchiveResult describes the archive.
type ArchiveResult struct {
	Path    string  `json:"path"`
	Size    int64   `json:"size"`   // compressed
	SHA256  string  `json:"sha256"` // of the archive file
	Members int64   `json:"members"`
	Bytes   int64   `json:"bytes"`  // of the files in it
	Sparse  int64   `json:"sparse"` // files whose holes became zeros, which compress to nothing
	Write   float64 `json:"write_seconds"`
	Verify  float64 `json:"verify_seconds"`
}

// Archive writes the snapshot as a tar in PAX format, compressed with zstd, which any
// tar and zstd read:
//
//	zstd -dc ARCHIVE | tar -x -p --numeric-owner --xattrs --xattrs-include='*' --delay-directory-restore
//
// (the last because directories are met more than once, pg_control coming first).
// Members are named PIECE/PATH. It is written as .partial, synced, read back from the
// medium, compared file by file with the records, and only then given its name.
func Archive(ctx context.Context, req ArchiveRequest, s *Stream) (ArchiveResult, error) {
	res := ArchiveResult{Path: req.Path}
	if !filepath.IsAbs(req.Path) {
		return res, refuse(KindBadRequest, req.Path, fmt.Sprintf("path %q of the archive is not absolute", req.Path), "")
	}
	trees, err := openTrees(req.Pieces)
	if err != nil {
		return res, err
	}
	defer closeTrees(trees)
	dir, err := os.OpenRoot(filepath.Dir(req.Path))
	if err != nil {
		return res, fmt.Errorf("directory of the archive: %w", err)
	}
	defer dir.Close()
	a := &archiver{ctx: ctx, req: req, s: s, trees: trees, dir: dir, res: res, whole: sha256.New()}
	defer a.dirs.close()
	if err := a.run(filepath.Base(req.Path)); err != nil {
		return a.res, fmt.Errorf("archive %s: %w", req.Path, err)
	}
	return a.res, nil
}

type archiver struct {
	ctx   context.Context
	req   ArchiveRequest
	s     *Stream
	trees []*tree
	dir   *os.Root
	dirs  dirCache
	meter *meter
	sums  [][16]byte // what each member that is a file must read back as, in order
	whole hash.Hash  // of the archive file
	res   ArchiveResult
}

func (a *archiver) run(name string) error {
	if _, err := a.dir.Lstat(name); err == nil {
		return refuse(KindNotEmpty, name, "exists already", "name another file")
	}
	tmp := name + ".partial"
	began := time.Now()
	err := a.write(tmp)
	a.res.Write = time.Since(began).Seconds()
	if err == nil {
		began = time.Now()
		err = a.verify(tmp)
		a.res.Verify = time.Since(began).Seconds()
	}
	if err != nil {
		_ = a.dir.Remove(tmp) // the first error is the one to tell
		return err
	}
	if err := a.dir.Rename(tmp, name); err != nil {
		return err
	}
	return syncDir(a.dir, ".")
}

// write makes the archive under its temporary name, durable.
func (a *archiver) write(tmp string) error {
	m, err := measure(a.ctx, a.trees)
	if err != nil {
		return err
	}
	a.meter = newMeter("archive", m.Bytes, m.Files, a.s.Progress)
	f, err := a.dir.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	counted := &countingWriter{w: io.MultiWriter(f, a.whole)}
	z := newFrameWriter(a.ctx, counted)
	t := tar.NewWriter(z)
	err = a.members(t)
	if err == nil {
		err = t.Close()
	}
	if zerr := z.Close(); err == nil {
		err = zerr
	}
	if err != nil {
		return err
	}
	a.res.Size, a.res.SHA256 = counted.n, hexSum([32]byte(a.whole.Sum(nil)))
	if err := f.Chown(int(a.req.UID), int(a.req.GID)); err != nil {
		return err
	}
	a.s.Progress(Progress{Phase: "sync"})
	return errors.Join(f.Sync(), f.Close())
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

func (a *archiver) members(w *tar.Writer) error {
	buf := make([]byte, chunkSize)
	for r, err := range a.s.input() {
		if err != nil {
			return err
		}
		if a.ctx.Err() != nil {
			return context.Cause(a.ctx)
		}
		t := byName(a.trees, r.Piece)
		if t == nil || !r.Path.Local() {
			return refuse(KindBadRequest, string(r.Path), fmt.Sprintf("record of %q in piece %q does not belong here", r.Path, r.Piece), "")
		}
		if !r.copied() {
			continue
		}
		if err := a.member(w, t, &r, buf); err != nil {
			return fmt.Errorf("%s: %w", r.Path, err)
		}
	}
	if a.res.Members == 0 {
		return refuse(KindBadRequest, "", "the snapshot has no records", "send the records of the snapshot")
	}
	return nil
}

// member writes one entry.
func (a *archiver) member(w *tar.Writer, t *tree, r *Record, buf []byte) error {
	if err := w.WriteHeader(tarHeader(r)); err != nil {
		return err
	}
	a.res.Members++
	if r.Type != TypeFile || r.LinkOf != "" {
		return nil
	}
	parent, name := split(string(r.Path))
	d, err := a.dirs.open(t, parent)
	if err != nil {
		return err
	}
	f, st, err := openFile(d.root, name)
	if err != nil {
		return err
	}
	defer f.Close()
	if st.size != r.Size {
		return a.notAsRecorded(r.Path)
	}
	if err := a.content(w, f, r, buf); err != nil {
		return err
	}
	sum, _ := r.sum()
	a.sums = append(a.sums, [16]byte(sum[:16]))
	a.res.Bytes += r.Size
	if r.HoleCount > 0 {
		a.res.Sparse++
	}
	a.meter.add(0, 1, string(r.Path))
	return nil
}

// content writes a file into the tar. Its hash is compared when the archive is read back.
func (a *archiver) content(w io.Writer, f *os.File, r *Record, buf []byte) error {
	for off := int64(0); off < r.Size; {
		if a.ctx.Err() != nil {
			return context.Cause(a.ctx)
		}
		n, err := f.ReadAt(buf[:min(chunkSize, r.Size-off)], off)
		if err != nil {
			return err
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		off += int64(n)
		a.meter.add(int64(n), 0, string(r.Path))
	}
	return nil
}

// notAsRecorded refuses to archive a snapshot that is not what was sealed: the archive of
// a damaged snapshot would pass for a good one.
func (a *archiver) notAsRecorded(path Path) error {
	return refuse(KindMismatch, string(path), fmt.Sprintf("the snapshot's %s is not what its record says", path),
		"the snapshot is damaged: make a new one")
}

// tarHeader describes an entry in PAX, which has room for everything: nanoseconds, long
// names, names that are not UTF-8, attributes.
func tarHeader(r *Record) *tar.Header {
	h := &tar.Header{Format: tar.FormatPAX, Name: join(r.Piece, string(r.Path)), Mode: int64(r.Mode),
		Uid: int(r.UID), Gid: int(r.GID), ModTime: time.Unix(0, r.MtimeNS), PAXRecords: map[string]string{}}
	for _, x := range r.Xattrs {
		h.PAXRecords["SCHILY.xattr."+string(x.Name)] = string(x.Value)
	}
	switch {
	case r.Type == TypeDir:
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
	case r.Type == TypeLink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, string(r.Target)
	case r.LinkOf != "":
		h.Typeflag, h.Linkname = tar.TypeLink, join(r.Piece, string(r.LinkOf))
	default:
		h.Typeflag, h.Size = tar.TypeReg, r.Size
	}
	return h
}
