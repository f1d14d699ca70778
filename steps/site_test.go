package steps

import (
	"slices"
	"testing"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
)

func TestBelow(t *testing.T) {
	for _, c := range []struct {
		dir, path, rel string
		in             bool
	}{
		{"/data", "/data", ".", true},
		{"/data/", "/data", ".", true},
		{"/data", "/data/", ".", true},
		{"/data", "/data/base/1", "base/1", true},
		{"/data/", "/data/base/", "base", true},
		{"/data", "/database", "", false},
		{"/data", "/dat", "", false},
		{"/data", "/", "", false},
		{"/data", "/data/../etc", "", false},
		{"/data", "/data/./base//1", "base/1", true},
		{"/", "/data", "data", true},
		{"/", "/", ".", true},
		{"pg_wal", "pg_wal", ".", true},
		{"pg_wal", "pg_wal/archive_status", "archive_status", true},
		{"pg_wal", "pg_walk", "", false},
	} {
		rel, in := below(c.dir, c.path)
		if in != c.in || in && rel != c.rel {
			t.Errorf("below(%q, %q) = %q, %v; want %q, %v", c.dir, c.path, rel, in, c.rel, c.in)
		}
	}
}

func TestLocate(t *testing.T) {
	nested := target(volume("outer", "/var/lib/postgresql"), volume("inner", "/var/lib/postgresql/data"), bind("/srv/ts", "/ts/"))
	root := target(bind("/", "/"), volume("inner", "/data"))
	hidden := target(volume("outer", "/data"), tmpfs("/data/pg_stat_tmp"))
	for _, c := range []struct {
		name   string
		target dockerops.Target
		path   string
		mount  int
		sub    string
		ok     bool
	}{
		{"innermost of two", nested, "/var/lib/postgresql/data/base", 1, "base", true},
		{"innermost itself", nested, "/var/lib/postgresql/data", 1, ".", true},
		{"trailing slash", nested, "/var/lib/postgresql/data/", 1, ".", true},
		{"outer only", nested, "/var/lib/postgresql/15/main", 0, "15/main", true},
		{"name that begins alike", nested, "/var/lib/postgresql/data2", 0, "data2", true},
		{"mount with a slash at its end", nested, "/ts/fast", 2, "fast", true},
		{"in no mount", nested, "/srv/ts", -1, "", false},
		{"dots lead out", nested, "/var/lib/postgresql/data/../../x", -1, "", false},
		{"whole file system mounted", root, "/etc", 0, "etc", true},
		{"inside it", root, "/data/x", 1, "x", true},
		{"no mounts", target(), "/data", -1, "", false},
		{"hidden by a tmpfs", hidden, "/data/pg_stat_tmp/x", -1, "", false},
		{"beside the tmpfs", hidden, "/data/pg_stat", 0, "pg_stat", true},
	} {
		mount, sub, ok := locate(c.target, c.path)
		if ok != c.ok || mount != c.mount || ok && sub != c.sub {
			t.Errorf("%s: locate(%q) = %d, %q, %v; want %d, %q, %v", c.name, c.path, mount, sub, ok, c.mount, c.sub, c.ok)
		}
	}
}

// Pieces of one mount share it; helpers and server see the same data at their own paths,
// and read-only is said of each.
func TestMountsOfASite(t *testing.T) {
	site := *placeWith().site
	for _, readOnly := range []bool{true, false} {
		source, server := site.sourceMounts(readOnly), site.serverMounts(readOnly)
		if len(source) != 3 || len(server) != 3 {
			t.Fatalf("%d and %d mounts, want 3: %v %v", len(source), len(server), source, server)
		}
		for i, m := range source {
			if m.ReadOnly != readOnly || server[i].ReadOnly != readOnly {
				t.Errorf("mount %d: read-only %v and %v, want %v", i, m.ReadOnly, server[i].ReadOnly, readOnly)
			}
			if m.Name != site.Target.Mounts[i].Name || server[i].Name != m.Name || server[i].Destination != site.Target.Mounts[i].Destination || m.Destination != helperPath(i) {
				t.Errorf("mount %d: %+v and %+v", i, m, server[i])
			}
		}
	}
	paths := func(pieces []agent.Piece) (out []string) {
		for _, p := range pieces {
			out = append(out, p.Path)
		}
		return out
	}
	if got, want := paths(site.sourcePieces()), []string{"/src/m0", "/src/m1/pg", "/src/m2/a", "/src/m2/b"}; !slices.Equal(got, want) {
		t.Errorf("source pieces at %v, want %v", got, want)
	}
	if got, want := paths(site.copyPieces()), []string{"/dst/data", "/dst/wal", "/dst/ts-16", "/dst/ts-16385"}; !slices.Equal(got, want) {
		t.Errorf("copied pieces at %v, want %v", got, want)
	}
}

// A mount of a directory keeps its source, one of a volume its name and nothing of the host.
func TestBindOf(t *testing.T) {
	if m := bindOf(bind("/srv/pg", "/data"), "/src/m0", true); m.Source != "/srv/pg" || m.Name != "" || !m.ReadOnly || m.Destination != "/src/m0" {
		t.Errorf("directory: %+v", m)
	}
	if m := bindOf(volume("db", "/data"), "/src/m0", false); m.Source != "" || m.Name != "db" || m.ReadOnly {
		t.Errorf("volume: %+v", m)
	}
	kept := []dockerops.Mount{volume("db", "/data")}
	if got := readOnly(kept); !got[0].ReadOnly || kept[0].ReadOnly {
		t.Error("readOnly must say so of a copy")
	}
}
