package pgdisk

import (
	"fmt"
	"os"
	"testing"
)

func TestA1Dev(t *testing.T) {
	for _, m := range []int{13, 15, 17, 18} {
		t.Run(fmt.Sprint(m), func(t *testing.T) {
			if os.Getenv("A1DEV") == "" {
				t.Skip("SKIP-REASON: development")
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(fmt.Sprintf("/tmp/a1/%d", m))); err != nil {
				t.Fatal(err)
			}
			compareWALTruth(t, m, dir)
		})
	}
}
