package dockerops

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestOverlayCloneLeavesLowerAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	lower := b.volume("lower", RoleSnapshot)
	rw := []Mount{vol(lower, "/v", false)}
	b.tool(rw, "put", "/v/a", "original a")
	b.tool(rw, "put", "/v/b", "original b")
	b.tool(rw, "root", "/v", "999", "998", "700")
	before := b.tool([]Mount{vol(lower, "/v", true)}, "sum", "/v")

	start := time.Now()
	cl, err := b.OverlayClone(b.ctx, CloneSpec{Name: b.name("clone"), Incident: b.incident, Lower: lower, Image: b.image})
	b.must(err)
	t.Logf("cloned in %v", time.Since(start))
	mounts := []Mount{vol(cl.Volume, "/v", false)}
	if got := b.tool(mounts, "sum", "/v"); got != before {
		t.Errorf("clone differs from the beginning:\n%s\nwant\n%s", got, before)
	}
	b.tool(mounts, "put", "/v/a", "changed")
	b.tool(mounts, "put", "/v/new", "added")
	b.tool(mounts, "root", "/v/b", "1", "2", "777")
	b.tool(mounts, "root", "/v", "5", "5", "755")
	// Each of these ran in a container of its own: what was written lasts.
	if got := b.tool(mounts, "sum", "/v"); !strings.Contains(got, "/new ") || strings.Contains(got, "999 998") {
		t.Errorf("clone after writing:\n%s", got)
	}
	if after := b.tool([]Mount{vol(lower, "/v", true)}, "sum", "/v"); after != before {
		t.Errorf("the lower volume changed:\n%s\nwas\n%s", after, before)
	}
	second, err := b.OverlayClone(b.ctx, CloneSpec{Name: b.name("again"), Incident: b.incident, Lower: lower, Image: b.image})
	b.must(err)
	if got := b.tool([]Mount{vol(second.Volume, "/v", true)}, "sum", "/v"); got != before {
		t.Errorf("a second clone is not fresh:\n%s", got)
	}
	b.must(b.RemoveClone(b.ctx, cl))
	b.must(b.RemoveClone(b.ctx, cl))
	for _, name := range []string{cl.Volume, cl.Scratch} {
		if _, err := b.Volume(b.ctx, name); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
}

func TestOverlayCloneOfDirectory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	lower := b.volume("lower", RoleSnapshot)
	b.tool([]Mount{vol(lower, "/v", false)}, "tree", "/v/data/inner")
	b.tool([]Mount{vol(lower, "/v", false)}, "root", "/v/data", "70", "70", "750")
	b.tool([]Mount{vol(lower, "/v", false)}, "put", "/v/data/f", "text")
	cl, err := b.OverlayClone(b.ctx, CloneSpec{Name: b.name("clone"), Incident: b.incident, Lower: lower, Subdir: "data", Image: b.image})
	b.must(err)
	got := b.tool([]Mount{vol(cl.Volume, "/v", true)}, "sum", "/v")
	if !strings.HasPrefix(got, " drwxr-x--- 70 70\n") || !strings.Contains(got, "/f -rw------- ") {
		t.Errorf("clone of data:\n%s", got)
	}
	b.tool([]Mount{vol(lower, "/v", false)}, "link", "/etc", "/v/escape")
	for sub, want := range map[string]string{
		"../x": "not inside", "/data": "not inside", "none": "not found", "escape": "not a directory", "data/f": "not a directory",
	} {
		_, err := b.OverlayClone(b.ctx, CloneSpec{Name: b.name("bad"), Incident: b.incident, Lower: lower, Subdir: sub, Image: b.image})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("subdir %s: got %v, want %q", sub, err, want)
		}
	}
	own, err := b.Owned(b.ctx, b.incident)
	b.must(err)
	if len(own) != 3 {
		t.Errorf("left behind beside the clone, its scratch and the snapshot: %+v", own)
	}
}

func TestPlainPaths(t *testing.T) {
	for path, ok := range map[string]bool{
		"/var/lib/docker/volumes/a-b_c.d/_data": true, "/with space/x": true,
		"/a:b": false, "/a,b": false, `/a\b`: false, `/a"b`: false,
	} {
		if err := plainPaths([]string{"/fine", path}); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestCloneOfVolumeWithoutDirectory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := b.name("nfs")
	_, err := b.CreateVolume(b.ctx, name, Tag{b.incident, RoleSnapshot},
		map[string]string{"type": "nfs", "device": ":/x", "o": "addr=127.0.0.1"})
	b.must(err)
	_, err = b.OverlayClone(b.ctx, CloneSpec{Name: b.name("clone"), Incident: b.incident, Lower: name, Image: b.image})
	if err == nil || !strings.Contains(err.Error(), "full copy") {
		t.Errorf("got %v", err)
	}
}
