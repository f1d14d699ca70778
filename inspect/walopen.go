package inspect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// walDefaultSegSize is what initdb chooses (DEFAULT_XLOG_SEG_SIZE, pg_config_manual.h).
const walDefaultSegSize = 16 << 20

// WALInputError says that a path or an option does not lead to WAL: nothing was read.
type WALInputError struct{ Text string }

func (e *WALInputError) Error() string { return e.Text }

func walInputErrorf(format string, args ...any) error {
	return &WALInputError{fmt.Sprintf(format, args...)}
}

// open finds out what WAL there is: segment size and timeline.
func (r *walRun) open() error {
	if r.in.File != "" {
		return r.openFile()
	}
	size, err := r.segSize()
	if err != nil {
		return err
	}
	dir, err := pgdisk.ReadWALDir(r.in.FS, size)
	if err != nil {
		return err
	}
	if len(dir.Segments)+len(dir.Partials) == 0 {
		return walInputErrorf("there is no WAL segment in the directory")
	}
	r.src = pgdisk.WALSource{FS: r.in.FS, SegSize: size, Timeline: r.opt.Timeline, Partial: true}
	if r.src.Timeline == 0 {
		for _, files := range [][]pgdisk.WALFile{dir.Segments, dir.Partials, dir.Histories} {
			for _, f := range files {
				r.src.Timeline = max(r.src.Timeline, f.Timeline)
			}
		}
	}
	return nil
}

// segSize asks the segments' own headers, then pg_control, then the sizes of the files.
func (r *walRun) segSize() (uint32, error) {
	size, err := pgdisk.DetectWALSegSize(r.in.FS)
	if err == nil {
		return size, nil
	}
	if r.in.Control != nil && pgdisk.ValidWALSegSize(r.in.Control.WALSegmentSize) {
		return r.in.Control.WALSegmentSize, nil
	}
	entries, err := fs.ReadDir(r.in.FS, ".")
	if err != nil {
		return 0, fmt.Errorf("list WAL directory: %w", err)
	}
	for _, e := range entries {
		if pgdisk.ClassifyWALName(e.Name(), walDefaultSegSize).Kind == pgdisk.WALFileStray {
			continue
		}
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && info.Size() <= int64(pgdisk.WALMaxSegSize) && pgdisk.ValidWALSegSize(uint32(info.Size())) {
			return uint32(info.Size()), nil
		}
	}
	return walDefaultSegSize, nil
}

// openFile reads one file under the name of the segment that it is.
func (r *walRun) openFile() error {
	h, err := walFileHeader(r.in.FS, r.in.File)
	if err != nil {
		return err
	}
	size := h.SegSize
	if size == 0 {
		size = walDefaultSegSize
		if info, err := fs.Stat(r.in.FS, r.in.File); err == nil && info.Size() <= int64(pgdisk.WALMaxSegSize) && pgdisk.ValidWALSegSize(uint32(info.Size())) {
			size = uint32(info.Size())
		}
	}
	seg, err := pgdisk.ParseWALSegment(strings.TrimSuffix(r.in.File, ".partial"), size)
	switch {
	case err == nil:
	case h.Major != 0:
		seg = pgdisk.WALSegmentAt(h.Timeline, h.PageAddr, size) // renamed: the file itself knows
	default:
		return walInputErrorf("%s is no WAL segment: neither its name nor its first page says so", r.in.File)
	}
	if t := r.opt.Timeline; t != 0 && t != seg.Timeline {
		return walInputErrorf("%s is of timeline %d", r.in.File, seg.Timeline)
	}
	r.src = pgdisk.WALSource{FS: oneWALFile{r.in.FS, seg.Name(size), r.in.File}, SegSize: size, Timeline: seg.Timeline}
	return nil
}

// walHeader is what the first page of a segment says; all zero if it cannot be believed.
type walHeader struct {
	pgdisk.WALPageHeader
	Major int
}

func walFileHeader(fsys fs.FS, name string) (walHeader, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return walHeader{}, walInputErrorf("open WAL file: %v", err)
	}
	defer file.Close()
	b := make([]byte, pgdisk.BlockSize)
	n, err := io.ReadFull(file, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return walHeader{}, nil // a bad sector: the walk will say so
	}
	h, err := pgdisk.DecodeWALPageHeader(b[:n])
	major, known := h.Major()
	if err != nil || !known || !h.Long() || !pgdisk.ValidWALSegSize(h.SegSize) || bits.TrailingZeros64(uint64(h.PageAddr)) < bits.TrailingZeros32(h.SegSize) {
		return walHeader{}, nil
	}
	return walHeader{h, major}, nil
}

// oneWALFile is a directory with a single segment in it, whatever its file is called.
type oneWALFile struct {
	fs   fs.FS
	name string // of the segment
	file string
}

// Open opens the segment; the directory itself can only be listed.
func (o oneWALFile) Open(name string) (fs.File, error) {
	if name != o.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return o.fs.Open(o.file)
}

// ReadDir lists the one segment.
func (o oneWALFile) ReadDir(string) ([]fs.DirEntry, error) {
	info, err := fs.Stat(o.fs, o.file)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(namedInfo{info, o.name})}, nil
}

// namedInfo is a file under another name.
type namedInfo struct {
	fs.FileInfo
	name string
}

func (i namedInfo) Name() string { return i.name }

// start is where to look for the first record.
func (r *walRun) start() (pgdisk.LSN, error) {
	switch {
	case r.opt.Start != 0:
		return r.opt.Start, nil
	case r.opt.FromCheckpoint && r.in.Control == nil:
		return 0, walInputErrorf("there is no pg_control that could be believed: name the start with --start")
	case r.opt.FromCheckpoint:
		return r.in.Control.CheckpointCopy.Redo, nil
	}
	numbers, err := r.reader.Segments(0)
	if err != nil {
		return 0, err
	}
	if len(numbers) == 0 {
		return 0, walInputErrorf("there is no segment of timeline %d", r.src.Timeline)
	}
	return pgdisk.LSN(numbers[0] * uint64(r.src.SegSize)), nil
}
