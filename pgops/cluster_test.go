package pgops

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestOpenClusterSaysWhatIsThere(t *testing.T) {
	if _, err := OpenCluster(Pieces{Data: fstest.MapFS{"file": {}}}); !errors.Is(err, ErrNotCluster) {
		t.Errorf("err = %v, want ErrNotCluster", err)
	}
	for name, c := range map[string]struct {
		files fstest.MapFS
		state ControlState
		major int
		lock  bool
	}{
		"no pg_control":      {fstest.MapFS{"PG_VERSION": {Data: []byte("17\n")}}, ControlMissing, 17, false},
		"empty pg_control":   {fstest.MapFS{"PG_VERSION": {Data: []byte("13\n")}, "global/pg_control": {}}, ControlDamaged, 13, false},
		"zeroed pg_control":  {fstest.MapFS{"PG_VERSION": {Data: []byte("13\n")}, "global/pg_control": {Data: make([]byte, 8192)}}, ControlDamaged, 13, false},
		"no major":           {fstest.MapFS{"global/pg_control": {Data: make([]byte, 8192)}}, ControlDamaged, 0, false},
		"unknown major":      {fstest.MapFS{"PG_VERSION": {Data: []byte("9.6\n")}}, ControlMissing, 0, false},
		"damaged lock file":  {fstest.MapFS{"PG_VERSION": {Data: []byte("15\n")}, "postmaster.pid": {Data: []byte("??")}}, ControlMissing, 15, true},
		"lock file of a pid": {fstest.MapFS{"PG_VERSION": {Data: []byte("15\n")}, "postmaster.pid": {Data: []byte("1\n/data\n")}}, ControlMissing, 15, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := OpenCluster(Pieces{Data: c.files})
			must(t, err)
			if got.ControlState() != c.state || got.Major != c.major || (got.Lock != nil) != c.lock {
				t.Errorf("control %s, major %d, lock %v", got.ControlState(), got.Major, got.Lock)
			}
		})
	}
}

// A link out of the data directory is followed only into a piece that was given.
func TestPiecesFollowGivenLinks(t *testing.T) {
	dir := t.TempDir()
	data, wal := filepath.Join(dir, "data"), filepath.Join(dir, "wal")
	must(t, os.MkdirAll(filepath.Join(data, "pg_tblspc"), 0o700))
	must(t, os.Mkdir(wal, 0o700))
	must(t, os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("15\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(wal, "x"), nil, 0o600))
	must(t, os.Symlink(wal, filepath.Join(data, "pg_wal")))
	must(t, os.Symlink("/elsewhere", filepath.Join(data, "pg_tblspc", "16400")))
	root, err := os.OpenRoot(data)
	must(t, err)
	defer root.Close()
	c, err := OpenCluster(Pieces{Data: root.FS(), Links: map[string]fs.FS{"pg_wal": os.DirFS(wal)}})
	must(t, err)
	if len(c.Links) != 2 || !c.Links[0].Given || c.Links[0].Target != wal || c.Links[1].Given || c.Links[1].Target != "/elsewhere" {
		t.Errorf("links %+v", c.Links)
	}
	if _, err := fs.Stat(c.FS(), "pg_wal/x"); err != nil {
		t.Error(err)
	}
	entries, err := fs.ReadDir(c.FS(), "pg_wal")
	if err != nil || len(entries) != 1 {
		t.Errorf("pg_wal: %v, %v", entries, err)
	}
	if _, err := fs.ReadDir(c.FS(), "pg_tblspc/16400"); err == nil {
		t.Error("a link that was not given is followed")
	}
}
