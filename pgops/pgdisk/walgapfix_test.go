package pgdisk

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"
)

// TestWALGapFix damages one record among many and wants the very bytes back.
func TestWALGapFix(t *testing.T) {
	tests := []struct {
		name   string
		damage func(b []byte) // from the start of the record to the end of its segment
		bytes  int            // to be changed; 0 = no repair is to be found
	}{
		{"a bit of the data", func(b []byte) { b[60] ^= 0x40 }, 1},
		{"the kind of record", func(b []byte) { b[17] = 77 }, 1},
		{"the transaction", func(b []byte) { b[5] ^= 3 }, 1},
		{"the checksum itself", func(b []byte) { b[20] ^= 0x81 }, 1},
		{"the length", func(b []byte) { clear(b[:4]) }, 2},
		{"a huge length", func(b []byte) { b[2] = 0x7F }, 1},
		{"the link", func(b []byte) { clear(b[8:16]) }, 3},
		{"length and link", func(b []byte) { clear(b[:4]); clear(b[8:16]) }, 5},
		{"two bits of a short record", func(b []byte) { b[30] ^= 1; b[50] ^= 0x80 }, 2},
		{"two bytes", func(b []byte) { b[30] ^= 3; b[50] ^= 0xFF }, 0},
		{"many bytes", func(b []byte) { clear(b[30:60]) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWALBuilder(17).fill(500)
			at := w.starts[300]
			original := append([]byte(nil), w.bytes(at)[:200]...)
			tt.damage(w.bytes(at))
			end, err := FindWALEnd(context.Background(), w.source(), w.starts[0], nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(end.Gaps) != 1 {
				t.Fatalf("%d gaps, want 1: %s", len(end.Gaps), end.Reason)
			}
			fix := end.Gaps[0].Fix
			if fix == nil || tt.bytes == 0 {
				if fix != nil || tt.bytes != 0 {
					t.Fatalf("repair %+v, want one of %d bytes", fix, tt.bytes)
				}
				return
			}
			if fix.Record != at || fix.Name != "Heap/INSERT" || len(fix.Bytes) != tt.bytes {
				t.Errorf("%+v, want %d bytes of the record at %s", fix, tt.bytes, at)
			}
			for _, b := range fix.Bytes {
				if off := b.LSN - at; original[off] != b.Want || w.bytes(at)[off] != b.Was {
					t.Errorf("byte %d from %#x to %#x, was %#x", off, b.Was, b.Want, original[off])
				}
				w.bytes(b.LSN)[0] = b.Want
			}
			end, err = FindWALEnd(context.Background(), w.source(), w.starts[0], nil)
			if err != nil || end.Kind != WALEndClean || end.Records != 1000 {
				t.Errorf("after the repair: %s, %d records, %v", end.Kind, end.Records, err)
			}
		})
	}
}

// TestWALGapFixAcrossPages: the byte lies behind a page header.
func TestWALGapFixAcrossPages(t *testing.T) {
	w := newWALBuilder(15).fill(20)
	at := w.insert(1, 20000)
	w.fill(20)
	page := at&^(BlockSize-1) + 2*BlockSize
	w.bytes(page)[100] ^= 0x10
	end, err := FindWALEnd(context.Background(), w.source(), w.starts[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(end.Gaps) != 1 || end.Gaps[0].Fix == nil || end.Gaps[0].Fix.Bytes[0].LSN != page+100 {
		t.Errorf("gaps %+v, want a repair at %s", end.Gaps, page+100)
	}
}

// TestWALGapFixNamesNothing: of records with more damage than one change, hardly one in a
// thousand may be given a repair.
func TestWALGapFixNamesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	named := 0
	for range 100 {
		raw, prev := fixRecord(t, 30+rng.IntN(300))
		at := walRecordHeaderSize + rng.IntN(len(raw)-walRecordHeaderSize-20)
		for i := range 20 {
			raw[at+i] ^= byte(1 + rng.IntN(255))
		}
		if got := WALRecordFixes(raw, 15, prev); len(got) == 1 {
			named++
		}
	}
	if named > 1 {
		t.Errorf("%d of 100 are given a repair", named)
	}
}

// TestWALPageFix damages the header of a page amid records and wants it back.
func TestWALPageFix(t *testing.T) {
	tests := []struct {
		name   string
		cont   bool // the page opens with the rest of a record
		long   bool // it is the first of a segment
		damage func(b []byte)
		found  bool
	}{
		{"wiped", true, false, func(b []byte) { clear(b[:24]) }, true},
		{"wiped between records", false, false, func(b []byte) { clear(b[:24]) }, true},
		{"wiped, long", true, true, func(b []byte) { clear(b[:40]) }, true},
		{"magic", true, false, func(b []byte) { b[0] ^= 0x55 }, true},
		{"flags", true, false, func(b []byte) { b[2] ^= 1 }, true},
		{"unknown flags", true, false, func(b []byte) { b[3] ^= 0x80 }, true},
		{"a long header's flag", true, false, func(b []byte) { b[2] ^= 2 }, true},
		{"timeline 0", true, false, func(b []byte) { clear(b[4:8]) }, true},
		{"address", true, false, func(b []byte) { b[9] ^= 0x20 }, true},
		{"length of the rest", true, false, func(b []byte) { b[16] ^= 1 }, true},
		{"system identifier", true, true, func(b []byte) { b[24] ^= 1 }, true},
		{"segment size", true, true, func(b []byte) { clear(b[32:36]) }, true},
		{"a sector", true, false, func(b []byte) { clear(b[:512]) }, false},
		{"header and more", true, false, func(b []byte) { clear(b[:28]) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWALBuilder(16).fill(200)
			w.insert(1, int(BlockSize-w.pos%BlockSize)-49) // up to the end of a page
			page := w.pos
			w.fill(2000)
			for w.bytes(page)[2]&1 != 0 != tt.cont || uint64(page)%uint64(w.segSize) == 0 != tt.long {
				page += BlockSize
			}
			original := bytes.Clone(w.bytes(page)[:40])
			tt.damage(w.bytes(page))
			end, err := FindWALEnd(t.Context(), w.source(), w.starts[0], nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(end.Gaps) != 1 {
				t.Fatalf("%d gaps, want 1: %s", len(end.Gaps), end.Reason)
			}
			fix := end.Gaps[0].Fix
			if fix == nil || !tt.found {
				if fix != nil || tt.found {
					t.Fatalf("repair %+v of %+v", fix, end.Gaps[0])
				}
				return
			}
			if fix.Record != page || !fix.Page || fix.Records < 1 {
				t.Errorf("%+v, want the header of %s", fix, page)
			}
			for _, b := range fix.Bytes {
				if original[b.LSN-page] != b.Want || w.bytes(b.LSN)[0] != b.Was {
					t.Errorf("%+v, was %#x", b, original[b.LSN-page])
				}
				w.bytes(b.LSN)[0] = b.Want
			}
			end, err = FindWALEnd(t.Context(), w.source(), w.starts[0], nil)
			if err != nil || end.Kind != WALEndClean || end.Records != uint64(len(w.starts)) {
				t.Errorf("after the repair: %s, %d records, %v", end.Kind, end.Records, err)
			}
		})
	}
}

// TestWALGapFixIsBounded: thousands of damaged records, each past help, cost a bounded search.
func TestWALGapFixIsBounded(t *testing.T) {
	w := newWALBuilder(17).fill(6000)
	for i := 2; i < len(w.starts)-2; i += 2 {
		b := w.bytes(w.starts[i])[26:]
		for k := range min(len(b), 30) {
			b[k] ^= 0xA5
		}
	}
	began := time.Now()
	end, err := FindWALEnd(t.Context(), w.source(), w.starts[0], nil)
	if err != nil || end.GapCount < 4000 {
		t.Fatalf("%d gaps, %v", end.GapCount, err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %s for %d gaps", took, end.GapCount)
	} else {
		t.Logf("%s for %d gaps", took, end.GapCount)
	}
}
