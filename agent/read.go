package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ReadRequest asks for small parts of files.
type ReadRequest struct {
	Pieces []Piece    `json:"pieces"`
	Items  []ReadItem `json:"items"`
}

// ReadItem is one thing to read: a range of a file, a directory's entries, or only what
// stat says.
type ReadItem struct {
	Piece string `json:"piece"`
	Path  Path   `json:"path"`
	What  string `json:"what"` // ReadRange, ReadList or ReadStat
	Off   int64  `json:"off,omitempty"`
	Len   int64  `json:"len,omitempty"` // at most 8 MiB; bytes past the end are left out
}

// What a ReadItem asks for.
const (
	ReadRange = "range"
	ReadList  = "list"
	ReadStat  = "stat"
)

// Bounds of one request, so that an answer fits on a line.
const (
	maxReadLen   = 8 << 20
	maxReadTotal = 24 << 20
	maxReadList  = 50000
)

// ReadResult answers the items in their order.
type ReadResult struct {
	Items []ReadAnswer `json:"items"`
}

// ReadAnswer is one answer. Err is set, and the rest not, where the item failed: a file
// that is missing is an answer.
type ReadAnswer struct {
	Stat    *Record  `json:"stat,omitempty"`
	Data    []byte   `json:"data,omitempty"`
	Entries []Record `json:"entries,omitempty"` // without hashes
	Err     *Error   `json:"err,omitempty"`
}

// Read reads ranges, lists directories and stats, following no links.
func Read(ctx context.Context, req ReadRequest, _ *Stream) (ReadResult, error) {
	trees, err := openTrees(req.Pieces)
	if err != nil {
		return ReadResult{}, err
	}
	defer closeTrees(trees)
	var total int64
	for _, it := range req.Items {
		if it.Len < 0 || it.Off < 0 || it.Len > maxReadLen || total+it.Len > maxReadTotal {
			return ReadResult{}, refuse(KindBadRequest, string(it.Path),
				fmt.Sprintf("range %d+%d of %s is out of bounds", it.Off, it.Len, it.Path), "ask in smaller pieces")
		}
		total += it.Len
	}
	var res ReadResult
	for _, it := range req.Items {
		if ctx.Err() != nil {
			return res, context.Cause(ctx)
		}
		a, err := readItem(trees, it)
		if err != nil {
			a = ReadAnswer{Err: asError(err)}
		}
		res.Items = append(res.Items, a)
	}
	return res, nil
}

func readItem(trees []*tree, it ReadItem) (a ReadAnswer, err error) {
	t := byName(trees, it.Piece)
	if t == nil || !it.Path.Local() {
		return a, refuse(KindBadRequest, string(it.Path), fmt.Sprintf("no piece %q, or path %q leaves it", it.Piece, it.Path), "")
	}
	path := string(it.Path)
	e := look(t, t.root, path, path)
	if e.err != nil {
		return a, e.err
	}
	r := e.stat.record(t.Name, path)
	if r.Type == TypeLink {
		target, err := t.root.Readlink(path)
		if err != nil {
			return a, err
		}
		r.Target = Path(target)
	}
	a.Stat = &r
	switch it.What {
	case ReadStat:
		return a, nil
	case ReadList:
		a.Entries, err = readEntries(t, path)
		return a, err
	case ReadRange:
		a.Data, err = readRange(t, it)
		return a, err
	}
	return a, refuse(KindBadRequest, path, fmt.Sprintf("cannot read %q", it.What), "")
}

func readRange(t *tree, it ReadItem) ([]byte, error) {
	f, st, err := openFile(t.root, string(it.Path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, max(0, min(it.Len, st.size-it.Off)))
	n, err := f.ReadAt(b, it.Off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:n], nil
}

func readEntries(t *tree, path string) ([]Record, error) {
	sub, names, err := openDir(t.root, path)
	if err != nil {
		return nil, err
	}
	defer sub.Close()
	if len(names) > maxReadList {
		return nil, refuse(KindRefused, path, fmt.Sprintf("%s has %d entries, more than %d", path, len(names), maxReadList), "")
	}
	var out []Record
	for _, n := range names {
		e := look(t, sub, n, join(path, n))
		if e.err != nil {
			continue // gone since it was listed
		}
		r := e.stat.record(t.Name, e.path)
		if r.Type == TypeLink {
			if target, err := sub.Readlink(n); err == nil {
				r.Target = Path(target)
			}
		}
		out = append(out, r)
	}
	return out, nil
}
