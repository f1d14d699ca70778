package pgdisk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// testTree is a btree on (oid, int4) made by hand: with what concurrent splits and deletions
// leave behind.
type testTree struct {
	pages [][]byte
	old   bool // as 11 and before write pivot tuples
	reads int
}

func (tr *testTree) read(blk BlockNumber) ([]byte, error) {
	tr.reads++
	if int(blk) >= len(tr.pages) {
		return nil, fmt.Errorf("no block %d", blk)
	}
	return tr.pages[blk], nil
}

// leafKey is an entry of the tree.
type leafKey struct {
	id  OID
	seq int32
	tid TID
}

// child is a page with its least key, and the key before that.
type child struct {
	blk       BlockNumber
	left, low leafKey
	missing   bool // it has no downlink
}

func (k leafKey) bytes() []byte { return words(k.id, k.seq) }

// pivot separates left from right: it is k, cut after the column that tells them apart.
func (tr *testTree) pivot(blk BlockNumber, left, k leafKey) []byte {
	switch {
	case tr.old:
		return indexTuple(blk, 1, 0, k.bytes())
	case left.id != k.id:
		return indexTuple(blk, 1, indexAMBit, words(k.id, uint32(0))) // padded
	case left.seq != k.seq:
		return indexTuple(blk, 2, indexAMBit, k.bytes())
	}
	return indexTuple(blk, 2|btreePivotHeapTID, indexAMBit, slices.Concat(k.bytes(), []byte{0, 0}, tidBytes(k.tid.Block, k.tid.Item)))
}

// buildTree makes a tree with few entries on a page. Now and then a page has no downlink, or
// is deleted and still linked.
func buildTree(r *rand.Rand, keys []leafKey, perPage int, old bool) *testTree {
	tr := &testTree{pages: [][]byte{nil}, old: old}
	var level []child
	for i := 0; i < len(keys); {
		n := min(1+r.IntN(perPage), len(keys)-i)
		level = append(level, child{blk: tr.leaf(keys, i, i+n), left: keys[max(0, i-1)], low: keys[i], missing: i > 0 && r.IntN(5) == 0})
		i += n
		if r.IntN(6) == 0 && i < len(keys) {
			tr.chain(tr.add(buildPage(btreeSpecial(0, 0, 4711, BTreeDeleted|BTreeLeaf, 0))))
		}
	}
	height := uint32(0)
	for len(level) > 1 {
		height++
		level = tr.above(r, level, height, perPage)
	}
	root := BTreeNone
	if len(level) > 0 {
		root = level[0].blk
	}
	tr.pages[0] = metaOf(btreeSpecial(0, 0, 0, BTreeMeta, 0), words(BTreeMagic, uint32(4), root, height, root, height, uint32(0), uint32(0), -1.0, uint8(0)))
	return tr
}

func (tr *testTree) add(page []byte) BlockNumber {
	tr.pages = append(tr.pages, page)
	return BlockNumber(len(tr.pages) - 1)
}

// chain links the page before to blk.
func (tr *testTree) chain(blk BlockNumber) {
	binary.LittleEndian.PutUint32(tr.pages[blk-1][BlockSize-12:], uint32(blk))
}

// leaf makes a leaf of keys[from:to], equal ones as a posting list, linked from the page before.
func (tr *testTree) leaf(keys []leafKey, from, to int) BlockNumber {
	var items [][]byte
	if to < len(keys) {
		items = append(items, tr.pivot(0, keys[to-1], keys[to]))
	}
	for i := from; i < to; {
		end := i + 1
		for end < to && keys[end].id == keys[i].id && keys[end].seq == keys[i].seq {
			end++
		}
		if end-i == 1 || tr.old {
			items = append(items, indexTuple(keys[i].tid.Block, keys[i].tid.Item, 0, keys[i].bytes()))
			i++
			continue
		}
		data := keys[i].bytes()
		for _, k := range keys[i:end] {
			data = append(data, tidBytes(k.tid.Block, k.tid.Item)...)
		}
		items = append(items, indexTuple(16, uint16(end-i)|btreeIsPosting, indexAMBit, data))
		i = end
	}
	blk := tr.add(buildPage(btreeSpecial(0, 0, 0, BTreeLeaf, 0), items...))
	if from > 0 {
		tr.chain(blk)
	}
	return blk
}

// above makes the level over the given one.
func (tr *testTree) above(r *rand.Rand, below []child, level uint32, perPage int) []child {
	kept := below[:0:0]
	for _, c := range below {
		if !c.missing {
			kept = append(kept, c)
		}
	}
	var made []child
	for i := 0; i < len(kept); {
		n := min(2+r.IntN(perPage), len(kept)-i)
		var items [][]byte
		if i+n < len(kept) {
			items = append(items, tr.pivot(0, kept[i+n].left, kept[i+n].low))
		}
		for j, c := range kept[i : i+n] {
			if j == 0 && !tr.old {
				items = append(items, indexTuple(c.blk, 0, indexAMBit, nil))
			} else {
				items = append(items, tr.pivot(c.blk, c.left, c.low))
			}
		}
		blk := tr.add(buildPage(btreeSpecial(0, 0, level, 0, 0), items...))
		if i > 0 {
			tr.chain(blk)
		}
		made = append(made, child{blk: blk, left: kept[i].left, low: kept[i].low, missing: i > 0 && r.IntN(5) == 0})
		i += n
	}
	return made
}

