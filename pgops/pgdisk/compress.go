package pgdisk

import (
	"fmt"

	"github.com/pierrec/lz4/v4"
)

// String gives the name of the setting default_toast_compression.
func (m CompressionMethod) String() string {
	switch m {
	case CompressPGLZ:
		return "pglz"
	case CompressLZ4:
		return "lz4"
	case CompressNone:
		return "none"
	}
	return fmt.Sprintf("compression method %d", uint8(m))
}

// maxExpand bounds what a byte can become: 255 in an LZ4 block, less than 88 in PGLZ data.
const maxExpand = 255

// Decompress returns exactly raw bytes made from all of src, or an error
// (pglz_decompress_datum and lz4_decompress_datum, access/common/toast_compression.c).
// A size that src cannot have been made from is refused before it is allocated.
func Decompress(method CompressionMethod, raw int, src []byte) ([]byte, error) {
	if raw < 0 || raw > (len(src)+1)*maxExpand {
		return nil, &FormatError{File: "compressed value", Field: "raw size",
			Want: fmt.Sprintf("what %d bytes of %s can hold", len(src), method), Got: fmt.Sprint(raw)}
	}
	dst := make([]byte, raw)
	if err := DecompressInto(method, dst, src); err != nil {
		return nil, err
	}
	return dst, nil
}

// DecompressInto fills all of dst from all of src, or says why that cannot be; dst then holds
// what came out up to there. With CompressNone the bytes are copied.
func DecompressInto(method CompressionMethod, dst, src []byte) error {
	switch method {
	case CompressPGLZ:
		return pglzDecompress(dst, src)
	case CompressLZ4:
		return lz4Decompress(dst, src)
	case CompressNone:
		if len(src) != len(dst) {
			return &FormatError{File: "value", Field: "size", Want: fmt.Sprint(len(dst)), Got: fmt.Sprint(len(src))}
		}
		copy(dst, src)
		return nil
	}
	return &FormatError{File: "compressed value", Field: "method", Want: "pglz or lz4", Got: method.String()}
}

// lz4Decompress reads one LZ4 block (LZ4_decompress_safe).
func lz4Decompress(dst, src []byte) error {
	if len(dst) == 0 && len(src) == 1 && src[0] == 0 {
		return nil // the block of nothing
	}
	n, err := lz4.UncompressBlock(src, dst)
	if err != nil {
		return fmt.Errorf("LZ4 block of %d bytes: %w", len(src), err)
	}
	if n != len(dst) {
		return &FormatError{File: "LZ4 block", Field: "size", Want: fmt.Sprintf("%d bytes", len(dst)), Got: fmt.Sprintf("%d bytes", n)}
	}
	return nil
}
