package pgdisk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// walChunk is how many bytes of a segment are read at once.
const walChunk = 128 << 10

// WALSource says which WAL is read.
type WALSource struct {
	FS       fs.FS      // its root is pg_wal, or an archive of plain segment files; files must be io.ReaderAt
	SegSize  uint32     // wal_segment_size in bytes, see DetectWALSegSize
	Timeline TimelineID // the newest timeline to follow; its ancestors are taken from its history file
	SystemID uint64     // reject WAL of other clusters; 0 accepts any
	Partial  bool       // take NAME.partial where there is no NAME; recovery itself never does
}

// walPager serves pages of WAL by their LSN, across segment files and timelines.
type walPager struct {
	src     WALSource
	history []WALSwitch // ancestors of src.Timeline, oldest first

	file    fs.File
	at      io.ReaderAt
	segment WALSegment // of the open file
	buf     []byte
	bufLSN  LSN // of buf[0]
	bufLen  int // bytes that are valid
	patch   *walPagePatch
}

func newWALPager(src WALSource) (*walPager, error) {
	if !ValidWALSegSize(src.SegSize) {
		return nil, fmt.Errorf("WAL segment size %d: want a power of two from 1 MB to 1 GB", src.SegSize)
	}
	if src.Timeline == 0 {
		return nil, errors.New("WAL timeline 0 does not exist: name the timeline to follow")
	}
	history, err := ReadWALHistory(src.FS, src.Timeline)
	if err != nil {
		return nil, err
	}
	return &walPager{src: src, history: history, buf: make([]byte, walChunk)}, nil
}

func (p *walPager) close() error {
	if p.file == nil {
		return nil
	}
	err := p.file.Close()
	p.file, p.at, p.bufLen = nil, nil, 0
	return err
}

// page returns the 8 kB page that starts at lsn, good until the next call. What keeps it
// from doing so is a *WALStop, or the context's error.
func (p *walPager) page(ctx context.Context, lsn LSN) ([]byte, error) {
	if b, ok := p.inBuffer(lsn); ok {
		return b, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.open(lsn); err != nil {
		return nil, err
	}
	return p.fill(lsn)
}

// inBuffer returns the page that starts at lsn if it was read already.
func (p *walPager) inBuffer(lsn LSN) ([]byte, bool) {
	off := uint64(lsn - p.bufLSN)
	if lsn < p.bufLSN || p.bufLen < BlockSize || off > uint64(p.bufLen)-BlockSize {
		return nil, false
	}
	return p.buf[off : off+BlockSize], true
}

// fill reads the chunk that starts at lsn from the open file.
func (p *walPager) fill(lsn LSN) ([]byte, error) {
	segSize := int64(p.src.SegSize)
	off := int64(uint64(lsn) % uint64(segSize))
	want := min(walChunk, segSize-off)
	p.bufLSN, p.bufLen = lsn, 0
	n, err := p.at.ReadAt(p.buf[:want], off)
	if n < BlockSize && err != nil && !errors.Is(err, io.EOF) && want > BlockSize {
		// A bad sector further on must not take this page along.
		n, err = p.at.ReadAt(p.buf[:BlockSize], off)
	}
	p.bufLen = n / BlockSize * BlockSize
	p.patch.apply(p.buf[:p.bufLen], lsn)
	if n >= BlockSize {
		return p.buf[:BlockSize], nil
	}
	name := p.segment.Name(p.src.SegSize)
	if err == nil || errors.Is(err, io.EOF) {
		return nil, &WALStop{LSN: lsn, Page: lsn, Cause: WALStopShort, Text: fmt.Sprintf("segment %s ends at byte %d", name, off+int64(n))}
	}
	return nil, &WALStop{LSN: lsn, Page: lsn, Cause: WALStopReadError, Text: fmt.Sprintf("segment %s cannot be read at byte %d: %v", name, off, err), Err: err}
}

// open makes sure that the file holding lsn is the open one.
func (p *walPager) open(lsn LSN) error {
	number := uint64(lsn) / uint64(p.src.SegSize)
	if p.file != nil && p.segment.Number == number {
		return nil
	}
	if err := p.close(); err != nil {
		return fmt.Errorf("close WAL segment: %w", err)
	}
	suffixes := []string{""}
	if p.src.Partial {
		suffixes = append(suffixes, ".partial")
	}
	for _, suffix := range suffixes {
		for _, tli := range p.timelines(number) {
			found, err := p.openFile(WALSegment{tli, number}, suffix)
			if stop, ok := errors.AsType[*WALStop](err); ok {
				stop.LSN, stop.Page = lsn, lsn
			}
			if found || err != nil {
				return err
			}
		}
	}
	name := WALSegment{p.src.Timeline, number}.Name(p.src.SegSize)
	return &WALStop{LSN: lsn, Page: lsn, Cause: WALStopNoSegment, Text: fmt.Sprintf("there is no segment %s", name)}
}

// openFile opens one copy of a segment; false means that it does not exist.
func (p *walPager) openFile(seg WALSegment, suffix string) (bool, error) {
	file, err := p.src.FS.Open(seg.Name(p.src.SegSize) + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, &WALStop{Cause: WALStopReadError, Text: fmt.Sprintf("segment cannot be opened: %v", err), Err: err}
	}
	at, ok := file.(io.ReaderAt)
	if !ok {
		file.Close()
		return false, fmt.Errorf("WAL segment %s: file system without random access", seg.Name(p.src.SegSize))
	}
	p.file, p.at, p.segment = file, at, seg
	return true, nil
}

// timelines lists whose copy of a segment to take, best first: the segment in which a
// timeline was left exists on both, and the newer copy goes on (XLogFileReadAnyTLI,
// xlogrecovery.c).
func (p *walPager) timelines(number uint64) []TimelineID {
	var list []TimelineID
	begin := LSN(0)
	if n := len(p.history); n > 0 {
		begin = p.history[n-1].Until
	}
	if number >= uint64(begin)/uint64(p.src.SegSize) {
		list = append(list, p.src.Timeline)
	}
	for i := len(p.history) - 1; i >= 0; i-- {
		begin = 0
		if i > 0 {
			begin = p.history[i-1].Until
		}
		first, last := uint64(begin)/uint64(p.src.SegSize), uint64(p.history[i].Until)/uint64(p.src.SegSize)
		if number >= first && number <= last {
			list = append(list, p.history[i].Timeline)
		}
	}
	return list
}
