package steps

import (
	"path"
	"regexp"
	"slices"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
	"github.com/pgrescue/pgrescue/steps/engine"
)

// tablespaceLink is pg_tblspc/OID.
var tablespaceLink = regexp.MustCompile(`^pg_tblspc/([0-9]+)$`)

// followLinks finds where pg_wal and the tablespaces are. A link that leads out of every
// mount leads into the container's own layer, which no volume copy can save.
func followLinks(t dockerops.Target, data agent.DataDir, site *Site) error {
	for _, l := range data.Links {
		name := ""
		if string(l.Path) == "pg_wal" {
			name = agent.RoleWAL
		} else if m := tablespaceLink.FindStringSubmatch(string(l.Path)); m != nil {
			name = agent.RoleTablespacePrefix + m[1]
		}
		if name == "" {
			continue
		}
		target := string(l.Target)
		if !path.IsAbs(target) {
			target = path.Join(site.PGData, path.Dir(string(l.Path)), target)
		}
		m, sub, ok := locate(t, target)
		if _, inside := below(site.PGData, target); inside && m == site.Pieces[0].Mount {
			continue // it is copied with the data directory
		}
		if !ok {
			return engine.Errorf(engine.Precondition, "copy it out of the container before anybody removes that container (docker cp), and mount it from a volume",
				"%s links to %s, which is in no mount of %s", l.Path, target, t)
		}
		site.Pieces = append(site.Pieces, SitePiece{Name: name, Mount: m, Sub: sub, ContainerPath: target})
	}
	return nil
}

// serverDirs are directories whose files belong together with those of the data directory.
var serverDirs = regexp.MustCompile(`^(base|global|pg_tblspc|pg_wal|pg_xact|pg_multixact|pg_subtrans|pg_commit_ts|pg_twophase|pg_logical|pg_replslot)(/|$)`)

// mountsInside finds what is mounted over directories of the data directory: the mount that
// holds the data directory shows them empty. Others, such as one for log files, are no part
// of the cluster.
func mountsInside(t dockerops.Target, site *Site) error {
	for i, m := range t.Mounts {
		rel, inside := below(site.PGData, m.Destination)
		if !inside || rel == "." || i == site.Pieces[0].Mount || m.Type == dockerops.MountTmpfs || !serverDirs.MatchString(rel) {
			continue
		}
		name := ""
		if rel == "pg_wal" {
			name = agent.RoleWAL
		} else if m := tablespaceLink.FindStringSubmatch(rel); m != nil {
			name = agent.RoleTablespacePrefix + m[1]
		}
		if name == "" {
			return engine.Errorf(engine.Precondition, "copy the whole data directory into one directory or volume and name that as the target",
				"%s of the data directory is a mount of its own, which a copy cannot put together again", rel)
		}
		if slices.ContainsFunc(site.Pieces, func(p SitePiece) bool { return p.Name == name }) {
			continue
		}
		site.Pieces = append(site.Pieces, SitePiece{Name: name, Mount: i, Sub: ".", ContainerPath: m.Destination})
	}
	return nil
}
