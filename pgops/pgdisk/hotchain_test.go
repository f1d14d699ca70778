package pgdisk

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// hotItem is a line pointer of a page made by hotPage: a tuple, or what its flags say.
type hotItem struct {
	flags  ItemFlags
	to     uint16 // of a redirect, the line pointer; of a tuple, that in t_ctid (0: itself)
	block  BlockNumber
	xmin   XID
	xmax   XID
	mask   Infomask
	mask2  Infomask2
	damage bool
}

// hotPage makes block 7 with tuples of 24 bytes.
func hotPage(items ...hotItem) []byte {
	page := make([]byte, BlockSize)
	le := binary.LittleEndian
	upper := BlockSize
	for i, it := range items {
		id := ItemID{Flags: it.flags, Off: it.to}
		if it.flags == ItemNormal {
			upper -= 24
			id.Off, id.Len = uint16(upper), 24
			to := it.to
			if to == 0 {
				to = uint16(i + 1)
			}
			h := TupleHeader{Xmin: it.xmin, Xmax: it.xmax, CTID: TID{Block: it.block, Item: to}, Infomask: it.mask, Infomask2: it.mask2 | 1, Hoff: 24}
			if it.damage {
				h.Hoff = 99
			}
			h.Encode(page[upper:])
		} else if it.flags != ItemRedirect {
			id.Off = 0
		}
		le.PutUint32(page[PageHeaderSize+4*i:], id.Encode())
	}
	le.PutUint16(page[12:], uint16(PageHeaderSize+4*len(items)))
	le.PutUint16(page[14:], uint16(upper))
	le.PutUint16(page[16:], BlockSize)
	le.PutUint16(page[18:], BlockSize|PageLayoutVersion)
	return page
}

