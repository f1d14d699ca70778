package pgdisk

import (
	"encoding/binary"
	"testing/fstest"
	"time"
)

// walBuilder writes WAL as a server does, so that tests know every byte of it.
type walBuilder struct {
	major   int
	magic   uint16
	segSize uint32
	tli     TimelineID
	sysID   uint64
	pos     LSN // where the next byte goes
	prev    LSN
	data    map[uint64][]byte // segment files by number
	starts  []LSN             // of the records
}

const (
	walTestSysID   = 7300000000000000001
	walTestSegSize = WALMinSegSize
)

// newWALBuilder starts at the beginning of segment 1.
func newWALBuilder(major int) *walBuilder {
	l, _ := LayoutFor(major)
	return &walBuilder{
		major: major, magic: l.PageMagic, segSize: walTestSegSize, tli: 1, sysID: walTestSysID,
		pos: LSN(walTestSegSize), data: map[uint64][]byte{},
	}
}

// fs gives the segments as a pg_wal directory.
func (w *walBuilder) fs() fstest.MapFS {
	fsys := fstest.MapFS{}
	for n, b := range w.data {
		fsys[WALSegment{w.tli, n}.Name(w.segSize)] = &fstest.MapFile{Data: b, Mode: 0o600}
	}
	return fsys
}

func (w *walBuilder) source() WALSource {
	return WALSource{FS: w.fs(), SegSize: w.segSize, Timeline: w.tli}
}

// bytes gives the memory of the file from lsn to the end of its segment.
func (w *walBuilder) bytes(lsn LSN) []byte {
	n := uint64(lsn) / uint64(w.segSize)
	if w.data[n] == nil {
		w.data[n] = make([]byte, w.segSize)
	}
	return w.data[n][uint64(lsn)%uint64(w.segSize):]
}

// header begins a page at w.pos. rest is what is left of the record that is being written.
func (w *walBuilder) header(rest int) {
	b := w.bytes(w.pos)
	le := binary.LittleEndian
	flags, size := WALPageFlags(0), walShortHeaderSize
	if uint64(w.pos)%uint64(w.segSize) == 0 {
		flags, size = WALLongHeader, walLongHeaderSize
		le.PutUint64(b[24:], w.sysID)
		le.PutUint32(b[32:], w.segSize)
		le.PutUint32(b[36:], BlockSize)
	}
	if rest > 0 {
		flags |= WALFirstIsContRecord
	}
	le.PutUint16(b, w.magic)
	le.PutUint16(b[2:], uint16(flags))
	le.PutUint32(b[4:], uint32(w.tli))
	le.PutUint64(b[8:], uint64(w.pos))
	le.PutUint32(b[16:], uint32(rest))
	w.pos += LSN(size)
}

// walTestBlock is a block reference to write.
type walTestBlock struct {
	id      uint8
	flags   uint8 // BKPBLOCK_*, without those that follow from what is set
	rel     WALRelation
	same    bool
	block   uint32
	data    []byte
	image   []byte
	info    uint8 // of the image
	holeOff uint16
	holeLen uint16 // written if compressed
}

// fragments lays out blocks and main data as XLogRecordAssemble does.
func walFragmentBytes(blocks []walTestBlock, main []byte, long bool) []byte {
	var head, body []byte
	le := binary.LittleEndian
	for _, b := range blocks {
		flags := b.flags
		if b.data != nil {
			flags |= walBlockHasData
		}
		if b.image != nil {
			flags |= walBlockHasImage
		}
		if b.same {
			flags |= walBlockSameRel
		}
		head = append(head, b.id, flags)
		head = le.AppendUint16(head, uint16(len(b.data)))
		if b.image != nil {
			head = le.AppendUint16(head, uint16(len(b.image)))
			head = le.AppendUint16(head, b.holeOff)
			head = append(head, b.info)
			if b.holeLen != 0 {
				head = le.AppendUint16(head, b.holeLen)
			}
		}
		if !b.same {
			head = le.AppendUint32(head, uint32(b.rel.Tablespace))
			head = le.AppendUint32(head, uint32(b.rel.Database))
			head = le.AppendUint32(head, uint32(b.rel.Number))
		}
		head = le.AppendUint32(head, b.block)
		body = append(append(body, b.image...), b.data...)
	}
	switch {
	case long:
		head = append(head, walFragDataLong)
		head = le.AppendUint32(head, uint32(len(main)))
	case len(main) > 0:
		head = append(head, walFragDataShort, uint8(len(main)))
	}
	return append(append(head, body...), main...)
}

// walRecordBytes makes a whole record with its checksum.
func walRecordBytes(h WALRecordHeader, fragments []byte) []byte {
	b := make([]byte, walRecordHeaderSize, walRecordHeaderSize+len(fragments))
	b = append(b, fragments...)
	le := binary.LittleEndian
	le.PutUint32(b, uint32(len(b)))
	le.PutUint32(b[4:], uint32(h.XID))
	le.PutUint64(b[8:], uint64(h.Prev))
	b[16], b[17] = h.Info, uint8(h.Rmid)
	le.PutUint32(b[walRecordCRCOffset:], WALRecordCRC(b))
	return b
}

// add writes a record and returns where it starts.
func (w *walBuilder) add(rmid RmgrID, info uint8, xid XID, fragments []byte) LSN {
	raw := walRecordBytes(WALRecordHeader{XID: xid, Prev: w.prev, Info: info, Rmid: rmid}, fragments)
	if w.pos%BlockSize == 0 {
		w.header(0)
	}
	start := w.pos
	for rest := raw; len(rest) > 0; {
		if w.pos%BlockSize == 0 {
			w.header(len(rest))
		}
		n := copy(w.bytes(w.pos)[:BlockSize-w.pos%BlockSize], rest)
		rest = rest[n:]
		w.pos += LSN(n)
	}
	w.pos = walAlignUp(w.pos)
	w.prev = start
	w.starts = append(w.starts, start)
	return start
}

func (w *walBuilder) commit(xid XID) LSN {
	return w.add(RmgrTransaction, walXactCommit, xid, walFragmentBytes(nil, walTimeBytes(walTestTime(xid)), false))
}

// insert writes a Heap/INSERT with n bytes of block data.
func (w *walBuilder) insert(xid XID, n int) LSN {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i*7 + int(xid))
	}
	return w.add(RmgrHeap, 0, xid, walFragmentBytes([]walTestBlock{{rel: WALRelation{1663, 5, 16384}, block: uint32(xid), data: data}}, []byte{1, 0, 0}, false))
}

// fill writes n pairs of insert and commit, xids from 1000 on.
func (w *walBuilder) fill(n int) *walBuilder {
	for i := range n {
		xid := XID(1000 + i)
		w.insert(xid, 100+i%700)
		w.commit(xid)
	}
	return w
}

func walTestTime(xid XID) time.Time {
	return time.Date(2026, 3, 1, 3, 0, 0, int(xid)*1000, time.UTC)
}

func walTimeBytes(t time.Time) []byte {
	return binary.LittleEndian.AppendUint64(nil, uint64(t.UnixMicro()-946684800*1e6))
}
