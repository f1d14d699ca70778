package pgdisk

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// plainChecksum follows the definition word by word, as slowly as it likes.
func plainChecksum(page []byte, blk BlockNumber) uint16 {
	sums := checksumSeeds()
	for i := range BlockSize/4 + 2*checksumLanes {
		var word uint32
		if i*4 < BlockSize {
			word = binary.LittleEndian.Uint32(page[i*4:])
		}
		if i == 2 {
			word &= 0xFFFF0000
		}
		x := sums[i%checksumLanes] ^ word
		sums[i%checksumLanes] = x*checksumPrime ^ x>>17
	}
	var sum uint32
	for _, s := range sums {
		sum ^= s
	}
	return uint16((sum^uint32(blk))%65535 + 1)
}

func randomPage(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	p := make([]byte, BlockSize)
	for i := 0; i < len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], r.Uint64())
	}
	return p
}

func TestPageChecksum(t *testing.T) {
	for seed := range uint64(50) {
		p := randomPage(seed)
		blk := BlockNumber(seed * 86028121)
		if got, want := PageChecksum(p, blk), plainChecksum(p, blk); got != want {
			t.Fatalf("page %d: got %04X, want %04X", seed, got, want)
		}
	}
	// Every byte counts, but for those of the stored checksum.
	p := randomPage(1)
	sum := PageChecksum(p, 7)
	for i := range p {
		p[i] ^= 0x10
		if same := PageChecksum(p, 7) == sum; same != (i == 8 || i == 9) {
			t.Errorf("byte %d: same %v", i, same)
		}
		p[i] ^= 0x10
	}
	if PageChecksum(p, 8) == sum {
		t.Error("the block number does not count")
	}
}

func TestVerifyPage(t *testing.T) {
	p := randomPage(3)
	PutPageChecksum(p, 5)
	want := func(v PageVerdict, what string) {
		t.Helper()
		if got, stored, computed := VerifyPage(p, 5); got != v || (v == PageChecksumBad) == (stored == computed) {
			t.Errorf("%s: got %d, stored %04X, computed %04X", what, got, stored, computed)
		}
	}
	want(PageChecksumOK, "stamped")
	p[4000] ^= 1
	want(PageChecksumBad, "a bit flipped")
	p[14], p[15] = 0, 0
	if v, _, _ := VerifyPage(p, 5); v != PageNewDirty {
		t.Errorf("no pd_upper: %d", v)
	}
	clear(p)
	want(PageNew, "zeroes")
}

func FuzzPageChecksum(f *testing.F) {
	f.Add([]byte("x"), uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, blk uint32) {
		p := make([]byte, BlockSize)
		copy(p, b)
		if got, want := PageChecksum(p, BlockNumber(blk)), plainChecksum(p, BlockNumber(blk)); got != want {
			t.Fatalf("got %04X, want %04X", got, want)
		}
	})
}

func BenchmarkPageChecksum(b *testing.B) {
	p := randomPage(9)
	b.SetBytes(BlockSize)
	for b.Loop() {
		PageChecksum(p, 9)
	}
}

func BenchmarkPlainChecksum(b *testing.B) {
	p := randomPage(9)
	b.SetBytes(BlockSize)
	for b.Loop() {
		plainChecksum(p, 9)
	}
}
