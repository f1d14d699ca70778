package pgops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// readPages gives every whole page of a file to visit, which must not keep it. buf holds whole pages. Where a
// read fails, its pages are tried one by one; those that fail are skipped, and the first such error is
// returned at the end. visit's own error ends the reading.
func readPages(ctx context.Context, fsys fs.FS, f relationFile, buf []byte, visit func(in pgdisk.BlockNumber, page []byte) error, progress func(done int64)) error {
	file, err := fsys.Open(f.path)
	if err != nil {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	defer file.Close()
	at, ok := file.(io.ReaderAt)
	if !ok {
		return fmt.Errorf("read %s: %w", f.path, errNoReaderAt)
	}
	var failed error
	for off := int64(0); off+pgdisk.BlockSize <= f.size; off += int64(len(buf)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := at.ReadAt(buf[:min(int64(len(buf)), (f.size-off)/pgdisk.BlockSize*pgdisk.BlockSize)], off)
		if err != nil && !errors.Is(err, io.EOF) {
			n, err = readSingly(at, buf[:min(int64(len(buf)), f.size-off)], off)
			if failed == nil {
				failed = fmt.Errorf("read %s: %w", f.path, err)
			}
		}
		for page := 0; page+pgdisk.BlockSize <= n; page += pgdisk.BlockSize {
			if err := visit(pgdisk.BlockNumber((off+int64(page))/pgdisk.BlockSize), buf[page:page+pgdisk.BlockSize]); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(off + int64(n))
		}
	}
	return failed
}

// readSingly reads page by page. A page that cannot be read is left zero, which says "never written" to
// whoever looks at it: nothing is concluded from it.
func readSingly(at io.ReaderAt, buf []byte, off int64) (n int, failed error) {
	for ; n+pgdisk.BlockSize <= len(buf); n += pgdisk.BlockSize {
		page := buf[n : n+pgdisk.BlockSize]
		if _, err := at.ReadAt(page, off+int64(n)); err != nil {
			clear(page)
			failed = err
		}
	}
	return n, failed
}
