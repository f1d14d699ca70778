package agent

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestCompareFindsEveryDifference(t *testing.T) {
	dir := t.TempDir()
	src := []Piece{{Name: "data", Path: dir}}
	reset := func() []Record {
		os.RemoveAll(dir)
		write(t, dir+"/d/a", []byte("content"))
		write(t, dir+"/d/b", []byte("content"))
		if err := os.Symlink("a", dir+"/d/l"); err != nil {
			t.Fatal(err)
		}
		_, records := mustCopy(t, CopyRequest{Source: src, Dest: emptyLike(t, src)})
		return records
	}
	hold := func(path string, f func() error) error { // change something, keep the times
		fi, err := os.Lstat(path)
		if err != nil {
			return err
		}
		return errors.Join(f(), os.Chtimes(path, fi.ModTime(), fi.ModTime()))
	}
	for what, change := range map[string]func() error{
		"missing": func() error { return hold(dir+"/d", func() error { return os.Remove(dir + "/d/a") }) },
		"extra":   func() error { return hold(dir+"/d", func() error { return os.WriteFile(dir+"/d/c", nil, 0o600) }) },
		"content": func() error {
			return hold(dir+"/d/a", func() error { return os.WriteFile(dir+"/d/a", []byte("CONTENT"), 0) })
		},
		"size":   func() error { return hold(dir+"/d/a", func() error { return os.Truncate(dir+"/d/a", 3) }) },
		"mode":   func() error { return os.Chmod(dir+"/d/a", 0o601) },
		"owner":  func() error { return os.Chown(dir+"/d/a", 7, 7) },
		"mtime":  func() error { return os.Chtimes(dir+"/d/a", time.Now(), time.Now()) },
		"xattrs": func() error { return unix.Lsetxattr(dir+"/d/a", "user.x", []byte("y"), 0) },
		"link":   func() error { return hold(dir+"/d", func() error { return relink(dir+"/d/l", "b") }) },
		"type":   func() error { return hold(dir+"/d", func() error { return relink(dir+"/d/b", "a") }) },
		"":       func() error { return nil },
	} {
		t.Run("differs in "+what, func(t *testing.T) {
			records := reset()
			if err := change(); err != nil {
				t.Fatal(err)
			}
			res, err := Compare(context.Background(), CompareRequest{Pieces: src}, &Stream{Input: RecordsOf(records)})
			if err != nil {
				t.Fatal(err)
			}
			if res.Equal != (what == "") || res.Equal != (res.Count == 0) {
				t.Errorf("equal %v, %d differences", res.Equal, res.Count)
			}
			found := what == ""
			for _, d := range res.Diffs {
				found = found || d.What == what
			}
			if !found {
				t.Errorf("differences %+v", res.Diffs)
			}
		})
	}
}

// relink replaces a path by a link with the times that Lstat saw before, if it was one.
func relink(path, target string) error {
	fi, err := os.Lstat(path)
	if err != nil {
		return err
	}
	ts := unix.NsecToTimespec(fi.ModTime().UnixNano())
	return errors.Join(os.Remove(path), os.Symlink(target, path),
		unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW))
}

func TestCompareByFingerprint(t *testing.T) {
	dir := t.TempDir()
	src := []Piece{{Name: "data", Path: dir}}
	write(t, dir+"/a", []byte("content"))
	res, records := mustCopy(t, CopyRequest{Source: src, Dest: emptyLike(t, src)})
	req := CompareRequest{Pieces: src, Fingerprint: res.Fingerprint}
	got, err := Compare(context.Background(), req, &Stream{Input: RecordsOf(records)})
	if err != nil || !got.Equal || got.Method != "fingerprint" {
		t.Errorf("%+v %v", got, err)
	}
	write(t, dir+"/a", []byte("CONTENT"))
	got, err = Compare(context.Background(), req, &Stream{Input: RecordsOf(records)})
	if err != nil || got.Equal || got.Method != "content" {
		t.Errorf("%+v %v", got, err)
	}
}

func TestCompareBoundsItsList(t *testing.T) {
	dir := t.TempDir()
	for i := range 30 {
		write(t, dir+"/f"+string(rune('a'+i)), nil)
	}
	res, err := Compare(context.Background(), CompareRequest{Pieces: []Piece{{Name: "data", Path: dir}}, Max: 5}, nil)
	if err != nil || res.Count != 31 || len(res.Diffs) != 5 {
		t.Errorf("%d differences, %d listed, %v", res.Count, len(res.Diffs), err)
	}
}

func TestCompareRefusesRecordsFromElsewhere(t *testing.T) {
	src := []Piece{{Name: "data", Path: t.TempDir()}}
	for _, r := range []Record{{Piece: "data", Path: "../etc/passwd", Type: TypeFile}, {Piece: "other", Path: "a", Type: TypeFile}} {
		_, err := Compare(context.Background(), CompareRequest{Pieces: src}, &Stream{Input: RecordsOf([]Record{r})})
		kindIs(t, err, KindBadRequest)
	}
}
