package pgdisk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

func TestDecodeVarlena(t *testing.T) {
	pointer := ToastPointer{RawSize: 5004, ExtSize: 300, Method: CompressLZ4, ValueID: 16400, ToastRelID: 16390}
	plain := ToastPointer{RawSize: 5004, ExtSize: 5000, Method: CompressNone, ValueID: 1, ToastRelID: 2}
	old := ToastPointer{RawSize: 5004, ExtSize: 300, Method: CompressPGLZ, ValueID: 16400, ToastRelID: 16390}
	rows := []struct {
		name string
		in   []byte
		want Varlena
	}{
		{"short", []byte{2<<1 | 1, 'x', 'y'}, Varlena{Kind: VarlenaShort, Size: 2, Payload: []byte("x"), RawSize: 1, Method: CompressNone}},
		{"short and empty", []byte{3}, Varlena{Kind: VarlenaShort, Size: 1, Payload: []byte{}, Method: CompressNone}},
		{"plain", []byte{6 << 2, 0, 0, 0, 'a', 'b', 'c'}, Varlena{Kind: VarlenaPlain, Size: 6, Payload: []byte("ab"), RawSize: 2, Method: CompressNone}},
		{"plain and empty", []byte{4 << 2, 0, 0, 0}, Varlena{Kind: VarlenaPlain, Size: 4, Payload: []byte{}, Method: CompressNone}},
		{"pglz", []byte{9<<2 | 2, 0, 0, 0, 100, 0, 0, 0, 'z'}, Varlena{Kind: VarlenaCompressed, Size: 9, Payload: []byte("z"), RawSize: 100, Method: CompressPGLZ}},
		{"lz4", []byte{9<<2 | 2, 0, 0, 0, 100, 0, 0, 0x40, 'z'}, Varlena{Kind: VarlenaCompressed, Size: 9, Payload: []byte("z"), RawSize: 100, Method: CompressLZ4}},
		{"external", append(pointer.Append(nil), 'x'), Varlena{Kind: VarlenaExternal, Size: 18, RawSize: 5000, Method: CompressLZ4, Pointer: pointer}},
		{"external, of 13", old.Append(nil), Varlena{Kind: VarlenaExternal, Size: 18, RawSize: 5000, Method: CompressPGLZ, Pointer: old}},
		{"external, not compressed", plain.Append(nil), Varlena{Kind: VarlenaExternal, Size: 18, RawSize: 5000, Method: CompressNone, Pointer: plain}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := DecodeVarlena(row.in)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Payload, row.want.Payload) || (got.Payload == nil) != (row.want.Payload == nil) {
				t.Errorf("payload %q, want %q", got.Payload, row.want.Payload)
			}
			got.Payload, row.want.Payload = nil, nil
			if !sameVarlena(got, row.want) {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

// sameVarlena compares all but the payload.
func sameVarlena(a, b Varlena) bool {
	return a.Kind == b.Kind && a.Size == b.Size && a.RawSize == b.RawSize && a.Method == b.Method && a.Pointer == b.Pointer
}

func TestDecodeVarlenaRefuses(t *testing.T) {
	rows := []struct {
		name string
		in   []byte
	}{
		{"nothing", nil},
		{"a short value cut off", []byte{3<<1 | 1, 'x'}},
		{"half a 4-byte header", []byte{16, 0}},
		{"a length less than the header", []byte{3 << 2, 0, 0, 0}},
		{"zeros", make([]byte, 8)},
		{"a length beyond the tuple", []byte{7 << 2, 0, 0, 0, 'a', 'b'}},
		{"a compressed value without its size", []byte{6<<2 | 2, 0, 0, 0, 1, 0}},
		{"compression method 2", []byte{9<<2 | 2, 0, 0, 0, 100, 0, 0, 0x80, 'z'}},
		{"a tag missing", []byte{1}},
		{"tag 1", append([]byte{1, 1}, make([]byte, 16)...)},
		{"tag 3", append([]byte{1, 3}, make([]byte, 16)...)},
		{"tag 77", append([]byte{1, 77}, make([]byte, 16)...)},
		{"a pointer cut off", ToastPointer{RawSize: 100, ExtSize: 96, Method: CompressNone}.Append(nil)[:17]},
		{"a pointer to less than a header", ToastPointer{RawSize: 3, Method: CompressNone}.Append(nil)},
		{"a pointer to more than 1 GB", ToastPointer{RawSize: 1<<30 + 1, ExtSize: 96}.Append(nil)},
		{"more stored than the value has", ToastPointer{RawSize: 100, ExtSize: 97}.Append(nil)},
		{"compression method 3 in a pointer", ToastPointer{RawSize: 100, ExtSize: 90, Method: 3}.Append(nil)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := DecodeVarlena(row.in)
			var bad *FormatError
			if !errors.As(err, &bad) {
				t.Errorf("got %+v, %v, want a format error", got, err)
			}
		})
	}
}

// FuzzVarlena feeds arbitrary bytes. A value lies within them, and a header made from what
// was decoded is the one that was there.
func FuzzVarlena(f *testing.F) {
	f.Add([]byte{2<<1 | 1, 'x'})
	f.Add([]byte{6 << 2, 0, 0, 0, 'a', 'b', 'c'})
	f.Add([]byte{9<<2 | 2, 0, 0, 0, 100, 0, 0, 0x40, 'z'})
	f.Add(ToastPointer{RawSize: 5004, ExtSize: 300, Method: CompressLZ4, ValueID: 16400, ToastRelID: 16390}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := DecodeVarlena(b)
		if err != nil {
			return
		}
		if v.Size < 1 || v.Size > len(b) || v.RawSize < 0 || v.RawSize >= MaxVarlenaSize {
			t.Fatalf("%+v in %d bytes", v, len(b))
		}
		again := encodeVarlena(v)
		if v.Method == CompressNone && v.Kind == VarlenaExternal {
			again[9] |= b[9] & 0xC0 // of a value that is not compressed the method means nothing
		}
		if !slices.Equal(again, b[:v.Size]) {
			t.Fatalf("%+v encodes to %x, was %x", v, again, b[:v.Size])
		}
	})
}

// encodeVarlena makes the bytes from which v was decoded.
func encodeVarlena(v Varlena) []byte {
	le := binary.LittleEndian
	switch v.Kind {
	case VarlenaShort:
		return append([]byte{byte(v.Size)<<1 | 1}, v.Payload...)
	case VarlenaPlain:
		return append(le.AppendUint32(nil, uint32(v.Size)<<2), v.Payload...)
	case VarlenaCompressed:
		b := le.AppendUint32(nil, uint32(v.Size)<<2|2)
		b = le.AppendUint32(b, uint32(v.RawSize)|uint32(v.Method)<<30)
		return append(b, v.Payload...)
	}
	return v.Pointer.Append(nil)
}
