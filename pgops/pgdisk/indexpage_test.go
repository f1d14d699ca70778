package pgdisk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// buildPage makes a page with a special part and items, as PageInit and PageAddItem do.
func buildPage(special []byte, items ...[]byte) []byte {
	p := make([]byte, BlockSize)
	le := binary.LittleEndian
	end := BlockSize - len(special)
	copy(p[end:], special)
	le.PutUint16(p[16:], uint16(end))
	le.PutUint16(p[18:], BlockSize|PageLayoutVersion)
	for i, item := range items {
		end -= (len(item) + 7) &^ 7
		copy(p[end:], item)
		le.PutUint32(p[PageHeaderSize+i*ItemIDSize:], ItemID{uint16(end), ItemNormal, uint16(len(item))}.Encode())
	}
	le.PutUint16(p[12:], uint16(PageHeaderSize+len(items)*ItemIDSize))
	le.PutUint16(p[14:], uint16(end))
	return p
}

// words lays numbers out one after the other, each in the width of its type.
func words(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		_ = binary.Write(&b, binary.LittleEndian, v) // a buffer takes everything of a fixed size
	}
	return b.Bytes()
}

// tidBytes is an ItemPointerData.
func tidBytes(blk BlockNumber, item uint16) []byte {
	return words(uint16(blk>>16), uint16(blk), item)
}

// indexTuple is an entry with the given bits of t_info and data.
func indexTuple(blk BlockNumber, item, bits uint16, data []byte) []byte {
	size := IndexTupleHeaderSize + len(data)
	return slices.Concat(tidBytes(blk, item), words(bits|uint16(size)), data)
}

func btreeSpecial(prev, next BlockNumber, level uint32, flags BTreeFlags, cycle uint16) []byte {
	return words(prev, next, level, flags, cycle)
}

// metaOf puts a meta page's content after the header.
func metaOf(special, content []byte) []byte {
	p := buildPage(special)
	copy(p[PageHeaderSize:], content)
	binary.LittleEndian.PutUint16(p[12:], uint16(PageHeaderSize+len(content)))
	return p
}

// kindPages has a page of every kind, by name.
func kindPages() map[string][]byte {
	seqRow := make([]byte, 24+17)
	TupleHeader{Xmin: FrozenXID, CTID: TID{0, 1}, Infomask: HeapXmaxInvalid, Infomask2: 3, Hoff: 24}.Encode(seqRow)
	copy(seqRow[24:], words(int64(33), int64(32), uint8(1)))
	tuple := indexTuple(3, 7, 0, words(uint64(42)))
	lists := slices.Concat(make([]byte, ginBoundSize), ginList(TID{1, 2}, 1, 5, 300, 1<<20))
	return map[string][]byte{
		"zero":          make([]byte, BlockSize),
		"heap":          heapPage(),
		"btree meta":    metaOf(btreeSpecial(0, 0, 0, BTreeMeta, 0), words(BTreeMagic, uint32(4), uint32(3), uint32(1), uint32(3), uint32(1), uint32(9), uint32(0), 120.0, uint8(1))),
		"btree leaf":    buildPage(btreeSpecial(0, 0, 0, BTreeLeaf|BTreeRoot, 0xFF7F), tuple, tuple),
		"btree deleted": metaOf(btreeSpecial(2, 5, 0, BTreeDeleted|BTreeHasFullXID|BTreeLeaf, 0), words(uint64(7)<<32|741)),
		"hash meta":     metaOf(words(InvalidBlock, InvalidBlock, uint32(0xFFFFFFFF), HashMeta, hashPageID), hashMetaContent(2, 1)),
		"hash bucket":   buildPage(words(uint32(3), InvalidBlock, uint32(1), HashBucket|HashBeingSplit, hashPageID), tuple),
		"gin meta":      metaOf(words(InvalidBlock, uint16(0), GinMeta), words(uint32(4), uint32(5), uint32(100), uint32(2), int64(30), uint32(9), uint32(8), uint32(7), uint32(0), int64(6), int32(2), uint32(0))),
		"gin inner":     metaOf(words(InvalidBlock, uint16(2), GinData), slices.Concat(tidBytes(9, 9), make([]byte, 2), words(uint16(0), uint16(5)), tidBytes(1, 2), words(uint16(0), uint16(6)), tidBytes(3, 4))),
		"gin postings":  metaOf(words(InvalidBlock, uint16(0), GinData|GinLeaf|GinCompressed), lists),
		"gin entries":   buildPage(words(InvalidBlock, uint16(0), GinLeaf), tuple),
		"gist leaf":     buildPage(words(uint32(1), uint32(0x20), InvalidBlock, GistLeaf|GistFollowRight, gistPageID), tuple),
		"spgist meta":   metaOf(words(SPGistMeta, uint16(0), uint16(0), spgistPageID), slices.Concat(words(SPGistMagic, uint32(3), int32(900)), make([]byte, 56))),
		"spgist leaf":   buildPage(words(SPGistLeaf, uint16(0), uint16(1), spgistPageID), words(uint32(16<<2|3), uint64(0), uint32(0))),
		"brin meta":     metaOf(words(uint32(0), uint16(0), BrinMeta), words(BrinMagic, uint32(1), uint32(128), uint32(1))),
		"brin revmap":   metaOf(words(uint32(0), uint16(0), BrinRevmap), tidBytes(2, 1)),
		"brin regular":  buildPage(words(uint32(0), uint16(1), BrinRegular), words(uint32(128), uint8(0xC8), uint16(0), uint8(0), uint64(1))),
		"sequence":      buildPage(words(SequenceMagic, uint32(0)), seqRow),
		"fsm":           fsmPage(map[int]byte{0: 10, 4068: 255}),
		"vm":            metaOf(nil, words(uint8(0b11_01_00_11))),
	}
}

