package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/pgrescue/pgrescue/demo"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// TestRefusals are the ways in which a run on a really broken database ends before its time.
func TestRefusals(t *testing.T) {
	l := newLab(t)
	b := l.breakOne(demo.Options{Major: 15, Cut: demo.CutNone})
	l.must(l.api.ContainerStop(l.ctx, b.Container, container.StopOptions{}))
	before := readManifest(t, l.path(b.Volume))
	target := "container:" + b.Container
	in := func(name string, test func(*lab)) {
		t.Run(name, func(t *testing.T) {
			sub := *l
			sub.t = t
			test(&sub)
			requireSame(t, "the original", before, readManifest(t, l.path(b.Volume)))
		})
	}
	in("answers that lack an answer", func(l *lab) {
		r := l.run("run", "crash-loop", target, "--ui", "plain", "--answers", l.answers("check.on-failure", ""))
		r.want(l.t, 8, "check.on-failure")
	})
	in("answers that lack the consent", func(l *lab) {
		r := l.run("run", "crash-loop", target, "--ui", "plain", "--answers", l.answers("consent.original", ""))
		if r.code != 8 && r.code != 4 {
			l.t.Errorf("exit %d, want 8 or 4\n%s", r.code, tail(r.stdout, 20))
		}
		r.want(l.t, r.code, "consent.original")
	})
	in("a confirmation for another host", func(l *lab) {
		r := l.run("run", "crash-loop", target, "--ui", "plain", "--answers", l.answers("confirm", "elsewhere"))
		if r.code == 0 {
			l.t.Errorf("exit 0\n%s", tail(r.stdout, 20))
		}
	})
	in("no space for the snapshot", func(l *lab) { testNoSpace(l, target, l.path(b.Volume)) })
	in("a second engine", func(l *lab) { testLocked(l, target) })
}

// testNoSpace lets a file of the cluster fill more than half of what the file system has
// left, so that a copy of it cannot fit.
func testNoSpace(l *lab, target, data string) {
	var fs syscall.Statfs_t
	l.must(syscall.Statfs(data, &fs))
	huge := filepath.Join(data, "base", "huge")
	info, err := os.Stat(filepath.Join(data, "base"))
	l.must(err)
	f, err := os.OpenFile(huge, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	l.must(err)
	defer func() {
		l.must(os.Remove(huge))
		l.must(os.Chtimes(filepath.Join(data, "base"), info.ModTime(), info.ModTime()))
	}()
	defer f.Close()
	size := int64(fs.Bavail)*fs.Bsize/2 + 512<<20
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		l.t.Skipf("SKIP-REASON: the file system under %s cannot allocate without writing: %v", data, err)
	}
	r := l.run("run", "crash-loop", target, "--ui", "plain", "--answers", l.answers())
	r.want(l.t, 5, "bytes")
	if !strings.Contains(r.stdout, "free") {
		l.t.Errorf("it does not say what is free:\n%s", tail(r.stdout, 10))
	}
}

// testLocked starts every command that would write to an incident while its engine runs.
func testLocked(l *lab, target string) {
	asked := false
	decide := func(w line) engine.Decision {
		if w.Step != "snapshot" || w.Gate == nil || asked {
			return agree(w)
		}
		asked = true
		for _, args := range [][]string{{"resume"}, {"undo", "--confirm", "x/0000"}, {"clean"}} {
			cmd := l.command(append(args, l.last())...)
			r := l.finish(cmd)
			l.t.Logf("%v: exit %d: %s", args, r.code, r.stderr)
			if r.code != 9 {
				l.t.Errorf("%v while the engine runs: exit %d, want 9\n%s", args, r.code, r.stderr)
			}
		}
		return engine.Decision{Kind: engine.DecideAbort, Reason: "seen enough"}
	}
	r := l.drive(decide, nil, "run", "crash-loop", target)
	if !asked || r.code != 7 {
		l.t.Errorf("exit %d, want 7 after an abort\n%s", r.code, tail(r.stdout, 10))
	}
}

// TestControl damages pg_control in ways that leave less and less to go by. It is said every
// time, and nothing is guessed in silence.
func TestControl(t *testing.T) {
	l := newLab(t)
	b := l.breakOne(demo.Options{Major: 15, Cut: demo.CutOffsets})
	l.must(l.api.ContainerStop(l.ctx, b.Container, container.StopOptions{}))
	for _, c := range []struct {
		name   string
		damage func(path string) error
		words  []string
	}{
		{"bad checksum", func(p string) error { return flip(p, 200) }, []string{"pg_control does not pass its own checksum"}},
		{"cut short", func(p string) error { return os.Truncate(p, 100) }, []string{"pg_control"}},
		{"missing", os.Remove, []string{"pg_control"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sub := *l
			sub.t = t
			volume := sub.name("control-" + strings.ReplaceAll(c.name, " ", "-"))
			at := sub.volume(volume)
			sub.copyTree(sub.path(b.Volume), at)
			sub.must(c.damage(filepath.Join(at, "global/pg_control")))
			before := readManifest(t, at)
			r := sub.run("run", "crash-loop", "volume:"+volume, "--image", "postgres:15", "--rehearse-only", "--ui", "plain", "--answers", sub.answers())
			requireSame(t, "the original", before, readManifest(t, at))
			var said []string
			for _, line := range strings.Split(r.stdout, "\n") {
				if strings.Contains(line, "pg_control") && (strings.Contains(line, "finding") || strings.Contains(line, "FAILED") || strings.Contains(line, "closed")) {
					said = append(said, strings.TrimSpace(line))
				}
			}
			t.Logf("exit %d; %s", r.code, strings.Join(said, "\n"))
			if len(said) == 0 {
				t.Errorf("the damage to pg_control is not said\n%s", tail(r.stdout, 60))
			}
			switch r.code {
			case 4: // rehearsed in spite of it: every value must show where it is from
				if !strings.Contains(r.stdout, "evidence: pg_wal") {
					t.Error("values without evidence")
				}
			case 3, 5:
			default:
				t.Errorf("exit %d, want a passed rehearsal (4), or a refusal that says why (3 or 5)\n%s", r.code, tail(r.stdout, 15))
			}
			r.want(t, r.code, c.words...)
			if strings.Contains(r.stdout+r.stderr, "panic") {
				t.Errorf("a panic:\n%s", tail(r.stdout, 30))
			}
		})
	}
}

// flip turns one byte of a file around.
func flip(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return err
	}
	b[0] ^= 0xff
	_, err = f.WriteAt(b[:], at)
	return err
}

// challenge is what must be typed for an incident: the host and the end of the system
// identifier, as the journal's gates have it.
func (l *lab) challenge(incident string) string {
	l.t.Helper()
	out, err := exec.Command("grep", "-o", `"challenge":"[^"]*"`, filepath.Join(l.dir(incident), "journal.jsonl")).Output()
	l.must(err)
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSuffix(strings.TrimPrefix(first, `"challenge":"`), `"`)
}
