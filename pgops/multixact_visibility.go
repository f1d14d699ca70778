package pgops

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// Cutting of a visibility map: two bits for each heap block behind a page header
// (access/heap/visibilitymap.c).
const (
	vmBlocksPerByte = 4
	vmBlocksPerPage = (pgdisk.BlockSize - pgdisk.PageHeaderSize) * vmBlocksPerByte
)

// vmPage is a page of a visibility map with changes that were not emitted yet.
type vmPage struct {
	path          string
	off           int64
	block         pgdisk.BlockNumber
	before, after []byte
}

// notAllVisible clears the bits of a heap block in the visibility map when they are set: index-only scans would
// go on showing the row version that is now dead. A map that is missing says that nothing is visible to all.
func (t *treating) notAllVisible(f relationFile, blk pgdisk.BlockNumber) error {
	mapBlock := blk / vmBlocksPerPage
	segment, off := pgdisk.LocateBlock(mapBlock, t.heap.perSegment)
	vm := f.RelFile
	vm.Fork, vm.Segment = pgdisk.VMFork, segment
	if path := vm.Path(); t.vm.path != path || t.vm.off != off {
		if err := t.flushMap(); err != nil {
			return err
		}
		page, err := readBlock(t.p.c.fsys, path, off)
		if err != nil || page == nil {
			return err
		}
		if h, err := pgdisk.DecodePageHeader(page); err != nil || h.IsNew() {
			return err
		}
		t.vm = vmPage{path: path, off: off, block: mapBlock, before: page, after: slices.Clone(page)}
	}
	within := blk % vmBlocksPerPage
	t.vm.after[pgdisk.PageHeaderSize+int(within/vmBlocksPerByte)] &^= 3 << (within % vmBlocksPerByte * 2)
	return nil
}

// flushMap emits the changes of the map page as one edit.
func (t *treating) flushMap() error {
	v := t.vm
	t.vm = vmPage{}
	if v.path == "" || slices.Equal(v.before, v.after) {
		return nil
	}
	if t.heap.checksums {
		pgdisk.PutPageChecksum(v.after, v.block)
	}
	from, to := trimEqual(v.before, v.after)
	return t.p.emit(Edit{Path: v.path, Offset: v.off + int64(from), Before: v.before[from:to], After: v.after[from:to],
		Why: "visibility map: pages with a row version that is now dead are no longer visible to all"})
}

// readBlock reads one page; nil when it is not there.
func readBlock(fsys fs.FS, path string, off int64) ([]byte, error) {
	f, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	at, ok := f.(interface {
		ReadAt(p []byte, off int64) (int, error)
	})
	if !ok {
		return nil, fmt.Errorf("read %s: %w", path, errNoReaderAt)
	}
	page := make([]byte, pgdisk.BlockSize)
	if n, _ := at.ReadAt(page, off); n != pgdisk.BlockSize {
		return nil, nil
	}
	return page, nil
}