// randomKeys are sorted and have equal ones, with all bits of ids and sequence numbers in use.
func randomKeys(r *rand.Rand, n int) []leafKey {
	ids := []OID{1, 2, 3, 700, 0x7FFFFFFF, 0x80000000, math.MaxUint32}
	seqs := []int32{math.MinInt32, -1, 0, 1, 2, 3, math.MaxInt32}
	keys := make([]leafKey, n)
	for i := range keys {
		keys[i] = leafKey{ids[r.IntN(len(ids))], seqs[r.IntN(len(seqs))], TID{BlockNumber(i), 1}}
	}
	slices.SortStableFunc(keys, func(a, b leafKey) int {
		switch {
		case a.id != b.id && a.id < b.id || a.id == b.id && a.seq < b.seq:
			return -1
		case a.id == b.id && a.seq == b.seq:
			return 0
		}
		return 1
	})
	return keys
}

func TestFindTOASTChunks(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		keys := randomKeys(r, r.IntN(120))
		tr := buildTree(r, keys, 4, seed%4 == 0)
		for _, id := range []OID{0, 1, 2, 3, 4, 699, 700, 0x7FFFFFFF, 0x80000000, math.MaxUint32} {
			var want []TOASTEntry
			for _, k := range keys {
				if k.id == id {
					want = append(want, TOASTEntry{Seq: k.seq, TID: k.tid})
				}
			}
			if got, err := FindTOASTChunks(tr.read, id); err != nil || !slices.Equal(got, want) {
				t.Fatalf("seed %d, value %d: %v\n got %v\nwant %v", seed, id, err, got, want)
			}
		}
	}
}

// One root with three leaves in blocks 1 to 3, the root in block 4.
func smallTree() *testTree {
	tr := &testTree{pages: [][]byte{nil}}
	keys := []leafKey{{5, 0, TID{1, 1}}, {5, 1, TID{1, 2}}, {5, 2, TID{1, 3}}, {5, 3, TID{1, 4}}, {9, 0, TID{1, 5}}, {9, 1, TID{1, 6}}}
	for i := 0; i < len(keys); i += 2 {
		tr.leaf(keys, i, i+2)
	}
	tr.add(buildPage(btreeSpecial(0, 0, 1, BTreeRoot, 0), indexTuple(1, 0, indexAMBit, nil), tr.pivot(2, keys[1], keys[2]), tr.pivot(3, keys[3], keys[4])))
	tr.pages[0] = metaOf(btreeSpecial(0, 0, 0, BTreeMeta, 0), words(BTreeMagic, uint32(4), uint32(4), uint32(1), uint32(4), uint32(1), uint32(0), uint32(0), -1.0, uint8(0)))
	return tr
}

