package e2e

import (
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/pgrescue/pgrescue/demo"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// TestPromise1 compares the original byte for byte: from before the run to after a rehearsal
// of a stopped container, and from the sealed snapshot of a looping one to the gates of the
// performance, and after they were declined.
func TestPromise1(t *testing.T) {
	t.Run("stopped", func(t *testing.T) {
		l := newLab(t)
		b := l.breakOne(demo.Options{Major: 17, Cut: demo.CutOffsets})
		l.must(l.api.ContainerStop(l.ctx, b.Container, container.StopOptions{}))
		before := readManifest(t, l.path(b.Volume))
		l.run("run", "crash-loop", "container:"+b.Container, "--rehearse-only", "--ui", "plain", "--answers", l.answers()).want(t, 4)
		requireSame(t, "the original after the rehearsal", before, readManifest(t, l.path(b.Volume)))
		if c := l.inspect(b.Container); c.State.Running {
			t.Errorf("the container was started: %+v", c.State)
		}
		checkLeftovers(l, l.last())
	})
	t.Run("looping", func(t *testing.T) {
		l := newLab(t)
		b := l.breakOne(demo.Options{Major: 13, Cut: demo.CutOffsets})
		testUntilDeclined(l, b)
	})
}

// testUntilDeclined agrees to everything but the first rewrite of the original.
func testUntilDeclined(l *lab, b *demo.Broken) {
	t := l.t
	var sealed manifest
	compared := 0
	see := func(got line) {
		if got.Type == "done" && got.Step == "snapshot" {
			sealed = readManifest(t, l.path(b.Volume))
		}
	}
	decide := func(w line) engine.Decision {
		if w.Gate == nil || w.Gate.Danger < engine.Original {
			return agree(w)
		}
		compared++
		requireSame(t, "the original at the first gate of the performance", sealed, readManifest(t, l.path(b.Volume)))
		mounts := writableMounts(l, b.Volume)
		if len(mounts) > 0 {
			t.Errorf("containers have the original mounted writable before consent: %v", mounts)
		}
		return engine.Decision{Kind: engine.DecideDecline, Digest: w.Gate.Digest, Reason: "not today"}
	}
	r := l.drive(decide, see, "run", "crash-loop", "container:"+b.Container)
	r.want(t, 7)
	if compared != 1 || sealed == nil {
		t.Fatalf("compared %d times at a gate of the performance, want once", compared)
	}
	requireSame(t, "the original after the refusal", sealed, readManifest(t, l.path(b.Volume)))
	containers, _ := l.owned(l.last())
	if len(containers) > 0 {
		t.Errorf("containers are left: %v", containers)
	}
	if c := l.inspect(b.Container); c.State.Running {
		t.Error("the container was started although the performance was declined")
	}
	if got := l.status(l.last()); got.Original != untouched || len(got.Obligations) != 1 {
		t.Errorf("status: %+v", got)
	}
}

// writableMounts names running containers that could write to a volume.
func writableMounts(l *lab, volume string) []string {
	l.t.Helper()
	list, err := l.api.ContainerList(l.ctx, container.ListOptions{})
	l.must(err)
	var names []string
	for _, c := range list {
		for _, m := range c.Mounts {
			if m.Name == volume && m.RW {
				names = append(names, c.Names...)
			}
		}
	}
	return names
}
