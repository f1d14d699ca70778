package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/pgrescue/pgrescue/demo"
)

// TestTargets points at the same broken data in every way a person may.
func TestTargets(t *testing.T) {
	l := newLab(t)
	b := l.breakOne(demo.Options{Major: 15, Cut: demo.CutOffsets})
	l.must(l.api.ContainerStop(l.ctx, b.Container, container.StopOptions{}))
	origin := l.path(b.Volume)
	in := func(name string, test func(*lab, string)) {
		if !t.Run(name, func(t *testing.T) {
			sub := *l
			sub.t = t
			test(&sub, origin)
		}) {
			t.Log("the other targets are tried all the same")
		}
	}
	in("volume", testVolumeTarget)
	in("directory", testDirTarget)
	in("compose", testComposeTarget)
	in("subdirectory", testSubdirectory)
	in("bare name", func(l *lab, _ string) {
		l.run("triage", b.Container, "--ui", "plain").want(l.t, 3, "container:"+b.Container)
	})
}

// copyTree copies a data directory with everything that PostgreSQL minds.
func (l *lab) copyTree(from, to string) {
	l.t.Helper()
	if out, err := exec.Command("cp", "-a", from+"/.", to).CombinedOutput(); err != nil {
		l.t.Fatalf("%v: %s", err, out)
	}
}

// rehearsed runs a rehearsal and looks that none of the trees has changed.
func (l *lab) rehearsed(trees []string, args ...string) {
	l.t.Helper()
	var before []manifest
	for _, tree := range trees {
		before = append(before, readManifest(l.t, tree))
	}
	args = append([]string{"run", "crash-loop"}, args...)
	r := l.run(append(args, "--rehearse-only", "--ui", "plain", "--answers", l.answers())...)
	r.want(l.t, 4)
	for i, tree := range trees {
		requireSame(l.t, tree, before[i], readManifest(l.t, tree))
	}
	checkLeftovers(l, l.last())
}

func testVolumeTarget(l *lab, origin string) {
	name := l.name("volume")
	at := l.volume(name)
	l.copyTree(origin, at)
	r := l.run("run", "crash-loop", "volume:"+name, "--rehearse-only", "--ui", "plain", "--answers", l.answers())
	r.want(l.t, 5, "--image")
	l.rehearsed([]string{at}, "volume:"+name, "--image", "postgres:15")
}

func testDirTarget(l *lab, origin string) {
	at := filepath.Join(l.t.TempDir(), "data with space")
	l.must(exec.Command("mkdir", at).Run())
	l.copyTree(origin, at)
	l.rehearsed([]string{at}, "dir:"+at, "--image", "postgres:15")
}

// testComposeTarget has the labels that compose sets, which is all there is of it.
func testComposeTarget(l *lab, origin string) {
	volume := l.name("compose-data")
	at := l.volume(volume)
	l.copyTree(origin, at)
	l.container(box{name: l.name("shop-db-1"), image: "postgres:15", volumes: map[string]string{volume: "/var/lib/postgresql/data"}, created: true,
		labels: map[string]string{"com.docker.compose.project": "e2e-shop", "com.docker.compose.service": "e2e-shop-db",
			"com.docker.compose.project.working_dir": "/srv/shop", "com.docker.compose.project.config_files": "/srv/shop/compose.yaml"}})
	l.rehearsed([]string{at}, "e2e-shop-db")
}

// testSubdirectory has PGDATA below the mount, as the image's documentation advises.
func testSubdirectory(l *lab, origin string) {
	volume := l.name("sub-data")
	at := l.volume(volume)
	l.must(exec.Command("mkdir", at+"/pgdata").Run())
	l.copyTree(origin, at+"/pgdata")
	name := l.container(box{name: l.name("sub"), image: "postgres:15", env: []string{"PGDATA=/var/lib/postgresql/data/pgdata"},
		volumes: map[string]string{volume: "/var/lib/postgresql/data"}, created: true})
	l.rehearsed([]string{at}, "container:"+name)
}
