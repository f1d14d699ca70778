package unload

import (
	"testing"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// A page without a checksum can still say that something is missing, or that it is not here
// that it was written.
func TestHeapPageWithoutChecksum(t *testing.T) {
	var tuples [][]byte
	for i := range int32(20) {
		tuples = append(tuples, testTuple(i, "value", committed))
	}
	sound := heapOf(10, tuples...)
	tests := []struct {
		name   string
		damage func(file []byte)
		bad    bool
	}{
		{"sound", func([]byte) {}, false},
		{"a line pointer wiped", func(f []byte) { clear(f[pgdisk.PageHeaderSize+8 : pgdisk.PageHeaderSize+12]) }, true},
		{"the flags of one changed to dead", func(f []byte) { f[pgdisk.PageHeaderSize+9] |= 0x80; f[pgdisk.PageHeaderSize+10] |= 1 }, true},
		{"another page in its place", func(f []byte) { copy(f[:pgdisk.BlockSize], f[pgdisk.BlockSize:]) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := append([]byte(nil), sound...)
			tt.damage(file)
			h, err := pgdisk.DecodePageHeader(file[:pgdisk.BlockSize])
			if err != nil {
				t.Fatal(err)
			}
			p := &heapPage{page: file[:pgdisk.BlockSize], header: h, count: h.LinePointers()}
			if p.judge(false); (p.why != "") != tt.bad {
				t.Errorf("why: %q, want one: %v", p.why, tt.bad)
			}
		})
	}
}
