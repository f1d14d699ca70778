package steps

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// dataAt is a site with its data directory in mount 0.
func dataAt(pgdata string) *Site {
	return &Site{PGData: pgdata, Pieces: []SitePiece{{Name: agent.RoleData, Mount: 0, Sub: ".", ContainerPath: pgdata}}}
}

func TestFollowLinks(t *testing.T) {
	mounts := []dockerops.Mount{volume("data", "/pg/data"), volume("wal", "/wal"), bind("/srv/ts", "/ts"), volume("inside", "/pg/data/other")}
	for _, c := range []struct {
		name, link, target string
		want               SitePiece // zero: it is copied with the data directory
		refused            bool
	}{
		{"absolute pg_wal", "pg_wal", "/wal/15", SitePiece{"wal", 1, "15", "/wal/15"}, false},
		{"the whole of a mount", "pg_wal", "/wal", SitePiece{"wal", 1, ".", "/wal"}, false},
		{"relative pg_wal", "pg_wal", "../../wal/15", SitePiece{"wal", 1, "15", "/wal/15"}, false},
		{"relative tablespace", "pg_tblspc/16385", "../../../ts/fast", SitePiece{"ts-16385", 2, "fast", "/ts/fast"}, false},
		{"absolute tablespace", "pg_tblspc/16385", "/ts/fast", SitePiece{"ts-16385", 2, "fast", "/ts/fast"}, false},
		{"inside the data directory", "pg_tblspc/16385", "/pg/data/spaces/a", SitePiece{}, false},
		{"inside, relative", "pg_tblspc/16385", "../spaces/a", SitePiece{}, false},
		{"inside by path, but on another mount", "pg_wal", "/pg/data/other/wal", SitePiece{"wal", 3, "wal", "/pg/data/other/wal"}, false},
		{"out of every mount", "pg_wal", "/var/wal", SitePiece{}, true},
		{"relative out of every mount", "pg_tblspc/16385", "../../16385", SitePiece{}, true},
		{"name that begins alike", "pg_wal", "/wal2", SitePiece{}, true},
		{"no link of a cluster", "log", "/nowhere", SitePiece{}, false},
		{"no tablespace's name", "pg_tblspc/x1", "/nowhere", SitePiece{}, false},
	} {
		site := dataAt("/pg/data")
		err := followLinks(target(mounts...), agent.DataDir{Links: []agent.Symlink{{Path: agent.Path(c.link), Target: agent.Path(c.target)}}}, site)
		checkPieces(t, c.name, site, c.want, err, c.refused)
	}
}

func checkPieces(t *testing.T, name string, site *Site, want SitePiece, err error, refused bool) {
	t.Helper()
	if refused {
		var told *engine.Error
		if !errors.As(err, &told) || told.Kind != engine.Precondition || told.Hint == "" {
			t.Errorf("%s: %v, want a refusal with a hint", name, err)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	more := site.Pieces[1:]
	if want == (SitePiece{}) && len(more) != 0 || want != (SitePiece{}) && !slices.Equal(more, []SitePiece{want}) {
		t.Errorf("%s: pieces %v, want %v", name, more, want)
	}
}

func TestMountsInside(t *testing.T) {
	for _, c := range []struct {
		name, at string
		want     SitePiece
		refused  bool
	}{
		{"pg_wal is a volume", "/pg/data/pg_wal", SitePiece{"wal", 1, ".", "/pg/data/pg_wal"}, false},
		{"a tablespace is a volume", "/pg/data/pg_tblspc/16385", SitePiece{"ts-16385", 1, ".", "/pg/data/pg_tblspc/16385"}, false},
		{"log files", "/pg/data/log", SitePiece{}, false},
		{"one configuration file", "/pg/data/postgresql.conf", SitePiece{}, false},
		{"beside the data", "/pg/data2", SitePiece{}, false},
		{"around the data", "/pg", SitePiece{}, false},
		{"a database", "/pg/data/base/16384", SitePiece{}, true},
		{"transaction status", "/pg/data/pg_xact", SitePiece{}, true},
		{"part of the log", "/pg/data/pg_wal/archive_status", SitePiece{}, true},
	} {
		site := dataAt("/pg/data")
		err := mountsInside(target(volume("data", "/pg/data"), volume("x", c.at)), site)
		checkPieces(t, c.name, site, c.want, err, c.refused)
	}
	site := dataAt("/pg/data")
	if err := mountsInside(target(volume("data", "/pg/data"), tmpfs("/pg/data/pg_wal")), site); err != nil || len(site.Pieces) != 1 {
		t.Errorf("tmpfs: %v, %v", site.Pieces, err)
	}
}

// What is refused names the link and where it leads.
func TestRefusedLinkIsNamed(t *testing.T) {
	err := followLinks(target(volume("data", "/data")), agent.DataDir{Links: []agent.Symlink{{Path: "pg_wal", Target: "/lost"}}}, dataAt("/data"))
	if err == nil || !strings.Contains(err.Error(), "pg_wal links to /lost") {
		t.Errorf("%v", err)
	}
}
