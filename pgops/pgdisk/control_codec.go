package pgdisk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// EncodeControl writes the file as PostgreSQL would: 8192 bytes with a fresh CRC.
//
// Bytes that no field covers are kept from the file that c was decoded from, so
// EncodeControl(DecodeControl(x)) is x for every intact file. It never writes the
// CRC of a file as it was when that was wrong: encoding a suspect Control makes it look
// sound, so decide about its values first.
func EncodeControl(c *Control) ([]byte, error) {
	l := c.Layout()
	if l.Major == 0 {
		return nil, fmt.Errorf("encode %s: control version %d, catalog version %d has no known layout",
			ControlFilePath, c.ControlVersion, c.CatalogVersion)
	}
	if row, _, _ := LayoutForControl(c.ControlVersion, c.CatalogVersion); row.ControlVersion != l.ControlVersion {
		return nil, fmt.Errorf("encode %s: control version was changed from %d to %d: the layouts differ",
			ControlFilePath, l.ControlVersion, c.ControlVersion)
	}
	b := make([]byte, ControlFileSize)
	copy(b, c.raw)
	walkControl(c, l, controlWriter(b))
	off := l.ControlCRC
	if c.raw != nil {
		off = c.CRCOffset
	}
	binary.LittleEndian.PutUint32(b[off:], crc32.Checksum(b[:off], crc32.MakeTable(crc32.Castagnoli)))
	return b, nil
}

// controlCodec moves values between a Control and its bytes in one direction.
type controlCodec struct {
	b     []byte
	write bool
}

func controlReader(b []byte) controlCodec { return controlCodec{b: b} }
func controlWriter(b []byte) controlCodec { return controlCodec{b: b, write: true} }

// walkControl is the one list of fields and offsets, for both directions.
func walkControl(c *Control, l Layout, k controlCodec) {
	controlU64(k, 0, &c.SystemIdentifier)
	controlU32(k, 8, &c.ControlVersion)
	controlU32(k, 12, &c.CatalogVersion)
	controlU32(k, 16, &c.State)
	controlU64(k, 24, &c.Time)
	controlU64(k, 32, &c.Checkpoint)
	walkCheckpoint(&c.CheckpointCopy, l, k)
	controlU64(k, 128, &c.UnloggedLSN)
	controlU64(k, 136, &c.MinRecoveryPoint)
	controlU32(k, 144, &c.MinRecoveryPointTLI)
	controlU64(k, 152, &c.BackupStartPoint)
	controlU64(k, 160, &c.BackupEndPoint)
	k.bool(168, &c.BackupEndRequired)
	controlU32(k, 172, &c.Level)
	k.bool(176, &c.WALLogHints)
	controlU32(k, 180, &c.MaxConnections)
	controlU32(k, 184, &c.MaxWorkerProcesses)
	controlU32(k, 188, &c.MaxWALSenders)
	controlU32(k, 192, &c.MaxPreparedXacts)
	controlU32(k, 196, &c.MaxLocksPerXact)
	k.bool(200, &c.TrackCommitTimestamp)
	controlU32(k, 204, &c.MaxAlign)
	k.float(208, &c.FloatFormat)
	controlU32(k, 216, &c.BlockSize)
	controlU32(k, 220, &c.RelSegSize)
	controlU32(k, 224, &c.WALBlockSize)
	controlU32(k, 228, &c.WALSegmentSize)
	controlU32(k, 232, &c.NameDataLen)
	controlU32(k, 236, &c.IndexMaxKeys)
	controlU32(k, 240, &c.ToastMaxChunkSize)
	controlU32(k, 244, &c.LargeObjectBlockSize)
	k.bool(248, &c.Float8ByVal)
	controlU32(k, 252, &c.DataChecksumVersion)
	if l.ControlCharSignedness != 0 {
		k.bool(l.ControlCharSignedness, &c.DefaultCharSignedness)
	}
	k.bytes(l.ControlNonce, c.MockAuthNonce[:])
}

// walkCheckpoint lists CheckPoint, which starts at byte 40.
func walkCheckpoint(p *CheckpointRecord, l Layout, k controlCodec) {
	controlU64(k, 40, &p.Redo)
	controlU32(k, 48, &p.ThisTimeLineID)
	controlU32(k, 52, &p.PrevTimeLineID)
	k.bool(56, &p.FullPageWrites)
	if l.ControlCheckpointWALLevel != 0 {
		controlU32(k, l.ControlCheckpointWALLevel, &p.Level)
	}
	controlU64(k, 64, &p.NextXID)
	controlU32(k, 72, &p.NextOID)
	controlU32(k, 76, &p.NextMulti)
	controlU32(k, 80, &p.NextMultiOffset)
	controlU32(k, 84, &p.OldestXID)
	controlU32(k, 88, &p.OldestXIDDB)
	controlU32(k, 92, &p.OldestMulti)
	controlU32(k, 96, &p.OldestMultiDB)
	controlU64(k, 104, &p.Time)
	controlU32(k, 112, &p.OldestCommitTsXID)
	controlU32(k, 116, &p.NewestCommitTsXID)
	controlU32(k, 120, &p.OldestActiveXID)
}

func controlU32[T ~uint32 | ~int32](k controlCodec, off int, p *T) {
	if k.write {
		binary.LittleEndian.PutUint32(k.b[off:], uint32(*p))
		return
	}
	*p = T(binary.LittleEndian.Uint32(k.b[off:]))
}

func controlU64[T ~uint64 | ~int64](k controlCodec, off int, p *T) {
	if k.write {
		binary.LittleEndian.PutUint64(k.b[off:], uint64(*p))
		return
	}
	*p = T(binary.LittleEndian.Uint64(k.b[off:]))
}

// bool takes any byte but 0 for true, as C does, and when writing leaves such a byte alone
// unless the value changed.
func (k controlCodec) bool(off int, p *bool) {
	if !k.write {
		*p = k.b[off] != 0
		return
	}
	if (k.b[off] != 0) == *p {
		return
	}
	k.b[off] = 0
	if *p {
		k.b[off] = 1
	}
}

// float goes by bits, so that a damaged value that is a NaN survives unchanged.
func (k controlCodec) float(off int, p *float64) {
	bits := math.Float64bits(*p)
	controlU64(k, off, &bits)
	*p = math.Float64frombits(bits)
}

func (k controlCodec) bytes(off int, p []byte) {
	if k.write {
		copy(k.b[off:off+len(p)], p)
		return
	}
	copy(p, k.b[off:])
}
