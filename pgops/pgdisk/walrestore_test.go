package pgdisk

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// walTestImage makes a page, and its image with the hole left out.
func walTestImage(hole, length int) (page, raw []byte) {
	page = make([]byte, BlockSize)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range page {
		page[i] = byte(r.Uint32() & 3)
	}
	clear(page[hole : hole+length])
	return page, append(bytes.Clone(page[:hole]), page[hole+length:]...)
}

func walTestCompress(t testing.TB, c WALCompression, raw []byte) []byte {
	t.Helper()
	switch c {
	case WALCompressPGLZ:
		return pglzEncode(raw)
	case WALCompressLZ4:
		out := make([]byte, lz4.CompressBlockBound(len(raw)))
		n, err := lz4.CompressBlock(raw, out, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out[:n]
	case WALCompressZSTD:
		w, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		return w.EncodeAll(raw, nil)
	}
	return raw
}

func TestWALBlockRefPage(t *testing.T) {
	var images WALImages
	defer images.Close()
	for _, c := range []WALCompression{WALUncompressed, WALCompressPGLZ, WALCompressLZ4, WALCompressZSTD} {
		for _, hole := range [][2]int{{0, 0}, {40, 5000}, {200, 1}, {100, BlockSize - 100}} {
			page, raw := walTestImage(hole[0], hole[1])
			b := WALBlockRef{HasImage: true, Compression: c, HoleOffset: uint16(hole[0]), HoleLength: uint16(hole[1]), Image: walTestCompress(t, c, raw)}
			if got, err := b.Page(); err != nil || !bytes.Equal(got, page) {
				t.Errorf("%s with a hole of %d at %d: %v", c, hole[1], hole[0], err)
			}
			dirty := bytes.Repeat([]byte{0xEE}, BlockSize)
			if err := images.Restore(dirty, &b); err != nil || !bytes.Equal(dirty, page) {
				t.Errorf("%s with a hole of %d at %d over old bytes: %v", c, hole[1], hole[0], err)
			}
			b.Image = b.Image[:len(b.Image)-1]
			if _, err := b.Page(); err == nil {
				t.Errorf("%s: an image cut short was accepted", c)
			}
		}
	}
	for name, b := range map[string]WALBlockRef{
		"none":           {},
		"hole outside":   {HasImage: true, HoleOffset: 8000, HoleLength: 500, Image: make([]byte, BlockSize-500)},
		"unknown method": {HasImage: true, Compression: 9, Image: make([]byte, 10)},
		"zstd of more":   {HasImage: true, Compression: WALCompressZSTD, Image: walTestCompress(t, WALCompressZSTD, make([]byte, 9000))},
		"zstd bomb":      {HasImage: true, Compression: WALCompressZSTD, Image: walTestCompress(t, WALCompressZSTD, make([]byte, 64<<20))},
	} {
		if _, err := b.Page(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzWALPage: no panic, no more memory than a page needs, for any image.
func FuzzWALPage(f *testing.F) {
	_, raw := walTestImage(100, 6000)
	for c := range WALCompressZSTD + 1 {
		f.Add(uint8(c), uint16(100), uint16(6000), walTestCompress(f, c, raw))
	}
	f.Fuzz(func(t *testing.T, c uint8, hole, length uint16, image []byte) {
		b := WALBlockRef{HasImage: true, Compression: WALCompression(c), HoleOffset: hole, HoleLength: length, Image: image}
		page, err := b.Page()
		if err == nil && (len(page) != BlockSize || !bytes.Equal(page[hole:int(hole)+int(length)], make([]byte, length))) {
			t.Errorf("page of %d bytes", len(page))
		}
	})
}
