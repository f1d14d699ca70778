package pgdisk

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
