package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// MaxVarlenaSize is more than any value of variable length can have, header included: the
// length fields have 30 bits (VARLENA_EXTSIZE_BITS, varatt.h) and palloc ends at 1 GB
// (MaxAllocSize, utils/memutils.h).
const MaxVarlenaSize = 1 << 30

// Sizes of varlena headers (varatt.h; postgres.h up to 15).
const (
	VarlenaHeaderSize           = 4  // VARHDRSZ
	VarlenaShortHeaderSize      = 1  // VARHDRSZ_SHORT
	VarlenaCompressedHeaderSize = 8  // VARHDRSZ_COMPRESSED: length and va_tcinfo
	VarlenaExternalHeaderSize   = 2  // VARHDRSZ_EXTERNAL: zero length and tag
	ToastPointerSize            = 18 // TOAST_POINTER_SIZE (access/detoast.h): header and varatt_external

	varlenaExtSizeBits = 30 // VARLENA_EXTSIZE_BITS: the size in va_extinfo and va_tcinfo, the method above it
	varlenaExtSizeMask = 1<<varlenaExtSizeBits - 1
)

// VarlenaTag says what an external value is (vartag_external, varatt.h).
type VarlenaTag uint8

// The tags. Only VarTagOnDisk belongs into a file.
const (
	VarTagIndirect   VarlenaTag = 1  // VARTAG_INDIRECT
	VarTagExpandedRO VarlenaTag = 2  // VARTAG_EXPANDED_RO
	VarTagExpandedRW VarlenaTag = 3  // VARTAG_EXPANDED_RW
	VarTagOnDisk     VarlenaTag = 18 // VARTAG_ONDISK
)

// VarlenaKind is one of the forms in which a value of variable length lies in a tuple.
type VarlenaKind uint8

// The forms.
const (
	VarlenaShort      VarlenaKind = iota + 1 // 1-byte header, up to 126 bytes of payload (VARATT_IS_SHORT)
	VarlenaPlain                             // 4-byte header (VARATT_IS_4B_U)
	VarlenaCompressed                        // 4-byte header, compressed in line (VARATT_IS_4B_C)
	VarlenaExternal                          // pointer into a TOAST table (VARATT_IS_EXTERNAL_ONDISK)
)

// String gives the form in words.
func (k VarlenaKind) String() string {
	switch k {
	case VarlenaShort:
		return "short"
	case VarlenaPlain:
		return "plain"
	case VarlenaCompressed:
		return "compressed"
	case VarlenaExternal:
		return "external"
	}
	return fmt.Sprintf("varlena form %d", uint8(k))
}

// ToastPointer leads to a value stored out of line (varatt_external, varatt.h; postgres.h up to 15).
type ToastPointer struct {
	RawSize    uint32            // va_rawsize: bytes of the original value with its 4-byte header
	ExtSize    uint32            // external size: bytes stored in chunks, without header
	Method     CompressionMethod // of the stored bytes; CompressNone when ExtSize is RawSize-4
	ValueID    OID               // va_valueid: chunk_id of its chunks
	ToastRelID OID               // va_toastrelid: the TOAST table's OID
}

// CompressionMethod says how a value is compressed (ToastCompressionId, access/toast_compression.h).
type CompressionMethod uint8

// Methods of compression.
const (
	CompressPGLZ CompressionMethod = iota // TOAST_PGLZ_COMPRESSION_ID
	CompressLZ4                           // TOAST_LZ4_COMPRESSION_ID, 14 on
	CompressNone
)

// Varlena is a value of variable length as it lies in a tuple (varattrib_1b, varattrib_4b,
// varattrib_1b_e; varatt.h).
type Varlena struct {
	Kind    VarlenaKind
	Size    int               // bytes in the tuple, header included
	Payload []byte            // what follows the header, for a compressed value the compressed bytes; nil for an external one
	RawSize int               // bytes of the whole value without header
	Method  CompressionMethod // of a compressed or external value, else CompressNone
	Pointer ToastPointer      // of an external value
}

// VarlenaSize returns how many bytes of the tuple the value at the start of b takes
// (VARSIZE_ANY), which may be more than b has.
func VarlenaSize(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, varlenaError(0, "a varlena header", "no bytes")
	}
	if b[0]&1 == 1 {
		if b[0] != 1 {
			return int(b[0] >> 1), nil
		}
		return externalSize(b)
	}
	if len(b) < VarlenaHeaderSize {
		return 0, varlenaError(0, "a 4-byte varlena header", fmt.Sprintf("%d bytes", len(b)))
	}
	n := int(binary.LittleEndian.Uint32(b) >> 2)
	if n < VarlenaHeaderSize {
		return 0, varlenaError(0, "a length of 4 bytes or more", fmt.Sprint(n))
	}
	return n, nil
}

// externalSize is VARSIZE_EXTERNAL. A pointer into the memory of a server that is long gone
// has no size here: nothing after it can be found with certainty.
func externalSize(b []byte) (int, error) {
	if len(b) < VarlenaExternalHeaderSize {
		return 0, varlenaError(0, "a tag after the header of an external value", "no bytes")
	}
	switch tag := VarlenaTag(b[1]); tag {
	case VarTagOnDisk:
		return ToastPointerSize, nil
	case VarTagIndirect, VarTagExpandedRO, VarTagExpandedRW:
		return 0, varlenaError(1, "an external value on disk (tag 18)", fmt.Sprintf("tag %d, a pointer into a server's memory", tag))
	default:
		return 0, varlenaError(1, "an external value on disk (tag 18)", fmt.Sprintf("tag %d", tag))
	}
}

