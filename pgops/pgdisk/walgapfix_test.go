package pgdisk

import (
	"context"
	"testing"
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
		{"two bytes of a short record", func(b []byte) { b[30] ^= 1; b[50] ^= 0xFF }, 2},
		{"many bytes", func(b []byte) { clear(b[30:60]) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWALBuilder(17).fill(500)
			at := w.starts[500]
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
