package pgdisk

import (
	"errors"
	"testing"
)

func TestDecodeWALPageHeader(t *testing.T) {
	w := newWALBuilder(17)
	w.insert(5, 20000)
	long, err := DecodeWALPageHeader(w.data[1])
	if err != nil {
		t.Fatal(err)
	}
	want := WALPageHeader{
		Magic: 0xD116, Flags: WALLongHeader, Timeline: 1, PageAddr: 0x100000,
		SystemID: walTestSysID, SegSize: walTestSegSize, BlockSize: BlockSize,
	}
	if long != want || long.Size() != 40 {
		t.Errorf("long header %+v, want %+v", long, want)
	}
	short, err := DecodeWALPageHeader(w.data[1][BlockSize:])
	if err != nil {
		t.Fatal(err)
	}
	want = WALPageHeader{Magic: 0xD116, Flags: WALFirstIsContRecord, Timeline: 1, PageAddr: 0x102000, RemLen: 20000 + 49 - (BlockSize - 40)}
	if short != want || short.Size() != 24 {
		t.Errorf("short header %+v, want %+v", short, want)
	}
	if major, ok := short.Major(); major != 17 || !ok {
		t.Errorf("major %d", major)
	}
	if s := (WALLongHeader | WALFirstIsContRecord | 0x40).String(); s != "continues a record, long header, unknown bits 0040" {
		t.Errorf("flags read %q", s)
	}
	for n := range 40 {
		var bad *FormatError
		if _, err := DecodeWALPageHeader(w.data[1][:n]); !errors.As(err, &bad) {
			t.Errorf("%d bytes of a long header: error %v", n, err)
		}
	}
}

func TestWALPageCheck(t *testing.T) {
	good := WALPageHeader{Magic: 0xD110, Flags: WALLongHeader, Timeline: 3, PageAddr: 0x100000, SystemID: 7, SegSize: 1 << 20, BlockSize: BlockSize}
	want := WALPageWant{Magic: 0xD110, PageAddr: 0x100000, SegSize: 1 << 20, SystemID: 7, MinTimeline: 3}
	if stop := good.Check(want); stop != nil {
		t.Fatalf("good page: %v", stop)
	}
	tests := []struct {
		name  string
		spoil func(h *WALPageHeader, w *WALPageWant)
		cause WALStopCause
	}{
		{"other major", func(h *WALPageHeader, _ *WALPageWant) { h.Magic = 0xD113 }, WALStopPageMagic},
		{"unknown magic, any accepted", func(h *WALPageHeader, w *WALPageWant) { h.Magic, w.Magic = 0xD101, 0 }, WALStopPageMagic},
		{"flags", func(h *WALPageHeader, _ *WALPageWant) { h.Flags |= 0x10 }, WALStopPageFlags},
		{"sysid", func(h *WALPageHeader, _ *WALPageWant) { h.SystemID = 8 }, WALStopForeign},
		{"segment size", func(h *WALPageHeader, _ *WALPageWant) { h.SegSize = 2 << 20 }, WALStopForeign},
		{"block size", func(h *WALPageHeader, _ *WALPageWant) { h.BlockSize = 4096 }, WALStopForeign},
		{"no long header", func(h *WALPageHeader, _ *WALPageWant) { h.Flags = 0 }, WALStopPageFlags},
		{"address", func(h *WALPageHeader, _ *WALPageWant) { h.PageAddr = 0x200000 }, WALStopPageAddr},
		{"timeline", func(h *WALPageHeader, _ *WALPageWant) { h.Timeline = 2 }, WALStopTimeline},
	}
	for _, tt := range tests {
		h, w := good, want
		tt.spoil(&h, &w)
		if stop := h.Check(w); stop == nil || stop.Cause != tt.cause {
			t.Errorf("%s: %v, want cause %d", tt.name, stop, tt.cause)
		}
	}
}

func TestWALMajors(t *testing.T) {
	for magic, want := range map[uint16]int{0xD106: 13, 0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18, 0xD101: 0, 0: 0} {
		if major, ok := WALMajor(magic); ok != (want != 0) || ok && major != want {
			t.Errorf("magic %04X is major %d, %t, want %d", magic, major, ok, want)
		}
	}
}

// A page header decodes from any bytes, and says so if there are too few.
func FuzzWALPageHeader(f *testing.F) {
	w := newWALBuilder(13).fill(10)
	f.Add(w.data[1][:40])
	f.Add(w.data[1][:24])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := DecodeWALPageHeader(b)
		if err != nil {
			if len(b) >= 40 {
				t.Errorf("40 bytes: %v", err)
			}
			return
		}
		_ = h.Flags.String()
		h.Check(WALPageWant{PageAddr: h.PageAddr, SegSize: 1 << 20})
	})
}
