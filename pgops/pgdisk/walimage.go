package pgdisk

import "fmt"

// image reads XLogRecordBlockImageHeader. The cross checks are those of DecodeXLogRecord
// (xlogreader.c): they catch what a checksum made over wrong bytes would let through.
func (d *walFragments) image(b *WALBlockRef) error {
	length, err := d.u16("image length")
	if err != nil {
		return err
	}
	if b.HoleOffset, err = d.u16("image hole offset"); err != nil {
		return err
	}
	info, err := d.u8("image flags")
	if err != nil {
		return err
	}
	b.HasImage, b.imageLen = true, length
	b.ApplyImage, b.Compression = walImageFlags(d.major, info)
	hole := info&walImageHasHole != 0
	switch {
	case b.Compression == WALUncompressed && length <= BlockSize:
		b.HoleLength = BlockSize - length
	case b.Compression == WALUncompressed:
		return d.fail("image length", "at most 8192", fmt.Sprint(length))
	case hole:
		if b.HoleLength, err = d.u16("image hole length"); err != nil {
			return err
		}
	}
	want := ""
	switch {
	case hole && (b.HoleOffset == 0 || b.HoleLength == 0 || length == BlockSize):
		want = "a hole where the flag says one"
	case !hole && (b.HoleOffset != 0 || b.HoleLength != 0):
		want = "no hole where the flag says none"
	case b.Compression != WALUncompressed && length >= BlockSize:
		want = "less than 8192 bytes when compressed"
	case int(b.HoleOffset)+int(b.HoleLength) > BlockSize:
		want = "a hole inside the page"
	default:
		return nil
	}
	return d.fail("image", want, fmt.Sprintf("flags %02X, length %d, hole of %d at %d", info, length, b.HoleLength, b.HoleOffset))
}

// walImageFlags reads bimg_info, whose bits 15 moved.
func walImageFlags(major int, info uint8) (apply bool, c WALCompression) {
	if major < 15 {
		if info&walImageCompressedTo14 != 0 {
			c = WALCompressPGLZ
		}
		return info&walImageApplyTo14 != 0, c
	}
	switch {
	case info&walImagePGLZ != 0:
		c = WALCompressPGLZ
	case info&walImageLZ4 != 0:
		c = WALCompressLZ4
	case info&walImageZSTD != 0:
		c = WALCompressZSTD
	}
	return info&walImageApply != 0, c
}