// DecodeVarlena reads the value at the start of b. All of it must lie in b, which may go on
// after it. The payload is part of b. What is compressed or external stays so; Decompress
// and the chunks of the TOAST table do the rest.
//
// The two bits above a size name the method since 14. In 13 the field is a plain size, below
// 1 GB, and so these bits are 0, which is pglz, the only method there was.
func DecodeVarlena(b []byte) (Varlena, error) {
	size, err := VarlenaSize(b)
	if err != nil {
		return Varlena{}, err
	}
	if size > len(b) {
		return Varlena{}, varlenaError(0, fmt.Sprintf("at most the %d bytes that are left", len(b)), fmt.Sprintf("a length of %d", size))
	}
	b = b[:size:size]
	switch {
	case b[0] == 1:
		return decodeExternal(b)
	case b[0]&1 == 1:
		return Varlena{Kind: VarlenaShort, Size: size, Payload: b[VarlenaShortHeaderSize:], RawSize: size - VarlenaShortHeaderSize, Method: CompressNone}, nil
	case b[0]&2 == 0:
		return Varlena{Kind: VarlenaPlain, Size: size, Payload: b[VarlenaHeaderSize:], RawSize: size - VarlenaHeaderSize, Method: CompressNone}, nil
	}
	if size < VarlenaCompressedHeaderSize {
		return Varlena{}, varlenaError(0, "8 bytes or more of a compressed value", fmt.Sprintf("a length of %d", size))
	}
	raw, method, err := CompressionInfo(b[VarlenaHeaderSize:])
	if err != nil {
		return Varlena{}, err
	}
	return Varlena{Kind: VarlenaCompressed, Size: size, Payload: b[VarlenaCompressedHeaderSize:], RawSize: raw, Method: method}, nil
}

// CompressionInfo reads the 4 bytes before compressed data (va_tcinfo, varatt.h): how many
// bytes it becomes and by which method. They lie after the header of a value compressed in
// line, and at the start of the first chunk of an external one.
func CompressionInfo(b []byte) (raw int, method CompressionMethod, err error) {
	if len(b) < 4 {
		return 0, 0, varlenaError(4, "4 bytes of va_tcinfo", fmt.Sprintf("%d bytes", len(b)))
	}
	info := binary.LittleEndian.Uint32(b)
	method, err = storedMethod(info, 4)
	return int(info & varlenaExtSizeMask), method, err
}

// storedMethod reads the method from the upper bits of va_tcinfo or va_extinfo.
func storedMethod(info uint32, off int64) (CompressionMethod, error) {
	m := CompressionMethod(info >> varlenaExtSizeBits)
	if m != CompressPGLZ && m != CompressLZ4 {
		return 0, varlenaError(off, "compression method 0 (pglz) or 1 (lz4)", fmt.Sprint(uint8(m)))
	}
	return m, nil
}

// decodeExternal reads a TOAST pointer (varatt_external), which is not aligned. A value is
// compressed when fewer bytes are stored than it has (VARATT_EXTERNAL_IS_COMPRESSED).
func decodeExternal(b []byte) (Varlena, error) {
	le := binary.LittleEndian
	info := le.Uint32(b[6:])
	p := ToastPointer{
		RawSize:    le.Uint32(b[2:]),
		ExtSize:    info & varlenaExtSizeMask,
		Method:     CompressNone,
		ValueID:    OID(le.Uint32(b[10:])),
		ToastRelID: OID(le.Uint32(b[14:])),
	}
	if p.RawSize < VarlenaHeaderSize || p.RawSize > MaxVarlenaSize {
		return Varlena{}, varlenaError(2, fmt.Sprintf("va_rawsize %d to %d", VarlenaHeaderSize, MaxVarlenaSize), fmt.Sprint(p.RawSize))
	}
	if raw := p.RawSize - VarlenaHeaderSize; p.ExtSize > raw {
		return Varlena{}, varlenaError(6, fmt.Sprintf("at most the value's %d bytes stored", raw), fmt.Sprint(p.ExtSize))
	} else if p.ExtSize < raw {
		var err error
		if p.Method, err = storedMethod(info, 6); err != nil {
			return Varlena{}, err
		}
	}
	return Varlena{Kind: VarlenaExternal, Size: ToastPointerSize, RawSize: int(p.RawSize) - VarlenaHeaderSize, Method: p.Method, Pointer: p}, nil
}

// Append appends the pointer as it lies in a tuple, ToastPointerSize bytes.
func (p ToastPointer) Append(dst []byte) []byte {
	info := p.ExtSize & varlenaExtSizeMask
	if p.Method != CompressNone {
		info |= uint32(p.Method) << varlenaExtSizeBits
	}
	le := binary.LittleEndian
	dst = append(dst, 1, byte(VarTagOnDisk))
	dst = le.AppendUint32(dst, p.RawSize)
	dst = le.AppendUint32(dst, info)
	dst = le.AppendUint32(dst, uint32(p.ValueID))
	return le.AppendUint32(dst, uint32(p.ToastRelID))
}

func varlenaError(off int64, want, got string) *FormatError {
	return &FormatError{Off: off, Field: "varlena", Want: want, Got: got}
}
