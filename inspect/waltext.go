package inspect

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// appendRecord adds the line or the object of one record.
func (r *walRun) appendRecord(p *walPart, rec *pgdisk.WALRecord) error {
	if r.opt.JSON {
		return r.appendRecordJSON(p, rec)
	}
	b := p.out
	at := len(b)
	b = pad(appendLSN(b, rec.LSN), at+11)
	b = pad(append(b, p.kind(rec).text...), at+36)
	b = pad(strconv.AppendUint(append(b, "xid "...), uint64(rec.XID), 10), at+48)
	b = strconv.AppendUint(append(b, "len "...), uint64(rec.TotLen)-uint64(rec.ImageBytes()), 10)
	b = pad(strconv.AppendUint(append(b, '/'), uint64(rec.TotLen), 10), at+64)
	b = pad(appendLSN(append(b, "prev "...), rec.Prev), at+80)
	b = appendExtras(b, rec)
	b = p.appendFields(b, rec)
	for i := range rec.Blocks {
		b = appendBlock(b, &rec.Blocks[i])
	}
	b = append(bytes.TrimRight(b, " "), '\n')
	if r.opt.Bytes {
		b = append(b, hex.Dump(rec.Raw)...)
	}
	p.out = b
	return nil
}

// kind is the name of resource manager and class, kept: they are made from tables.
func (p *walPart) kind(rec *pgdisk.WALRecord) *walKind {
	kind := &p.kinds[rec.Rmid][rec.Info>>4]
	if kind.text == "" || p.major != rec.Major {
		b := appendJSONString([]byte(`,"rmgr":`), rec.Rmid.String())
		b = appendJSONString(append(b, `,"class":`...), rec.Class())
		kind.text, kind.json, p.major = rec.String(), string(b), rec.Major
	}
	return kind
}

// appendExtras adds what only few records have.
func appendExtras(b []byte, rec *pgdisk.WALRecord) []byte {
	if rec.Timeline > 1 {
		b = append(strconv.AppendUint(append(b, "tli "...), uint64(rec.Timeline), 10), "  "...)
	}
	if rec.TopLevelXID != 0 {
		b = append(strconv.AppendUint(append(b, "top xid "...), uint64(rec.TopLevelXID), 10), "  "...)
	}
	if rec.Origin != 0 {
		b = append(strconv.AppendUint(append(b, "origin "...), uint64(rec.Origin), 10), "  "...)
	}
	return b
}

// appendBlock adds a block reference in the notation of pg_waldump.
func appendBlock(b []byte, ref *pgdisk.WALBlockRef) []byte {
	b = append(b, "  blkref #"...)
	b = strconv.AppendUint(b, uint64(ref.ID), 10)
	b = append(b, ": rel "...)
	b = strconv.AppendUint(b, uint64(ref.Rel.Tablespace), 10)
	b = strconv.AppendUint(append(b, '/'), uint64(ref.Rel.Database), 10)
	b = strconv.AppendUint(append(b, '/'), uint64(ref.Rel.Number), 10)
	if ref.Fork != 0 {
		b = append(append(b, " fork "...), ref.Fork.String()...)
	}
	b = strconv.AppendUint(append(b, " blk "...), uint64(ref.Block), 10)
	if ref.HasImage {
		b = append(b, " FPW"...)
		if !ref.ApplyImage {
			b = append(b, " for WAL verification"...)
		}
		if ref.Compression != pgdisk.WALUncompressed {
			b = append(append(b, ' '), ref.Compression.String()...)
		}
	}
	if ref.WillInit {
		b = append(b, " init"...)
	}
	return b
}

// appendGap says what is missing, so that nobody reads over it.
func (r *walRun) appendGap(p *walPart, gap pgdisk.WALGap) error {
	if r.opt.JSON {
		return p.json(newWALGapJSON(gap))
	}
	p.out = fmt.Appendf(p.out, "=== GAP: %d bytes of WAL from %s to %s cannot be read, and nobody knows what was in them: at %s %s. Records go on at %s.\n",
		gap.To-gap.From, gap.From, gap.To, gap.Stop.LSN, gap.Stop.Text, gap.To)
	return nil
}

// appendLSN adds an LSN as LSN.String gives it.
func appendLSN(b []byte, l pgdisk.LSN) []byte {
	b = appendHex(b, uint32(l>>32))
	return appendHex(append(b, '/'), uint32(l))
}

func appendHex(b []byte, v uint32) []byte {
	const digits = "0123456789ABCDEF"
	shift := 28
	for shift > 0 && v>>shift == 0 {
		shift -= 4
	}
	for ; shift >= 0; shift -= 4 {
		b = append(b, digits[v>>shift&15])
	}
	return b
}

// pad adds spaces up to a length, one at least.
func pad(b []byte, to int) []byte {
	b = append(b, ' ')
	for len(b) < to {
		b = append(b, ' ')
	}
	return b
}
