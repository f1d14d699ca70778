package pgops

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// server is a real PostgreSQL in a container without network, whose data directory the test reads
// through the mount.
type server struct {
	t         *testing.T
	image     string
	container string
	dir       string // on this machine
	data      string // data directory on this machine
	links     map[string]fs.FS
}

// serverImages are the majors that are tested.
var serverImages = []string{"postgres:13", "postgres:15", "postgres:17", "postgres:18"}

var serverCount atomic.Int32

// onServers runs a test once per major.
func onServers(t *testing.T, images []string, test func(t *testing.T, image string)) {
	t.Parallel()
	for _, image := range images {
		t.Run(strings.ReplaceAll(image, ":", ""), func(t *testing.T) {
			t.Parallel()
			if out, err := exec.Command("docker", "image", "inspect", "-f", "{{.Id}}", image).CombinedOutput(); err != nil {
				t.Skipf("SKIP-REASON: image %s is not there: %s", image, out)
			}
			test(t, image)
		})
	}
}

// newServer makes a container and a cluster in it, not started.
func newServer(t *testing.T, image string, initdb ...string) *server {
	t.Helper()
	s := &server{t: t, image: image, dir: t.TempDir()}
	s.container = fmt.Sprintf("pgopsmx-%d-%d", os.Getpid(), serverCount.Add(1))
	must(t, os.Chmod(s.dir, 0o777))
	out, err := exec.Command("docker", "run", "-d", "--rm", "--name", s.container, "--network", "none", "-v", s.dir+":/work",
		"--entrypoint", "sleep", image, "600").CombinedOutput()
	if err != nil {
		t.Fatalf("docker run: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "rm", "-f", s.container).CombinedOutput(); err != nil {
			t.Errorf("docker rm: %v: %s", err, out)
		}
	})
	s.data = filepath.Join(s.dir, "data")
	s.sh("initdb -D /work/data -U postgres -A trust --no-sync " + strings.Join(initdb, " "))
	s.configure()
	return s
}

func (s *server) configure() {
	s.sh(`mkdir -p /work/sock && cat >> /work/data/postgresql.conf <<'X'
listen_addresses = ''
unix_socket_directories = '/work/sock'
fsync = off
autovacuum = off
full_page_writes = off
max_wal_size = 2GB
wal_recycle = off
wal_init_zero = off
logging_collector = off
bgwriter_lru_maxpages = 0
shared_buffers = 32MB
X`)
}

// try runs a shell script as the owner of the data.
func (s *server) try(script string) (string, error) {
	out, err := exec.Command("docker", "exec", "-u", "postgres", "-e", "LC_ALL=C", "-e", "PGHOST=/work/sock", "-e", "PGUSER=postgres", s.container,
		"timeout", "-s", "KILL", "60", "bash", "-c", script).CombinedOutput()
	return string(out), err
}

func (s *server) sh(script string) string {
	s.t.Helper()
	out, err := s.try(script)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.t.Fatalf("%s: %v\n%s\nserver log:\n%s", script, err, out, tail(string(log), 3000))
	}
	return out
}

func (s *server) start() { s.t.Helper(); s.sh("pg_ctl -D /work/data -l /work/log -w -t 30 start") }
func (s *server) stop(mode string) {
	s.t.Helper()
	s.sh("pg_ctl -D /work/data -m " + mode + " -w stop")
}

// crash stops at once and removes the lock file, as the step before a reset does.
func (s *server) crash() {
	s.t.Helper()
	s.stop("immediate")
	s.sh("rm -f /work/data/postmaster.pid")
}

// query returns what psql prints, unaligned.
func (s *server) query(sql string) string {
	s.t.Helper()
	return strings.TrimSpace(s.sh("psql -X -q -At -v ON_ERROR_STOP=1 -d postgres <<'SQL'\nset statement_timeout = '10s';\n" + sql + "\nSQL"))
}

// number is query for one number.
func (s *server) number(sql string) int {
	s.t.Helper()
	n, err := strconv.Atoi(s.query(sql))
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// copyTo keeps the data directory as it is now under another name.
func (s *server) copyTo(name string) { s.t.Helper(); s.sh("cp -a /work/data /work/" + name) }

// useCopy puts a kept directory in place, by copying it again.
func (s *server) useCopy(name string) {
	s.t.Helper()
	s.sh("rm -rf /work/data && cp -a /work/" + name + " /work/data")
}

func (s *server) pieces() Pieces { return Pieces{Data: os.DirFS(s.data), Links: s.links} }

// tool asks the image's pg_resetwal what it can do.
func (s *server) tool() ResetTool {
	s.t.Helper()
	tool, err := ParseResetTool(s.sh("pg_resetwal --version"), s.sh("pg_resetwal --help"))
	must(s.t, err)
	return tool
}

// run runs a plan's command.
func (s *server) run(argv []string) string {
	s.t.Helper()
	quoted := make([]string, len(argv))
	for i, a := range argv {
		quoted[i] = "'" + a + "'"
	}
	return s.sh(strings.Join(quoted, " "))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
