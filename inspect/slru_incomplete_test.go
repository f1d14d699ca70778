package inspect

import (
	"bytes"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
)

// A listing from which a file is missing says so and is a finding, also where no pg_control tells
// what there has to be.
func TestSLRUListingIncomplete(t *testing.T) {
	tests := []struct {
		name   string
		change func(fstest.MapFS)
		want   string
	}{
		{"not a file", func(f fstest.MapFS) { f["pg_xact/0000"] = &fstest.MapFile{Mode: fs.ModeNamedPipe} }, "FINDING 0000: not a regular file"},
		{"no file", func(f fstest.MapFS) {
			delete(f, "pg_xact/0000")
			f["pg_xact"] = &fstest.MapFile{Mode: fs.ModeDir}
		}, "FINDING no files"},
		{"no directory", func(f fstest.MapFS) {
			maps.DeleteFunc(f, func(name string, _ *fstest.MapFile) bool { return strings.HasPrefix(name, "pg_xact") })
		}, "FINDING the directory is missing"},
		{"cut", func(f fstest.MapFS) { f["pg_xact/0000"].Data = f["pg_xact/0000"].Data[:5000] }, "FINDING 0000 has 5000 bytes"},
	}
	for _, tt := range tests {
		for _, control := range []bool{true, false} {
			fsys, c := slruCluster()
			tt.change(fsys)
			src := slruSource(fsys, c)
			if !control {
				src.Control = nil
			}
			src.Dirs = src.Dirs[:1]
			var counts, dump, object bytes.Buffer
			n, err := SLRUCounts(t.Context(), src, false, &counts)
			if err != nil || n == 0 || n != strings.Count(counts.String(), "FINDING") || !strings.Contains(counts.String(), tt.want) {
				t.Errorf("%s, control %t: counts: %d findings, %v\n%s", tt.name, control, n, err, &counts)
			}
			m, err := SLRUDump(t.Context(), src, false, &dump)
			if err != nil || m != n || !strings.Contains(dump.String(), tt.want) {
				t.Errorf("%s, control %t: dump: %d findings, %v\n%s", tt.name, control, m, err, &dump)
			}
			if _, err := SLRUCounts(t.Context(), src, true, &object); err != nil || !strings.Contains(object.String(), `{"finding":"`+strings.TrimPrefix(tt.want, "FINDING ")) {
				t.Errorf("%s, control %t: %v\n%s", tt.name, control, err, &object)
			}
		}
	}
	fsys, c := slruCluster()
	var out bytes.Buffer
	if n, err := SLRUCounts(t.Context(), slruSource(fsys, c), false, &out); n != 0 || err != nil {
		t.Errorf("%d findings in a sound directory, %v\n%s", n, err, &out)
	}
}
