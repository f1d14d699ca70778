package pgdisk

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// heapPage is a sound page with two tuples of 32 bytes.
func heapPage() []byte {
	p := make([]byte, BlockSize)
	le := binary.LittleEndian
	le.PutUint32(p[0:], 2)
	le.PutUint32(p[4:], 0x258DB28)
	le.PutUint16(p[8:], 0xBEEF)
	le.PutUint16(p[10:], uint16(PageAllVisible))
	le.PutUint16(p[12:], 32)
	le.PutUint16(p[14:], 8192-64)
	le.PutUint16(p[16:], 8192)
	le.PutUint16(p[18:], 8192|4)
	le.PutUint32(p[20:], 711)
	le.PutUint32(p[24:], ItemID{8192 - 32, ItemNormal, 32}.Encode())
	le.PutUint32(p[28:], ItemID{8192 - 64, ItemNormal, 32}.Encode())
	for _, at := range []int{8192 - 32, 8192 - 64} {
		TupleHeader{Xmin: 700, CTID: TID{3, 1}, Infomask: HeapXmaxInvalid, Infomask2: 1, Hoff: 24}.Encode(p[at:])
	}
	return p
}

func TestDecodePageHeader(t *testing.T) {
	h, err := DecodePageHeader(heapPage())
	want := PageHeader{LSN: 0x20258DB28, Checksum: 0xBEEF, Flags: PageAllVisible, Lower: 32, Upper: 8128,
		Special: 8192, Size: 8192, LayoutVersion: 4, PruneXID: 711}
	if err != nil || h != want || h.LSN.String() != "2/258DB28" || h.LinePointers() != 2 || h.IsNew() {
		t.Errorf("got %+v, %v", h, err)
	}
	if _, err := DecodePageHeader(make([]byte, 100)); err == nil {
		t.Error("a page of 100 bytes was read")
	}
}

func TestCheckPage(t *testing.T) {
	le := binary.LittleEndian
	item := func(i ItemID) func(p []byte) { return func(p []byte) { le.PutUint32(p[28:], i.Encode()) } }
	field := func(off int, v uint16) func(p []byte) { return func(p []byte) { le.PutUint16(p[off:], v) } }
	tests := []struct {
		name   string
		damage func(p []byte)
		want   string // in the first problem, empty for a sound page
	}{
		{"sound", func([]byte) {}, ""},
		{"zeroes", func(p []byte) { clear(p) }, ""},
		{"line pointers wiped", field(12, 24), ""},
		{"new but dirty", func(p []byte) { clear(p); p[8191] = 1 }, "pd_upper"},
		{"flags", field(10, 0x10), "pd_flags at byte 10: want no bits but 0x0007, found 0x0010"},
		{"lower in header", field(12, 23), "pd_lower"},
		{"lower above upper", field(12, 8132), "pd_lower"},
		{"upper above special", field(14, 8200), "pd_upper"},
		{"special beyond the page", field(16, 8200), "pd_special"},
		{"special not aligned", field(16, 8190), "pd_special"},
		{"page size", field(18, 4096|4), "page size at byte 18: want 8192, found 4096"},
		{"layout version", field(18, 8192|3), "layout version"},
		{"item unused", item(ItemID{}), ""},
		{"item dead", item(ItemID{0, ItemDead, 0}), ""},
		{"redirect", item(ItemID{1, ItemRedirect, 0}), ""},
		{"redirect to itself", item(ItemID{2, ItemRedirect, 0}), "redirect to another of the 2"},
		{"redirect beyond", item(ItemID{3, ItemRedirect, 0}), "line pointer 2 at byte 28"},
		{"normal without item", item(ItemID{8128, ItemNormal, 0}), "an item with a length"},
		{"unused with item", item(ItemID{8128, ItemUnused, 32}), "no item"},
		{"item in the hole", item(ItemID{8120, ItemNormal, 32}), "aligned item between 8128 and 8192"},
		{"item not aligned", item(ItemID{8129, ItemNormal, 32}), "aligned"},
		{"item beyond the end", item(ItemID{8168, ItemNormal, 32}), "found normal, offset 8168, length 32"},
		{"index page", func(p []byte) { field(16, 8176)(p); item(ItemID{1, ItemNormal, 1})(p) }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := heapPage()
			tt.damage(p)
			problems, err := CheckPage(p)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" && len(problems) > 0 || tt.want != "" && (len(problems) == 0 || !strings.Contains(problems[0].Error(), tt.want)) {
				t.Errorf("got %v, want %q", problems, tt.want)
			}
		})
	}
}

func TestItemID(t *testing.T) {
	for _, i := range []ItemID{{}, {0x7FFF, ItemDead, 0x7FFF}, {8128, ItemNormal, 61}, {1, ItemRedirect, 0}} {
		if got := DecodeItemID(i.Encode()); got != i {
			t.Errorf("got %v, want %v", got, i)
		}
	}
	// Bits as the server wrote them on a little endian machine: offset 8152, normal, length 36.
	if got := DecodeItemID(0x00489FD8); got != (ItemID{8152, ItemNormal, 36}) {
		t.Errorf("got %v", got)
	}
	p := heapPage()
	if b := Item(p, ItemID{8160, ItemNormal, 32}); len(b) != 32 || cap(b) != 32 {
		t.Errorf("item of %d bytes", len(b))
	}
	for _, i := range []ItemID{{8160, ItemNormal, 33}, {4, ItemNormal, 8}, {8160, ItemNormal, 0}, {1, ItemRedirect, 8}} {
		if b := Item(p, i); b != nil {
			t.Errorf("%v has %d bytes", i, len(b))
		}
	}
}

// FuzzCheckPage: no panic on any page, and on a page found sound every item can be reached.
func FuzzCheckPage(f *testing.F) {
	f.Add(heapPage()[:64])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, start []byte) {
		p := heapPage()
		copy(p, start)
		problems, err := CheckPage(p)
		if err != nil {
			t.Fatal(err)
		}
		h, err := DecodePageHeader(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range ItemIDs(p, h) {
			b := Item(p, i)
			if len(problems) == 0 && h.Special == BlockSize && i.Flags == ItemNormal && len(b) != int(i.Len) {
				t.Fatalf("sound page, but no item for %+v", i)
			}
			if tuple, err := DecodeTuple(b); err == nil {
				fmt.Fprint(discard{}, tuple.Columns(), tuple.Problems(len(b)), tuple.IsNull(3), tuple.Infomask.Words())
			}
		}
	})
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
