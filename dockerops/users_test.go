package dockerops

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := b.strangeVolume("data")
	v, err := b.Volume(b.ctx, data)
	b.must(err)
	b.must(os.MkdirAll(filepath.Join(v.Mountpoint, "pg_wal"), 0o700))
	link := filepath.Join(t.TempDir(), "link")
	b.must(os.Symlink(v.Mountpoint, link))

	b.stranger("owner", containerCmd("idle"), withVolume(data), true)
	b.stranger("stopped", containerCmd("idle"), withVolume(data), false)
	b.stranger("by-path", containerCmd("idle"), withBind(v.Mountpoint, false), true)
	b.stranger("by-link", containerCmd("idle"), withBind(link, true), true)
	b.stranger("above", containerCmd("idle"), withBind(filepath.Dir(v.Mountpoint), true), true)
	b.stranger("below", containerCmd("idle"), withBind(filepath.Join(v.Mountpoint, "pg_wal"), false), true)
	b.stranger("bystander", containerCmd("idle"), withVolume(b.strangeVolume("data2")), true)
	_, err = b.Run(b.ctx, Spec{Name: b.name("ours"), Tag: Tag{b.incident, RoleHelper}, Image: b.image, Cmd: []string{"idle"},
		Mounts: []Mount{vol(data, "/x", true)}})
	b.must(err)

	want := []string{
		"above Above running ro", "below Below running rw", "by-link Same running ro", "by-path Same running rw",
		"ours Same running ro ours", "owner Same running rw", "stopped Same created rw",
	}
	for name, s := range map[string]Source{
		"by name": {Volume: data}, "by path": {Path: v.Mountpoint}, "by link": {Path: link}, "by both": v.source(),
	} {
		t.Run(name, func(t *testing.T) {
			users, err := b.Users(b.ctx, s)
			b.must(err)
			if got := describeUsers(users, b.incident); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
	if _, err := b.Users(b.ctx, Source{Path: "relative"}); err == nil {
		t.Error("a relative path was taken")
	}
	if users, err := b.Users(b.ctx, Source{Volume: b.name("nobody")}); err != nil || len(users) != 0 {
		t.Errorf("users of nothing: %v, %v", users, err)
	}
}

// source is the volume as data.
func (v Volume) source() Source { return Source{Volume: v.Name, Path: v.Mountpoint} }

// describeUsers writes the users that belong to the test, one line each.
func describeUsers(users []User, incident string) []string {
	var out []string
	for _, u := range users {
		name, ok := strings.CutPrefix(u.Name, incident+"-")
		if !ok {
			continue // somebody else's monitoring agent
		}
		mode, ours := "rw", ""
		if u.Mount.ReadOnly {
			mode = "ro"
		}
		if u.Incident != "" {
			ours = " ours"
		}
		rel := strings.ToUpper(string(u.Relation[:1])) + string(u.Relation[1:])
		out = append(out, fmt.Sprintf("%s %s %s %s%s", name, rel, u.Status, mode, ours))
	}
	slices.Sort(out)
	return out
}

func TestUsersThroughBindVolumeAndClone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := t.TempDir()
	bound, err := b.CreateVolume(b.ctx, b.name("bound"), Tag{b.incident, RoleSnapshot},
		map[string]string{"type": "none", "o": "bind", "device": dir})
	b.must(err)
	b.stranger("user", containerCmd("idle"), withVolume(bound.Name), true)
	users, err := b.Users(b.ctx, Source{Path: dir})
	b.must(err)
	if got := describeUsers(users, b.incident); !slices.Equal(got, []string{"user Same running rw"}) {
		t.Errorf("through a volume that binds the directory: %q", got)
	}
	cl, err := b.OverlayClone(b.ctx, CloneSpec{Name: b.name("clone"), Incident: b.incident, Lower: bound.Name, Image: b.image})
	b.must(err)
	id := b.idle(vol(cl.Volume, "/c", false))
	users, err = b.Users(b.ctx, Source{Volume: bound.Name})
	b.must(err)
	if !slices.ContainsFunc(users, func(u User) bool { return u.ID == id && u.Relation == Same }) {
		t.Errorf("the user of a clone is not one of its snapshot: %+v", users)
	}
	b.must(b.Remove(b.ctx, id))
	b.must(b.RemoveClone(b.ctx, cl))
}

func TestWithin(t *testing.T) {
	tests := []struct {
		path, dir string
		want      bool
	}{
		{"/a", "/a", true}, {"/a/b", "/a", true}, {"/ab", "/a", false}, {"/a", "/a/b", false},
		{"/a", "/", true}, {"", "/", false}, {"/a", "", false},
	}
	for _, tt := range tests {
		if got := within(tt.path, tt.dir); got != tt.want {
			t.Errorf("within(%q, %q) = %v", tt.path, tt.dir, got)
		}
	}
}

func TestUserIs(t *testing.T) {
	target := Target{Kind: KindService, ContainerID: "c1", ServiceID: "s1"}
	for _, tt := range []struct {
		u    User
		want bool
	}{
		{User{Kind: KindContainer, ID: "c1"}, true},
		{User{Kind: KindContainer, ID: "c2", ServiceID: "s1"}, true},
		{User{Kind: KindService, ID: "s1", ServiceID: "s1"}, true},
		{User{Kind: KindContainer, ID: "c2"}, false},
	} {
		if got := tt.u.Is(target); got != tt.want {
			t.Errorf("%+v: %v", tt.u, got)
		}
	}
	if (User{Kind: KindContainer, ID: "c"}).Is(Target{Kind: KindVolume}) {
		t.Error("a container is a volume without container")
	}
}
