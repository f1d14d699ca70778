package pgdisk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

func TestIndexTuple(t *testing.T) {
	null := indexTuple(0x12345, 7, indexNullMask|indexVarMask, slices.Concat(words(uint32(0b101)), make([]byte, 4), []byte("12345678")))
	tu, err := DecodeIndexTuple(null)
	if err != nil || tu.TID != (TID{0x12345, 7}) || tu.Size() != 24 || !tu.HasNulls() || !tu.HasVarWidths() || tu.Reserved() || string(tu.Data()) != "12345678" {
		t.Errorf("got %+v, %v", tu, err)
	}
	for attnum, want := range map[int]bool{0: false, 1: false, 2: true, 3: false, 4: true, 32: true, 33: false} {
		if tu.IsNull(attnum) != want {
			t.Errorf("column %d: null is %t", attnum, !want)
		}
	}
	for name, item := range map[string][]byte{"short": null[:7], "cut": null[:23], "size below the header": indexTuple(1, 1, 0, nil)[:6:6],
		"nulls without a bitmap": indexTuple(1, 1, indexNullMask, make([]byte, 4))} {
		if tu, err := DecodeIndexTuple(item); err == nil {
			t.Errorf("%s: %+v", name, tu)
		}
	}
}

func TestBTreeTuple(t *testing.T) {
	key := words(uint64(42))
	tests := []struct {
		name  string
		item  []byte
		kind  BTreeTupleKind
		natts int
		heap  *TID
		tids  []TID
	}{
		{"plain", indexTuple(3, 7, 0, key), BTreePlain, -1, nil, []TID{{3, 7}}},
		{"pivot", indexTuple(9, 1, indexAMBit, key), BTreePivot, 1, nil, nil},
		{"minus infinity", indexTuple(9, 0, indexAMBit, nil), BTreePivot, 0, nil, nil},
		{"pivot with heap TID", indexTuple(9, 2|btreePivotHeapTID, indexAMBit, slices.Concat(key, []byte{0, 0}, tidBytes(5, 6))), BTreePivot, 2, &TID{5, 6}, nil},
		{"posting", indexTuple(16, 2|btreeIsPosting, indexAMBit, slices.Concat(key, tidBytes(1, 2), tidBytes(70000, 4), make([]byte, 4))), BTreePosting, -1, nil, []TID{{1, 2}, {70000, 4}}},
	}
	for _, tt := range tests {
		tu, err := DecodeBTreeTuple(tt.item)
		if err != nil || tu.Kind != tt.kind || tu.Natts != tt.natts || fmt.Sprint(tu.HeapTID) != fmt.Sprint(tt.heap) && *tu.HeapTID != *tt.heap || !slices.Equal(tu.TIDs(), tt.tids) {
			t.Errorf("%s: %+v, TIDs %v, %v", tt.name, tu, tu.TIDs(), err)
		}
		if tt.name != "minus infinity" && !bytes.Equal(tu.Key(), key) {
			t.Errorf("%s: key %x", tt.name, tu.Key())
		}
	}
	for name, item := range map[string][]byte{
		"posting list beyond the tuple": indexTuple(16, 3|btreeIsPosting, indexAMBit, make([]byte, 24)),
		"posting list in the header":    indexTuple(4, 1|btreeIsPosting, indexAMBit, make([]byte, 24)),
		"empty posting list":            indexTuple(16, 0|btreeIsPosting, indexAMBit, make([]byte, 24)),
		"posting list far away":         indexTuple(InvalidBlock, 1|btreeIsPosting, indexAMBit, make([]byte, 24)),
		"no room for a heap TID":        indexTuple(1, 1|btreePivotHeapTID, indexAMBit, nil),
	} {
		if tu, err := DecodeBTreeTuple(item); err == nil {
			t.Errorf("%s: %+v", name, tu)
		}
	}
}

func TestBTreePage(t *testing.T) {
	pages := kindPages()
	m, err := DecodeBTreeMetaPage(pages["btree meta"])
	if want := (BTreeMetaPage{BTreeMagic, 4, 3, 1, 3, 1, 9, 120, true}); err != nil || m != want {
		t.Errorf("got %+v, %v", m, err)
	}
	pages["btree meta"][28] = 2 // a version that has not the later fields
	if m, err := DecodeBTreeMetaPage(pages["btree meta"]); err != nil || m.CleanupTuples != -1 || m.CleanupPages != 0 || m.AllEqualImage {
		t.Errorf("got %+v, %v", m, err)
	}
	o, err := DecodeBTreeOpaque(pages["btree deleted"])
	xid, ok := o.DeletedXID(pages["btree deleted"])
	if err != nil || !ok || xid.Epoch() != 7 || xid.XID() != 741 || o.HasItems() || !o.Ignored() || fmt.Sprint(o.Flags.Words()) != "[LEAF DELETED HAS_FULLXID]" {
		t.Errorf("got %+v, deleted by %v %t, %v", o, xid, ok, err)
	}
	old := buildPage(btreeSpecial(2, 5, 741, BTreeDeleted|BTreeLeaf, 0)) // as 13 does it
	if o, err = DecodeBTreeOpaque(old); err != nil || !o.HasItems() {
		t.Errorf("got %+v, %v", o, err)
	}
	if xid, ok := o.DeletedXID(old); !ok || xid != 741 {
		t.Errorf("deleted by %v, %t", xid, ok)
	}
}

