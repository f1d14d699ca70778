package agent

import (
	"context"
	"fmt"
	"slices"
)

// CompareRequest asks whether trees are still what records say. The records are the
// input, in any order.
type CompareRequest struct {
	Pieces []Piece `json:"pieces"`

	// Fingerprint, where it is given and still holds, is taken for an answer: nothing
	// is read. It must have been taken from these very directories.
	Fingerprint string `json:"fingerprint,omitempty"`

	IgnoreMtime  bool `json:"ignore_mtime"`
	IgnoreXattrs bool `json:"ignore_xattrs"` // for copies on file systems without them
	Max          int  `json:"max"`           // differences to list, 100 if 0; all are counted
}

// CompareResult says what differs.
type CompareResult struct {
	Equal  bool         `json:"equal"`
	Method string       `json:"method"` // "fingerprint" or "content"
	Files  int64        `json:"files"`  // whose content was compared
	Bytes  int64        `json:"bytes"`
	Count  int64        `json:"count"` // differences
	Diffs  []Difference `json:"diffs,omitempty"`
}

// Difference is one thing that is not as recorded.
type Difference struct {
	Piece string `json:"piece"`
	Path  Path   `json:"path"`
	What  string `json:"what"` // "missing", "extra", "content", "size", "mode", "owner", "mtime", "type", "link", "xattrs", "unreadable"
	Want  string `json:"want,omitempty"`
	Got   string `json:"got,omitempty"`
}

const defaultMaxDiffs = 100

// Compare reads trees again and lists where they differ from the records: content,
// sizes, modes, owners, times, links, attributes, what is missing and what is extra.
// Differences are a result, not an error.
func Compare(ctx context.Context, req CompareRequest, s *Stream) (CompareResult, error) {
	trees, err := openTrees(req.Pieces)
	if err != nil {
		return CompareResult{}, err
	}
	defer closeTrees(trees)
	c := &comparer{ctx: ctx, req: req, trees: trees, s: s, res: CompareResult{Method: "content"}, buf: make([]byte, chunkSize)}
	if req.Fingerprint != "" {
		m, err := measure(ctx, trees)
		if err != nil {
			return c.res, fmt.Errorf("compare: %w", err)
		}
		if m.fingerprint() == req.Fingerprint {
			return CompareResult{Equal: true, Method: "fingerprint"}, nil
		}
	}
	defer c.dirs.close()
	if err := c.records(); err != nil {
		return c.res, fmt.Errorf("compare: %w", err)
	}
	if err := c.extras(); err != nil {
		return c.res, fmt.Errorf("compare: %w", err)
	}
	c.res.Equal = c.res.Count == 0
	return c.res, nil
}

type comparer struct {
	ctx   context.Context
	req   CompareRequest
	trees []*tree
	s     *Stream
	dirs  dirCache
	seen  []uint64 // keys of records; sorted by extras
	buf   []byte
	meter *meter
	res   CompareResult
}

func (c *comparer) diff(piece, path, what, want, got string) {
	c.res.Count++
	limit := c.req.Max
	if limit == 0 {
		limit = defaultMaxDiffs
	}
	if len(c.res.Diffs) < limit {
		c.res.Diffs = append(c.res.Diffs, Difference{piece, Path(path), what, want, got})
	}
}

func (c *comparer) records() error {
	c.meter = newMeter("compare", 0, 0, c.s.Progress)
	for r, err := range c.s.input() {
		if err != nil {
			return err
		}
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		if !r.Path.Local() {
			return refuse(KindBadRequest, string(r.Path), fmt.Sprintf("record path %q leaves its piece", r.Path), "")
		}
		t := byName(c.trees, r.Piece)
		if t == nil {
			return refuse(KindBadRequest, string(r.Path), fmt.Sprintf("record of the unknown piece %q", r.Piece), "name every piece in the request")
		}
		c.seen = append(c.seen, r.key())
		if !r.copied() {
			continue
		}
		if err := c.one(t, &r); err != nil {
			return err
		}
	}
	return nil
}

// copied reports whether the entry is one that a copy has.
func (r *Record) copied() bool { return r.Type == TypeDir || r.Type == TypeFile || r.Type == TypeLink }

// one compares an entry with its record.
func (c *comparer) one(t *tree, r *Record) error {
	diffs, err := compareEntry(c.ctx, &c.dirs, t, r, c.req, c.buf, func(n int64) { c.meter.add(n, 0, string(r.Path)) })
	if err != nil {
		return err
	}
	for _, d := range diffs {
		c.diff(r.Piece, string(r.Path), d.What, d.Want, d.Got)
	}
	if r.Type == TypeFile {
		c.res.Files++
		c.res.Bytes += r.Size
		c.meter.add(0, 1, string(r.Path))
	}
	return nil
}

// extras looks for entries without a record.
func (c *comparer) extras() error {
	slices.Sort(c.seen)
	return walkTrees(c.ctx, c.trees, nil, func(e entry) error {
		if e.err != nil {
			c.diff(e.tree.Name, e.path, "unreadable", "", e.err.Error())
		}
		if _, ok := slices.BinarySearch(c.seen, pathKey(e.tree.Name, e.path)); !ok && e.path != lostFound {
			c.diff(e.tree.Name, e.path, "extra", "", string(e.stat.typ))
		}
		return nil
	})
}
