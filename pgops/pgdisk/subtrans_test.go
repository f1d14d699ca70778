package pgdisk

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// subtransFiles is a pg_subtrans of one page with the given parents.
func subtransFiles(t *testing.T, parents map[XID]XID) *SLRUFiles {
	t.Helper()
	page := make([]byte, BlockSize)
	for x, parent := range parents {
		if err := PutPageSubtransParent(page, x, parent); err != nil {
			t.Fatal(err)
		}
	}
	return NewSLRUFiles(fstest.MapFS{"pg_subtrans/0000": &fstest.MapFile{Data: page}})
}

func TestSubtransChain(t *testing.T) {
	pages := subtransFiles(t, map[XID]XID{701: 700, 705: 701, 800: 800, 801: 802, 802: 801, 900: 2, 901: 5000, 902: 905})
	for _, tt := range []struct {
		x    XID
		want string
		bad  string
	}{
		{700, "[]", ""},
		{701, "[700]", ""},
		{705, "[701 700]", ""},
		{2, "[]", ""},
		{800, "[]", "parent of transaction 800 at byte 3200: want an older transaction, found 800"},
		{802, "[801]", "parent of transaction 801"},
		{900, "[]", "found 2"},
		{902, "[]", "found 905"},
	} {
		chain, err := SubtransChain(pages, tt.x)
		if fmt.Sprint(chain) != tt.want || (err != nil) != (tt.bad != "") || err != nil && !strings.Contains(err.Error(), tt.bad) {
			t.Errorf("%d: got %v, %v", tt.x, chain, err)
		}
	}
	// The parent is beyond the page that is there.
	chain, err := SubtransChain(subtransFiles(t, map[XID]XID{5: 4294967290}), 5)
	var missing *SLRUPageError
	if !errors.As(err, &missing) || missing.Kind != HoleMissing || fmt.Sprint(chain) != "[4294967290]" {
		t.Errorf("around the end of the circle: %v, %v", chain, err)
	}
}

func TestSubtransWrongSize(t *testing.T) {
	if _, err := PageSubtransParent(nil, 3); err == nil {
		t.Error("a short page was read")
	}
	if err := PutPageSubtransParent(nil, 3, 4); err == nil {
		t.Error("a short page was written")
	}
}

// FuzzSubtrans: a chain ends on whatever page, and each ancestor is older than the one before.
func FuzzSubtrans(f *testing.F) {
	f.Add(uint32(700), []byte{0xBB, 2, 0, 0})
	f.Add(uint32(2047), []byte{1, 0, 0, 0, 5})
	f.Fuzz(func(t *testing.T, x uint32, b []byte) {
		page := make([]byte, BlockSize)
		for i := range page {
			if len(b) > 0 {
				page[i] = b[i%len(b)]
			}
		}
		pages := NewSLRUFiles(fstest.MapFS{"pg_subtrans/0000": &fstest.MapFile{Data: page}})
		chain, _ := SubtransChain(pages, XID(x)%2048)
		for i, last := 0, XID(x)%2048; i < len(chain); i++ {
			if !chain[i].Precedes(last) {
				t.Fatalf("%d is not older than %d", chain[i], last)
			}
			last = chain[i]
		}
		if last, ok := LastUsedSubtrans(page); ok {
			if parent, err := PageSubtransParent(page, XID(last)); err != nil || parent == 0 {
				t.Fatalf("the last entry in use, %d, is %d, %v", last, parent, err)
			}
		}
	})
}
