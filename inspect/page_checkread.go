package inspect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// checkBuffer is how much is read at once: enough to make a call of the system cheap, and little
// enough to stay in a processor's cache until the checksums have been computed.
const checkBuffer = 256 << 10

// checkReader does jobs, one after the other.
type checkReader struct {
	fsys      fs.FS
	checksums PageChecksums
	buf       []byte // whole pages
}

// Files under the name of a relation's whose pages are not read.
var (
	errNotReaderAt = errors.New("the file cannot be read at a position")
	errNotRegular  = errors.New("not a regular file: it was not read")
	errTooFar      = errors.New("no relation can be that long: the file was not read")
)

// run checks one part of a file. Its error is the context's.
func (r *checkReader) run(ctx context.Context, j *checkJob) error {
	if j.odd != nil {
		j.unread(0, j.odd)
		return nil
	}
	if j.size == 0 {
		return nil
	}
	f, err := r.fsys.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		j.gone = true
		return nil
	}
	if err != nil {
		j.unread(j.off, err)
		return nil
	}
	defer f.Close()
	at, ok := f.(io.ReaderAt)
	if !ok {
		j.unread(j.off, errNotReaderAt)
		return nil
	}
	for off := j.off; off < j.off+j.size; off += int64(len(r.buf)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		want := r.buf[:min(int64(len(r.buf)), j.off+j.size-off)]
		n, err := at.ReadAt(want, off)
		if err != nil && !errors.Is(err, io.EOF) {
			r.singly(at, j, off, int64(len(want)))
			continue
		}
		r.pages(j, off, want[:n])
		if n < len(want) {
			return nil // the file has become shorter: it is in use
		}
	}
	return nil
}

// singly reads page by page where reading many at once failed.
func (r *checkReader) singly(at io.ReaderAt, j *checkJob, off, size int64) {
	page := make([]byte, pgdisk.BlockSize)
	for end := off + size; off < end; off += pgdisk.BlockSize {
		n, err := at.ReadAt(page[:min(pgdisk.BlockSize, end-off)], off)
		if err != nil && !errors.Is(err, io.EOF) {
			j.sum.Blocks++
			j.unread(off, err)
			continue
		}
		r.pages(j, off, page[:n])
	}
}

// pages checks the pages of b, which starts at off.
func (r *checkReader) pages(j *checkJob, off int64, b []byte) {
	j.sum.Bytes += int64(len(b))
	for ; len(b) >= pgdisk.BlockSize; b, off = b[pgdisk.BlockSize:], off+pgdisk.BlockSize {
		j.sum.Blocks++
		r.page(j, off, b[:pgdisk.BlockSize])
	}
	if len(b) > 0 {
		j.sum.Blocks++
		j.found(off, nil, badPage{Kind: badTorn, Problem: fmt.Sprintf("the file ends after %d of %d bytes", len(b), pgdisk.BlockSize)})
	}
}

// page checks one page: by its checksum where it has one, else by its structure.
func (r *checkReader) page(j *checkJob, off int64, page []byte) {
	blk := j.block(off)
	stored := binary.LittleEndian.Uint16(page[8:])
	if binary.LittleEndian.Uint16(page[14:]) == 0 { // PageIsNew: no checksum
		if pgdisk.PageIsZero(page) {
			j.sum.New++
		} else {
			j.found(off, page, badPage{Kind: badNew, Problem: "pd_upper is 0 as on a page never used, but there is content"})
		}
		return
	}
	if r.checksums == ChecksumsOff || r.checksums == ChecksumsUnknown && stored == 0 {
		kind := pgdisk.RecognisePage(page, j.fork, blk)
		if problems := pgdisk.PageProblems(page, kind); len(problems) > 0 {
			j.structure(off, page, problems)
		}
		return
	}
	if computed := pgdisk.PageChecksum(page, blk); computed != stored {
		j.found(off, page, badPage{Kind: badChecksum, Stored: stored, Computed: computed, Problem: fmt.Sprintf("checksum %04X is stored, %04X computed", stored, computed)})
		return
	}
	if h, err := pgdisk.DecodePageHeader(page); err == nil {
		if problems := h.Problems(); len(problems) > 0 {
			j.structure(off, page, problems)
		}
	}
}

func (j *checkJob) block(off int64) pgdisk.BlockNumber {
	return j.first + pgdisk.BlockNumber(off/pgdisk.BlockSize)
}

func (j *checkJob) structure(off int64, page []byte, problems []*pgdisk.FormatError) {
	text := pageProblem(problems[0])
	if more := len(problems) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	j.found(off, page, badPage{Kind: badStructure, Problem: text})
}

func (j *checkJob) unread(off int64, err error) {
	j.found(off, nil, badPage{Kind: badRead, Problem: err.Error()})
}

func (j *checkJob) found(off int64, page []byte, b badPage) {
	b.File, b.Block, b.InFile = j.path, uint32(j.block(off)), uint32(off/pgdisk.BlockSize)
	if h, err := pgdisk.DecodePageHeader(page); err == nil {
		b.LSN = h.LSN.String()
	}
	j.bad = append(j.bad, b)
}
