package agent

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every major's own pg_verifybackup accepts the manifest of a cluster of that major that
// was stopped in mid-work, with its tablespace, and refuses it with one bit flipped.
func TestManifestInEveryImage(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP-REASON: needs root to read the data directories of containers")
	}
	for _, major := range []int{13, 15, 17, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel() // most of it is waiting for containers
			image := fmt.Sprintf("postgres:%d", major)
			if out, err := exec.Command("docker", "image", "inspect", "-f", "{{.Id}}", image).CombinedOutput(); err != nil {
				t.Skipf("SKIP-REASON: no Docker engine with the image %s: %s", image, out)
			}
			checkImage(t, image, major)
		})
	}
}

func checkImage(t *testing.T, image string, major int) {
	dir := t.TempDir()
	inContainer := func(script string) (string, error) {
		out, err := exec.Command("docker", "run", "--rm", "--network", "none", "-v", dir+":"+dir,
			"--name", fmt.Sprintf("pgrescue-agent-test-%d-%d", os.Getpid(), major), "--entrypoint", "bash", image, "-c",
			"set -e; cd "+dir+"; export PATH=/usr/lib/postgresql/"+fmt.Sprint(major)+"/bin:$PATH; "+script).CombinedOutput()
		return string(out), err
	}
	out, err := inContainer(`mkdir data ts run; chown postgres data ts run; chmod 700 data; chmod a+x $PWD
su -s /bin/bash postgres -c 'set -e; PATH='$PATH'
initdb -k -N -D data -A trust >/dev/null
pg_ctl -s -w -D data -l run/log -o "-c listen_addresses= -k $PWD/run -c fsync=off" start
psql -q -h $PWD/run -d postgres -v ON_ERROR_STOP=1 -c "create tablespace side location '"'$PWD/ts'"'" 
psql -q -h $PWD/run -d postgres -v ON_ERROR_STOP=1 -c "create table t tablespace side as select generate_series(1,5000) i; checkpoint; insert into t select 1"
pg_ctl -s -D data -m immediate stop'`)
	if err != nil {
		t.Fatalf("make a cluster: %v: %s", err, out)
	}
	links, _ := filepath.Glob(dir + "/data/pg_tblspc/*")
	if len(links) != 1 {
		t.Fatalf("tablespaces: %v", links)
	}
	for _, name := range []string{"odd\xff\xfename", "quote\"back\\slash", "new\nline", "\u00fcml\u00e4ut"} {
		write(t, dir+"/data/"+name, []byte(name))
	}
	src := []Piece{{Name: "data", Path: dir + "/data"}, {Name: "ts-" + filepath.Base(links[0]), Path: dir + "/ts"}}
	dst := []Piece{{Name: "data", Path: dir + "/copy"}, {Name: src[1].Name, Path: dir + "/copyts"}}
	for _, p := range dst {
		if err := os.Mkdir(p.Path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	res, records := mustCopy(t, CopyRequest{Source: src, Dest: dst})
	if !res.Checksums || res.BadPages != 0 || res.Pages == 0 {
		t.Errorf("checksums %v, %d pages, %d bad", res.Checksums, res.Pages, res.BadPages)
	}
	writeManifestFile(t, dir+"/manifest", ManifestInfo{Major: major, SystemIdentifier: systemID(t, src[0].Path), Pieces: src}, records)
	link := dir + "/copy/pg_tblspc/" + filepath.Base(links[0])
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir+"/copyts", link); err != nil {
		t.Fatal(err)
	}
	out, err = inContainer("pg_verifybackup -n -m manifest copy")
	if err != nil || !strings.Contains(out, "successfully verified") {
		t.Errorf("pg_verifybackup: %v: %s", err, out)
	}
	flip(t, someFile(t, dir+"/copyts"))
	if out, err = inContainer("pg_verifybackup -n -m manifest copy"); err == nil || !strings.Contains(out, "checksum mismatch") {
		t.Errorf("a flipped bit passed: %v: %s", err, out)
	}
}
