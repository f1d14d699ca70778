package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// Block ids of fragment headers (XLR_*, access/xlogrecord.h).
const (
	walMaxBlockID      = 32  // XLR_MAX_BLOCK_ID
	walFragTopLevelXID = 252 // XLR_BLOCK_ID_TOPLEVEL_XID, 14 on
	walFragOrigin      = 253 // XLR_BLOCK_ID_ORIGIN
	walFragDataLong    = 254 // XLR_BLOCK_ID_DATA_LONG
	walFragDataShort   = 255 // XLR_BLOCK_ID_DATA_SHORT
)

// Flags in fork_flags of a block header (BKPBLOCK_*, access/xlogrecord.h).
const (
	walBlockForkMask = 0x0F
	walBlockHasImage = 0x10
	walBlockHasData  = 0x20
	walBlockWillInit = 0x40
	walBlockSameRel  = 0x80
)

// Flags of a page image (BKPIMAGE_*, access/xlogrecord.h). 15 moved them.
const (
	walImageHasHole = 0x01

	walImageCompressedTo14 = 0x02
	walImageApplyTo14      = 0x04

	walImageApply = 0x02
	walImagePGLZ  = 0x04
	walImageLZ4   = 0x08
	walImageZSTD  = 0x10
)

// WALFork is a relation's fork (ForkNumber, common/relpath.h).
type WALFork uint8

// String gives the name that pg_waldump prints.
func (f WALFork) String() string {
	names := [...]string{"main", "fsm", "vm", "init"}
	if int(f) < len(names) {
		return names[f]
	}
	return fmt.Sprintf("fork%d", uint8(f))
}

// WALRelation locates a relation's files (RelFileLocator, RelFileNode before 16).
type WALRelation struct {
	Tablespace OID
	Database   OID // 0 for relations that all databases share
	Number     OID // relfilenode
}

// String gives the notation of pg_waldump: 1663/5/16384.
func (r WALRelation) String() string {
	return fmt.Sprintf("%d/%d/%d", r.Tablespace, r.Database, r.Number)
}

// WALCompression says how a page image is compressed.
type WALCompression uint8

// Compression methods of page images.
const (
	WALUncompressed WALCompression = iota
	WALCompressPGLZ
	WALCompressLZ4  // 15 on
	WALCompressZSTD // 15 on
)

// String gives the method's name.
func (c WALCompression) String() string {
	names := [...]string{"none", "pglz", "lz4", "zstd"}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("compression %d", uint8(c))
}

// WALBlockRef is one block that a record touches (DecodedBkpBlock, access/xlogreader.h).
type WALBlockRef struct {
	ID       uint8 // place in the record, 0 to 32
	Fork     WALFork
	Rel      WALRelation
	Block    BlockNumber
	WillInit bool   // replay makes the page anew: what is there now does not matter
	Data     []byte // what replay needs beside the page

	HasImage    bool
	ApplyImage  bool // replay restores the page from the image; else it is there for wal_consistency_checking
	Compression WALCompression
	HoleOffset  uint16 // start of the zeros left out of the image
	HoleLength  uint16
	Image       []byte // as stored: without the hole, perhaps compressed

	imageLen, dataLen uint16 // payload lengths, waiting for the second pass of walFragments
}

// Heals reports whether replay replaces the whole page, so that damage in it goes away.
func (b *WALBlockRef) Heals() bool { return b.WillInit || b.HasImage && b.ApplyImage }

// walFragments takes the data of a record apart (DecodeXLogRecord, xlogreader.c):
// first all fragment headers, then the payloads in the same order.
type walFragments struct {
	raw     []byte
	off     int // next header byte
	payload int // payload bytes announced so far
	mainLen uint32
	major   int
	haveRel bool
	lastRel *WALRelation // inside rec.Blocks
}

func (d *walFragments) decode(rec *WALRecord) error {
	raw := d.raw
	for len(raw)-d.off > d.payload {
		id := raw[d.off]
		d.off++
		if id <= walMaxBlockID {
			if err := d.block(id, rec); err != nil {
				return err
			}
			continue
		}
		if id == walFragDataShort && d.off < len(raw) {
			d.mainLen = uint32(raw[d.off]) // nearly every record
			d.off++
			break
		}
		if err := d.marker(id, rec); err != nil {
			return err
		}
		if id == walFragDataLong {
			break // the main data is the last fragment
		}
	}
	if left := len(raw) - d.off; uint64(d.payload)+uint64(d.mainLen) != uint64(left) {
		return d.fail("fragment lengths", fmt.Sprintf("a sum of %d bytes", left), fmt.Sprint(uint64(d.payload)+uint64(d.mainLen)))
	}
	d.payloads(rec)
	return nil
}

