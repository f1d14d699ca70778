package agent

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// A server in a crash loop makes and removes files while triage looks.
func TestWalkLivePassesOverWhatVanishes(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "z"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trees, err := openTrees([]Piece{{Name: "data", Path: dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer closeTrees(trees)
	vanish := func(walk func(context.Context, []*tree, []start, func(entry) error) error) (seen []string, err error) {
		err = walk(t.Context(), trees, nil, func(e entry) error {
			seen = append(seen, e.path)
			if e.path == "a" {
				return os.Remove(filepath.Join(dir, "b"))
			}
			return nil
		})
		return seen, err
	}
	seen, err := vanish(walkLive)
	if err != nil || len(seen) != 3 {
		t.Errorf("live walk: %v, %v; want the root, a and z", seen, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vanish(walkTrees); KindOf(err) != KindChanged {
		t.Errorf("a walk for a copy: %v, want it refused as changed", err)
	}
}
