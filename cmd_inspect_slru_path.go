package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgrescue/pgrescue/inspect"
	"github.com/pgrescue/pgrescue/pgops"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// openSLRU opens what PATH names for reading: a data directory, an SLRU directory, or one file
// of one. kind chooses one directory, and says what a directory is whose name does not.
func openSLRU(path, kind string) (inspect.SLRUSource, func(), error) {
	if _, ok := inspect.SLRUGeometry(newestLayout(), kind); kind != "" && !ok {
		return inspect.SLRUSource{}, nil, engine.Errorf(engine.Usage, "one of "+strings.Join(inspect.SLRUKinds(), ", "), "there is no SLRU %q", kind)
	}
	abs, err := filepath.Abs(path)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(abs)
	}
	if err != nil {
		return inspect.SLRUSource{}, nil, engine.Errorf(engine.Usage, "give a data directory, an SLRU directory or a file in one", "%w", err)
	}
	if !info.IsDir() {
		return openSLRUPart(filepath.Dir(abs), filepath.Base(abs), kind)
	}
	if isDataDir(abs) {
		return openSLRUCluster(abs, kind)
	}
	return openSLRUPart(abs, "", kind)
}

// newestLayout is the layout of the newest major.
func newestLayout() pgdisk.Layout {
	all := pgdisk.Layouts()
	return all[len(all)-1]
}

// isDataDir looks for the files that only a data directory has.
func isDataDir(dir string) bool {
	for _, name := range []string{pgdisk.VersionFileName, pgdisk.ControlFilePath} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
			return true
		}
	}
	return false
}

func openSLRUCluster(dir, kind string) (inspect.SLRUSource, func(), error) {
	cluster, closePieces, err := openCluster(dir)
	if err != nil {
		return inspect.SLRUSource{}, nil, err
	}
	layout, ok := pgdisk.LayoutFor(cluster.Major)
	if !ok {
		layout = newestLayout()
	}
	src := inspect.SLRUSource{FS: cluster.FS(), Layout: layout, Control: cluster.Control, ControlErr: cluster.ControlErr, Dirs: pgdisk.Geometries(layout)}
	if kind != "" {
		g, _ := inspect.SLRUGeometry(layout, kind)
		src.Dirs = []pgdisk.Geometry{g}
	}
	return src, closePieces, nil
}

// openCluster opens a data directory and refuses one of a major that is not read here.
func openCluster(dir string) (*pgops.Cluster, func(), error) {
	pieces, closePieces, err := openPieces(dir)
	if err != nil {
		return nil, nil, engine.Errorf(engine.Usage, "give a data directory", "%w", err)
	}
	cluster, err := pgops.OpenCluster(pieces)
	if err != nil {
		closePieces()
		return nil, nil, engine.Errorf(engine.Usage, "give a data directory", "%w", err)
	}
	if cluster.Major != 0 {
		return cluster, closePieces, nil
	}
	refused := foreignVersion(cluster.ControlErr)
	if refused == nil {
		refused = foreignMajor(cluster.FS())
	}
	if refused != nil {
		closePieces()
		return nil, nil, refused
	}
	return cluster, closePieces, nil
}

// foreignMajor refuses a data directory whose PG_VERSION is of a major that is not read here,
// when pg_control does not tell.
func foreignMajor(fsys fs.FS) error {
	b, _ := fs.ReadFile(fsys, pgdisk.VersionFileName) // without it nothing is known against the directory
	major, err := pgdisk.ParseVersionFile(b)
	if err != nil {
		return nil
	}
	return engine.Errorf(engine.Precondition, "take that release's own tools", "%s: PostgreSQL %d: only 13 to 18 can be read here", pgdisk.VersionFileName, major)
}

