package inspect

import (
	"bytes"
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// What lies under the name of a relation's file and is not read is not passed over in silence.
func TestPageCheckOdd(t *testing.T) {
	for name, mode := range map[string]fs.FileMode{"pipe": fs.ModeNamedPipe, "directory": fs.ModeDir, "link": fs.ModeSymlink} {
		tree, _, _ := checkTree()
		tree["base/5/16384"] = &fstest.MapFile{Mode: mode}
		var out bytes.Buffer
		sum, err := PageCheck(context.Background(), PageCheckSource{FS: tree, VersionDir: "PG_15_202209061", Checksums: ChecksumsOn, SegBlocks: 4}, false, &out)
		if err != nil || sum.Bad != 1 || sum.Files != 7 || !strings.HasPrefix(out.String(), "base/5/16384 block 0: not a regular file: it was not read\n") {
			t.Errorf("%s: %+v, %v\n%s", name, sum, err, &out)
		}
	}
	tree, _, _ := checkTree()
	tree["base/5/16384.4000000000"] = &fstest.MapFile{Data: heapFile(0, 1)}
	var out bytes.Buffer
	sum, err := PageCheck(context.Background(), PageCheckSource{FS: tree, VersionDir: "PG_15_202209061", SegBlocks: 4}, false, &out)
	if err != nil || sum.Bad != 1 || !strings.Contains(out.String(), "base/5/16384.4000000000 block 0: no relation can be that long") {
		t.Errorf("%+v, %v\n%s", sum, err, &out)
	}
	tree, _, _ = checkTree()
	tree["base/6"] = &fstest.MapFile{Data: []byte("a database was here")}
	if _, err := PageCheck(context.Background(), PageCheckSource{FS: tree, VersionDir: "PG_15_202209061"}, false, &out); err == nil || !strings.Contains(err.Error(), "base/6 is a file") {
		t.Errorf("a file in place of a database: %v", err)
	}
}
