// Package pgops knows what PostgreSQL's files mean: which values a WAL reset needs and why,
// what is missing from the multixact directories and who depends on it, where WAL ends and
// what a reset would lose, what a log line says, whether tables can be read.
//
// It reads through io/fs and never writes: what has to be changed is returned as data.
// Bytes are decoded in pgdisk.
package pgops

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Pieces is a data directory together with the parts of it that symbolic links carry
// elsewhere, each as a file system of its own: one opened with os.Root follows no link out.
type Pieces struct {
	Data  fs.FS            // the data directory
	Links map[string]fs.FS // by path under it: "pg_wal", "pg_tblspc/16400"
}

// FS joins the pieces into one tree in which the links are followed.
func (p Pieces) FS() fs.FS { return joined(p) }

// joined resolves each name to the piece that holds it.
type joined Pieces

var (
	_ fs.ReadDirFS = joined{}
	_ fs.StatFS    = joined{}
)

// resolve finds the piece by the longest linked path that is a prefix of name.
func (j joined) resolve(name string) (fs.FS, string) {
	for at := name; at != "." && at != "/"; at = path.Dir(at) {
		if piece, ok := j.Links[at]; ok {
			rest := strings.TrimPrefix(strings.TrimPrefix(name, at), "/")
			if rest == "" {
				rest = "."
			}
			return piece, rest
		}
	}
	return j.Data, name
}

func (j joined) Open(name string) (fs.File, error) {
	fsys, rest := j.resolve(name)
	return fsys.Open(rest)
}

func (j joined) ReadDir(name string) ([]fs.DirEntry, error) {
	fsys, rest := j.resolve(name)
	return fs.ReadDir(fsys, rest)
}

func (j joined) Stat(name string) (fs.FileInfo, error) {
	fsys, rest := j.resolve(name)
	return fs.Stat(fsys, rest)
}

// Link is a symbolic link of the data directory.
type Link struct {
	Path   string // under the data directory
	Target string // as stored in the link; empty where it cannot be read
	Given  bool   // its content is among the pieces
}

// Cluster is a data directory that was looked at, but not touched.
type Cluster struct {
	Major      int             // 13 to 18; 0 when nothing tells it
	MajorFrom  string          // the file that told the major
	Control    *pgdisk.Control // nil when missing or not decodable
	ControlErr error           // why Control is nil or suspect (*pgdisk.ControlCRCError)
	Lock       *pgdisk.PIDFile // postmaster.pid, nil when there is none; it does not mean that a server runs
	Links      []Link

	fsys fs.FS
}

// ErrNotCluster says that a directory is not a PostgreSQL data directory.
var ErrNotCluster = errors.New("not a PostgreSQL data directory: neither PG_VERSION nor global/pg_control is there")

// OpenCluster looks at a data directory. A damaged or missing pg_control is no error: it is
// said in ControlErr, because most of what a rescue does is for such directories.
func OpenCluster(p Pieces) (*Cluster, error) {
	c := &Cluster{fsys: p.FS()}
	version, err := readSmall(c.fsys, pgdisk.VersionFileName, 64)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	c.Control, c.ControlErr = readControl(c.fsys)
	if version == nil && errors.Is(c.ControlErr, fs.ErrNotExist) {
		return nil, ErrNotCluster
	}
	c.tellMajor(version)
	if c.Lock, err = readLock(c.fsys); err != nil {
		return nil, err
	}
	if c.Links, err = readLinks(p); err != nil {
		return nil, err
	}
	return c, nil
}

// FS is the cluster's tree with the given links followed. It is read-only.
func (c *Cluster) FS() fs.FS { return c.fsys }

// ControlState says how far pg_control can be believed.
func (c *Cluster) ControlState() ControlState {
	switch {
	case c.Control != nil && c.ControlErr == nil:
		return ControlGood
	case c.Control != nil:
		return ControlSuspect
	case errors.Is(c.ControlErr, fs.ErrNotExist):
		return ControlMissing
	}
	return ControlDamaged
}

// tellMajor prefers PG_VERSION, which is what PostgreSQL's own tools obey.
func (c *Cluster) tellMajor(version []byte) {
	if n, err := pgdisk.ParseVersionFile(version); err == nil {
		if _, ok := pgdisk.LayoutFor(n); ok {
			c.Major, c.MajorFrom = n, pgdisk.VersionFileName
			return
		}
	}
	if c.Control != nil && c.Control.Major() != 0 {
		c.Major, c.MajorFrom = c.Control.Major(), pgdisk.ControlFilePath
	}
}

func readControl(fsys fs.FS) (*pgdisk.Control, error) {
	b, err := readSmall(fsys, pgdisk.ControlFilePath, pgdisk.ControlFileSize)
	if err != nil {
		return nil, err
	}
	return pgdisk.DecodeControl(b)
}

// readSmall reads at most limit bytes of a file. What lies beyond is not looked at.
func readSmall(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close()
	b, err := readUpTo(f, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}

// readLinks lists the links that matter: pg_wal and the tablespaces.
func readLinks(p Pieces) ([]Link, error) {
	var links []Link
	add := func(name string) {
		target, err := fs.ReadLink(p.Data, name)
		_, given := p.Links[name]
		if err == nil || given {
			links = append(links, Link{Path: name, Target: target, Given: given})
		}
	}
	add("pg_wal")
	spaces, err := fs.ReadDir(p.Data, "pg_tblspc")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list pg_tblspc: %w", err)
	}
	for _, e := range spaces {
		add("pg_tblspc/" + e.Name())
	}
	return links, nil
}
