package drop

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/pgrescue/pgrescue/demo"
)

// docker runs the docker client and fails the test when it fails.
func docker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// template is a broken cluster that stands still; tests work on copies of it.
type template struct {
	once  sync.Once
	name  string
	mount string // where the image wants the volume
	truth []demo.TableCount
	err   error
}

// templates hold one cluster for each major used here.
var templates = map[int]*template{13: {}, 15: {}, 18: {}}

func (tp *template) make(major int) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cli, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		tp.err = err
		return
	}
	defer cli.Close()
	tp.name = fmt.Sprintf("%s-template-%d", prefix, major)
	broken, err := demo.Break(ctx, cli, demo.Options{Name: tp.name, Major: major, Rows: demo.MinRows})
	if err != nil {
		tp.err = err
		return
	}
	tp.truth = broken.Truth
	c, err := cli.ContainerInspect(ctx, tp.name)
	if err != nil {
		tp.err = err
		return
	}
	tp.mount = c.Mounts[0].Destination
	if out, err := exec.Command("docker", "update", "--restart=no", tp.name).CombinedOutput(); err != nil {
		tp.err = fmt.Errorf("%w: %s", err, out)
		return
	}
	if out, err := exec.Command("docker", "stop", "-t", "0", tp.name).CombinedOutput(); err != nil {
		tp.err = fmt.Errorf("%w: %s", err, out)
	}
}

// cluster is a broken database of a test's own, in its restart loop.
type cluster struct {
	name, volume string
	major        int
}

var clusters atomic.Int64

// newCluster copies the template of the major, adds ballast and starts the crash loop.
func newCluster(t testing.TB, major, ballastMB int) cluster {
	t.Helper()
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skipf("SKIP-REASON: no docker client: %v", err)
	}
	tp := templates[major]
	tp.once.Do(func() { tp.make(major) })
	if tp.err != nil {
		t.Skipf("SKIP-REASON: no broken cluster of PostgreSQL %d to copy: %v", major, tp.err)
	}
	c := cluster{name: fmt.Sprintf("%s-%d", prefix, clusters.Add(1)), major: major}
	c.volume = c.name + "-data"
	docker(t, "volume", "create", c.volume)
	t.Cleanup(func() {
		// What a killed engine was just making may hold the volume; the end of the run removes it.
		dockerOutput("rm", "-fv", c.name)
		dockerOutput("volume", "rm", "-f", c.volume)
	})
	copying := "cp -a /from/. /to/"
	if ballastMB > 0 {
		// Random, since a hole or a compressible file would not keep a copy busy.
		copying += fmt.Sprintf(" && D=$(dirname $(find /to -name PG_VERSION -not -path '*/base/*')) && for i in 1 2 3 4; do"+
			" head -c %dM /dev/urandom > $D/ballast.$i; done && chown --reference=$D/PG_VERSION $D/ballast.* && chmod 600 $D/ballast.*", ballastMB/4)
	}
	docker(t, "run", "--rm", "--network", "none", "--entrypoint", "sh", "-v", tp.name+"-data:/from:ro", "-v", c.volume+":/to", c.image(), "-c", copying)
	docker(t, "run", "-d", "--name", c.name, "--restart", "always", "--ulimit", "core=0", "-e", "POSTGRES_PASSWORD=practice", "-e", "POSTGRES_DB=app",
		"-v", c.volume+":"+tp.mount, c.image())
	until(t, 30*time.Second, "the server to die and be restarted", func() bool {
		return docker(t, "inspect", "-f", "{{.RestartCount}}", c.name) != "0"
	})
	return c
}

func (c cluster) image() string  { return fmt.Sprintf("postgres:%d", c.major) }
func (c cluster) target() string { return "container:" + c.name }

// manifest is every file of a volume with what could tell a change of it.
func manifest(t testing.TB, volume, image string) string {
	t.Helper()
	return docker(t, "run", "--rm", "--network", "none", "--entrypoint", "sh", "-v", volume+":/v:ro", image, "-c",
		`cd /v && find . -printf '%p %y %m %U %G %s %l\n' | grep -v ' d ' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum`)
}

// state is what docker says of the container.
type state struct {
	Running, Restarting bool
	Policy              string
}

func (c cluster) state(t testing.TB) state {
	t.Helper()
	var s state
	raw := docker(t, "inspect", "-f", `{"Running":{{.State.Running}},"Restarting":{{.State.Restarting}},"Policy":{{json .HostConfig.RestartPolicy.Name}}}`, c.name)
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// rows counts a table of the healed database.
func (c cluster) rows(t testing.TB, table string) string {
	t.Helper()
	return docker(t, "exec", "-u", "postgres", c.name, "psql", "-XAtc", "SELECT count(*) FROM "+table, "app")
}

// until polls for the condition.
func until(t testing.TB, limit time.Duration, what string, met func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s", limit, what)
		}
	}
}