// ginList packs TIDs: the first and the distances to the next ones.
func ginList(first TID, deltas ...uint64) []byte {
	var packed []byte
	for _, d := range deltas {
		packed = binary.AppendUvarint(packed, d)
	}
	b := slices.Concat(tidBytes(first.Block, first.Item), words(uint16(len(packed))), packed)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func TestGinPostings(t *testing.T) {
	lists, err := DecodeGinPostingLists(slices.Concat(ginList(TID{1, 2}, 1, 2046, 5<<11), ginList(TID{9, 1})))
	if err != nil || len(lists) != 2 || !slices.Equal(lists[0].TIDs, []TID{{1, 2}, {1, 3}, {2, 1}, {7, 1}}) || !slices.Equal(lists[1].TIDs, []TID{{9, 1}}) {
		t.Errorf("got %v, %v", lists, err)
	}
	good := ginList(TID{1, 2}, 3)
	for name, b := range map[string][]byte{
		"short header": good[:7], "cut": good[:9], "unfinished distance": append(slices.Concat(good[:6], words(uint16(1))), 0x80, 0),
		"endless distance": slices.Concat(good[:6], words(uint16(8)), []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}),
	} {
		lists, err := DecodeGinPostingLists(append(slices.Clone(good), b...))
		if err == nil || len(lists) != 1 {
			t.Errorf("%s: %v, %v", name, lists, err)
		}
	}
	page := kindPages()["gin inner"]
	o, _ := DecodeGinOpaque(page)
	items, bound, err := GinPostingItems(page, o)
	if err != nil || bound != (TID{9, 9}) || !slices.Equal(items, []GinPostingItem{{5, TID{1, 2}}, {6, TID{3, 4}}}) {
		t.Errorf("got %v, %v, %v", items, bound, err)
	}
	o.MaxOff = 900
	if items, _, err := GinPostingItems(page, o); err == nil || len(items) != 815 {
		t.Errorf("%d items, %v", len(items), err)
	}
}

