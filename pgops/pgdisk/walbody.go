package pgdisk

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// walBody reads the body of a record, one part after the other. Once something does not
// fit, short is set and everything after it is zero.
type walBody struct {
	b     []byte
	off   int
	short bool
}

func (d *walBody) take(n int) []byte {
	if d.short || n < 0 || d.off > len(d.b) || len(d.b)-d.off < n {
		d.short = true
		return nil
	}
	p := d.b[d.off : d.off+n : d.off+n]
	d.off += n
	return p
}

func (d *walBody) u8() uint8 {
	if p := d.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *walBody) u16() uint16 {
	if p := d.take(2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

func (d *walBody) u32() uint32 {
	if p := d.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (d *walBody) u64() uint64 {
	if p := d.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// relation reads a RelFileLocator.
func (d *walBody) relation() WALRelation {
	return WALRelation{Tablespace: OID(d.u32()), Database: OID(d.u32()), Number: OID(d.u32())}
}

// align skips to the next multiple of n from the start of the body.
func (d *walBody) align(n int) { d.off = (d.off + n - 1) &^ (n - 1) }

// array reads a count and that many items of size bytes.
func (d *walBody) array(size int) []byte { return d.items(d.u32(), size) }

// items reads n items of size bytes.
func (d *walBody) items(n uint32, size int) []byte {
	if uint64(n)*uint64(size) > uint64(len(d.b)) {
		d.short = true
		return nil
	}
	return d.take(int(n) * size)
}

// rest reads all that is left.
func (d *walBody) rest() []byte {
	if d.short || d.off > len(d.b) {
		d.short = true
		return nil
	}
	return d.take(len(d.b) - d.off)
}

// text reads up to a zero byte.
func (d *walBody) text() string {
	if d.short {
		return ""
	}
	s, _, ok := bytes.Cut(d.b[d.off:], []byte{0})
	if !ok {
		d.short = true
		return ""
	}
	d.off += len(s) + 1
	return string(s)
}

// err says that the parts did not fit, nil if they did.
func (d *walBody) err(r *WALRecord) error {
	if !d.short {
		return nil
	}
	return &FormatError{
		File: "WAL record", Off: int64(d.off), Field: r.String(),
		Want: "parts that fit into the record", Got: fmt.Sprintf("%d bytes", len(d.b)),
	}
}

// blockBody reads the data that comes with the block of the given id; ok is false when the
// record has no such block or no data for it, as when a page image makes it unnecessary.
func (r *WALRecord) blockBody(id uint8) (walBody, bool) {
	b := r.Block(id)
	if b == nil || len(b.Data) == 0 {
		return walBody{}, false
	}
	return walBody{b: b.Data}, true
}

// Block returns the reference with the given id (not index: ids may have gaps), nil if the
// record has none.
func (r *WALRecord) Block(id uint8) *WALBlockRef {
	for i := range r.Blocks {
		if r.Blocks[i].ID == id {
			return &r.Blocks[i]
		}
	}
	return nil
}
