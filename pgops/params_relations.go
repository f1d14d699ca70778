package pgops

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// relationFile is one file of a relation on disk.
type relationFile struct {
	pgdisk.RelFile
	path string
	size int64
}

// relationDirs lists the directories that hold relation files: global, base/*, and those of tablespaces.
func relationDirs(fsys fs.FS) (dirs []string, problems []error) {
	dirs = append(dirs, "global")
	list := func(dir string) []fs.DirEntry {
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
		return entries
	}
	for _, e := range list("base") {
		dirs = append(dirs, "base/"+e.Name())
	}
	for _, space := range list("pg_tblspc") {
		for _, version := range list("pg_tblspc/" + space.Name()) {
			under := "pg_tblspc/" + space.Name() + "/" + version.Name()
			for _, db := range list(under) {
				dirs = append(dirs, under+"/"+db.Name())
			}
		}
	}
	return dirs, problems
}

// walkRelations visits the files of all relations but temporary ones, directory by directory, each in order of
// file number, fork and segment. Directories that cannot be listed are returned as problems.
func walkRelations(ctx context.Context, fsys fs.FS, visit func(relationFile) error) (problems []error, err error) {
	dirs, problems := relationDirs(fsys)
	for _, dir := range dirs {
		files, err := relationFiles(fsys, dir)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		for _, f := range files {
			if err := ctx.Err(); err != nil {
				return problems, err
			}
			if err := visit(f); err != nil {
				return problems, err
			}
		}
	}
	return problems, nil
}

// relationFiles lists one directory. base and the tablespaces hold other things too, which are not directories.
func relationFiles(fsys fs.FS, dir string) ([]relationFile, error) {
	info, err := fs.Stat(fsys, dir)
	if err != nil || !info.IsDir() {
		return nil, err
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var files []relationFile
	for _, e := range entries {
		path := dir + "/" + e.Name()
		r, ok := pgdisk.ParseRelFile(path)
		if !ok || r.Temp || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		files = append(files, relationFile{r, path, info.Size()})
	}
	slices.SortFunc(files, func(a, b relationFile) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Fork, b.Fork), cmp.Compare(a.Segment, b.Segment))
	})
	return files, nil
}
