package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// patcher is one run of Patch.
type patcher struct {
	ctx     context.Context
	req     PatchRequest
	trees   []*tree
	s       *Stream
	files   map[string]*simulated // what the files will be like when the next change comes
	already []bool                // by change
	inverse []Change              // undoes the changes that are not in place, in their order
	res     PatchResult
}

// simulated is a file or directory as the changes so far would leave it.
type simulated struct {
	typ  Type // "" when it does not exist
	stat stat
	size int64
}

// digest names a patch: the changes, not where things are mounted.
func (r PatchRequest) digest() string {
	h := sha256.New()
	for _, c := range r.Changes {
		b, _ := json.Marshal(c) // of plain fields, cannot fail
		h.Write(append(b, '\n'))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// inspect finds out for each change whether it can be made, is made already, or must be
// refused, and what would undo it.
func (p *patcher) inspect() error {
	p.files = map[string]*simulated{}
	p.already = make([]bool, len(p.req.Changes))
	p.inverse = nil
	for i := range p.req.Changes {
		if p.ctx.Err() != nil {
			return context.Cause(p.ctx)
		}
		c := &p.req.Changes[i]
		t := byName(p.trees, c.Piece)
		if t == nil {
			return refuse(KindBadRequest, string(c.Path), fmt.Sprintf("no piece %q", c.Piece), "nothing was written")
		}
		already, err := p.one(t, i, c)
		if err != nil {
			return fmt.Errorf("change %d: %w", i, err)
		}
		p.already[i] = already
	}
	return nil
}

func (p *patcher) one(t *tree, i int, c *Change) (already bool, err error) {
	f, err := p.state(t, string(c.Path))
	if err != nil {
		return false, err
	}
	switch c.Op {
	case OpWrite:
		return p.inspectWrite(t, c, f)
	case OpTruncate:
		return p.inspectTruncate(t, i, c, f)
	case OpCreate:
		return p.inspectCreate(t, c, f)
	case OpRemove:
		return p.inspectRemove(t, c, f)
	case OpMkdir:
		return p.inspectMkdir(t, c, f)
	}
	return p.inspectRmdir(t, c, f)
}

func refused(c *Change, format string, args ...any) error {
	return refuse(KindRefused, string(c.Path), fmt.Sprintf("%s: %s", c.Path, fmt.Sprintf(format, args...)),
		"nothing was written: look again and make a new plan")
}

// state gives the simulated state of a path, at first the real one. A path that leads
// over a link is refused: what it changes would not be what was planned.
func (p *patcher) state(t *tree, path string) (*simulated, error) {
	key := doneKey(t, path)
	if f := p.files[key]; f != nil {
		return f, nil
	}
	dirs := strings.Split(path, "/")
	for i := 1; i < len(dirs); i++ {
		fi, err := t.root.Lstat(strings.Join(dirs[:i], "/"))
		if err == nil && fi.Mode()&fs.ModeSymlink != 0 {
			return nil, refuse(KindRefused, path, fmt.Sprintf("%s lies behind the link %s", path, strings.Join(dirs[:i], "/")),
				"name the piece that the link leads to")
		}
	}
	f := &simulated{}
	e := look(t, t.root, path, path)
	switch {
	case e.err == nil:
		f.typ, f.stat, f.size = e.stat.typ, e.stat, e.stat.size
	case !errors.Is(e.err, fs.ErrNotExist):
		return nil, e.err
	}
	p.files[key] = f
	return f, nil
}

// current reads what a write would replace, no further than the file will be long.
func (p *patcher) current(t *tree, c *Change, f *simulated, n int64) ([]byte, error) {
	file, _, err := openFile(t.root, string(c.Path))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b := make([]byte, max(0, min(n, f.size-c.Off)))
	k, err := file.ReadAt(b, c.Off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:k], nil
}

func (p *patcher) inspectWrite(t *tree, c *Change, f *simulated) (bool, error) {
	if f.typ != TypeFile {
		return false, refused(c, "to be written to, but it is %s", orMissing(f.typ))
	}
	n := int64(len(c.After))
	if c.Off > f.size || (c.Off+n > f.size && !c.Extend) {
		return false, refused(c, "is %d bytes long, the write reaches from %d to %d", f.size, c.Off, c.Off+n)
	}
	now, err := p.current(t, c, f, n)
	if err != nil {
		return false, err
	}
	if pending := f.size - c.Off; pending > 0 && int64(len(now)) < min(pending, n) {
		return false, refused(c, "is written to twice by the patch beyond its end")
	}
	if bytes.Equal(now, c.After) {
		return true, nil
	}
	if !expected(c, now) {
		return false, refused(c, "the %d bytes at %d are neither what the plan expects nor what it writes", n, c.Off)
	}
	before := c.Before
	if c.BeforeSHA256 != "" {
		before = now
	}
	p.undoWrite(c, before)
	f.size = max(f.size, c.Off+n)
	return false, nil
}

// undoWrite notes what brings the bytes before back.
func (p *patcher) undoWrite(c *Change, before []byte) {
	k := int64(len(before))
	if k > 0 {
		p.inverse = append(p.inverse, Change{Piece: c.Piece, Path: c.Path, Op: OpWrite, Off: c.Off, Before: c.After[:k], After: before})
	}
	if k < int64(len(c.After)) {
		p.inverse = append(p.inverse, Change{Piece: c.Piece, Path: c.Path, Op: OpTruncate,
			OldSize: c.Off + int64(len(c.After)), NewSize: c.Off + k})
	}
}

// sector is the unit that disks write whole: a torn write leaves some old, some new.
const sector = 512

// expected reports whether now is what the plan found, or a mixture of that and of what
// it writes such as an interrupted write leaves behind.
func expected(c *Change, now []byte) bool {
	if c.BeforeSHA256 != "" {
		return int64(len(now)) == c.BeforeLen && lineSum(now) == c.BeforeSHA256
	}
	if bytes.Equal(now, c.Before) {
		return true
	}
	if len(now) < len(c.Before) {
		return false
	}
	for lo := 0; lo < len(now); {
		hi := min(len(now), lo+sector-int((c.Off+int64(lo))%sector))
		part, old := now[lo:hi], make([]byte, hi-lo) // beyond the old end: zeros
		if lo < len(c.Before) {
			copy(old, c.Before[lo:])
		}
		if !bytes.Equal(part, old) && !bytes.Equal(part, c.After[lo:hi]) {
			return false
		}
		lo = hi
	}
	return true
}

func (p *patcher) inspectTruncate(t *tree, i int, c *Change, f *simulated) (bool, error) {
	if f.typ != TypeFile {
		return false, refused(c, "to be cut, but it is %s", orMissing(f.typ))
	}
	for _, later := range p.req.Changes[i:] {
		if later.Op == OpTruncate && later.Piece == c.Piece && later.Path == c.Path && later.NewSize == f.size {
			return true, nil
		}
	}
	if f.size != c.OldSize {
		return false, refused(c, "is %d bytes long, the plan expects %d or %d", f.size, c.OldSize, c.NewSize)
	}
	if c.OldSize-c.NewSize > maxPatchBytes {
		return false, refused(c, "cutting %d bytes is more than can be saved", c.OldSize-c.NewSize)
	}
	cut, err := p.current(t, &Change{Path: c.Path, Off: c.NewSize}, f, c.OldSize-c.NewSize)
	if err != nil {
		return false, err
	}
	p.inverse = append(p.inverse, Change{Piece: c.Piece, Path: c.Path, Op: OpWrite, Off: c.NewSize, After: cut, Extend: true})
	f.size = c.NewSize
	return false, nil
}

func orMissing(typ Type) string {
	if typ == "" {
		return "missing"
	}
	return "a " + string(typ)
}

// whole reads a file that is small enough to be saved.
func (p *patcher) whole(t *tree, c *Change, f *simulated) ([]byte, error) {
	if f.size > maxPatchBytes {
		return nil, refused(c, "its %d bytes are more than can be saved", f.size)
	}
	return readSmall(t.root, string(c.Path), f.size)
}
