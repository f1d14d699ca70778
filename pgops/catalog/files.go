package catalog

import (
	"cmp"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// File is a file of a relation.
type File struct {
	pgdisk.RelFile
	Size int64 // bytes
}

// keyOf is what the files of one relation have in common.
func keyOf(f pgdisk.RelFile) pgdisk.RelFile {
	return pgdisk.RelFile{Tablespace: f.Tablespace, Number: f.Number, Temp: f.Temp, Backend: f.Backend}
}

// tempBackend reads the session's number from the schema of a temporary relation, which its
// files have in their names (GetTempNamespaceProcNumber, catalog/namespace.c).
func tempBackend(schema string) (uint32, bool) {
	name, ok := strings.CutPrefix(schema, "pg_temp_")
	if !ok {
		name, ok = strings.CutPrefix(schema, "pg_toast_temp_")
	}
	n, err := strconv.ParseUint(name, 10, 32)
	return uint32(n), ok && err == nil
}

// listFiles lists the files of relations in a directory, in order of number, fork and segment.
func listFiles(fsys fs.FS, dir string) ([]File, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		r, ok := pgdisk.ParseRelFile(dir + "/" + e.Name())
		if !ok || !e.Type().IsRegular() {
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