func TestFindTOASTChunksDamaged(t *testing.T) {
	le := binary.LittleEndian
	tests := []struct {
		name   string
		damage func(p [][]byte)
		found  int
		want   string
	}{
		{"sound", func([][]byte) {}, 4, ""},
		{"magic", func(p [][]byte) { p[0][24] = 0 }, 0, "block 0: data: btm_magic"},
		{"root above all", func(p [][]byte) { p[0][44] = 32 }, 0, "btm_fastlevel"},
		{"root beyond the file", func(p [][]byte) { p[0][40] = 77 }, 0, "no block 77"},
		{"root is the meta page", func(p [][]byte) { p[0][40] = 0 }, 0, "found the meta page"},
		{"root is a leaf", func(p [][]byte) { p[0][40] = 1 }, 0, "btpo_level"},
		{"empty index", func(p [][]byte) { p[0][32] = 0 }, 0, ""},
		{"child on the wrong level", func(p [][]byte) { p[1][BlockSize-8] = 3 }, 0, "btpo_level"},
		{"child is zeroes", func(p [][]byte) { clear(p[1]) }, 0, "pd_special"},
		{"child is of another kind", func(p [][]byte) { p[1] = heapPage() }, 0, "pd_special"},
		{"second leaf is of another kind", func(p [][]byte) { p[2] = heapPage() }, 2, "block 2: data: pd_special"},
		{"header of a leaf", func(p [][]byte) { p[1][12] = 1 }, 0, "pd_lower"},
		{"leaves in a circle", func(p [][]byte) {
			le.PutUint32(p[2][BlockSize-12:], 1)
			p[2][DecodeItemID(le.Uint32(p[2][24:])).Off+8] = 5 // its high key does not end the search
		}, -1, "block 1 again"},
		{"leaf leads to itself", func(p [][]byte) { le.PutUint32(p[1][BlockSize-12:], 1) }, -1, "block 1 again"},
		{"deleted pages in a circle", func(p [][]byte) {
			p[1] = buildPage(btreeSpecial(0, 1, 0, BTreeDeleted|BTreeLeaf, 0))
		}, 0, "block 1 again"},
		{"deleted page without a sibling", func(p [][]byte) { p[1] = buildPage(btreeSpecial(0, 0, 0, BTreeHalfDead|BTreeLeaf, 0)) }, 0, "right sibling"},
		{"root without tuples", func(p [][]byte) { p[4] = buildPage(btreeSpecial(0, 0, 1, BTreeRoot, 0)) }, 0, "an inner page with tuples"},
		{"leaf without a high key", func(p [][]byte) { p[1] = buildPage(btreeSpecial(0, 2, 0, BTreeLeaf, 0)) }, 0, "line pointers or more"},
		{"entry outside the page", func(p [][]byte) { le.PutUint32(p[1][28:], ItemID{8190, ItemNormal, 16}.Encode()) }, 0, "line pointer 2"},
		{"pivot among entries", func(p [][]byte) { p[1][DecodeItemID(le.Uint32(p[1][28:])).Off+7] |= 0x20 }, 0, "an entry of a leaf"},
		{"null key", func(p [][]byte) { p[1][DecodeItemID(le.Uint32(p[1][28:])).Off+7] |= 0x80 }, 0, "without nulls"},
		{"key too short", func(p [][]byte) {
			id := DecodeItemID(le.Uint32(p[1][28:]))
			id.Len = 12
			le.PutUint32(p[1][28:], id.Encode())
		}, 0, "16 bytes or more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := smallTree()
			tt.damage(tr.pages)
			got, err := FindTOASTChunks(tr.read, 5)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || tt.found >= 0 && len(got) != tt.found {
				t.Errorf("%d entries, %v; want %d, %q", len(got), err, tt.found, tt.want)
			}
			if tr.reads > 20 {
				t.Errorf("%d reads", tr.reads)
			}
		})
	}
	lost := errors.New("input/output error")
	if _, err := FindTOASTChunks(func(BlockNumber) ([]byte, error) { return nil, lost }, 5); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
	if _, err := FindTOASTChunks(func(BlockNumber) ([]byte, error) { return make([]byte, 100), nil }, 5); err == nil {
		t.Error("pages of 100 bytes were searched")
	}
	dead := smallTree()
	id := DecodeItemID(le.Uint32(dead.pages[1][28:]))
	id.Flags = ItemDead
	le.PutUint32(dead.pages[1][28:], id.Encode())
	if got, err := FindTOASTChunks(dead.read, 5); err != nil || len(got) != 4 || !got[0].Dead || got[1].Dead {
		t.Errorf("got %v, %v", got, err)
	}
}

// FuzzFindTOASTChunks damages a tree at two places: the search ends, having read few pages.
func FuzzFindTOASTChunks(f *testing.F) {
	f.Add(uint64(1), uint32(8192+8180), []byte{1}, uint32(24), []byte{0x62}, uint32(5))
	f.Add(uint64(2), uint32(3*8192-12), []byte{1, 0, 0, 0}, uint32(5*8192-4), []byte{4}, uint32(700))
	f.Fuzz(func(t *testing.T, seed uint64, at uint32, b []byte, at2 uint32, b2 []byte, id uint32) {
		r := rand.New(rand.NewPCG(seed%64, 1))
		tr := buildTree(r, randomKeys(r, 60), 4, seed%4 == 0)
		all := slices.Concat(tr.pages...)
		copy(all[int(at)%len(all):], b)
		copy(all[int(at2)%len(all):], b2)
		for i := range tr.pages {
			tr.pages[i] = all[i*BlockSize:][:BlockSize]
		}
		got, _ := FindTOASTChunks(tr.read, OID(id))
		if limit := 40 + 4*len(tr.pages); tr.reads > limit || len(got) > limit*BlockSize/TIDSize {
			t.Fatalf("%d pages, but %d reads and %d entries", len(tr.pages), tr.reads, len(got))
		}
	})
}

// BenchmarkFindTOASTChunks looks values of four chunks up in a tree of three levels.
func BenchmarkFindTOASTChunks(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	keys := make([]leafKey, 400_000)
	for i := range keys {
		keys[i] = leafKey{OID(1 + i/4), int32(i % 4), TID{BlockNumber(i / 4), uint16(1 + i%4)}}
	}
	tr := buildTree(r, keys, 350, false)
	b.ReportAllocs()
	for b.Loop() {
		if got, err := FindTOASTChunks(tr.read, OID(1+r.IntN(100_000))); err != nil || len(got) != 4 {
			b.Fatal(got, err)
		}
	}
}
