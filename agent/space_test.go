package agent

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// small mounts a tmpfs with options.
func small(t *testing.T, options string) []Piece {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIP-REASON: needs root to mount a small file system")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return []Piece{{Name: "data", Path: dir}}
}

func sourceOf(t *testing.T, files, size int) []Piece {
	t.Helper()
	dir := t.TempDir()
	for i := range files {
		b := make([]byte, size)
		b[0] = 1
		write(t, fmt.Sprintf("%s/f%05d", dir, i), b)
	}
	return []Piece{{Name: "data", Path: dir}}
}

func mustStayEmpty(t *testing.T, p Piece) {
	t.Helper()
	if left, err := os.ReadDir(p.Path); err != nil || len(left) != 0 {
		t.Errorf("left behind %v, %v", left, err)
	}
}

func TestCopyRefusesEarlyWithoutSpace(t *testing.T) {
	src := sourceOf(t, 10, 1<<20)
	for name, c := range map[string]struct {
		options  string
		headroom int64
		want     Kind
	}{
		"too small":      {"size=8m", 0, KindNoSpace},
		"no headroom":    {"size=16m", 8 << 20, KindNoSpace},
		"too few inodes": {"size=32m,nr_inodes=8", 0, KindNoInodes},
		"enough":         {"size=16m,nr_inodes=40", 4 << 20, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dst := small(t, c.options)
			_, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst, Headroom: c.headroom}, nil)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e := kindIs(t, err, c.want); e.Hint == "" {
				t.Error("no hint")
			}
			mustStayEmpty(t, dst[0])
		})
	}
}

// Space that goes away after the check is told as what it is, and what was copied is
// used when there is space again.
func TestCopyOutOfSpaceMidway(t *testing.T) {
	src := sourceOf(t, 12, 1<<20)
	dst := small(t, "size=16m")
	var first collect
	var hold sync.Mutex // the other worker waits behind its next file, so that files are left to fail
	x := seams{afterFile: func(path string) {
		hold.Lock()
		defer hold.Unlock()
		if path == "f00003" {
			// What the other worker is writing meanwhile may keep the ballast from fitting whole.
			_ = os.WriteFile(dst[0].Path+"/ballast", make([]byte, 16<<20), 0o600)
		}
	}}
	_, err := copyWith(context.Background(), CopyRequest{Source: src, Dest: dst}, first.stream(nil), x)
	if e := kindIs(t, err, KindNoSpace); e.Hint == "" {
		t.Error("no hint")
	}
	if err := os.Remove(dst[0].Path + "/ballast"); err != nil {
		t.Fatal(err)
	}
	var second collect
	res, err := Copy(context.Background(), CopyRequest{Source: src, Dest: dst, Resume: true}, second.stream(RecordsOf(first.records)))
	if err != nil || res.Reused < 3 {
		t.Errorf("reused %d, %v", res.Reused, err)
	}
	mustEqual(t, dst, second.records)
}
