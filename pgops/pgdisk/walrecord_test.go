package pgdisk

import (
	"bytes"
	"errors"
	"testing"
)

func TestDecodeWALRecordBlocks(t *testing.T) {
	rel := WALRelation{1663, 5, 16384}
	other := WALRelation{1664, 0, 1262}
	image := bytes.Repeat([]byte{7}, 8000)
	blocks := []walTestBlock{
		{id: 0, rel: rel, block: 3, data: []byte("new tuple"), image: image, info: walImageHasHole | walImageApply, holeOff: 100},
		{id: 2, same: true, block: 4, flags: walBlockWillInit | 1},
		{id: 32, rel: other, block: 0xFFFFFFFE, flags: 2, data: []byte("x")},
	}
	raw := walRecordBytes(WALRecordHeader{XID: 9, Prev: 0x28, Info: 0x40, Rmid: RmgrHeap}, walFragmentBytes(blocks, []byte("main"), false))
	var rec WALRecord
	if err := DecodeWALRecord(raw, 15, &rec); err != nil {
		t.Fatal(err)
	}
	if rec.XID != 9 || rec.Prev != 0x28 || rec.String() != "Heap/HOT_UPDATE" || string(rec.MainData) != "main" || rec.CRC != WALRecordCRC(raw) {
		t.Errorf("record %+v", rec)
	}
	if len(rec.Blocks) != 3 {
		t.Fatalf("%d blocks", len(rec.Blocks))
	}
	b := rec.Blocks[0]
	if b.Rel != rel || b.Block != 3 || !b.HasImage || !b.ApplyImage || b.HoleOffset != 100 || b.HoleLength != BlockSize-8000 ||
		!bytes.Equal(b.Image, image) || string(b.Data) != "new tuple" || b.Fork.String() != "main" || !b.Heals() {
		t.Errorf("block 0: %+v", b)
	}
	b = rec.Blocks[1]
	if b.ID != 2 || b.Rel != rel || b.Block != 4 || b.HasImage || !b.WillInit || b.Fork.String() != "fsm" || !b.Heals() || len(b.Data) != 0 {
		t.Errorf("block 2: %+v", b)
	}
	b = rec.Blocks[2]
	if b.ID != 32 || b.Rel != other || b.Rel.String() != "1664/0/1262" || b.Block != 0xFFFFFFFE || b.Fork.String() != "vm" || b.Heals() || string(b.Data) != "x" {
		t.Errorf("block 32: %+v", b)
	}
	if rec.ImageBytes() != 8000 {
		t.Errorf("%d image bytes", rec.ImageBytes())
	}
}

// The flags of an image mean other things from 15 on.
func TestWALImageFlagsPerMajor(t *testing.T) {
	tests := []struct {
		major   int
		info    uint8
		apply   bool
		method  WALCompression
		holeLen uint16
	}{
		{13, 0x05, true, WALUncompressed, 0},
		{13, 0x07, true, WALCompressPGLZ, 500},
		{14, 0x03, false, WALCompressPGLZ, 500},
		{14, 0x01, false, WALUncompressed, 0},
		{15, 0x03, true, WALUncompressed, 0},
		{15, 0x07, true, WALCompressPGLZ, 500},
		{16, 0x0B, true, WALCompressLZ4, 500},
		{17, 0x13, true, WALCompressZSTD, 500},
		{18, 0x11, false, WALCompressZSTD, 500},
		{18, 0x01, false, WALUncompressed, 0},
	}
	for _, tt := range tests {
		block := walTestBlock{rel: WALRelation{1, 2, 3}, image: make([]byte, 300), info: tt.info, holeOff: 40, holeLen: tt.holeLen}
		raw := walRecordBytes(WALRecordHeader{Rmid: RmgrXLOG, Info: 0xB0}, walFragmentBytes([]walTestBlock{block}, nil, false))
		var rec WALRecord
		if err := DecodeWALRecord(raw, tt.major, &rec); err != nil {
			t.Errorf("%d, flags %02X: %v", tt.major, tt.info, err)
			continue
		}
		b := rec.Blocks[0]
		hole := tt.holeLen
		if hole == 0 {
			hole = BlockSize - 300
		}
		if b.ApplyImage != tt.apply || b.Compression != tt.method || b.HoleLength != hole {
			t.Errorf("%d, flags %02X: apply %t, %s, hole of %d", tt.major, tt.info, b.ApplyImage, b.Compression, b.HoleLength)
		}
	}
}