func TestHOTChains(t *testing.T) {
	const upd, only = HeapHotUpdated, HeapOnlyTuple
	normal := func(to uint16, xmin, xmax XID, mask2 Infomask2) hotItem {
		it := hotItem{flags: ItemNormal, block: 7, to: to, xmin: xmin, xmax: xmax, mask2: mask2}
		if xmax == 0 {
			it.mask = HeapXmaxInvalid
		}
		return it
	}
	multi := normal(2, 700, 9, upd)
	multi.mask = HeapXmaxIsMulti
	elsewhere := normal(2, 700, 701, upd)
	elsewhere.block = 8
	broken := normal(0, 701, 0, only)
	broken.damage = true
	aborted := normal(2, 700, 701, upd)
	aborted.mask = HeapXmaxInvalid
	tests := []struct {
		name  string
		items []hotItem
		want  string // root[r]:members:end:next
	}{
		{"alone", []hotItem{normal(0, 700, 0, 0)}, ""},
		{"two versions", []hotItem{normal(2, 700, 701, upd), normal(0, 701, 0, only)}, "1:[1 2]:0:0"},
		{"three, out of order", []hotItem{normal(0, 702, 0, only), normal(3, 700, 701, upd), normal(1, 701, 702, only|upd)}, "2:[2 3 1]:0:0"},
		{"redirect", []hotItem{{flags: ItemRedirect, to: 3}, {flags: ItemUnused}, normal(4, 701, 702, only|upd), normal(0, 702, 0, only)}, "1r:[3 4]:0:0"},
		{"redirect to unused", []hotItem{{flags: ItemRedirect, to: 2}, {flags: ItemUnused}}, "1r:[]:2:2"},
		{"redirect to dead", []hotItem{{flags: ItemRedirect, to: 2}, {flags: ItemDead}}, "1r:[]:2:2"},
		{"redirect to a root", []hotItem{{flags: ItemRedirect, to: 2}, normal(0, 700, 0, 0)}, "1r:[]:1:2"},
		{"redirect to a redirect", []hotItem{{flags: ItemRedirect, to: 2}, {flags: ItemRedirect, to: 3}, normal(0, 700, 0, only)}, "1r:[]:2:2 2r:[3]:0:0"},
		{"beyond the line pointers", []hotItem{normal(9, 700, 701, upd)}, "1:[1]:2:9"},
		{"next is dead", []hotItem{normal(2, 700, 701, upd), {flags: ItemDead}}, "1:[1]:2:2"},
		{"another page", []hotItem{elsewhere, normal(0, 701, 0, only)}, "1:[1]:3:0 orphan 2"},
		{"other transaction", []hotItem{normal(2, 700, 701, upd), normal(0, 799, 0, only)}, "1:[1]:1:2 orphan 2"},
		{"not heap-only", []hotItem{normal(2, 700, 701, upd), normal(0, 701, 0, 0)}, "1:[1]:1:2"},
		{"circle", []hotItem{normal(2, 700, 701, upd), normal(3, 701, 702, only|upd), normal(2, 702, 701, only|upd)}, "1:[1 2 3]:4:2"},
		{"to itself", []hotItem{normal(1, 700, 700, upd)}, "1:[1]:4:1"},
		{"two roots, one member", []hotItem{normal(3, 700, 702, upd), normal(3, 701, 702, upd), normal(0, 702, 0, only)}, "1:[1 3]:0:0 2:[2]:5:3"},
		{"damaged next", []hotItem{normal(2, 700, 701, upd), broken}, "1:[1]:6:2"},
		{"aborted update", []hotItem{aborted, normal(0, 701, 0, only)}, "orphan 2"},
		{"updated within a multixact", []hotItem{multi, normal(0, 705, 0, only)}, "1:[1 2]:0:0"},
		{"another within a multixact", []hotItem{multi, normal(0, 706, 0, only)}, "1:[1]:1:2 orphan 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p HeapPage
			if _, err := p.Decode(hotPage(tt.items...), 7); err != nil {
				t.Fatal(err)
			}
			found := p.Chains(func(m MultiXactID) (XID, bool) { return 705, m == 9 })
			if got := hotText(found); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	var p HeapPage
	if _, err := p.Decode(hotPage(multi, normal(0, 706, 0, only)), 7); err != nil {
		t.Fatal(err)
	}
	if got := hotText(p.Chains(nil)); got != "1:[1 2]:0:0" {
		t.Errorf("a multixact that cannot be read: %s", got)
	}
}

func hotText(c HOTChains) string {
	var words []string
	for _, chain := range c.Chains {
		r := ""
		if chain.Redirect {
			r = "r"
		}
		words = append(words, fmt.Sprintf("%d%s:%v:%d:%d", chain.Root, r, chain.Members, chain.End, chain.Next))
	}
	for _, o := range c.Orphans {
		words = append(words, fmt.Sprintf("orphan %d", o))
	}
	return strings.Join(words, " ")
}

func TestHeapPageProblems(t *testing.T) {
	page := hotPage(hotItem{flags: ItemNormal, block: 7, xmin: 700}, hotItem{flags: ItemNormal, damage: true}, hotItem{flags: ItemRedirect, to: 9})
	var p HeapPage
	problems, err := p.Decode(page, 7)
	if err != nil || len(problems) != 3 || !p.Sound[0] || p.Sound[1] || p.Sound[2] {
		t.Fatalf("%v, %v, sound %v", problems, err, p.Sound)
	}
	if problems[0].Off != int64(p.Items[1].Off)+22 || problems[0].Field != "t_hoff" || problems[2].Field != "line pointer 3" {
		t.Errorf("%v", problems)
	}
	if p.TID(1) != (TID{7, 2}) || len(p.Item(0)) != 24 || p.Item(2) != nil {
		t.Errorf("%v, %d bytes, %v", p.TID(1), len(p.Item(0)), p.Item(2))
	}
	// The memory of a longer page leaves nothing behind on a shorter one.
	if _, err := p.Decode(hotPage(hotItem{flags: ItemDead}), 8); err != nil || len(p.Tuples) != 1 || p.Sound[0] || p.Tuples[0] != (TupleHeader{}) {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := p.Decode(page[:100], 7); err == nil {
		t.Error("a part of a page was decoded")
	}
}

// FuzzHeapPage: no panic; each tuple is in one chain at most, and every heap-only tuple is in a
// chain or an orphan.
func FuzzHeapPage(f *testing.F) {
	add := func(items ...hotItem) {
		page := hotPage(items...)
		f.Add(page[:PageHeaderSize+4*len(items)], page[BlockSize-24*len(items):])
	}
	add(hotItem{flags: ItemRedirect, to: 2}, hotItem{flags: ItemNormal, block: 7, to: 3, xmin: 5, xmax: 6, mask2: HeapHotUpdated | HeapOnlyTuple},
		hotItem{flags: ItemNormal, block: 7, xmin: 6, mask2: HeapOnlyTuple})
	add(hotItem{flags: ItemNormal, block: 7, to: 2, xmin: 5, xmax: 6, mask2: HeapHotUpdated}, hotItem{flags: ItemNormal, block: 7, to: 1, xmin: 6, xmax: 6, mask2: HeapHotUpdated | HeapOnlyTuple})
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		page := make([]byte, BlockSize)
		copy(page, head)
		copy(page[BlockSize-min(len(tail), BlockSize):], tail)
		var p HeapPage
		if _, err := p.Decode(page, 7); err != nil {
			t.Fatal(err)
		}
		found := p.Chains(func(m MultiXactID) (XID, bool) { return XID(m), m%2 == 0 })
		seen := make(map[uint16]bool)
		for _, c := range found.Chains {
			for i, m := range c.Members {
				if seen[m] || !p.Sound[m-1] || (i > 0 || c.Redirect) != p.Tuples[m-1].HeapOnly() {
					t.Fatalf("member %d of %+v", m, c)
				}
				seen[m] = true
			}
			_ = c.End.String()
		}
		for _, o := range found.Orphans {
			if seen[o] {
				t.Fatalf("%d is in a chain and an orphan", o)
			}
			seen[o] = true
		}
		for i := range p.Items {
			if p.Sound[i] && p.Tuples[i].HeapOnly() && !seen[uint16(i+1)] {
				t.Fatalf("%d is nowhere", i+1)
			}
		}
	})
}
