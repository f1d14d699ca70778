package pgdisk

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/internal/truth"
)

// With -control-fixtures, the truth tests write testdata anew from the images'
// servers. PGDISK_CLUSTERS adds data directories of majors that have no image:
// 14=/path/to/data,16=/path/to/data.
var writeControlFixtures = flag.Bool("control-fixtures", false, "write testdata from real servers")

// writeFixtures stores control files with what pg_controldata says of them.
func writeFixtures(t *testing.T, tr *truth.Server, files [][]byte) {
	t.Helper()
	names := []string{fmt.Sprintf("pg%d", tr.Major), fmt.Sprintf("pg%d-running", tr.Major)}
	if tr.Major == 15 { // its pg_controldata reads the layout of 13 to 16
		for spec := range strings.SplitSeq(os.Getenv("PGDISK_CLUSTERS"), ",") {
			major, dir, ok := strings.Cut(spec, "=")
			if !ok {
				continue
			}
			b, err := os.ReadFile(filepath.Join(dir, "global", "pg_control"))
			if err != nil {
				t.Fatal(err)
			}
			names, files = append(names, "pg"+major), append(files, b)
		}
	}
	texts := controldata(t, tr, "UTC0", files...)
	for i, name := range names {
		name = filepath.Join("testdata", "control", name)
		if err := os.WriteFile(name+".bin", files[i], 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name+".txt", []byte(texts[i]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// writeDatabaseFixture stores the global map and pg_database.
func writeDatabaseFixture(t *testing.T, root string, major int) {
	t.Helper()
	dirs := map[string]string{fmt.Sprint(major): root}
	if major == 15 {
		for spec := range strings.SplitSeq(os.Getenv("PGDISK_CLUSTERS"), ",") {
			if m, dir, ok := strings.Cut(spec, "="); ok && m != "12" {
				dirs[m] = dir
			}
		}
	}
	for m, dir := range dirs {
		path, err := databaseFile(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		for from, to := range map[string]string{"global/" + RelMapName: ".map", path: ".bin"} {
			b, err := os.ReadFile(filepath.Join(dir, from))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile("testdata/database/pg"+m+to, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
