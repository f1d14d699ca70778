package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// PrepareRequest asks for directories and small files in scratch space: the upper and
// work directories of a clone, a directory for sockets, configuration.
type PrepareRequest struct {
	Pieces []Piece       `json:"pieces"`
	Items  []PrepareItem `json:"items"` // made in this order
}

// PrepareItem is one directory, file or link to make. What exists already is brought to
// the state asked for, so that preparing twice is the same as once.
type PrepareItem struct {
	Piece string `json:"piece"`
	Path  Path   `json:"path"`
	Type  Type   `json:"type"` // TypeDir, TypeFile or TypeLink

	Like *Place `json:"like,omitempty"` // take owner, mode and attributes from there

	UID     uint32 `json:"uid"` // unless Like
	GID     uint32 `json:"gid"`
	Mode    uint32 `json:"mode"`
	Content []byte `json:"content,omitempty"` // of a file, at most 1 MiB
	Target  Path   `json:"target,omitempty"`  // of a link
}

// Place is a path in a piece.
type Place struct {
	Piece string `json:"piece"`
	Path  Path   `json:"path"`
}

// PrepareResult counts what was made.
type PrepareResult struct {
	Made int `json:"made"`
}

const maxPrepareContent = 1 << 20

// Prepare makes the items. An upper directory made with Like gives an overlay the same
// root as its lower directory; PostgreSQL refuses a data directory of another mode.
func Prepare(ctx context.Context, req PrepareRequest, _ *Stream) (PrepareResult, error) {
	trees, err := openTrees(req.Pieces)
	if err != nil {
		return PrepareResult{}, err
	}
	defer closeTrees(trees)
	var res PrepareResult
	for _, it := range req.Items {
		if ctx.Err() != nil {
			return res, context.Cause(ctx)
		}
		if err := prepareItem(trees, it); err != nil {
			return res, fmt.Errorf("prepare %s in piece %s: %w", it.Path, it.Piece, err)
		}
		res.Made++
	}
	return res, nil
}

func prepareItem(trees []*tree, it PrepareItem) error {
	t := byName(trees, it.Piece)
	if t == nil || !it.Path.Local() || len(it.Content) > maxPrepareContent {
		return refuse(KindBadRequest, string(it.Path), "no such piece, the path leaves it, or the content is too long", "")
	}
	r := Record{UID: it.UID, GID: it.GID, Mode: it.Mode, MtimeNS: nowNS()}
	if it.Like != nil {
		var err error
		if r, err = likeRecord(trees, *it.Like); err != nil {
			return err
		}
	}
	parent, name := split(string(it.Path))
	d, err := openIn(t.root, parent)
	if err != nil {
		return err
	}
	defer d.close()
	f, err := makeItem(d, name, it)
	if err != nil {
		return err
	}
	if f != nil {
		defer f.Close()
	}
	lost, err := applyMetadata(d, name, f, &r)
	if len(lost) > 0 {
		return refuse(KindUnsupported, string(it.Path), fmt.Sprintf("the file system does not take the extended attributes %q", lost),
			"put the scratch space on the file system of the snapshot")
	}
	if err != nil {
		return err
	}
	return d.file.Sync()
}

func makeItem(d *dir, name string, it PrepareItem) (*os.File, error) {
	switch it.Type {
	case TypeDir:
		if err := d.root.Mkdir(name, 0o700); err != nil && (!errors.Is(err, fs.ErrExist) || name == "") {
			return nil, err
		}
		sub, err := d.root.OpenRoot(name)
		if err != nil {
			return nil, err
		}
		defer sub.Close()
		return sub.Open(".")
	case TypeLink:
		if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, d.root.Symlink(string(it.Target), name)
	case TypeFile:
		f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|openNoFollow, 0o600)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(it.Content); err != nil {
			f.Close()
			return nil, err
		}
		if err := f.Sync(); err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}
	return nil, refuse(KindBadRequest, string(it.Path), fmt.Sprintf("cannot make a %q", it.Type), "")
}

// likeRecord takes owner, mode, times and attributes of a place. Attributes of overlay
// itself are left out: on an upper directory they would mean something.
func likeRecord(trees []*tree, p Place) (Record, error) {
	t := byName(trees, p.Piece)
	if t == nil || !p.Path.Local() {
		return Record{}, refuse(KindBadRequest, string(p.Path), fmt.Sprintf("no piece %q, or path %q leaves it", p.Piece, p.Path), "")
	}
	path := string(p.Path)
	e := look(t, t.root, path, path)
	if e.err != nil {
		return Record{}, e.err
	}
	parent, name := split(path)
	d, err := openIn(t.root, parent)
	if err != nil {
		return Record{}, err
	}
	defer d.close()
	r := e.stat.record(t.Name, path)
	all, err := listXattrs(d.file, name)
	for _, x := range all {
		if !strings.Contains(string(x.Name), ".overlay.") {
			r.Xattrs = append(r.Xattrs, x)
		}
	}
	return r, err
}
