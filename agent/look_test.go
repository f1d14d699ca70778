package agent

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

func mustLook(t *testing.T, pieces ...Piece) LookResult {
	t.Helper()
	res, err := Look(context.Background(), LookRequest{Pieces: pieces}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestLookCluster(t *testing.T) {
	f := cluster(t)
	unchanged(t, f.data)
	res := mustLook(t, f.source()...)
	if len(res.Data) != 1 || len(res.Spaces) != 2 || res.Fingerprint == "" || res.Cut {
		t.Fatalf("%d data directories, %d spaces", len(res.Data), len(res.Spaces))
	}
	d := res.Data[0]
	if d.Piece != "data" || d.Sub != "." || d.Mode != 0o700 || d.UID == 0 {
		t.Errorf("%s %s mode %o uid %d", d.Piece, d.Sub, d.Mode, d.UID)
	}
	c, err := pgdisk.DecodeControl(d.Control)
	if err != nil || c.Major() != f.major {
		t.Errorf("control: %v", err)
	}
	texts := map[Path]string{}
	for _, x := range d.Texts {
		texts[x.Path] = x.Text
	}
	// An immediate stop removes postmaster.pid; the options stay.
	if !strings.Contains(texts["postmaster.opts"], "postgres") {
		t.Errorf("texts %v", texts)
	}
	if len(d.Links) != 1 || d.Links[0] != (Symlink{Path("pg_tblspc/" + f.oid), Path(f.ts)}) {
		t.Errorf("links %v", d.Links)
	}
	for _, s := range d.Dirs {
		if s.State == "missing" {
			t.Errorf("%s is missing", s.Path)
		}
	}
	if d.Lists[0].Dir != "pg_wal" || d.Lists[0].Count == 0 || d.Lists[0].Files[0].Size != 16<<20 {
		t.Errorf("%+v", d.Lists[0])
	}
	if sp := res.Spaces[0]; sp.FSType == "" || sp.FreeBytes <= 0 || sp.Usage.Files < 900 || sp.Usage.Alloc < 20<<20 || sp.Device == 0 {
		t.Errorf("%+v", sp)
	}
}

func TestLookFindsDataDirectoriesAnywhere(t *testing.T) {
	f := cluster(t)
	dir := t.TempDir()
	for _, sub := range []string{"18/docker", "old"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-a", f.data+"/.", filepath.Join(dir, sub)).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	d := filepath.Join(dir, "18/docker")
	err := errors.Join(
		os.Remove(d+"/global/pg_control"), os.RemoveAll(d+"/pg_replslot"), os.RemoveAll(d+"/pg_wal"), os.Symlink("/wal", d+"/pg_wal"),
		os.WriteFile(d+"/postmaster.pid", []byte("1\n/var/lib"), 0o600), os.WriteFile(d+"/backup_label", []byte("START WAL\xff"), 0o600),
		os.Mkdir(d+"/log", 0o700), os.WriteFile(d+"/log/a.log", []byte("old"), 0o600), os.WriteFile(d+"/log/b.log", []byte(strings.Repeat("x", 70000)+"PANIC"), 0o600),
		os.Chtimes(d+"/log/a.log", time.Unix(1, 0), time.Unix(1, 0)))
	if err != nil {
		t.Fatal(err)
	}
	res := mustLook(t, Piece{Name: "data", Path: dir})
	if len(res.Data) != 2 || res.Data[0].Sub != "18/docker" || res.Data[1].Sub != "old" {
		t.Fatalf("%d found", len(res.Data))
	}
	got := res.Data[0]
	if got.NoControl == "" || got.Control != nil {
		t.Error("pg_control is missing and that is not said")
	}
	states := map[Path]string{}
	for _, s := range got.Dirs {
		states[s.Path] = s.State
	}
	if states["pg_replslot"] != "missing" || states["pg_wal"] != "link" || states["pg_twophase"] != "empty" || states["base"] != "ok" {
		t.Errorf("%v", states)
	}
	if len(got.Links) != 2 || got.Links[0].Target != "/wal" {
		t.Errorf("%v", got.Links)
	}
	if got.Log == nil || got.Log.Path != "log/b.log" || len(got.Log.Tail) != 64<<10 || !strings.HasSuffix(got.Log.Tail, "PANIC") {
		t.Errorf("log %+v", got.Log)
	}
	texts := map[Path]Text{}
	for _, x := range got.Texts {
		texts[x.Path] = x
	}
	if texts["postmaster.pid"].Text != "1\n/var/lib" || texts["backup_label"].Text != "START WAL\uFFFD" {
		t.Errorf("%v", texts)
	}
}

func TestLookProbesReflink(t *testing.T) {
	dir := t.TempDir()
	res, err := Look(context.Background(), LookRequest{Pieces: []Piece{{Name: "data", Path: t.TempDir()}}, Probe: []Piece{{Name: "dst", Path: dir}}}, nil)
	if err != nil || len(res.Reflink) != 1 || (!res.Reflink[0].Can && res.Reflink[0].Why == "") {
		t.Errorf("%+v %v", res.Reflink, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("the probe left %v", left)
	}
}

func TestRelationSegment(t *testing.T) {
	data, ts := Part{Role: RoleData, Sub: "."}, Part{Role: "ts-700", Sub: "."}
	for _, c := range []struct {
		part Part
		rel  string
		seg  uint32
		ok   bool
	}{
		{data, "global/1262", 0, true}, {data, "global/1262_vm", 0, true}, {data, "global/pg_control", 0, false},
		{data, "global/pg_filenode.map", 0, false}, {data, "base/5/16384.12", 12, true}, {data, "base/5/16384_fsm.1", 1, true},
		{data, "base/5/16384_init", 0, true}, {data, "base/5/t3_16400", 0, true}, {data, "base/5/t3_16400_vm", 0, true},
		{data, "base/5/PG_VERSION", 0, false}, {data, "base/5/16384.x", 0, false}, {data, "base/5/16384.99999", 0, false},
		{data, "base/pgsql_tmp/5", 0, false}, {data, "pg_xact/0000", 0, false}, {data, "PG_15_202209061/5/16384", 0, false},
		{ts, "PG_15_202209061/5/16384.2", 2, true}, {ts, "base/5/16384", 0, false}, {ts, "PG_15_202209061/pgsql_tmp/1", 0, false},
		{Part{Role: RoleWAL}, "global/1262", 0, false},
	} {
		if seg, ok := relationSegment(c.part, c.rel); seg != c.seg || ok != c.ok {
			t.Errorf("%s %s: %d %v, want %d %v", c.part.Role, c.rel, seg, ok, c.seg, c.ok)
		}
	}
}
