package agent

import (
	"context"
	"fmt"
	"os"
)

// LookRequest asks for the facts that triage needs. Nothing is written.
type LookRequest struct {
	Pieces []Piece `json:"pieces"`
	// Probe names directories in which a temporary file may be made to see whether the
	// file system can share blocks. Never the original.
	Probe []Piece `json:"probe,omitempty"`
}

// LookResult is what was seen.
type LookResult struct {
	Spaces      []PieceSpace `json:"spaces"`
	Data        []DataDir    `json:"data"`              // none, one or several
	Cut         bool         `json:"cut,omitempty"`     // the search was ended at its bounds
	Fingerprint string       `json:"fingerprint"`       // of all pieces
	Reflink     []Reflink    `json:"reflink,omitempty"` // one per probed directory
}

// PieceSpace is the space under a piece, and what the piece uses of it.
type PieceSpace struct {
	Piece string `json:"piece"`
	Space
	Usage Usage `json:"usage"`
}

// Reflink says whether files of one directory can share blocks.
type Reflink struct {
	Piece string `json:"piece"`
	Can   bool   `json:"can"`
	Why   string `json:"why,omitempty"` // the kernel's answer where it cannot
}

// DataDir is what a directory that looks like a cluster's holds.
type DataDir struct {
	Piece     string `json:"piece"`
	Sub       Path   `json:"sub"`                  // relative to the piece
	Version   string `json:"version"`              // PG_VERSION, trimmed
	Control   []byte `json:"control,omitempty"`    // global/pg_control as it is, at most 8192 bytes
	NoControl string `json:"no_control,omitempty"` // why Control is absent

	UID  uint32 `json:"uid"`
	GID  uint32 `json:"gid"`
	Mode uint32 `json:"mode"`

	Texts []Text     `json:"texts,omitempty"` // postmaster.pid, backup_label and others that exist
	Links []Symlink  `json:"links,omitempty"` // pg_wal and those in pg_tblspc; targets as the server sees them
	Dirs  []DirState `json:"dirs"`            // the directories that a server wants
	Lists []Listing  `json:"lists"`           // files of pg_wal, pg_xact, pg_multixact
	Log   *Log       `json:"log,omitempty"`   // of the logging collector, if there is one
	Usage Usage      `json:"usage"`           // of the directory itself, links not followed
}

// Text is a small file of the data directory.
type Text struct {
	Path Path   `json:"path"`
	Text string `json:"text"` // the first 16 KiB
	Size int64  `json:"size"`
	Err  string `json:"err,omitempty"`
}

// Symlink is a link and its raw target.
type Symlink struct {
	Path   Path `json:"path"`
	Target Path `json:"target"`
}

// DirState says whether a directory is there. A server refuses to start without some.
type DirState struct {
	Path  Path   `json:"path"`
	State string `json:"state"` // "ok", "empty", "missing", "link" or "unreadable"
}

// Listing is the content of a directory.
type Listing struct {
	Dir   Path       `json:"dir"`
	Files []FileSize `json:"files,omitempty"`
	Count int64      `json:"count"` // of files; the list ends at 20 000
	Err   string     `json:"err,omitempty"`
}

// FileSize is a file of a listing.
type FileSize struct {
	Name Path  `json:"name"`
	Size int64 `json:"size"`
}

// Log is the end of the newest server log.
type Log struct {
	Path Path   `json:"path"`
	Size int64  `json:"size"`
	Tail string `json:"tail"` // the last 64 KiB
}

// Look gathers what can be known of a target without touching it.
func Look(ctx context.Context, req LookRequest, s *Stream) (LookResult, error) {
	trees, err := openTrees(req.Pieces)
	if err != nil {
		return LookResult{}, err
	}
	defer closeTrees(trees)
	s.Progress(Progress{Phase: "look"})
	l := &looker{ctx: ctx, trees: trees}
	if err := l.survey(); err != nil {
		return l.res, fmt.Errorf("look: %w", err)
	}
	for _, t := range trees {
		if err := l.find(t); err != nil {
			return l.res, fmt.Errorf("look: %w", err)
		}
	}
	for _, p := range req.Probe {
		l.res.Reflink = append(l.res.Reflink, probeReflink(p))
	}
	return l.res, nil
}

type looker struct {
	ctx   context.Context
	trees []*tree
	res   LookResult
	seen  int // directories searched
}

// survey walks everything once for sizes, and for the fingerprint that tells later
// whether somebody wrote since.
func (l *looker) survey() error {
	all, err := measureLive(l.ctx, l.trees)
	if err != nil {
		return err
	}
	l.res.Fingerprint = all.fingerprint()
	for _, t := range l.trees {
		space, err := statFS(t.Path)
		if err != nil {
			return err
		}
		m := all
		if len(l.trees) > 1 {
			if m, err = measureLive(l.ctx, []*tree{t}); err != nil {
				return err
			}
		}
		l.res.Spaces = append(l.res.Spaces, PieceSpace{Piece: t.Name, Space: space, Usage: m.Usage})
	}
	return nil
}

// probeReflink clones one temporary file to another.
func probeReflink(p Piece) Reflink {
	r := Reflink{Piece: p.Name}
	err := func() error {
		a, err := os.CreateTemp(p.Path, ".pgrescue-probe-")
		if err != nil {
			return err
		}
		defer os.Remove(a.Name())
		defer a.Close()
		b, err := os.CreateTemp(p.Path, ".pgrescue-probe-")
		if err != nil {
			return err
		}
		defer os.Remove(b.Name())
		defer b.Close()
		if _, err := a.Write(make([]byte, chunkSize)); err != nil {
			return err
		}
		return cloneFile(b, a)
	}()
	if r.Can = err == nil; err != nil {
		r.Why = err.Error()
	}
	return r
}
