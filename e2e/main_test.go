// Package e2e tests the whole binary: real Docker, real PostgreSQL, nothing mocked. It
// holds no code of the program. Each test works on objects whose names begin with "e2e-"
// and removes them, and everything that the incidents it started have made.
//
// The tests read volumes by their path on this host, so they need root and a daemon on the
// same machine.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the program under test, built by TestMain and not written again.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

// testMain builds the program as a release is built: static, without the race detector.
func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pgrescue-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "pgrescue")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