func TestGinEntry(t *testing.T) {
	key := words(uint64(42))
	list := ginList(TID{1, 2}, 1)
	item := indexTuple(ginCompressed|16, 2, 0, slices.Concat(key, list))
	if e, err := DecodeGinEntry(item, true); err != nil || !bytes.Equal(e.Key(), key) || !slices.Equal(e.TIDs(), []TID{{1, 2}, {1, 3}}) || e.Tree {
		t.Errorf("got %+v, %v", e, err)
	}
	if e, err := DecodeGinEntry(indexTuple(16, 1, 0, slices.Concat(key, tidBytes(8, 9))), true); err != nil || !slices.Equal(e.TIDs(), []TID{{8, 9}}) {
		t.Errorf("not compressed: %+v, %v", e, err)
	}
	if e, err := DecodeGinEntry(indexTuple(77, ginTreePosting, 0, key), true); err != nil || !e.Tree || e.TreeRoot != 77 || !bytes.Equal(e.Key(), key) {
		t.Errorf("tree: %+v, %v", e, err)
	}
	if e, err := DecodeGinEntry(indexTuple(77, 0, 0, key), false); err != nil || e.Child != 77 {
		t.Errorf("inner: %+v, %v", e, err)
	}
	for name, item := range map[string][]byte{
		"start beyond the tuple": indexTuple(ginCompressed|100, 2, 0, key), "start in the header": indexTuple(ginCompressed|2, 2, 0, key),
		"wrong count": indexTuple(ginCompressed|16, 3, 0, slices.Concat(key, list)), "too few": indexTuple(16, 2, 0, slices.Concat(key, tidBytes(8, 9))),
	} {
		if e, err := DecodeGinEntry(item, true); err == nil {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// spgistInner is an inner tuple with a prefix and nodes.
func spgistInner(nodes int, same bool) []byte {
	var n []byte
	for i := range nodes {
		n = append(n, indexTuple(BlockNumber(100+i), 3, indexNullMask, words(uint64(i)))...)
	}
	word := uint32(nodes)<<3 | 8<<16
	if same {
		word |= 4
	}
	return slices.Concat(words(word, uint16(16+len(n)), uint16(0), uint64(0xAB)), n)
}

func TestSPGistTuple(t *testing.T) {
	tu, err := DecodeSPGistTuple(spgistInner(3, true), false)
	if err != nil || !tu.AllTheSame || len(tu.Nodes) != 3 || tu.Nodes[2].TID != (TID{102, 3}) || !bytes.Equal(tu.Prefix, words(uint64(0xAB))) || tu.Nodes[1].Data()[0] != 1 {
		t.Errorf("inner: %+v, %v", tu, err)
	}
	leaf := slices.Concat(words(uint32(24<<2), uint16(0x8000|5)), tidBytes(7, 8), make([]byte, 12))
	if tu, err := DecodeSPGistTuple(leaf, true); err != nil || tu.State != SPGistLive || tu.Next != 5 || tu.HeapTID != (TID{7, 8}) || tu.Size != 24 {
		t.Errorf("leaf: %+v, %v", tu, err)
	}
	redirect := slices.Concat(words(uint32(16<<2|1), uint16(0)), tidBytes(4, 2), words(uint32(741)))
	if tu, err := DecodeSPGistTuple(redirect, false); err != nil || tu.State != SPGistRedirect || tu.Target != (TID{4, 2}) || tu.XID != 741 {
		t.Errorf("redirect: %+v, %v", tu, err)
	}
	cut := spgistInner(3, false)
	cut[4] = 40 // one node and a half
	for name, item := range map[string][]byte{"node cut": cut, "short": leaf[:15], "too long": words(uint32(400<<2), uint64(0), uint32(0)), "prefix too long": words(uint32(0xFFFF0000), uint16(16), uint16(0), uint64(0))} {
		if tu, err := DecodeSPGistTuple(item, name == "too long"); err == nil {
			t.Errorf("%s: %+v", name, tu)
		}
	}
}

func TestBrinTuple(t *testing.T) {
	tu, err := DecodeBrinTuple(words(uint32(128), uint8(0xE8), uint16(0), uint8(0), uint64(7)))
	if err != nil || tu.Block != 128 || !tu.HasNulls || !tu.Placeholder || !tu.EmptyRange || !bytes.Equal(tu.Data(), words(uint64(7))) {
		t.Errorf("got %+v, %v", tu, err)
	}
	for info, want := range map[uint8][3]bool{0x88: {true, false, false}, 0x48: {false, true, false}, 0x28: {false, false, true}} {
		tu, err := DecodeBrinTuple(words(uint32(1), info, uint16(0), uint8(0)))
		if got := [3]bool{tu.HasNulls, tu.Placeholder, tu.EmptyRange}; err != nil || got != want {
			t.Errorf("0x%02X: %v, %v", info, got, err)
		}
	}
	for _, item := range [][]byte{make([]byte, 4), words(uint32(1), uint8(4)), words(uint32(1), uint8(0x1F))} {
		if tu, err := DecodeBrinTuple(item); err == nil {
			t.Errorf("%x: %+v", item, tu)
		}
	}
	tids, err := BrinRevmapTIDs(kindPages()["brin revmap"])
	if err != nil || len(tids) != 1360 || tids[0] != (TID{2, 1}) || tids[1359].Item != 0 {
		t.Errorf("%d TIDs, %v", len(tids), err)
	}
}

// toastRow is a row of a TOAST table with a header of 1 or 4 bytes before its data.
func toastRow(id OID, seq int32, data []byte, short bool) []byte {
	b := make([]byte, 24)
	TupleHeader{Xmin: 700, CTID: TID{0, 1}, Infomask: HeapHasVarWidth, Infomask2: 3, Hoff: 24}.Encode(b)
	head := words(uint32(len(data)+4) << 2)
	if short {
		head = []byte{byte(len(data)+1)<<1 | 1}
	}
	return slices.Concat(b, words(id, seq), head, data)
}

func TestTOASTChunk(t *testing.T) {
	long := bytes.Repeat([]byte("x"), TOASTMaxChunk)
	for _, tt := range []struct {
		data  []byte
		short bool
	}{{[]byte("chunk"), true}, {[]byte("chunk"), false}, {long, false}, {[]byte{}, true}} {
		tu, err := DecodeTuple(toastRow(4294967290, -1, tt.data, tt.short))
		if err != nil {
			t.Fatal(err)
		}
		if c, err := DecodeTOASTChunk(tu); err != nil || c.ID != 4294967290 || c.Seq != -1 || !bytes.Equal(c.Data, tt.data) {
			t.Errorf("%d bytes: %+v, %v", len(tt.data), c, err)
		}
	}
	for name, damage := range map[string]func(b []byte){
		"columns": func(b []byte) { b[18] = 2 }, "compressed": func(b []byte) { b[32] |= 2 }, "external": func(b []byte) { b[32] = 1 },
		"too long": func(b []byte) { b[33] = 0xFF }, "too short": func(b []byte) { b[32], b[33] = 8, 0 },
	} {
		b := toastRow(5, 0, long, false)
		damage(b)
		tu, err := DecodeTuple(b)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := DecodeTOASTChunk(tu); err == nil {
			t.Errorf("%s: %d bytes", name, len(c.Data))
		}
	}
}

func TestSequence(t *testing.T) {
	p := kindPages()["sequence"]
	if s, err := DecodeSequence(p); err != nil || s.LastValue != 33 || s.LogCount != 32 || !s.IsCalled || s.Tuple.Xmin != FrozenXID {
		t.Errorf("got %+v, %v", s, err)
	}
	p[8184] = 0x18
	if s, err := DecodeSequence(p); err == nil {
		t.Errorf("wrong magic: %+v", s)
	}
}
