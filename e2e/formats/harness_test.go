// Package formats holds what the program reads from the files of a cluster against what
// PostgreSQL's own programs say of the same files. It holds no code of the program.
package formats

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// binary is the program under test, built by TestMain and not written again.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

// testMain builds the program once, as a release is built: static, without the race detector.
func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pgrescue-formats-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "pgrescue")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// result is how a run of the program ended.
type result struct {
	code           int
	stdout, stderr []byte
}

// run runs the program to its end and fails the test unless it ends with the code.
func run(t *testing.T, code int, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), "TERM=dumb", "TZ=UTC")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	r := result{cmd.ProcessState.ExitCode(), stdout.Bytes(), stderr.Bytes()}
	if r.code != code {
		t.Fatalf("pgrescue %s: exit %d, want %d\n%s", strings.Join(args, " "), r.code, code, r.stderr)
	}
	return r
}

// lines gives what was printed, line by line, good until the next.
func (r result) lines(yield func([]byte) bool) {
	s := bufio.NewScanner(bytes.NewReader(r.stdout))
	s.Buffer(nil, 1<<30)
	for s.Scan() {
		if !yield(s.Bytes()) {
			return
		}
	}
}

// decode reads one JSON object and refuses members that v does not know.
func decode(t *testing.T, line []byte, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%v in %.200s", err, line)
	}
}
