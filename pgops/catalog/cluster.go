package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Cluster is the part of the dictionary that all databases share.
type Cluster struct {
	Layout      pgdisk.Layout
	Control     *pgdisk.Control // nil when pg_control is missing or cannot be decoded
	Databases   []DatabaseInfo  // in order of OID
	Tablespaces []Tablespace    // in order of OID
	Roles       []Role          // in order of OID
	Visibility  pgdisk.Visibility
	Problems    []Problem
	Notes       []string // what limits the dictionary though nothing is damaged

	fsys     fs.FS
	shared   map[pgdisk.OID]pgdisk.RelFile // of the shared catalogs, by global/pg_filenode.map
	versions map[pgdisk.OID]string         // version directories of tablespaces
}

// ErrNotCluster says that a directory is not a PostgreSQL data directory.
var ErrNotCluster = errors.New("not a PostgreSQL data directory: neither PG_VERSION nor global/pg_control can be read")

// VersionError says that the files belong to a major that is not read.
type VersionError struct{ Major int }

func (e *VersionError) Error() string {
	all := pgdisk.Layouts()
	return fmt.Sprintf("the cluster is of PostgreSQL %d: this reads %d to %d", e.Major, all[0].Major, all[len(all)-1].Major)
}

// Open reads what the databases of a stopped cluster share. In fsys, which is the data
// directory, the links of tablespaces are followed.
//
// What is damaged or missing becomes a Problem, down to the single page. Only a directory
// that is no cluster (ErrNotCluster), one of another major (*VersionError), and ctx are
// errors. Changes that are only in the WAL yet to be replayed are not seen.
func Open(ctx context.Context, fsys fs.FS) (*Cluster, error) {
	c := &Cluster{fsys: fsys, shared: map[pgdisk.OID]pgdisk.RelFile{}, versions: map[pgdisk.OID]string{}}
	found := &problems{}
	if err := c.tellMajor(found); err != nil {
		return nil, err
	}
	var fates *xactPages
	c.Visibility, fates = visibility(fsys, c.Control, found)
	if c.Control != nil {
		if !c.Control.State.Clean() {
			c.Notes = append(c.Notes, fmt.Sprintf("pg_control says %q: changes that are only in the WAL are not seen", c.Control.State))
		}
		if n := c.prepared(); n > 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("%d prepared transactions wait to be committed or rolled back: what they wrote is not seen, what they deleted is", n))
		}
		if err := checkXacts(ctx, fsys, c.Control, fates, found); err != nil {
			return nil, err
		}
	}
	c.findVersionDirs(found)
	if err := c.readShared(ctx, found); err != nil {
		return nil, err
	}
	c.Problems = found.all()
	return c, nil
}

// prepared counts the prepared transactions that a checkpoint put into files (TwoPhaseFilePath,
// access/transam/twophase.c).
func (c *Cluster) prepared() int {
	entries, err := fs.ReadDir(c.fsys, "pg_twophase")
	if err != nil {
		return 0 // none are known; younger ones are in the WAL only
	}
	n := 0
	for _, e := range entries {
		if _, err := strconv.ParseUint(e.Name(), 16, 64); err == nil && (len(e.Name()) == 8 || len(e.Name()) == 16) {
			n++
		}
	}
	return n
}

// tellMajor reads pg_control and PG_VERSION, which decides.
func (c *Cluster) tellMajor(found *problems) error {
	b, err := c.readSmall(pgdisk.ControlFilePath, pgdisk.ControlFileSize)
	if err == nil {
		c.Control, err = pgdisk.DecodeControl(b)
	}
	if err != nil {
		found.file(pgdisk.ControlFilePath, "%v", err)
	}
	var unknown *pgdisk.ControlError
	major := 0
	if c.Control != nil {
		major = c.Control.Major()
	} else if errors.As(err, &unknown) && unknown.Version/100 > 11 {
		major = int(unknown.Version / 100) // PG_CONTROL_VERSION is the major and two digits, mostly
	}
	b, err = c.readSmall(pgdisk.VersionFileName, 64)
	if err == nil {
		var n int
		if n, err = pgdisk.ParseVersionFile(b); err == nil {
			major = n
		}
	}
	if err != nil {
		found.file(pgdisk.VersionFileName, "%v", err)
	}
	if major == 0 {
		return ErrNotCluster
	}
	var ok bool
	if c.Layout, ok = pgdisk.LayoutFor(major); !ok {
		return &VersionError{Major: major}
	}
	return nil
}

// readSmall reads at most limit bytes of a file.
func (c *Cluster) readSmall(name string, limit int64) ([]byte, error) {
	f, err := c.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// scanner returns a reader of catalogs that reports to found.
func (c *Cluster) scanner(found *problems) *scanner {
	s := &scanner{fsys: c.fsys, perSegment: pgdisk.RelSegmentBlocks, vis: c.Visibility, problems: found}
	if c.Control != nil {
		s.checksums = c.Control.DataChecksumVersion != 0
		if n := c.Control.RelSegSize; n != 0 {
			s.perSegment = n
		}
	}
	return s
}

// findVersionDirs finds the directory of this major in each tablespace
// (TABLESPACE_VERSION_DIRECTORY, common/relpath.h).
func (c *Cluster) findVersionDirs(found *problems) {
	spaces, err := fs.ReadDir(c.fsys, "pg_tblspc")
	if err != nil {
		found.file("pg_tblspc", "%v: relations in own tablespaces are not found", err)
		return
	}
	want := fmt.Sprintf("PG_%d_%d", c.Layout.Major, c.Layout.CatalogVersion)
	if c.Control != nil {
		want = fmt.Sprintf("PG_%d_%d", c.Layout.Major, c.Control.CatalogVersion)
	}
	for _, e := range spaces {
		oid, ok := parseNumber(e.Name())
		if !ok {
			continue
		}
		dir := "pg_tblspc/" + e.Name()
		if _, err := fs.Stat(c.fsys, dir+"/"+want); err != nil {
			found.file(dir, "%v: the relations in this tablespace are not found", err)
		}
		c.versions[pgdisk.OID(oid)] = want
	}
}
