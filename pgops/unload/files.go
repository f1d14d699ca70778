package unload

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/catalog"
	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// segment is one file of a relation's fork.
type segment struct {
	number uint32
	size   int64 // bytes
}

// relFiles are the files of one fork of a relation, mostly the main one, as the directory has
// them.
type relFiles struct {
	first      pgdisk.RelFile // segment 0, whether there or not
	perSegment uint32         // blocks in a full file
	segments   []segment      // in order of number
}

// span is a run of blocks.
type span struct {
	First pgdisk.BlockNumber `json:"block"`
	Count uint32             `json:"blocks"`
}

// lostSpan is a run of blocks that ought to be there.
type lostSpan struct {
	span
	why string
}

// filesOf takes the main fork's files of a relation.
func filesOf(r *catalog.Relation, perSegment uint32) relFiles {
	return forkOf(r, pgdisk.MainFork, perSegment)
}

// forkOf takes the files of one fork. One whose number no table can have is left out.
func forkOf(r *catalog.Relation, fork pgdisk.Fork, perSegment uint32) relFiles {
	files := relFiles{first: r.File, perSegment: perSegment}
	files.first.Fork = fork
	for _, f := range r.Files {
		if _, ok := f.FirstBlock(perSegment); ok && f.Fork == fork {
			files.segments = append(files.segments, segment{number: f.Segment, size: f.Size})
		}
	}
	slices.SortFunc(files.segments, func(a, b segment) int { return cmp.Compare(a.number, b.number) })
	return files
}

// there reports whether the relation has any file.
func (r relFiles) there() bool { return len(r.segments) > 0 }

// bytes is what the files hold together.
func (r relFiles) bytes() int64 {
	var n int64
	for _, s := range r.segments {
		n += s.size
	}
	return n
}

// blocks is the number of the block after the last whole one.
func (r relFiles) blocks() pgdisk.BlockNumber {
	if !r.there() {
		return 0
	}
	last := r.segments[len(r.segments)-1]
	return pgdisk.BlockNumber(last.number*r.perSegment + last.whole(r.perSegment))
}

// whole is the number of whole blocks of a file that can be addressed.
func (s segment) whole(perSegment uint32) uint32 {
	return uint32(min(s.size/pgdisk.BlockSize, int64(perSegment)))
}

// lost lists the blocks that must have been there: files missing before others, files that
// end early though others follow, a block cut in two, and what lies beyond a full file.
func (r relFiles) lost() []lostSpan {
	var lost []lostSpan
	next := uint32(0) // the segment that should come
	for i, s := range r.segments {
		if s.number > next {
			lost = append(lost, lostSpan{span{pgdisk.BlockNumber(next * r.perSegment), (s.number - next) * r.perSegment},
				fmt.Sprintf("%s is missing, though later files of the table are there", r.path(next))})
		}
		next = s.number + 1
		whole, isLast := s.whole(r.perSegment), i == len(r.segments)-1
		at := pgdisk.BlockNumber(s.number*r.perSegment + whole)
		switch {
		case s.size > int64(r.perSegment)*pgdisk.BlockSize:
			lost = append(lost, lostSpan{span{at - 1, 0}, fmt.Sprintf("%s has %d bytes, more than a file of a table can", r.path(s.number), s.size)})
		case !isLast && whole < r.perSegment:
			lost = append(lost, lostSpan{span{at, r.perSegment - whole}, fmt.Sprintf("%s ends after %d blocks, though later files of the table are there", r.path(s.number), whole)})
		case s.size%pgdisk.BlockSize != 0:
			lost = append(lost, lostSpan{span{at, 1}, fmt.Sprintf("%s ends within the block: %d of %d bytes are there", r.path(s.number), s.size%pgdisk.BlockSize, pgdisk.BlockSize)})
		}
	}
	return lost
}

// path names the file of a segment.
func (r relFiles) path(segment uint32) string {
	f := r.first
	f.Segment = segment
	return f.Path()
}

// relReader reads blocks of one relation through files that it keeps open. It is for one
// goroutine.
type relReader struct {
	fsys  fs.FS
	files relFiles
	open  map[uint32]openFile
}

type openFile struct {
	io.ReaderAt
	io.Closer
}

// maxOpenSegments bounds the files that one reader keeps open.
const maxOpenSegments = 16

func newRelReader(fsys fs.FS, files relFiles) *relReader {
	return &relReader{fsys: fsys, files: files, open: map[uint32]openFile{}}
}

// read fills b with blocks from blk on, which must all lie in one file.
func (r *relReader) read(b []byte, blk pgdisk.BlockNumber) error {
	number, off := pgdisk.LocateBlock(blk, r.files.perSegment)
	f, err := r.segment(number)
	if err != nil {
		return err
	}
	if n, err := f.ReadAt(b, off); n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read %s, block %d: %w", r.files.path(number), blk, err)
	}
	return nil
}

func (r *relReader) segment(number uint32) (openFile, error) {
	if f, ok := r.open[number]; ok {
		return f, nil
	}
	if len(r.open) >= maxOpenSegments {
		r.close()
	}
	name := r.files.path(number)
	f, err := r.fsys.Open(name)
	if err != nil {
		return openFile{}, fmt.Errorf("open %s: %w", name, err)
	}
	at, ok := f.(io.ReaderAt)
	if !ok {
		f.Close()
		return openFile{}, fmt.Errorf("open %s: the file system cannot read at a position", name)
	}
	r.open[number] = openFile{at, f}
	return r.open[number], nil
}

// close closes what is open; the reader can go on.
func (r *relReader) close() {
	for number, f := range r.open {
		f.Close() // it was only read
		delete(r.open, number)
	}
}