// openSLRUPart opens one SLRU directory, or pg_multixact with its two, under the names they
// have in a data directory. file restricts it to one segment.
func openSLRUPart(dir, file, kind string) (inspect.SLRUSource, func(), error) {
	layout, chosen := newestLayout(), slruDirsNamed(dir)
	if kind != "" {
		g, _ := inspect.SLRUGeometry(layout, kind)
		chosen = []string{g.Dir}
	}
	if len(chosen) == 0 {
		return inspect.SLRUSource{}, nil, engine.Errorf(engine.Usage, "say with --kind what it is: "+strings.Join(inspect.SLRUKinds(), ", "),
			"%s: neither a data directory nor named like an SLRU directory", dir)
	}
	mount, closeRoots, err := mountSLRU(dir, chosen, kind != "")
	if err != nil {
		return inspect.SLRUSource{}, nil, engine.Errorf(engine.Usage, "give a data directory, an SLRU directory or a file in one", "%w", err)
	}
	if chosen[0] == pgdisk.NotifyGeometry(layout).Dir && !hasLongNames(mount, chosen[0]) {
		layout, _ = pgdisk.LayoutFor(16)
	}
	src := inspect.SLRUSource{FS: mount, Layout: layout, Seen: mount.has}
	for _, name := range chosen {
		g, _ := inspect.SLRUGeometry(layout, name)
		src.Dirs = append(src.Dirs, g)
	}
	if file != "" {
		if _, ok := src.Dirs[0].ParseName(file); !ok {
			closeRoots()
			return inspect.SLRUSource{}, nil, engine.Errorf(engine.Usage, "name it as the server does: the name says which ids it holds",
				"%s: not the name of a file of %s", file, src.Dirs[0].Dir)
		}
		mount.only = file
	}
	return src, closeRoots, nil
}

// slruDirsNamed tells by its name which SLRU directories a directory is.
func slruDirsNamed(dir string) []string {
	base, parent := filepath.Base(dir), filepath.Base(filepath.Dir(dir))
	if base == "pg_multixact" {
		return []string{pgdisk.OffsetsGeometry().Dir, pgdisk.MembersGeometry().Dir}
	}
	for _, g := range pgdisk.Geometries(newestLayout()) {
		if g.Dir == base || g.Dir == parent+"/"+base {
			return []string{g.Dir}
		}
	}
	return nil
}

// slruMount presents directories under the names that they have in a data directory.
type slruMount struct {
	dirs map[string]fs.FS
	only string // the one file to be seen, when not empty
}

var _ fs.ReadDirFS = (*slruMount)(nil)

// mountSLRU opens the chosen directories. Of pg_multixact both are opened, so that a multixact can
// be read whose offsets were named. alone says that dir is the one chosen, whatever it is called.
func mountSLRU(dir string, chosen []string, alone bool) (*slruMount, func(), error) {
	m := &slruMount{dirs: map[string]fs.FS{}}
	at := map[string]string{chosen[0]: dir}
	parent := filepath.Dir(dir)
	if len(chosen) == 2 {
		parent = dir
	}
	if !alone && filepath.Base(parent) == "pg_multixact" {
		at = map[string]string{pgdisk.OffsetsGeometry().Dir: filepath.Join(parent, "offsets"), pgdisk.MembersGeometry().Dir: filepath.Join(parent, "members")}
	}
	var roots []*os.Root
	closeRoots := func() {
		for _, r := range roots {
			r.Close()
		}
	}
	for name, path := range at {
		root, err := os.OpenRoot(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the survey says so
		}
		if err != nil {
			closeRoots()
			return nil, nil, err
		}
		roots = append(roots, root)
		m.dirs[name] = newPlainFS(root)
	}
	return m, closeRoots, nil
}

func hasLongNames(m *slruMount, dir string) bool {
	entries, _ := fs.ReadDir(m, dir) // unreadable: the survey says so
	return len(entries) == 0 || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return len(e.Name()) == 15 })
}

// has reports whether a directory is presented.
func (m *slruMount) has(dir string) bool { return m.dirs[dir] != nil }

// find returns the directory that holds a name, and the rest of it.
func (m *slruMount) find(op, name string) (fs.FS, string, error) {
	for dir, fsys := range m.dirs {
		if name == dir {
			return fsys, ".", nil
		}
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok && (m.only == "" || rest == m.only) {
			return fsys, rest, nil
		}
	}
	return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

func (m *slruMount) Open(name string) (fs.File, error) {
	fsys, rest, err := m.find("open", name)
	if err != nil {
		return nil, err
	}
	return fsys.Open(rest)
}

func (m *slruMount) ReadDir(name string) ([]fs.DirEntry, error) {
	fsys, rest, err := m.find("readdir", name)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(fsys, rest)
	if m.only != "" {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() != m.only })
	}
	return entries, err
}
