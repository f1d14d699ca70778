package steps

import (
	"fmt"
	"path"
	"strings"

	"github.com/pgrescue/pgrescue/agent"
	"github.com/pgrescue/pgrescue/dockerops"
)

// Site is where the target's cluster is and what runs it, as triage found it.
type Site struct {
	Target   dockerops.Target `json:"target"`
	Image    string           `json:"image"`     // reference for people
	ImageID  string           `json:"image_id"`  // what is run
	Major    int              `json:"major"`     // of the data
	PGData   string           `json:"pgdata"`    // path in the container
	UID      uint32           `json:"uid"`       // owner of the data
	GID      uint32           `json:"gid"`       //
	SystemID string           `json:"system_id"` // "" if pg_control did not tell
	Bytes    int64            `json:"bytes"`     // sum of file sizes
	Alloc    int64            `json:"alloc"`     // bytes they take on the disk
	Entries  int64            `json:"entries"`   // files, directories and links
	Pieces   []SitePiece      `json:"pieces"`
	Prepared int              `json:"prepared"`         // max_prepared_transactions the server needs
	CommitTs bool             `json:"commit_ts"`        // track_commit_timestamp as the cluster had it
	Refuse   string           `json:"refuse,omitempty"` // why this cluster must not be reset
}

// SitePiece is one directory of the cluster: the data directory itself, the place that
// pg_wal links to, or a tablespace.
type SitePiece struct {
	Name          string `json:"name"`           // data, wal, ts-OID
	Mount         int    `json:"mount"`          // index into Target.Mounts
	Sub           string `json:"sub"`            // path below the mount, "." for all of it
	ContainerPath string `json:"container_path"` // where the server sees it
}

// locate finds the mount that shows an absolute container path, the innermost first. A
// tmpfs or the like hides what is mounted around it, and holds nothing that outlives its
// container.
func locate(t dockerops.Target, p string) (mount int, sub string, ok bool) {
	best := -1
	for i, m := range t.Mounts {
		rel, in := below(m.Destination, p)
		if in && (best < 0 || len(m.Destination) > len(t.Mounts[best].Destination)) {
			best, sub = i, rel
		}
	}
	if best < 0 || t.Mounts[best].Type != dockerops.MountVolume && t.Mounts[best].Type != dockerops.MountBind {
		return -1, "", false
	}
	return best, sub, true
}

// below gives p relative to dir, "." for dir itself.
func below(dir, p string) (string, bool) {
	dir, p = path.Clean(dir), path.Clean(p)
	if dir == p {
		return ".", true
	}
	rel, ok := strings.CutPrefix(p, strings.TrimSuffix(dir, "/")+"/")
	return rel, ok
}

// helperPath is where helpers see a mount of the target.
func helperPath(mount int) string { return fmt.Sprintf("/src/m%d", mount) }

// sourceMounts are the target's mounts that hold pieces, as helpers see them.
func (s Site) sourceMounts(readOnly bool) []dockerops.Mount {
	var mounts []dockerops.Mount
	seen := map[int]bool{}
	for _, p := range s.Pieces {
		if seen[p.Mount] {
			continue
		}
		seen[p.Mount] = true
		m := s.Target.Mounts[p.Mount]
		mounts = append(mounts, bindOf(m, helperPath(p.Mount), readOnly))
	}
	return mounts
}

// serverMounts are the same mounts at the paths where the server expects them.
func (s Site) serverMounts(readOnly bool) []dockerops.Mount {
	mounts := s.sourceMounts(readOnly)
	seen := map[int]bool{}
	i := 0
	for _, p := range s.Pieces {
		if !seen[p.Mount] {
			seen[p.Mount] = true
			mounts[i].Destination = s.Target.Mounts[p.Mount].Destination
			i++
		}
	}
	return mounts
}

// bindOf is a mount of the same data at another place.
func bindOf(m dockerops.Mount, destination string, readOnly bool) dockerops.Mount {
	out := dockerops.Mount{Type: m.Type, Destination: destination, ReadOnly: readOnly}
	if m.Type == dockerops.MountVolume {
		out.Name = m.Name
	} else {
		out.Source = m.Source
	}
	return out
}

// sourcePieces are the pieces as the agent finds them under sourceMounts.
func (s Site) sourcePieces() []agent.Piece {
	return s.pieces(func(p SitePiece) string { return path.Join(helperPath(p.Mount), p.Sub) })
}

// copyPieces are the pieces of a snapshot or clone, each mounted by itself.
func (s Site) copyPieces() []agent.Piece {
	return s.pieces(func(p SitePiece) string { return "/dst/" + p.Name })
}

func (s Site) pieces(at func(SitePiece) string) []agent.Piece {
	out := make([]agent.Piece, len(s.Pieces))
	for i, p := range s.Pieces {
		out[i] = agent.Piece{Name: p.Name, ContainerPath: p.ContainerPath, Path: at(p)}
	}
	return out
}

// user is the owner of the data in the form containers take.
func (s Site) user() string { return fmt.Sprintf("%d:%d", s.UID, s.GID) }