func hashMetaContent(ovflpoint, maps uint32) []byte {
	head := words(HashMagic, uint32(4), 77.0, uint16(307), uint16(8152), uint16(4096), uint16(15), uint32(9), uint32(15), uint32(7), ovflpoint, uint32(1), maps, uint32(425))
	return slices.Concat(head, words([hashSpares]uint32{1, 1, 2}, [hashMaps]uint32{11}))
}

// fsmPage has the given categories in its slots and a sound tree above.
func fsmPage(slots map[int]byte) []byte {
	p := metaOf(nil, nil)
	nodes := p[fsmNodesAt:]
	for i, v := range slots {
		nodes[fsmNonLeaf+i] = v
	}
	for i := fsmNonLeaf - 1; i >= 0; i-- {
		for _, child := range []int{2*i + 1, 2*i + 2} {
			if child < len(nodes) {
				nodes[i] = max(nodes[i], nodes[child])
			}
		}
	}
	return p
}

func TestRecognisePage(t *testing.T) {
	for name, page := range kindPages() {
		fork := map[string]Fork{"fsm": FSMFork, "vm": VMFork}[name]
		kind := RecognisePage(page, fork, 0)
		if want, _, _ := strings.Cut(name, " "); kind.String() != want {
			t.Errorf("%s: recognised as %v", name, kind)
		}
		if problems := PageProblems(page, kind); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
		if fork != MainFork || name == "zero" {
			continue
		}
		binary.LittleEndian.PutUint16(page[16:], 100) // pd_special lost: the id at the end is all there is
		want := map[PageKind]PageKind{PageHash: PageHash, PageGist: PageGist, PageSPGist: PageSPGist, PageBrin: PageBrin}[kind]
		if got := RecognisePage(page, fork, 0); got != want {
			t.Errorf("%s without pd_special: %v, want %v", name, got, want)
		}
	}
	gin := kindPages()["sequence"]
	if got := RecognisePage(gin, MainFork, 1); got != PageGin {
		t.Errorf("a sequence's special part in block 1 is %v, want gin: a right link to 5911", got)
	}
	if got := RecognisePage(buildPage(words(uint64(0), uint64(0xFFFF)<<48)), MainFork, 0); got != PageUnknown {
		t.Errorf("an id that nobody has is %v", got)
	}
	if got := RecognisePage(make([]byte, 100), MainFork, 0); got != PageUnknown {
		t.Errorf("100 bytes are %v", got)
	}
}

func TestPageProblems(t *testing.T) {
	le := binary.LittleEndian
	tests := []struct {
		page, want string
		damage     func(p []byte)
	}{
		{"btree leaf", "btpo_flags at byte 8188", func(p []byte) { p[8189] = 0xF0 }},
		{"btree leaf", "btpo_level at byte 8184", func(p []byte) { p[8184] = 3 }},
		{"btree leaf", "line pointer 2", func(p []byte) { le.PutUint32(p[28:], ItemID{100, ItemNormal, 16}.Encode()) }},
		{"btree meta", "btm_magic", func(p []byte) { p[24] = 0 }},
		{"btree meta", "btm_version", func(p []byte) { p[28] = 5 }},
		{"hash meta", "hashm_magic", func(p []byte) { p[24]++ }},
		{"hash meta", "hashm_version", func(p []byte) { p[28]++ }},
		{"hash meta", "hashm_ovflpoint", func(p []byte) { p[60] = 98 }},
		{"hash meta", "hashm_nmaps", func(p []byte) { le.PutUint32(p[68:], 1025) }},
		{"hash bucket", "hasho_flag", func(p []byte) { p[8188] |= 1 }},
		{"hash bucket", "hasho_flag", func(p []byte) { p[8189] = 1 }},
		{"gin meta", "ginVersion", func(p []byte) { p[72] = 3 }},
		{"gist leaf", "GiST flags", func(p []byte) { p[8188] |= 0x80 }},
		{"spgist meta", "magicNumber", func(p []byte) { p[24]++ }},
		{"spgist leaf", "SP-GiST flags", func(p []byte) { p[8185] = 1 }},
		{"brin meta", "brinMagic", func(p []byte) { p[24]++ }},
		{"brin meta", "brinVersion", func(p []byte) { p[28]++ }},
		{"brin meta", "pagesPerRange", func(p []byte) { p[32] = 0 }},
		{"sequence", "line pointer", func(p []byte) { p[12] = 24 }},
		{"heap", "pd_special", func(p []byte) { le.PutUint16(p[16:], 104) }},
		{"heap", "pd_upper at byte 14: want not 0", func(p []byte) { p[14], p[15] = 0, 0 }},
	}
	for _, tt := range tests {
		p := kindPages()[tt.page]
		kind := RecognisePage(p, MainFork, 0)
		tt.damage(p)
		if got := fmt.Sprint(PageProblems(p, kind)); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.page, got, tt.want)
		}
	}
	if p := PageProblems(bytes.Repeat([]byte{0xEE}, BlockSize), PageUnknown); len(p) < 2 {
		t.Errorf("noise: %v", p)
	}
	if p := PageProblems(nil, PageHeap); len(p) != 1 {
		t.Errorf("no page: %v", p)
	}
}

