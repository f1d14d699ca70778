package agent

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a", []byte("0123456789"))
	write(t, dir+"/d/\xff", nil)
	if err := os.Symlink("/etc/passwd", dir+"/out"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", dir+"/d/up"); err != nil {
		t.Fatal(err)
	}
	item := func(path Path, what string, off, n int64) ReadItem {
		return ReadItem{Piece: "data", Path: path, What: what, Off: off, Len: n}
	}
	res, err := Read(context.Background(), ReadRequest{Pieces: []Piece{{Name: "data", Path: dir}}, Items: []ReadItem{
		item("a", ReadRange, 3, 4), item("a", ReadRange, 8, 100), item("a", ReadRange, 99, 1), item("d", ReadList, 0, 0),
		item("out", ReadRange, 0, 10), item("out", ReadStat, 0, 0), item("none", ReadStat, 0, 0), item("../x", ReadStat, 0, 0), item("a", "smell", 0, 0),
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := res.Items
	if string(got[0].Data) != "3456" || string(got[1].Data) != "89" || len(got[2].Data) != 0 || got[2].Err != nil {
		t.Errorf("ranges %q %q %q", got[0].Data, got[1].Data, got[2].Data)
	}
	if len(got[3].Entries) != 2 || got[3].Entries[1].Path != "d/\xff" || got[3].Entries[0].Target != ".." {
		t.Errorf("entries %+v", got[3].Entries)
	}
	if got[4].Err == nil || got[4].Data != nil {
		t.Errorf("a link was followed: %q", got[4].Data)
	}
	if got[5].Stat == nil || got[5].Stat.Target != "/etc/passwd" {
		t.Errorf("%+v", got[5])
	}
	for i, want := range map[int]Kind{6: KindNotFound, 7: KindBadRequest, 8: KindBadRequest} {
		if got[i].Err == nil || got[i].Err.Kind != want {
			t.Errorf("item %d: %v, want %s", i, got[i].Err, want)
		}
	}
	_, err = Read(context.Background(), ReadRequest{Pieces: []Piece{{Name: "data", Path: dir}}, Items: []ReadItem{item("a", ReadRange, 0, 1<<40)}}, nil)
	kindIs(t, err, KindBadRequest)
}

func TestPrepare(t *testing.T) {
	lower, scratch := t.TempDir(), t.TempDir()
	for _, err := range []error{os.Chown(lower, 999, 998), os.Chmod(lower, 0o750), unix.Lsetxattr(lower, "user.x", []byte("y"), 0)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	req := PrepareRequest{Pieces: []Piece{{Name: "lower", Path: lower}, {Name: "scratch", Path: scratch}}, Items: []PrepareItem{
		{Piece: "scratch", Path: "data", Type: TypeDir, Mode: 0o711},
		{Piece: "scratch", Path: "data/upper", Type: TypeDir, Like: &Place{"lower", "."}},
		{Piece: "scratch", Path: "data/work", Type: TypeDir, Like: &Place{"lower", "."}},
		{Piece: "scratch", Path: "run", Type: TypeDir, UID: 999, GID: 998, Mode: 0o700},
		{Piece: "scratch", Path: "run/postgresql.conf", Type: TypeFile, UID: 999, GID: 998, Mode: 0o600, Content: []byte("a = 1\n")},
		{Piece: "scratch", Path: "data/upper/link", Type: TypeLink, Target: "/x", UID: 999, GID: 998},
	}}
	for range 2 { // twice is the same as once
		if res, err := Prepare(context.Background(), req, nil); err != nil || res.Made != 6 {
			t.Fatalf("%+v %v", res, err)
		}
	}
	root := mustRoot(t, scratch)
	for path, want := range map[string]stat{
		"data/upper":          {typ: TypeDir, uid: 999, gid: 998, mode: 0o750},
		"data/work":           {typ: TypeDir, uid: 999, gid: 998, mode: 0o750},
		"run":                 {typ: TypeDir, uid: 999, gid: 998, mode: 0o700},
		"run/postgresql.conf": {typ: TypeFile, uid: 999, gid: 998, mode: 0o600},
		"data/upper/link":     {typ: TypeLink, uid: 999, gid: 998, mode: 0o777},
	} {
		e := look(&tree{}, root, path, path)
		if e.err != nil || e.stat.typ != want.typ || e.stat.uid != want.uid || e.stat.gid != want.gid || e.stat.mode != want.mode {
			t.Errorf("%s: %+v %v", path, e.stat, e.err)
		}
	}
	b := make([]byte, 1)
	if n, err := unix.Lgetxattr(scratch+"/data/upper", "user.x", b); err != nil || n != 1 {
		t.Errorf("attribute of the lower directory: %v", err)
	}
	if b, err := os.ReadFile(scratch + "/run/postgresql.conf"); err != nil || string(b) != "a = 1\n" {
		t.Errorf("%q %v", b, err)
	}
	// What was prepared mounts.
	m := t.TempDir()
	out, err := exec.Command("mount", "-t", "overlay", "overlay", "-o", "lowerdir="+lower+",upperdir="+scratch+"/data/upper,workdir="+scratch+"/data/work", m).CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	defer func() {
		if err := unix.Unmount(m, 0); err != nil {
			t.Error(err)
		}
	}()
	var st unix.Stat_t
	if err := unix.Stat(m, &st); err != nil || st.Mode&0o7777 != 0o750 || st.Uid != 999 {
		t.Errorf("mounted: %v mode %o owner %d", err, st.Mode, st.Uid)
	}
}

func TestPrepareRefuses(t *testing.T) {
	scratch := []Piece{{Name: "scratch", Path: t.TempDir()}}
	for name, it := range map[string]PrepareItem{
		"outside":       {Piece: "scratch", Path: "../x", Type: TypeDir},
		"unknown piece": {Piece: "other", Path: "x", Type: TypeDir},
		"device":        {Piece: "scratch", Path: "x", Type: TypeDevice},
	} {
		if _, err := Prepare(context.Background(), PrepareRequest{Pieces: scratch, Items: []PrepareItem{it}}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
