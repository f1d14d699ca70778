// Package truth starts throw-away PostgreSQL servers in containers for tests: what they and
// their programs say is what our readers must say. Only tests import it.
package truth

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Majors are those of which the tests can have an image.
func Majors() []int { return []int{13, 15, 17, 18} }

// Server is a container in which a server of one major can be made and started. Its data
// directory is /tmp/d, its socket in /tmp.
type Server struct {
	Major     int
	Container string
}

// Start starts a container that idles without a network; it goes away with the test.
// Without Docker or without the image the test is skipped.
func Start(t testing.TB, major int) *Server {
	t.Helper()
	image := fmt.Sprintf("postgres:%d", major)
	if out, err := exec.Command("docker", "image", "inspect", "--format", "ok", image).CombinedOutput(); err != nil {
		t.Skipf("SKIP-REASON: no image %s to compare with: %v: %s", image, err, bytes.TrimSpace(out))
	}
	s := &Server{Major: major, Container: fmt.Sprintf("pgrescue-truth-%d-%d-%x", major, os.Getpid(), rand.Uint64())}
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "rm", "--force", "--volumes", s.Container).CombinedOutput(); err != nil {
			t.Errorf("remove %s: %v: %s", s.Container, err, out)
		}
	})
	s.Docker(t, nil, "run", "--detach", "--network", "none", "--shm-size", "256m", "--name", s.Container, "--entrypoint", "sleep", image, "1500")
	return s
}

// Docker runs the docker program and returns its standard output; a failure ends the test.
func (s *Server) Docker(t testing.TB, stdin io.Reader, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("docker", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("docker %s: %v\n%s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// Sh runs a script as the user postgres, with the server's programs in the path and the
// data directory in PGDATA.
func (s *Server) Sh(t testing.TB, script string) string {
	t.Helper()
	env := fmt.Sprintf("export PATH=/usr/lib/postgresql/%d/bin:$PATH PGDATA=/tmp/d PGHOST=/tmp PGUSER=postgres LC_ALL=C; set -e; ", s.Major)
	return s.Docker(t, nil, "exec", "--user", "postgres", s.Container, "sh", "-c", env+script)
}

// SQL runs statements and returns psql's output, a line per row, columns separated by '|'.
func (s *Server) SQL(t testing.TB, db, statements string) string {
	t.Helper()
	return s.Docker(t, strings.NewReader(statements), "exec", "--interactive", "--user", "postgres", s.Container,
		fmt.Sprintf("/usr/lib/postgresql/%d/bin/psql", s.Major), "--host=/tmp", "--no-psqlrc", "--quiet", "--tuples-only",
		"--no-align", "--set=ON_ERROR_STOP=1", "--username=postgres", db)
}

// Files copies a path of the container into a new directory of the test and returns that.
// Symbolic links are left out.
func (s *Server) Files(t testing.TB, path string) string {
	t.Helper()
	dir := t.TempDir()
	archive := s.Docker(t, nil, "cp", s.Container+":"+path, "-")
	for r := tar.NewReader(strings.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := extract(r, h, dir); err != nil {
			t.Fatal(err)
		}
	}
}

// extract writes one entry of what docker cp gives, without the leading directory.
func extract(r io.Reader, h *tar.Header, dir string) error {
	_, rest, _ := strings.Cut(h.Name, "/")
	name := filepath.Join(dir, filepath.FromSlash(rest))
	switch h.Typeflag {
	case tar.TypeDir:
		return os.MkdirAll(name, 0o700)
	case tar.TypeReg:
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		return os.WriteFile(name, b, 0o600)
	}
	return nil
}
