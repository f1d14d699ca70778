package agent

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func restoreReq(snap, target []Piece) RestoreRequest {
	return RestoreRequest{Snapshot: snap, Target: target}
}

// ruin does to a cluster what a failed repair might.
func ruin(t *testing.T, dir string) {
	t.Helper()
	err := errors.Join(
		os.WriteFile(dir+"/global/pg_control", make([]byte, 8192), 0o600),
		os.WriteFile(dir+"/pg_wal/new", []byte("x"), 0o600),
		os.MkdirAll(dir+"/base/new/deep", 0o700),
		os.WriteFile(dir+"/base/new/deep/file", nil, 0o600),
		os.RemoveAll(dir+"/pg_xact"),
		os.Chmod(dir+"/PG_VERSION", 0o644),
		os.Chown(dir+"/postgresql.conf", 0, 0),
		os.Truncate(dir+"/base/1/1259", 100),
		os.RemoveAll(dir+"/pg_twophase"),
		os.Symlink("/nowhere", dir+"/pg_twophase"),
		os.Remove(dir+"/pg_hba.conf"),
		os.MkdirAll(dir+"/pg_hba.conf/sub", 0o700),
		unix.Lsetxattr(dir+"/pg_ident.conf", "user.x", []byte("y"), 0),
		os.Chmod(dir, 0o755),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func TestRestoreUndoesEverything(t *testing.T) {
	f := cluster(t)
	target := cloneOf(t, f.source())
	snap := emptyLike(t, target)
	_, records := mustCopy(t, CopyRequest{Source: target, Dest: snap})
	unchanged(t, snap[0].Path)
	unchanged(t, snap[1].Path)
	ruin(t, target[0].Path)

	t.Run("dry run writes nothing", func(t *testing.T) {
		unchanged(t, target[0].Path)
		req := restoreReq(snap, target)
		req.DryRun = true
		res, err := Restore(context.Background(), req, &Stream{Input: RecordsOf(records)})
		if err != nil || res.Count < 12 || res.Restored != 0 || res.Removed != 0 {
			t.Errorf("%+v %v", res, err)
		}
	})
	res, err := Restore(context.Background(), restoreReq(snap, target), &Stream{Input: RecordsOf(records)})
	if err != nil {
		t.Fatal(err)
	}
	if res.Removed != 2 || res.Restored < 8 || res.Restored > 20 {
		t.Errorf("removed %d, restored %d", res.Removed, res.Restored)
	}
	mustEqual(t, target, records)

	t.Run("again finds nothing", func(t *testing.T) {
		unchanged(t, target[0].Path)
		res, err := Restore(context.Background(), restoreReq(snap, target), &Stream{Input: RecordsOf(records)})
		if err != nil || res.Count != 0 || res.Restored != 0 {
			t.Errorf("%+v %v", res, err)
		}
	})
}

// Cut off at any entry, the cluster either cannot be started or is not yet touched, and
// the next run finishes.
func TestRestoreInterrupted(t *testing.T) {
	f := cluster(t)
	target := cloneOf(t, f.source())
	snap := emptyLike(t, target)
	_, records := mustCopy(t, CopyRequest{Source: target, Dest: snap})
	cut := errors.New("cut")
	for _, at := range []string{"pg_xact", "base/1/1259", "pg_hba.conf"} {
		ruin(t, target[0].Path)
		s := &Stream{Input: func(yield func(Record, error) bool) {
			for _, r := range records {
				if string(r.Path) == at {
					yield(Record{}, cut)
					return
				}
				if !yield(r, nil) {
					return
				}
			}
		}}
		if _, err := Restore(context.Background(), restoreReq(snap, target), s); !errors.Is(err, cut) {
			t.Fatalf("%v", err)
		}
		if _, err := os.Lstat(target[0].Path + "/global/pg_control"); err == nil {
			t.Errorf("cut at %s: pg_control is in place of a half-restored cluster", at)
		}
		if _, err := Restore(context.Background(), restoreReq(snap, target), &Stream{Input: RecordsOf(records)}); err != nil {
			t.Fatal(err)
		}
		mustEqual(t, target, records)
	}
}

func TestRestoreOddTree(t *testing.T) {
	src := []Piece{{Name: "data", Path: oddTree(t)}}
	snap := emptyLike(t, src)
	_, records := mustCopy(t, CopyRequest{Source: src, Dest: snap})
	target := cloneOf(t, snap)
	d := target[0].Path
	err := errors.Join(os.Remove(d+"/hard"), os.WriteFile(d+"/base/1/plain", []byte("other"), 0o644), os.Remove(d+"/dangling"),
		os.WriteFile(d+"/sparse", []byte("x"), 0o644), unix.Lremovexattr(d+"/empty", "user.note"), os.Chmod(d+"/suid", 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(context.Background(), restoreReq(snap, target), &Stream{Input: RecordsOf(records)}); err != nil {
		t.Fatal(err)
	}
	var kept []Record
	for _, r := range records {
		if r.copied() {
			kept = append(kept, r)
		}
	}
	mustEqual(t, target, kept)
	var st, hard unix.Stat_t
	if err := errors.Join(unix.Lstat(d+"/base/1/plain", &st), unix.Lstat(d+"/hard", &hard)); err != nil || st.Ino != hard.Ino {
		t.Errorf("hard link is gone: %v", err)
	}
	if err := unix.Lstat(d+"/sparse", &st); err != nil || st.Blocks*512 > 1<<20 {
		t.Errorf("holes are gone: %v, %d bytes allocated", err, st.Blocks*512)
	}
}

func TestRestoreRefusesADamagedSnapshot(t *testing.T) {
	dir := t.TempDir()
	target := []Piece{{Name: "data", Path: dir}}
	write(t, dir+"/a", []byte("content"))
	snap := emptyLike(t, target)
	_, records := mustCopy(t, CopyRequest{Source: target, Dest: snap})
	write(t, snap[0].Path+"/a", []byte("CONTENT"))
	write(t, dir+"/a", []byte("changed"))
	_, err := Restore(context.Background(), restoreReq(snap, target), &Stream{Input: RecordsOf(records)})
	kindIs(t, err, KindMismatch)
	if b, _ := os.ReadFile(dir + "/a"); string(b) != "changed" {
		t.Errorf("the target's file became %q", b)
	}
	if _, err := Restore(context.Background(), restoreReq(snap, target), nil); err == nil {
		t.Error("without records everything would be extra")
	}
}

func TestArchive(t *testing.T) {
	f := cluster(t)
	src := append(f.source(), Piece{Name: "odd", Path: oddTree(t)})
	snap := emptyLike(t, src)
	_, records := mustCopy(t, CopyRequest{Source: src, Dest: snap})
	unchanged(t, snap[0].Path)
	path := filepath.Join(t.TempDir(), "snapshot.tar.zst")
	res, err := Archive(context.Background(), ArchiveRequest{Pieces: snap, Path: path, UID: 12, GID: 34}, &Stream{Input: RecordsOf(records)})
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Size() != res.Size || res.Bytes < 10<<20 || res.Size > res.Bytes/2 {
		t.Errorf("%+v %v", res, err)
	}
	sum, err := exec.Command("sha256sum", path).Output()
	if err != nil || !strings.HasPrefix(string(sum), res.SHA256) {
		t.Errorf("hash %s, %v", sum, err)
	}
	if _, err := Archive(context.Background(), ArchiveRequest{Pieces: snap, Path: path}, &Stream{Input: RecordsOf(records)}); err == nil {
		t.Error("an archive was overwritten")
	}
	// Unpacked by the usual tools, it is the snapshot again.
	out := t.TempDir()
	cmd := exec.Command("bash", "-c", `set -o pipefail; zstd -dc "$1" | tar -x --delay-directory-restore --xattrs --xattrs-include='*' --numeric-owner -p -C "$2"`, "-", path, out)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	var kept []Record
	unpacked := make([]Piece, len(src))
	for i, p := range src {
		unpacked[i] = Piece{Name: p.Name, Path: filepath.Join(out, p.Name)}
	}
	for _, r := range records {
		if r.copied() {
			kept = append(kept, r)
		}
	}
	diff, err := Compare(context.Background(), CompareRequest{Pieces: unpacked, IgnoreXattrs: true}, &Stream{Input: RecordsOf(kept)})
	if err != nil || !diff.Equal {
		t.Errorf("%v %+v", err, diff.Diffs)
	}
	value := make([]byte, 3)
	if n, err := unix.Lgetxattr(out+"/odd/empty", "user.note", value); err != nil || !bytes.Equal(value[:n], []byte{0, 1, 2}) {
		t.Errorf("extended attribute %v %v", value, err)
	}
}

func TestArchiveRefusesADamagedSnapshot(t *testing.T) {
	src := []Piece{{Name: "data", Path: t.TempDir()}}
	write(t, src[0].Path+"/a", []byte("content"))
	snap := emptyLike(t, src)
	_, records := mustCopy(t, CopyRequest{Source: src, Dest: snap})
	for _, damaged := range []string{"CONTENT", "short", "longer than before"} {
		write(t, snap[0].Path+"/a", []byte(damaged))
		path := filepath.Join(t.TempDir(), "a.tar.zst")
		_, err := Archive(context.Background(), ArchiveRequest{Pieces: snap, Path: path}, &Stream{Input: RecordsOf(records)})
		if e := kindIs(t, err, KindMismatch); !strings.Contains(e.Message, "snapshot's a") {
			t.Errorf("blames the wrong one: %v", err)
		}
		if left, _ := filepath.Glob(path + "*"); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}
