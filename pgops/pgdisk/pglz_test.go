package pgdisk

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// pglzEncode compresses in PGLZ's format: always the last place where three bytes stood.
func pglzEncode(src []byte) []byte {
	var out []byte
	last := map[[3]byte]int{}
	ctrl, bit := 0, 8
	for i := 0; i < len(src); {
		if bit == 8 {
			ctrl, bit = len(out), 0
			out = append(out, 0)
		}
		n, off := 0, 0
		if i+3 <= len(src) {
			key := [3]byte(src[i:])
			if at, ok := last[key]; ok && i-at <= 4095 {
				off = i - at
				for n < pglzLongMatch+255 && i+n < len(src) && src[at+n] == src[i+n] {
					n++
				}
			}
			last[key] = i
		}
		if n < pglzMinMatch {
			out = append(out, src[i])
			i++
			bit++
			continue
		}
		out[ctrl] |= 1 << bit
		bit++
		code := min(n, pglzLongMatch) - pglzMinMatch
		out = append(out, byte(off>>8<<4|code), byte(off))
		if n >= pglzLongMatch {
			out = append(out, byte(n-pglzLongMatch))
		}
		i += n
	}
	return out
}

func TestPGLZ(t *testing.T) {
	noise := make([]byte, 5000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, src := range [][]byte{
		{}, []byte("a"), []byte("abcabcabcabc"), bytes.Repeat([]byte{0}, 8192), noise,
		[]byte(strings.Repeat("one page of a table, ", 400)), bytes.Repeat(noise[:300], 20),
	} {
		packed := pglzEncode(src)
		got, err := Decompress(CompressPGLZ, len(src), packed)
		if err != nil || !bytes.Equal(got, src) {
			t.Errorf("%d bytes by way of %d: %v", len(src), len(packed), err)
		}
		if _, err := Decompress(CompressPGLZ, len(src)+1, packed); err == nil {
			t.Errorf("one byte more than %d was found", len(src))
		}
	}
}

func TestPGLZDamaged(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		raw       int
	}{
		{"offset 0", "0161" + "0000", 10},
		{"before the start", "0261" + "0002", 10},
		{"tag cut", "026100", 10},
		{"long tag cut", "02610f01", 30},
		{"bytes left over", "0061626300", 3},
		{"nothing", "", 1},
		{"too many", "0061", 300},
	} {
		src, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		var bad *FormatError
		if got, err := Decompress(CompressPGLZ, tt.raw, src); !errors.As(err, &bad) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	got, err := Decompress(CompressPGLZ, 7, []byte{0x02, 'a', 0x03, 0x01})
	if err != nil || string(got) != "aaaaaaa" {
		t.Errorf("a run: %q, %v", got, err)
	}
	if _, err := Decompress(CompressPGLZ, 1<<30, make([]byte, 100)); err == nil {
		t.Error("a gigabyte from 100 bytes")
	}
	if _, err := Decompress(9, 1, []byte{1}); err == nil {
		t.Error("unknown method accepted")
	}
}

func TestDecompressOthers(t *testing.T) {
	src := []byte(strings.Repeat("a value that was toasted ", 100))
	packed := make([]byte, lz4.CompressBlockBound(len(src)))
	n, err := lz4.CompressBlock(src, packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	packed = packed[:n]
	if got, err := Decompress(CompressLZ4, len(src), packed); err != nil || !bytes.Equal(got, src) {
		t.Errorf("lz4: %v", err)
	}
	for _, raw := range []int{len(src) - 1, len(src) + 1, 0} {
		if _, err := Decompress(CompressLZ4, raw, packed); err == nil {
			t.Errorf("lz4 gave %d bytes for %d", raw, len(src))
		}
	}
	if got, err := Decompress(CompressNone, 3, []byte("abc")); err != nil || string(got) != "abc" {
		t.Errorf("none: %q, %v", got, err)
	}
	if _, err := Decompress(CompressNone, 2, []byte("abc")); err == nil {
		t.Error("none of another size accepted")
	}
	if got, err := Decompress(CompressLZ4, 0, []byte{0}); err != nil || len(got) != 0 {
		t.Errorf("lz4 of nothing: %q, %v", got, err)
	}
}

// FuzzDecompress: nothing panics, and what comes out has the size that was asked for; what
// our encoder writes comes back.
func FuzzDecompress(f *testing.F) {
	f.Add([]byte{0x02, 'a', 0x03, 0x01}, uint16(7))
	f.Add(pglzEncode([]byte(strings.Repeat("pglz ", 300))), uint16(1500))
	f.Add([]byte{0x1f, 'a', 1, 0, 0x50, 'a', 'a', 'a', 'a', 'a'}, uint16(25))
	f.Fuzz(func(t *testing.T, src []byte, raw uint16) {
		for _, m := range []CompressionMethod{CompressPGLZ, CompressLZ4, CompressNone} {
			if got, err := Decompress(m, int(raw), src); err == nil && len(got) != int(raw) {
				t.Errorf("%s gave %d bytes for %d", m, len(got), raw)
			}
		}
		if got, err := Decompress(CompressPGLZ, len(src), pglzEncode(src)); err != nil || !bytes.Equal(got, src) {
			t.Errorf("%X comes back as %X, %v", src, got, err)
		}
	})
}