// marker reads the header of a fragment that is no block.
func (d *walFragments) marker(id uint8, rec *WALRecord) error {
	var err error
	switch {
	case id == walFragDataShort:
		var n uint8
		n, err = d.u8("data length")
		d.mainLen = uint32(n)
	case id == walFragDataLong:
		d.mainLen, err = d.u32("data length")
	case id == walFragOrigin:
		rec.Origin, err = d.u16("replication origin")
	case id == walFragTopLevelXID && d.major >= 14:
		var xid uint32
		xid, err = d.u32("top-level xid")
		rec.TopLevelXID = XID(xid)
	default:
		err = d.fail("fragment id", "0 to 32 or a known marker", fmt.Sprint(id))
	}
	return err
}

// payloads hands out the bytes after the headers; their sum has been checked.
func (d *walFragments) payloads(rec *WALRecord) {
	rest := d.raw[d.off:]
	for i := range rec.Blocks {
		b := &rec.Blocks[i]
		if n := int(b.imageLen); n > 0 {
			b.Image, rest = rest[:n:n], rest[n:]
		}
		n := int(b.dataLen)
		b.Data, rest = rest[:n:n], rest[n:]
	}
	rec.MainData = rest
}

// block reads XLogRecordBlockHeader and what hangs on it.
func (d *walFragments) block(id uint8, rec *WALRecord) error {
	n := len(rec.Blocks)
	if n > 0 && id <= rec.Blocks[n-1].ID {
		return d.fail("block id", fmt.Sprintf("above %d", rec.Blocks[n-1].ID), fmt.Sprint(id))
	}
	head := d.raw[d.off:]
	if len(head) < 3 {
		return d.need(3, "block flags and data length")
	}
	flags, dataLen := head[0], binary.LittleEndian.Uint16(head[1:])
	d.off += 3
	if (flags&walBlockHasData != 0) != (dataLen != 0) {
		return d.fail("block data length", "a length exactly where the flag is set", fmt.Sprintf("flags %02X, length %d", flags, dataLen))
	}
	rec.Blocks = append(rec.Blocks, WALBlockRef{})
	b := &rec.Blocks[n]
	b.ID, b.Fork, b.WillInit, b.dataLen = id, WALFork(flags&walBlockForkMask), flags&walBlockWillInit != 0, dataLen
	d.payload += int(dataLen)
	if flags&walBlockHasImage != 0 {
		if err := d.image(b); err != nil {
			return err
		}
		d.payload += int(b.imageLen)
	}
	return d.relation(b, flags&walBlockSameRel != 0)
}

func (d *walFragments) relation(b *WALBlockRef, same bool) error {
	le := binary.LittleEndian
	p := d.raw[d.off:]
	switch {
	case same && !d.haveRel:
		return d.fail("block relation", "one named in full first", "same as before")
	case same && len(p) >= 4:
		b.Rel.Tablespace, b.Rel.Database, b.Rel.Number = d.lastRel.Tablespace, d.lastRel.Database, d.lastRel.Number
		b.Block = BlockNumber(le.Uint32(p))
		d.off += 4
	case !same && len(p) >= 16:
		b.Rel.Tablespace, b.Rel.Database, b.Rel.Number = OID(le.Uint32(p)), OID(le.Uint32(p[4:])), OID(le.Uint32(p[8:]))
		b.Block = BlockNumber(le.Uint32(p[12:]))
		d.lastRel, d.haveRel = &b.Rel, true
		d.off += 16
	case same:
		return d.need(4, "block number")
	default:
		return d.need(16, "block relation and number")
	}
	return nil
}

func (d *walFragments) u8(field string) (uint8, error) {
	if err := d.need(1, field); err != nil {
		return 0, err
	}
	v := d.raw[d.off]
	d.off++
	return v, nil
}

func (d *walFragments) u16(field string) (uint16, error) {
	if err := d.need(2, field); err != nil {
		return 0, err
	}
	v := binary.LittleEndian.Uint16(d.raw[d.off:])
	d.off += 2
	return v, nil
}

func (d *walFragments) u32(field string) (uint32, error) {
	if err := d.need(4, field); err != nil {
		return 0, err
	}
	v := binary.LittleEndian.Uint32(d.raw[d.off:])
	d.off += 4
	return v, nil
}

func (d *walFragments) need(n int, field string) error {
	if left := len(d.raw) - d.off; left < n {
		return d.fail(field, fmt.Sprintf("%d bytes", n), fmt.Sprintf("%d bytes", left))
	}
	return nil
}

func (d *walFragments) fail(field, want, got string) error {
	return &FormatError{File: "WAL record", Off: int64(d.off), Field: field, Want: want, Got: got}
}
