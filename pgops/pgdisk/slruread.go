package pgdisk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// SLRUPages reads single pages of SLRU directories. The page returned is valid until the
// next call and must not be changed. A page that cannot be had is an *SLRUPageError.
type SLRUPages interface {
	SLRUPage(g Geometry, p PageNo) ([]byte, error)
}

// SLRUPageError says why the server could not read a page either.
type SLRUPageError struct {
	Location Location
	Kind     HoleKind // HoleMissing, HoleShort, or 0 when the read itself failed
	Have     int      // bytes of the page that are there
	Err      error    // from the file system
}

func (e *SLRUPageError) Error() string {
	at := fmt.Sprintf("%s: page %d at byte %d", e.Location.Path(), e.Location.Page, e.Location.PageByte)
	switch e.Kind {
	case HoleMissing:
		return at + ": the file is missing"
	case HoleShort:
		return fmt.Sprintf("%s: the file is too short: %d of %d bytes are there", at, e.Have, BlockSize)
	}
	return fmt.Sprintf("%s: %v", at, e.Err)
}

func (e *SLRUPageError) Unwrap() error { return e.Err }

// SLRUFiles reads pages from a data directory. It keeps the last page of each directory,
// so reading neighbouring entries costs one read. It is not safe for concurrent use.
type SLRUFiles struct {
	fsys fs.FS
	last map[string]slruPage
}

type slruPage struct {
	no   PageNo
	data []byte
}

var _ SLRUPages = (*SLRUFiles)(nil)

// NewSLRUFiles returns a reader of the data directory fsys, which must not change meanwhile.
func NewSLRUFiles(fsys fs.FS) *SLRUFiles {
	return &SLRUFiles{fsys: fsys, last: make(map[string]slruPage)}
}

// SLRUPage returns one page.
func (f *SLRUFiles) SLRUPage(g Geometry, p PageNo) ([]byte, error) {
	cached, ok := f.last[g.Dir]
	if ok && cached.no == p {
		return cached.data, nil
	}
	delete(f.last, g.Dir)
	data := cached.data
	if data == nil {
		data = make([]byte, BlockSize)
	}
	loc := g.LocatePage(p)
	n, err := readFileAt(f.fsys, loc.Path(), data, loc.PageByte)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &SLRUPageError{Location: loc, Kind: HoleMissing, Err: err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &SLRUPageError{Location: loc, Kind: HoleShort, Have: n, Err: err}
	case err != nil:
		return nil, &SLRUPageError{Location: loc, Have: n, Err: err}
	}
	f.last[g.Dir] = slruPage{no: p, data: data}
	return data, nil
}

// readFileAt fills b from a position in a file, whatever the file offers: ReadAt, Seek, or
// neither.
func readFileAt(fsys fs.FS, name string, b []byte, off int64) (int, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	switch f := f.(type) {
	case io.ReaderAt:
		n, err := f.ReadAt(b, off)
		if n == len(b) {
			err = nil
		}
		return n, err
	case io.Seeker:
		_, err = f.Seek(off, io.SeekStart)
	default:
		_, err = io.CopyN(io.Discard, f, off)
	}
	if err != nil {
		return 0, err
	}
	return io.ReadFull(f, b)
}
