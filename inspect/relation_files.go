package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// relFork is one fork of a relation with its files.
type relFork struct {
	Name     string       `json:"fork"`
	Blocks   uint64       `json:"blocks"` // whole ones, in all files
	Segments []relSegment `json:"segments"`
	fork     pgdisk.Fork
}

// relSegment is one file.
type relSegment struct {
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	number uint32
}

// relFileName is the last part of a relation file's path.
func relFileName(r pgdisk.RelFile) string { return path.Base(r.Path()) }

// listFiles finds the files that belong to the relation and judges their sizes.
func (rel *relation) listFiles() error {
	entries, err := fs.ReadDir(rel.src.FS, rel.src.Dir)
	if err != nil {
		return fmt.Errorf("list the files of the relation: %w", err)
	}
	forks := make(map[pgdisk.Fork]*relFork)
	for _, e := range entries {
		r, ok := pgdisk.ParseRelFile("base/1/" + e.Name())
		if !ok || r.Number != rel.src.File.Number || r.Temp != rel.src.File.Temp || r.Backend != rel.src.File.Backend {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("list the files of the relation: %w", err)
		}
		if !info.Mode().IsRegular() {
			rel.r.finding("%s is not a regular file", e.Name())
			continue
		}
		f := forks[r.Fork]
		if f == nil {
			f = &relFork{Name: r.Fork.String(), fork: r.Fork}
			forks[r.Fork] = f
			rel.forks = append(rel.forks, f)
		}
		f.Segments = append(f.Segments, relSegment{File: e.Name(), Bytes: info.Size(), number: r.Segment})
		f.Blocks += uint64(info.Size()) / pgdisk.BlockSize
	}
	if len(rel.forks) == 0 {
		return fmt.Errorf("%s: no file of any fork: %w", rel.r.Relation, fs.ErrNotExist)
	}
	slices.SortFunc(rel.forks, func(a, b *relFork) int { return cmp.Compare(a.fork, b.fork) })
	for _, f := range rel.forks {
		slices.SortFunc(f.Segments, func(a, b relSegment) int { return cmp.Compare(a.number, b.number) })
		rel.judgeSegments(f)
	}
	if forks[pgdisk.MainFork] == nil {
		rel.absent()("no file of the main fork: %s is missing", relFileName(pgdisk.RelFile{Number: rel.src.File.Number, Temp: rel.src.File.Temp, Backend: rel.src.File.Backend}))
	}
	rel.r.Forks = rel.forks
	return nil
}

// judgeSegments wants every file but the last to be full. The server takes the first one that
// is not for the end of the fork (mdnblocks, storage/smgr/md.c); files of no length behind it
// are what a truncation leaves.
func (rel *relation) judgeSegments(f *relFork) {
	full := int64(rel.perSegment) * pgdisk.BlockSize
	var next uint32
	cut := ""
	for _, s := range f.Segments {
		if s.number > next && cut == "" && s.Bytes > 0 {
			cut = relSegmentName(f, next)
			rel.absent()("%s fork: %s is missing: a server sees the end there, and nothing of what is behind it", f.Name, relMissing(f, next, s.number))
		}
		if s.Bytes%pgdisk.BlockSize != 0 {
			rel.r.finding("%s has %d bytes, which is no whole number of blocks: the last %d are cut off", s.File, s.Bytes, s.Bytes%pgdisk.BlockSize)
		}
		if s.Bytes > full {
			rel.r.finding("%s has %d bytes, and a file has at most %d", s.File, s.Bytes, full)
		}
		next = s.number + 1
		if s.Bytes < full && cut == "" && slices.ContainsFunc(f.Segments, func(o relSegment) bool { return o.number > s.number && o.Bytes > 0 }) {
			cut = s.File
			rel.r.finding("%s is too short: %d of %d blocks, and another file follows: a server sees the end there", s.File, s.Bytes/pgdisk.BlockSize, rel.perSegment)
		}
	}
}

// absent says that a file is not there: a finding, but of a copy outside of a data directory
// just a note.
func (rel *relation) absent() func(format string, args ...any) {
	if rel.src.Dir == "." {
		return rel.r.note
	}
	return rel.r.finding
}

func relSegmentName(f *relFork, n uint32) string {
	r, _ := pgdisk.ParseRelFile("base/1/" + f.Segments[0].File)
	r.Segment = n
	return relFileName(r)
}

func relMissing(f *relFork, from, to uint32) string {
	if to-from == 1 {
		return relSegmentName(f, from)
	}
	return relSegmentName(f, from) + " to " + relSegmentName(f, to-1)
}

// relReadBlocks is how many blocks are read at once: half a megabyte.
const relReadBlocks = 64

// eachPage reads a fork block by block. A block that cannot be read is a finding and costs
// that block.
func (rel *relation) eachPage(ctx context.Context, f *relFork, visit func(pgdisk.BlockNumber, []byte)) error {
	buf := make([]byte, relReadBlocks*pgdisk.BlockSize)
	for _, s := range f.Segments {
		first, ok := pgdisk.RelFile{Segment: s.number}.FirstBlock(rel.perSegment)
		if !ok {
			rel.r.finding("%s: no relation can be that long", s.File)
			continue
		}
		if err := rel.eachPageOf(ctx, s, first, buf, visit); err != nil {
			return err
		}
	}
	return nil
}

func (rel *relation) eachPageOf(ctx context.Context, s relSegment, first pgdisk.BlockNumber, buf []byte, visit func(pgdisk.BlockNumber, []byte)) error {
	file, err := rel.src.FS.Open(path.Join(rel.src.Dir, s.File))
	if err != nil {
		rel.r.finding("%s cannot be opened: %v", s.File, err)
		return nil
	}
	defer file.Close()
	at, ok := file.(io.ReaderAt)
	if !ok {
		return fmt.Errorf("read %s: its file system has no random access", s.File)
	}
	end := min(s.Bytes/pgdisk.BlockSize, int64(rel.perSegment))
	for blk := int64(0); blk < end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk := buf[:min(relReadBlocks, end-blk)*pgdisk.BlockSize]
		n, err := at.ReadAt(chunk, blk*pgdisk.BlockSize)
		for i := range n / pgdisk.BlockSize {
			visit(first+pgdisk.BlockNumber(blk)+pgdisk.BlockNumber(i), chunk[i*pgdisk.BlockSize:][:pgdisk.BlockSize])
		}
		blk += int64(n / pgdisk.BlockSize)
		if n == len(chunk) {
			continue
		}
		if errors.Is(err, io.EOF) {
			rel.r.finding("%s ends at block %d while it is read", s.File, first+pgdisk.BlockNumber(blk))
			return nil
		}
		rel.r.finding("%s: block %d cannot be read: %v", s.File, first+pgdisk.BlockNumber(blk), err)
		blk++
	}
	return nil
}
