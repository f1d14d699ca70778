package pgdisk

import (
	"testing"
	"testing/fstest"
	"time"
)

// FuzzWALGapFix damages a segment in two places and walks it. Nothing may panic or take long, and a
// repair must be what it is said to be: with its bytes changed, the records of the gap are read.
func FuzzWALGapFix(f *testing.F) {
	w := newWALBuilder(17).fill(20)
	w.insert(5, 9000)
	w.fill(20)
	segment := w.bytes(LSN(w.segSize))[:w.pos-LSN(w.segSize)]
	f.Add(uint32(100), []byte{1}, uint32(9000), []byte{0x80})
	f.Add(uint32(BlockSize), make([]byte, 24), uint32(5*BlockSize+16), []byte{9})
	f.Add(uint32(3*BlockSize), make([]byte, 512), uint32(40), []byte{0xFF, 0xFF, 0xFF, 0x3F})
	f.Fuzz(func(t *testing.T, at1 uint32, b1 []byte, at2 uint32, b2 []byte) {
		b := make([]byte, w.segSize)
		copy(b, segment)
		copy(b[40+int(at1)%(len(segment)-40):], b1[:min(len(b1), 1000)])
		copy(b[40+int(at2)%(len(segment)-40):], b2[:min(len(b2), 1000)])
		src := WALSource{FS: fstest.MapFS{WALSegment{1, 1}.Name(w.segSize): {Data: b}}, SegSize: w.segSize, Timeline: 1}
		began := time.Now()
		end, err := FindWALEnd(t.Context(), src, w.starts[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d > 10*time.Second {
			t.Fatalf("took %s", d)
		}
		for _, gap := range end.Gaps {
			if gap.Fix == nil {
				continue
			}
			before := end.Records + end.RecordsBeyond
			for _, fix := range gap.Fix.Bytes {
				if b[fix.LSN-LSN(w.segSize)] != fix.Was {
					t.Fatalf("%+v: there is %#x", fix, b[fix.LSN-LSN(w.segSize)])
				}
				b[fix.LSN-LSN(w.segSize)] = fix.Want
			}
			if end, err = FindWALEnd(t.Context(), src, w.starts[0], nil); err != nil {
				t.Fatal(err)
			}
			if got := end.Records + end.RecordsBeyond; got < before+uint64(gap.Fix.Records) {
				t.Fatalf("%d records, %d with %+v", before, got, gap.Fix)
			}
			return
		}
	})
}
