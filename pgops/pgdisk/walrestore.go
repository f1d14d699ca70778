package pgdisk

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// walZstdMemory bounds what decompression may take, bytes. One page needs far less.
const walZstdMemory = 1 << 20

// WALImages restores pages from the images in records. The zero value is ready; it keeps
// what it needs from one image to the next and is not safe for concurrent use.
type WALImages struct {
	raw  []byte
	zstd *zstd.Decoder
}

// Page returns the 8192 bytes of the page that the image shows, with zeros in the hole
// (RestoreBlockImage, xlogreader.c). It is the page as it was when the record was written:
// pd_lsn is that of an earlier change, which replay replaces by the record's end, and
// pd_checksum has no meaning. A reference without image is an error.
func (b *WALBlockRef) Page() ([]byte, error) {
	page := make([]byte, BlockSize)
	var images WALImages
	defer images.Close()
	if err := images.Restore(page, b); err != nil {
		return nil, err
	}
	return page, nil
}

// Restore writes the page that the image of b shows to page, which has BlockSize bytes.
func (w *WALImages) Restore(page []byte, b *WALBlockRef) error {
	raw := BlockSize - int(b.HoleLength)
	hole := int(b.HoleOffset)
	switch {
	case len(page) != BlockSize:
		return fmt.Errorf("restore page image: room for %d bytes, want %d", len(page), BlockSize)
	case !b.HasImage:
		return fmt.Errorf("restore page image: block %d of %s has none in this record", b.Block, b.Rel)
	case hole+int(b.HoleLength) > BlockSize:
		return w.fail(b, fmt.Errorf("a hole of %d bytes at %d", b.HoleLength, b.HoleOffset))
	}
	image := b.Image
	if b.Compression != WALUncompressed {
		if w.raw == nil {
			w.raw = make([]byte, BlockSize)
		}
		image = w.raw[:raw]
		if err := w.decompress(image, b); err != nil {
			return w.fail(b, err)
		}
	} else if len(image) != raw {
		return w.fail(b, fmt.Errorf("%d bytes, want %d", len(image), raw))
	}
	copy(page, image[:hole])
	clear(page[hole : hole+int(b.HoleLength)])
	copy(page[hole+int(b.HoleLength):], image[hole:])
	return nil
}

func (w *WALImages) decompress(dst []byte, b *WALBlockRef) error {
	switch b.Compression {
	case WALCompressPGLZ:
		return pglzDecompress(dst, b.Image)
	case WALCompressLZ4:
		return lz4Decompress(dst, b.Image)
	case WALCompressZSTD:
		return w.zstdDecompress(dst, b.Image)
	}
	return fmt.Errorf("unknown method: %s", b.Compression)
}

func (w *WALImages) zstdDecompress(dst, src []byte) error {
	if w.zstd == nil {
		var err error
		w.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(walZstdMemory))
		if err != nil {
			return err
		}
	}
	got, err := w.zstd.DecodeAll(src, dst[:0:len(dst)])
	if err != nil {
		return err
	}
	if len(got) != len(dst) {
		return &FormatError{File: "zstd frame", Field: "size", Want: fmt.Sprintf("%d bytes", len(dst)), Got: fmt.Sprintf("%d bytes", len(got))}
	}
	return nil
}

func (w *WALImages) fail(b *WALBlockRef, err error) error {
	return fmt.Errorf("page image of block %d of %s (%s, compression %s): %w", b.Block, b.Rel, b.Fork, b.Compression, err)
}

// Close gives back what decompression holds.
func (w *WALImages) Close() {
	if w.zstd != nil {
		w.zstd.Close()
		w.zstd = nil
	}
}
