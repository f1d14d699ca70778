package agent

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// CopyRequest asks for a snapshot: Source is copied, read back and described.
//
// With Resume the input holds the records that an earlier, interrupted attempt streamed,
// in their order. Files that they describe and that did not change since are not copied
// again; they are read back all the same.
type CopyRequest struct {
	Source []Piece `json:"source"`
	Dest   []Piece `json:"dest"` // by name, one for each source piece; writable and empty

	Headroom       int64 `json:"headroom"`        // bytes to leave free on each destination
	HeadroomInodes int64 `json:"headroom_inodes"` // likewise
	Resume         bool  `json:"resume"`
	NoReflink      bool  `json:"no_reflink"` // a full copy, so that it does not share the medium's faults
	NoReadBack     bool  `json:"no_read_back"`
}

// CopyResult sums a snapshot up. The details are in the records.
type CopyResult struct {
	Dirs   int64 `json:"dirs"`
	Files  int64 `json:"files"`
	Links  int64 `json:"links"`  // symbolic
	Bytes  int64 `json:"bytes"`  // sum of the sizes of files
	Reused int64 `json:"reused"` // files that an earlier attempt had copied
	Cloned int64 `json:"cloned"` // files that share blocks with the source

	BadFiles int64 `json:"bad_files"` // with ranges that could not be read
	BadBytes int64 `json:"bad_bytes"`
	Pages    int64 `json:"pages"`
	BadPages int64 `json:"bad_pages"`

	ControlKnown bool   `json:"control_known"` // pg_control was read
	Checksums    bool   `json:"checksums"`     // page checksums were compared, not only headers
	Fingerprint  string `json:"fingerprint"`   // of the source
	ReadBack     string `json:"read_back"`     // "direct", "cache dropped", "mixed" or "" for none
	Seconds      Phases `json:"seconds"`
	Notes        []Note `json:"notes,omitempty"`
	NoteCount    int64  `json:"note_count,omitempty"`
}

// Phases are the seconds spent in each part of a copy.
type Phases struct {
	Measure  float64 `json:"measure"`
	Copy     float64 `json:"copy"`
	Sync     float64 `json:"sync"`
	ReadBack float64 `json:"read_back"`
}

// Note is something about one entry that the operator should know.
type Note struct {
	Piece string `json:"piece"`
	Path  Path   `json:"path"`
	Text  string `json:"text"`
}

const maxNotes = 200

// seams are where tests reach into a copy.
type seams struct {
	readAt    func(f *os.File, path string, b []byte, off int64) (int, error)
	afterFile func(path string) // after a file's content was copied, before it is looked at again
}

// Copy makes a snapshot in one pass: content is read once for copying, for its SHA-256
// and for the check of relation pages. The order is the order of need: pg_control, WAL,
// transaction status, the shared catalogs, then the rest, so that what was saved before
// a dying disk gives up is what matters most. Ranges that cannot be read become zeros
// and are listed. Then the copy is synced, read back from the medium and compared.
//
// A source that changes meanwhile ends the copy with KindChanged.
func Copy(ctx context.Context, req CopyRequest, s *Stream) (CopyResult, error) {
	return copyWith(ctx, req, s, seams{})
}

func copyWith(ctx context.Context, req CopyRequest, s *Stream, x seams) (CopyResult, error) {
	c, err := newCopier(ctx, req, s, x)
	if err != nil {
		return CopyResult{}, err
	}
	defer c.close()
	for _, phase := range []struct {
		name string
		run  func() error
		time *float64
	}{
		{"measure", c.measure, &c.res.Seconds.Measure},
		{"copy", c.copyAll, &c.res.Seconds.Copy},
		{"sync", c.sync, &c.res.Seconds.Sync},
		{"read back", c.readBack, &c.res.Seconds.ReadBack},
		{"compare", c.sourceUnchanged, nil},
	} {
		began := time.Now()
		if err := phase.run(); err != nil {
			return c.res, fmt.Errorf("%s: %w", phase.name, err)
		}
		if phase.time != nil {
			*phase.time = time.Since(began).Seconds()
		}
	}
	return c.res, nil
}

// copier is one run of Copy.
type copier struct {
	ctx      context.Context
	req      CopyRequest
	s        *Stream
	x        seams
	src, dst []*tree // paired by position
	barriers []*os.File
	facts    clusterFacts
	usage    *measurement
	meter    *meter
	index    sumIndex
	dirs     []Record            // in the order of the walk, for their metadata at the end
	links    map[[2]uint64]link  // the walker's: files with several links, by device and inode
	firsts   map[string][32]byte // the reporter's: content of the first path of each
	cloneMu  sync.Mutex
	clone    map[string]bool // by piece: cloning has not failed yet
	control  [32]byte        // content of pg_control as copied
	res      CopyResult
}

// link is the first path of an inode, and how many of its links were met.
type link struct {
	piece, path string
	links, seen uint64
}

func firstKey(piece, path string) string { return piece + "\x00" + path }

func newCopier(ctx context.Context, req CopyRequest, s *Stream, x seams) (*copier, error) {
	dest, err := match(req.Source, req.Dest)
	if err != nil {
		return nil, err
	}
	c := &copier{ctx: ctx, req: req, s: s, x: x, links: map[[2]uint64]link{}, firsts: map[string][32]byte{}, clone: map[string]bool{}}
	if x.readAt == nil {
		c.x.readAt = func(f *os.File, _ string, b []byte, off int64) (int, error) { return f.ReadAt(b, off) }
	}
	if x.afterFile == nil {
		c.x.afterFile = func(string) {}
	}
	if c.src, err = openTrees(req.Source); err != nil {
		return nil, err
	}
	if c.dst, err = openTrees(dest); err != nil {
		c.close()
		return nil, err
	}
	for _, t := range c.dst {
		// Opened before the first write: syncfs reports the errors since then.
		f, err := t.root.Open(".")
		if err != nil {
			c.close()
			return nil, fmt.Errorf("open destination of piece %s: %w", t.Name, err)
		}
		c.barriers = append(c.barriers, f)
	}
	for _, t := range c.src {
		c.clone[t.Name] = !req.NoReflink
	}
	return c, nil
}

func (c *copier) close() {
	for _, f := range c.barriers {
		f.Close()
	}
	closeTrees(c.src)
	closeTrees(c.dst)
}

// dest gives the destination of a source tree.
func (c *copier) dest(src *tree) *tree {
	for i, t := range c.src {
		if t == src {
			return c.dst[i]
		}
	}
	return nil
}

func (c *copier) note(piece, path, text string) {
	c.res.NoteCount++
	if len(c.res.Notes) < maxNotes {
		c.res.Notes = append(c.res.Notes, Note{piece, Path(path), text})
	}
}

// starts is the order of need.
func (c *copier) starts() []start {
	var out []start
	under := func(role string, subs ...string) {
		for _, sub := range subs {
			for _, t := range c.src {
				for _, p := range t.parts() {
					if p.Role == role {
						out = append(out, start{t, join(string(p.Sub), sub)})
					}
				}
			}
		}
	}
	under(RoleData, pgdisk.ControlFilePath)
	under(RoleWAL, ".")
	under(RoleData, "pg_wal", "pg_xact", "pg_multixact", "global", "base")
	return out
}

// isControl reports whether a path is the control file of the cluster.
func isControl(t *tree, path string) bool {
	part, rel, ok := t.partOf(path)
	return ok && part.Role == RoleData && rel == pgdisk.ControlFilePath
}
