package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pgrescue/pgrescue/pgops"
)

// openPieces opens a data directory of this host and what its links lead to, each through
// os.Root. A tablespace whose link leads to nothing is left out: what is in the others can
// still be read, and each reader finds its files missing.
func openPieces(dir string) (pgops.Pieces, func(), error) {
	var roots []*os.Root
	closeAll := func() {
		for _, r := range roots {
			r.Close()
		}
	}
	open := func(path string) (fs.FS, error) {
		r, err := os.OpenRoot(path)
		if err != nil {
			return nil, err
		}
		roots = append(roots, r)
		return newPlainFS(r), nil
	}
	data, err := open(dir)
	if err != nil {
		return pgops.Pieces{}, nil, err
	}
	pieces := pgops.Pieces{Data: data, Links: map[string]fs.FS{}}
	names := []string{"pg_wal"}
	spaces, _ := fs.Glob(data, "pg_tblspc/*") // the pattern is well-formed
	for _, name := range append(names, spaces...) {
		target, err := os.Readlink(filepath.Join(dir, name))
		if err != nil {
			continue // a directory in place
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, filepath.Dir(name), target)
		}
		piece, err := open(target)
		if name != "pg_wal" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			closeAll()
			return pgops.Pieces{}, nil, err
		}
		pieces.Links[name] = piece
	}
	return pieces, closeAll, nil
}