func TestDecodeWALRecordExtras(t *testing.T) {
	extras := []byte{walFragOrigin, 0x34, 0x12, walFragTopLevelXID, 0x78, 0x56, 0x34, 0x12}
	fragments := append(extras, walFragmentBytes(nil, []byte("long data"), true)...)
	raw := walRecordBytes(WALRecordHeader{Rmid: RmgrHeap}, fragments)
	var rec WALRecord
	if err := DecodeWALRecord(raw, 14, &rec); err != nil {
		t.Fatal(err)
	}
	if rec.Origin != 0x1234 || rec.TopLevelXID != 0x12345678 || string(rec.MainData) != "long data" {
		t.Errorf("record %+v", rec)
	}
	if err := DecodeWALRecord(raw, 13, &rec); err == nil {
		t.Error("13 has no top-level xid, and yet it decodes")
	}
}

func TestDecodeWALRecordRefuses(t *testing.T) {
	rel := WALRelation{1, 2, 3}
	image := func(n int, info uint8, off, hole uint16) []byte {
		return walFragmentBytes([]walTestBlock{{rel: rel, image: make([]byte, n), info: info, holeOff: off, holeLen: hole}}, nil, false)
	}
	tests := map[string][]byte{
		"lengths beyond the end":          {walFragDataShort, 5, 'a'},
		"long length beyond the end":      {walFragDataLong, 0xFF, 0xFF, 0xFF, 0xFF, 'a'},
		"bytes left over":                 {walFragDataShort, 1, 'a', 'b'},
		"cut after the id":                {0},
		"unknown id":                      {33, 0, 0, 0},
		"unknown marker":                  {251, 0, 0, 0},
		"same relation without a first":   walFragmentBytes([]walTestBlock{{same: true}}, nil, false),
		"ids out of order":                walFragmentBytes([]walTestBlock{{id: 1, rel: rel}, {id: 1, rel: rel}}, nil, false),
		"data flag without data":          walFragmentBytes([]walTestBlock{{rel: rel, flags: walBlockHasData}}, nil, false),
		"hole flag without a hole":        image(8192, walImageHasHole, 0, 0),
		"no hole flag but a hole":         image(8000, 0, 100, 0),
		"image longer than a page":        image(9000, 0, 0, 0),
		"compressed to a whole page":      image(8192, walImagePGLZ, 0, 0),
		"hole beyond the end of the page": image(100, walImagePGLZ|walImageHasHole, 8000, 500),
	}
	for name, fragments := range tests {
		raw := walRecordBytes(WALRecordHeader{Rmid: RmgrHeap}, fragments)
		var bad *FormatError
		var rec WALRecord
		if err := DecodeWALRecord(raw, 15, &rec); !errors.As(err, &bad) {
			t.Errorf("%s: error %v, record %+v", name, err, rec)
		}
	}
	raw := walRecordBytes(WALRecordHeader{}, walFragmentBytes(nil, []byte("abc"), false))
	for n := range raw {
		var rec WALRecord
		if err := DecodeWALRecord(raw[:n], 15, &rec); err == nil {
			t.Errorf("%d of %d bytes decode", n, len(raw))
		}
	}
}

