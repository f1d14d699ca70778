package pgdisk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
)

// walCheckpointRecordSize is the length of every checkpoint record of 13 to 18: header,
// short data header, body.
const walCheckpointRecordSize = walRecordHeaderSize + 2 + walCheckpointSize

// WALFoundCheckpoint is a checkpoint record met by ScanWALCheckpoints, with what the
// segment that it starts in says of itself.
type WALFoundCheckpoint struct {
	WALCheckpoint
	Segment  WALSegment
	Major    int
	SystemID uint64 // 0 if the segment's first page is not readable
}

// ScanWALCheckpoints finds every checkpoint record in the segment files of the root of
// fsys that has a good checksum and lies on a page which belongs there, whether or not
// the WAL around it is whole. It needs no pg_control: this is how one can be rebuilt.
// Records come in the order of segment number, timeline, LSN; left-overs in recycled
// segments are passed over. segSize: see DetectWALSegSize. visit's error ends the scan.
//
// Choosing among them is the caller's: for a primary that crashed, the latest of its own
// system identifier whose redo segment exists; for a standby, not the latest.
func ScanWALCheckpoints(ctx context.Context, fsys fs.FS, segSize uint32, visit func(WALFoundCheckpoint) error) error {
	dir, err := ReadWALDir(fsys, segSize)
	if err != nil {
		return err
	}
	for _, f := range dir.Segments {
		if err := scanWALSegment(ctx, fsys, f.Segment, segSize, visit); err != nil {
			return fmt.Errorf("scan WAL segment %s for checkpoints: %w", f.Name, err)
		}
	}
	return nil
}

func scanWALSegment(ctx context.Context, fsys fs.FS, seg WALSegment, segSize uint32, visit func(WALFoundCheckpoint) error) error {
	// No history: the records of this timeline's own files only.
	pages := &walPager{src: WALSource{FS: fsys, SegSize: segSize, Timeline: seg.Timeline}, buf: make([]byte, walChunk)}
	defer pages.close()
	start := seg.Start(segSize)
	current, err := sampleWALSegment(ctx, pages, start, 0)
	if err != nil || !current {
		return err
	}
	found := WALFoundCheckpoint{Segment: seg}
	if h, err := readWALLongHeader(fsys, seg.Name(segSize)); err == nil {
		found.SystemID = h.SystemID
	}
	s := walCheckpointScan{r: &WALReader{pages: pages}, found: found, visit: visit}
	for page := start; page < start+LSN(segSize); page += BlockSize {
		if err := s.page(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// walCheckpointScan looks through the pages of one segment.
type walCheckpointScan struct {
	r     *WALReader
	found WALFoundCheckpoint
	visit func(WALFoundCheckpoint) error
	copy  [BlockSize]byte // the reader's buffer moves on
}

// page tries every aligned position that begins with the length of a checkpoint record.
func (s *walCheckpointScan) page(ctx context.Context, page LSN) error {
	b, err := s.r.pages.page(ctx, page)
	if _, ok := errors.AsType[*WALStop](err); ok {
		return nil
	}
	if err != nil {
		return err
	}
	if !walPageCurrent(b, page, s.r.magic) {
		return nil
	}
	copy(s.copy[:], b)
	var length [4]byte
	binary.LittleEndian.PutUint32(length[:], walCheckpointRecordSize)
	for off := walShortHeaderSize; ; off++ {
		i := bytes.Index(s.copy[off:], length[:])
		if i < 0 {
			return nil
		}
		off += i
		if off%walAlign != 0 {
			continue
		}
		if err := s.try(ctx, page+LSN(off)); err != nil {
			return err
		}
	}
}

// try reads one candidate.
func (s *walCheckpointScan) try(ctx context.Context, at LSN) error {
	s.r.Seek(at)
	rec, err := s.r.read(ctx, at, walLink{})
	if _, ok := errors.AsType[*WALStop](err); ok {
		return nil
	}
	if err != nil {
		return err
	}
	c, ok := rec.WALCheckpoint()
	if !ok {
		return nil
	}
	found := s.found
	found.WALCheckpoint, found.Major = c, rec.Major
	return s.visit(found)
}
