package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// within fails the test instead of waiting for a writer who never comes.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s hangs", what)
	}
}

func TestPlainFS(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{os.Mkdir(filepath.Join(dir, "d"), 0o700), os.WriteFile(filepath.Join(dir, "d", "f"), []byte("x"), 0o600), os.WriteFile(filepath.Join(dir, "g"), nil, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	fsys := newPlainFS(root)
	if err := fstest.TestFS(fsys, "d/f", "g"); err != nil {
		t.Error(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "p"), 0o600); err != nil {
		t.Fatal(err)
	}
	within(t, "a named pipe", func() {
		_, opened := fs.ReadFile(fsys, "p")
		_, listed := fs.ReadDir(fsys, "p")
		if !errors.Is(opened, errNotPlain) || !errors.Is(listed, errNotPlain) {
			t.Errorf("got %v and %v", opened, listed)
		}
	})
	if entries, err := fs.ReadDir(fsys, "."); err != nil || !slices.IsSortedFunc(entries, func(a, b fs.DirEntry) int { return map[bool]int{true: -1}[a.Name() < b.Name()] }) {
		t.Errorf("%v, %v", entries, err)
	}
}

// Named pipes where files of a data directory should be hold no reader.
func TestPipesInDataDirectory(t *testing.T) {
	for _, pipe := range []string{"global/pg_control", "PG_VERSION", "pg_xact/0000", "base/5/16384", "pg_wal/000000010000000000000001"} {
		dir := t.TempDir()
		for _, sub := range []string{"global", "pg_xact", "base/5", "pg_wal", "pg_tblspc"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if pipe != "PG_VERSION" {
			if err := os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte("17\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := syscall.Mkfifo(filepath.Join(dir, pipe), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"control", dir}, {"control", filepath.Join(dir, "global/pg_control")}, {"slru", dir}, {"slru", "--xid", "700", dir}, {"wal", dir},
			{"page", "--check", dir}, {"page", filepath.Join(dir, "base/5/16384")}, {"relation", filepath.Join(dir, "base/5/16384")},
		} {
			within(t, pipe+" for inspect "+args[0], func() {
				var out, errs bytes.Buffer
				if code := run(append([]string{"inspect"}, args...), os.Stdin, &out, &errs); code != 1 && code != 2 && code != 3 && code != 0 {
					t.Errorf("%s: inspect %v: exit code %d\n%s", pipe, args, code, errs.String())
				}
			})
		}
	}
}