func TestWALClassNames(t *testing.T) {
	tests := []struct {
		major int
		rmid  RmgrID
		info  uint8
		want  string
	}{
		{13, RmgrHeap2, 0x10, "Heap2/CLEAN"},
		{14, RmgrHeap2, 0x10, "Heap2/PRUNE"},
		{16, RmgrHeap2, 0x32, "Heap2/FREEZE_PAGE"},
		{17, RmgrHeap2, 0x10, "Heap2/PRUNE_ON_ACCESS"},
		{14, RmgrDatabase, 0x10, "Database/DROP"},
		{15, RmgrDatabase, 0x10, "Database/CREATE_WAL_LOG"},
		{13, RmgrCommitTs, 0x20, "CommitTs/SETTS"},
		{16, RmgrXLOG, 0xE0, "XLOG/UNKNOWN (e0)"},
		{17, RmgrXLOG, 0xE0, "XLOG/CHECKPOINT_REDO"},
		{13, RmgrXLOG, 0x20, "XLOG/NOOP"},
		{13, RmgrTransaction, 0x60, "Transaction/UNKNOWN (60)"},
		{14, RmgrTransaction, 0xE0, "Transaction/INVALIDATION"},
		{15, RmgrTransaction, 0x80, "Transaction/COMMIT"},
		{15, RmgrGeneric, 0x70, "Generic/Generic"},
		{15, 128, 0x70, "custom128/UNKNOWN (70)"},
		{15, 255, 0, "custom255/UNKNOWN (0)"},
		{15, RmgrMultiXact, 0x20, "MultiXact/CREATE_ID"},
	}
	for _, tt := range tests {
		rec := WALRecord{WALRecordHeader: WALRecordHeader{Rmid: tt.rmid, Info: tt.info}, Major: tt.major}
		if got := rec.String(); got != tt.want {
			t.Errorf("%d: manager %d, info %02X is %s, want %s", tt.major, tt.rmid, tt.info, got, tt.want)
		}
	}
	if RmgrID(128).Valid(14) || !RmgrID(128).Valid(15) || RmgrID(22).Valid(18) || !RmgrLogicalMessage.Valid(13) {
		t.Error("validity of resource managers")
	}
}

// Whatever decodes adds up to the bytes that were given, and bodies decode or refuse.
func FuzzDecodeWALRecord(f *testing.F) {
	w := newWALBuilder(15).fill(3)
	f.Add(w.data[1][40:640], uint8(2))
	f.Add(walRecordBytes(WALRecordHeader{Rmid: RmgrHeap}, walFragmentBytes([]walTestBlock{{rel: WALRelation{1, 2, 3}, image: make([]byte, 300), info: 3, holeOff: 9}}, []byte("m"), false)), uint8(5))
	f.Add(walRecordBytes(WALRecordHeader{Rmid: RmgrTransaction, Info: walXactPrepare}, walFragmentBytes(nil, make([]byte, 200), false)), uint8(0))
	f.Add(walRecordBytes(WALRecordHeader{Rmid: RmgrTransaction, Info: walXactHasInfo}, walFragmentBytes(nil, bytes.Repeat([]byte{1}, 200), false)), uint8(5))
	f.Add(walRecordBytes(WALRecordHeader{Rmid: RmgrMultiXact, Info: walMultiCreateID}, walFragmentBytes(nil, bytes.Repeat([]byte{2}, 60), false)), uint8(4))
	f.Add(walRecordBytes(WALRecordHeader{Rmid: RmgrXLOG}, walFragmentBytes(nil, make([]byte, 88), false)), uint8(4))
	f.Fuzz(func(t *testing.T, raw []byte, version uint8) {
		major := 13 + int(version%6)
		if len(raw) >= 4 {
			raw = bytes.Clone(raw)
			copy(raw, []byte{byte(len(raw)), byte(len(raw) >> 8), byte(len(raw) >> 16), byte(len(raw) >> 24)})
		}
		var rec WALRecord
		if err := DecodeWALRecord(raw, major, &rec); err != nil {
			return
		}
		sum := len(rec.MainData)
		for i := range rec.Blocks {
			sum += len(rec.Blocks[i].Image) + len(rec.Blocks[i].Data)
		}
		if sum > len(raw)-walRecordHeaderSize || len(rec.Blocks) > walMaxBlockID+1 {
			t.Errorf("%d bytes of data and %d blocks in a record of %d", sum, len(rec.Blocks), len(raw))
		}
		decodeAllWALBodies(t, &rec)
	})
}

// decodeAllWALBodies runs every body decoder, which must not panic or read outside.
func decodeAllWALBodies(t *testing.T, rec *WALRecord) {
	_ = rec.String()
	var s WALSummary
	if err := s.Add(rec); err != nil {
		t.Error(err)
	}
	if x, ok, _ := rec.WALXact(); ok && x.SubxactCount() > len(rec.MainData)/4 {
		t.Errorf("%d subtransactions in %d bytes", x.SubxactCount(), len(rec.MainData))
	}
	rec.WALParameters()
	rec.WALFullPageWrites()
	rec.WALRestorePoint()
	rec.WALEndOfRecovery()
	rec.WALOverwritten()
	rec.WALBackupEnd()
	rec.WALMultiZero()
	if m, ok := rec.WALMultiCreate(); ok {
		m.Members()
	}
}
