package pgdisk

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// WALDir is what lies in a pg_wal directory, sorted by what the names mean.
type WALDir struct {
	Segments  []WALFile // by segment number, then timeline
	Partials  []WALFile // the same order
	Histories []WALFile // by timeline
	Others    []WALFile // backup history, temporary files, directories
	Strays    []WALFile // names PostgreSQL does not give, and directories in place of segments
}

// ReadWALDir lists the root of fsys as a pg_wal directory. segSize must satisfy
// ValidWALSegSize; DetectWALSegSize finds it.
func ReadWALDir(fsys fs.FS, segSize uint32) (*WALDir, error) {
	if !ValidWALSegSize(segSize) {
		return nil, fmt.Errorf("WAL segment size %d: want a power of two from 1 MB to 1 GB", segSize)
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("list WAL directory: %w", err)
	}
	dir := new(WALDir)
	for _, e := range entries {
		f, err := classifyWALEntry(e, segSize)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed or recycled between the listing and the look
		}
		if err != nil {
			return nil, fmt.Errorf("look at WAL file %s: %w", e.Name(), err)
		}
		dir.add(f)
	}
	bySegment := func(a, b WALFile) int {
		return cmp.Or(cmp.Compare(a.Segment.Number, b.Segment.Number), cmp.Compare(a.Timeline, b.Timeline))
	}
	slices.SortFunc(dir.Segments, bySegment)
	slices.SortFunc(dir.Partials, bySegment)
	slices.SortFunc(dir.Histories, bySegment)
	return dir, nil
}

func classifyWALEntry(e fs.DirEntry, segSize uint32) (WALFile, error) {
	name := e.Name()
	if e.IsDir() {
		if name == "archive_status" || name == "summaries" {
			return WALFile{Name: name, Kind: WALFileDir}, nil
		}
		return WALFile{Name: name, Why: "a directory that PostgreSQL does not make here"}, nil
	}
	info, err := e.Info()
	if err != nil {
		return WALFile{}, err
	}
	f := ClassifyWALName(name, segSize)
	f.Size = info.Size()
	if !info.Mode().IsRegular() && f.Kind != WALFileStray {
		f = WALFile{Name: name, Size: f.Size, Why: "named like a WAL file, but not a regular file"}
	}
	return f, nil
}

func (d *WALDir) add(f WALFile) {
	switch f.Kind {
	case WALFileSegment:
		d.Segments = append(d.Segments, f)
	case WALFilePartial:
		d.Partials = append(d.Partials, f)
	case WALFileHistory:
		d.Histories = append(d.Histories, f)
	case WALFileStray:
		d.Strays = append(d.Strays, f)
	default:
		d.Others = append(d.Others, f)
	}
}

// DetectWALSegSize finds the segment size of the WAL in the root of fsys without
// pg_control: from the long page header that opens each segment file
// (xlp_seg_size). Where headers disagree the most frequent value wins; at most 64
// files are opened. It fails if no segment has a valid long header.
func DetectWALSegSize(fsys fs.FS) (uint32, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return 0, fmt.Errorf("list WAL directory: %w", err)
	}
	votes, opened := map[uint32]int{}, 0
	for _, e := range entries {
		if len(e.Name()) != 24 || !walUpperHex(e.Name()) || e.IsDir() {
			continue
		}
		if opened++; opened > 64 {
			break
		}
		if h, err := readWALLongHeader(fsys, e.Name()); err == nil {
			votes[h.SegSize]++
		}
	}
	var best uint32
	for size, n := range votes {
		if n > votes[best] || n == votes[best] && size > best {
			best = size
		}
	}
	if best == 0 {
		return 0, errors.New("WAL segment size: no segment file with a valid long page header")
	}
	return best, nil
}

// readWALLongHeader decodes the first page header of a segment file.
func readWALLongHeader(fsys fs.FS, name string) (WALPageHeader, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return WALPageHeader{}, fmt.Errorf("open WAL file: %w", err)
	}
	defer file.Close()
	var b [walLongHeaderSize]byte
	if _, err := io.ReadFull(file, b[:]); err != nil {
		return WALPageHeader{}, fmt.Errorf("read WAL file %s: %w", name, err)
	}
	h, err := DecodeWALPageHeader(b[:])
	if err != nil {
		return h, err
	}
	if _, ok := h.Major(); !ok || !h.Long() || h.BlockSize != BlockSize || !ValidWALSegSize(h.SegSize) {
		return h, fmt.Errorf("WAL file %s: no valid long page header at its start", name)
	}
	return h, nil
}
