package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Piece is one directory that belongs to the target: a volume, a bind mount or a plain
// directory. The job sees it at Path; the server saw it at ContainerPath.
type Piece struct {
	Name          string `json:"name"` // "data", "wal", "ts-16385"; unique in a request
	ContainerPath string `json:"container_path,omitempty"`
	Path          string `json:"path"` // where it is mounted here, absolute

	// Parts says what lies where in the piece. Empty means that the whole piece is
	// what its name says.
	Parts []Part `json:"parts,omitempty"`
}

// Part is a directory in a piece that has a meaning to PostgreSQL.
type Part struct {
	Role string `json:"role"` // RoleData, RoleWAL or "ts-" and the tablespace's OID
	Sub  Path   `json:"sub"`  // the directory, relative to the piece; "." for all of it
}

// Roles of parts. A tablespace's role is RoleTablespacePrefix and its OID.
const (
	RoleData             = "data" // the data directory
	RoleWAL              = "wal"  // what pg_wal links to
	RoleTablespacePrefix = "ts-"
)

func (p Piece) parts() []Part {
	if len(p.Parts) > 0 {
		return p.Parts
	}
	return []Part{{Role: p.Name, Sub: "."}}
}

// tablespaceOID gives the digits of a tablespace's role.
func (p Part) tablespaceOID() (string, bool) {
	oid, ok := strings.CutPrefix(p.Role, RoleTablespacePrefix)
	if !ok || oid == "" || strings.Trim(oid, "0123456789") != "" {
		return "", false
	}
	return oid, true
}

// partOf finds the innermost part that holds path, and path relative to it.
func (p Piece) partOf(path string) (part Part, rel string, ok bool) {
	best := -1
	for _, q := range p.parts() {
		r, in := within(path, string(q.Sub))
		if in && len(q.Sub) > best {
			part, rel, ok, best = q, r, true, len(q.Sub)
		}
	}
	return part, rel, ok
}

// tree is an opened piece.
type tree struct {
	Piece
	root *os.Root
}

func (t *tree) close() { t.root.Close() }

// openTrees opens the pieces of a request. The caller closes with closeTrees.
func openTrees(pieces []Piece) ([]*tree, error) {
	if err := checkPieces(pieces); err != nil {
		return nil, err
	}
	var out []*tree
	for _, p := range pieces {
		root, err := os.OpenRoot(p.Path)
		if err != nil {
			closeTrees(out)
			return nil, &Error{Kind: KindOf(err), Path: Path(p.Path), cause: err,
				Message: fmt.Sprintf("open piece %s: %v", p.Name, err),
				Hint:    "see that the directory is mounted where the request says"}
		}
		out = append(out, &tree{Piece: p, root: root})
	}
	return out, nil
}

func closeTrees(ts []*tree) {
	for _, t := range ts {
		t.close()
	}
}

func checkPieces(pieces []Piece) error {
	if len(pieces) == 0 {
		return refuse(KindBadRequest, "", "the request names no piece", "name at least the data directory")
	}
	seen := map[string]bool{}
	for _, p := range pieces {
		switch {
		case p.Name == "" || seen[p.Name]:
			return refuse(KindBadRequest, p.Path, fmt.Sprintf("piece name %q is empty or used twice", p.Name), "")
		case !filepath.IsAbs(p.Path):
			return refuse(KindBadRequest, p.Path, fmt.Sprintf("path %q of piece %s is not absolute", p.Path, p.Name), "")
		}
		seen[p.Name] = true
		for _, q := range p.Parts {
			if !q.Sub.Local() {
				return refuse(KindBadRequest, string(q.Sub), fmt.Sprintf("part %s of piece %s leaves the piece", q.Role, p.Name), "")
			}
		}
	}
	return nil
}

// match pairs every piece with the one of the same name in others.
func match(pieces, others []Piece) ([]Piece, error) {
	out := make([]Piece, len(pieces))
	for i, p := range pieces {
		found := false
		for _, o := range others {
			if o.Name == p.Name {
				out[i], found = o, true
			}
		}
		if !found {
			return nil, refuse(KindBadRequest, "", fmt.Sprintf("piece %s has no counterpart", p.Name), "name each piece on both sides")
		}
	}
	return out, nil
}

// byName finds a tree, nil if there is none.
func byName(ts []*tree, name string) *tree {
	for _, t := range ts {
		if t.Name == name {
			return t
		}
	}
	return nil
}
