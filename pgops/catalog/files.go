package catalog

import (
	"cmp"
	"io/fs"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// File is a file of a relation.
type File struct {
	pgdisk.RelFile
	Size int64 // bytes
}

// fileKey is what the files of one relation have in common.
type fileKey struct {
	tablespace pgdisk.OID
	number     pgdisk.RelFileNumber
}

// listFiles lists the files of relations in a directory, in order of number, fork and
// segment. Those of temporary tables are left out: their content ended with the session.
func listFiles(fsys fs.FS, dir string) ([]File, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		r, ok := pgdisk.ParseRelFile(dir + "/" + e.Name())
		if !ok || r.Temp || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		files = append(files, File{RelFile: r, Size: info.Size()})
	}
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Fork, b.Fork), cmp.Compare(a.Segment, b.Segment))
	})
	return files, nil
}
