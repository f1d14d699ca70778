package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// entry is everything of a file that must not change unnoticed.
type entry struct {
	Mode     fs.FileMode
	UID, GID uint32
	Size     int64 // not of directories, whose size is the file system's affair
	MTime    int64 // nanoseconds
	Content  string
}

// manifest describes a tree, by path relative to its root; "." is the root itself.
type manifest map[string]entry

// readManifest reads a whole tree with a walker of the tests' own.
func readManifest(t *testing.T, root string) manifest {
	t.Helper()
	m := manifest{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		m[rel], err = describe(path)
		return err
	})
	if err != nil {
		t.Fatalf("reading %s: %v", root, err)
	}
	if len(m) < 2 {
		t.Fatalf("%s is empty", root)
	}
	return m
}

func describe(path string) (entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return entry{}, err
	}
	st := info.Sys().(*syscall.Stat_t)
	e := entry{Mode: info.Mode(), UID: st.Uid, GID: st.Gid, MTime: info.ModTime().UnixNano()}
	switch {
	case info.Mode().IsRegular():
		e.Size = info.Size()
		e.Content, err = hashFile(path)
	case info.Mode()&fs.ModeSymlink != 0:
		e.Content, err = os.Readlink(path)
	}
	return e, err
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// without drops paths.
func (m manifest) without(paths ...string) manifest {
	out := manifest{}
	for p, e := range m {
		if !slices.Contains(paths, p) {
			out[p] = e
		}
	}
	return out
}

// requireSame fails the test with every difference, a screenful at most.
func requireSame(t *testing.T, what string, want, got manifest) {
	t.Helper()
	var diffs []string
	for p, w := range want {
		if g, ok := got[p]; !ok {
			diffs = append(diffs, p+": gone")
		} else if g != w {
			diffs = append(diffs, fmt.Sprintf("%s: was %+v, is %+v", p, w, g))
		}
	}
	for p := range got {
		if _, ok := want[p]; !ok {
			diffs = append(diffs, p+": new")
		}
	}
	if len(diffs) == 0 {
		return
	}
	slices.Sort(diffs)
	t.Errorf("%s: %d differences", what, len(diffs))
	for _, d := range diffs[:min(len(diffs), 20)] {
		t.Log(d)
	}
}