// FuzzIndexPage: whatever the bytes, every decoder comes back, with no more than fits on a page.
func FuzzIndexPage(f *testing.F) {
	for _, page := range kindPages() {
		f.Add(page[:64], page[BlockSize-80:])
	}
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		page := bytes.Repeat([]byte{0x17, 0, 1, 0x40}, BlockSize/4)
		copy(page, head)
		copy(page[max(0, BlockSize-len(tail)):], tail)
		for kind := range PageVM + 2 {
			PageProblems(page, kind)
			items := PageItems(page, kind)
			for _, id := range items[:min(40, len(items))] {
				decodeItems(Item(page, id))
			}
			if part, err := DecodeSpecial(page, kind); (part == nil) != (err != nil) {
				t.Fatalf("%v: %v, %v", kind, part, err)
			}
		}
		for fork := range InitFork {
			RecognisePage(page, fork, 0)
		}
		if m, _ := DecodeHashMetaPage(page); len(m.Maps) > hashMaps || len(m.Spares) > hashSpares {
			t.Fatalf("%d maps, %d spares", len(m.Maps), len(m.Spares))
		}
		if o, err := DecodeGinOpaque(page); err == nil {
			if items, _, _ := GinPostingItems(page, o); len(items) > BlockSize/ginPostingSize {
				t.Fatalf("%d items", len(items))
			}
		}
		lists, _ := GinLeafPostings(page)
		n := 0
		for _, l := range lists {
			n += len(l.TIDs)
		}
		if n > BlockSize {
			t.Fatalf("%d TIDs on a page", n)
		}
		if m, err := DecodeFSMPage(page); err != nil || len(m.Slots()) != FSMSlots || len(m.Problems()) > 5 {
			t.Fatalf("%v", err)
		}
		VMProblem(page, 0)
	})
}

// decodeItems reads an item as every kind of entry.
func decodeItems(item []byte) {
	if e, err := DecodeBTreeTuple(item); err == nil {
		_, _, _, _, _ = e.Key(), e.TIDs(), e.Kind, e.IsNull(32), e.Data()
	}
	for _, leaf := range []bool{true, false} {
		if e, err := DecodeGinEntry(item, leaf); err == nil {
			_, _ = e.Key(), e.TIDs()
		}
		if e, err := DecodeSPGistTuple(item, leaf); err == nil {
			for _, n := range e.Nodes {
				n.Data()
			}
		}
	}
	if e, err := DecodeBrinTuple(item); err == nil {
		e.Data()
	}
	if e, err := DecodeTuple(item); err == nil {
		_, _ = DecodeTOASTChunk(e)
	}
}

// FuzzIndexItem: no item makes a decoder panic or reach beyond it.
func FuzzIndexItem(f *testing.F) {
	f.Add(indexTuple(3, 7, indexNullMask, make([]byte, 16)))
	f.Add(indexTuple(16, 2|btreeIsPosting, indexAMBit, slices.Concat(make([]byte, 8), tidBytes(1, 1), tidBytes(1, 2))))
	f.Add(indexTuple(3, 1|btreePivotHeapTID, indexAMBit, make([]byte, 16)))
	f.Add(indexTuple(ginCompressed|16, 5, 0, slices.Concat(make([]byte, 8), ginList(TID{1, 2}, 1, 5, 300, 1<<20))))
	f.Add(spgistInner(2, false))
	f.Add(toastRow(5, 0, []byte("chunk"), true))
	f.Fuzz(func(_ *testing.T, item []byte) { decodeItems(slices.Clip(item)) })
}
