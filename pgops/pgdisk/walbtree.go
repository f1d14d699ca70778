package pgdisk

import "math"

// Classes of Btree records (XLOG_BTREE_*, access/nbtxlog.h).
const (
	walBtreeInsertLeaf     = 0x00
	walBtreeInsertUpper    = 0x10
	walBtreeInsertMeta     = 0x20
	walBtreeSplitL         = 0x30
	walBtreeSplitR         = 0x40
	walBtreeInsertPost     = 0x50
	walBtreeDedup          = 0x60
	walBtreeDelete         = 0x70
	walBtreeUnlinkPage     = 0x80
	walBtreeUnlinkPageMeta = 0x90
	walBtreeNewRoot        = 0xA0
	walBtreeHalfDead       = 0xB0
	walBtreeVacuum         = 0xC0
	walBtreeReusePage      = 0xD0
	walBtreeMetaCleanup    = 0xE0
)

// WALBtreeInsert is a Btree/INSERT_LEAF, INSERT_UPPER, INSERT_META or INSERT_POST record
// (xl_btree_insert): a tuple goes into block 0.
type WALBtreeInsert struct {
	Line      uint16
	Leaf      bool
	Meta      bool   // the root splits: block 2 is the meta page
	Posting   bool   // a posting list is split: the tuple swaps a TID with it
	PostingAt uint16 // where in the posting list
	Tuple     []byte // the index tuple; nil when in the page image alone
}

// WALBtreeInsert decodes a Btree record that inserts a tuple.
func (r *WALRecord) WALBtreeInsert() (i WALBtreeInsert, ok bool) {
	class := r.Info & walInfoRmgrMask
	if r.Rmid != RmgrBtree || class > walBtreeInsertMeta && class != walBtreeInsertPost {
		return WALBtreeInsert{}, false
	}
	d := walBody{b: r.MainData}
	i = WALBtreeInsert{
		Line: d.u16(), Leaf: class == walBtreeInsertLeaf || class == walBtreeInsertPost,
		Meta: class == walBtreeInsertMeta, Posting: class == walBtreeInsertPost,
	}
	if block, have := r.blockBody(0); have {
		if i.Posting {
			i.PostingAt = block.u16()
		}
		i.Tuple = block.rest()
		d.short = d.short || block.short
	}
	return i, !d.short
}

// WALBtreeSplit is a Btree/SPLIT_L or SPLIT_R record (xl_btree_split): the right half of
// block 0 moves to the new block 1; block 2 is the page to the right of both.
type WALBtreeSplit struct {
	Level       uint32 // 0 is the leaves
	FirstRight  uint16 // line pointer of the first tuple that moves
	NewLine     uint16 // of the new tuple, on the page before the split
	PostingAt   uint16 // where the new tuple splits a posting list, 0 if it does not
	NewIsOnLeft bool
	Left        []byte // new tuple and high key of the left page; nil when in the page image alone
	Right       []byte // the tuples of the right page
}

// WALBtreeSplit decodes a Btree record of a page split.
func (r *WALRecord) WALBtreeSplit() (s WALBtreeSplit, ok bool) {
	s.NewIsOnLeft = r.Is(RmgrBtree, walBtreeSplitL)
	if !s.NewIsOnLeft && !r.Is(RmgrBtree, walBtreeSplitR) {
		return WALBtreeSplit{}, false
	}
	d := walBody{b: r.MainData}
	s.Level, s.FirstRight, s.NewLine, s.PostingAt = d.u32(), d.u16(), d.u16(), d.u16()
	if block, have := r.blockBody(0); have {
		s.Left = block.b
	}
	if block, have := r.blockBody(1); have {
		s.Right = block.b
	}
	return s, !d.short
}

// WALBtreeDelete is a Btree/DELETE or VACUUM record (xl_btree_delete, xl_btree_vacuum):
// tuples leave block 0, or lose some TIDs of their posting lists.
type WALBtreeDelete struct {
	Vacuum          bool
	ConflictHorizon XID  // of DELETE; latestRemovedXid before 16
	CatalogRel      bool // of DELETE, 16 on
	DeletedCount    int
	UpdatedCount    int  // of DELETE: 14 on
	HasItems        bool // false when in the page image alone
	Deleted         WALOffsets
	Updated         WALOffsets // tuples that lose TIDs
	updates         []byte     // xl_btree_update of each
}

// WALBtreeDelete decodes a Btree record by which tuples go away.
func (r *WALRecord) WALBtreeDelete() (h WALBtreeDelete, ok bool) {
	h.Vacuum = r.Is(RmgrBtree, walBtreeVacuum)
	if !h.Vacuum && !r.Is(RmgrBtree, walBtreeDelete) {
		return WALBtreeDelete{}, false
	}
	d := walBody{b: r.MainData}
	if !h.Vacuum {
		h.ConflictHorizon = XID(d.u32())
	}
	if !h.Vacuum && r.Major < 14 {
		h.DeletedCount = int(d.u32())
	} else {
		h.DeletedCount, h.UpdatedCount = int(d.u16()), int(d.u16())
	}
	if !h.Vacuum && r.Major >= 16 {
		h.CatalogRel = d.u8() != 0
	}
	block, have := r.blockBody(0)
	if !have || d.short {
		return h, !d.short
	}
	h.HasItems = true
	h.Deleted = block.items(uint32(h.DeletedCount), 2)
	h.Updated = block.items(uint32(h.UpdatedCount), 2)
	h.updates = block.rest()
	n := 0
	for range h.Updates {
		n++
	}
	return h, !block.short && n == h.UpdatedCount
}

// Updates goes through the tuples that lose TIDs: lost has the places of those in the
// tuple's posting list, from 0.
func (h *WALBtreeDelete) Updates(yield func(line uint16, lost WALOffsets) bool) {
	d := walBody{b: h.updates}
	for i := range h.Updated.Len() {
		lost := WALOffsets(d.items(uint32(d.u16()), 2))
		if d.short || !yield(h.Updated.At(i), lost) {
			return
		}
	}
}

// WALBtreeDedup is a Btree/DEDUP record (xl_btree_dedup): equal tuples of block 0 are merged
// into posting lists.
type WALBtreeDedup struct {
	Count     int        // intervals
	Intervals WALOffsets // pairs: first line pointer, number of tuples; nil when in the page image alone
}

// WALBtreeDedup decodes a Btree/DEDUP record.
func (r *WALRecord) WALBtreeDedup() (h WALBtreeDedup, ok bool) {
	if !r.Is(RmgrBtree, walBtreeDedup) {
		return WALBtreeDedup{}, false
	}
	d := walBody{b: r.MainData}
	h.Count = int(d.u16())
	if block, have := r.blockBody(0); have {
		h.Intervals = block.items(uint32(h.Count), 4)
		d.short = d.short || block.short
	}
	return h, !d.short
}

// WALBtreeHalfDead is a Btree/MARK_PAGE_HALFDEAD record (xl_btree_mark_page_halfdead): the
// first step of taking an empty leaf out of the tree. Block 0 is the leaf, block 1 the parent.
type WALBtreeHalfDead struct {
	ParentLine uint16
	Leaf       BlockNumber
	Left       BlockNumber // 0 for none
	Right      BlockNumber
	TopParent  BlockNumber // topmost page that goes away with it; InvalidBlockNumber for none
}

// WALBtreeHalfDead decodes a Btree/MARK_PAGE_HALFDEAD record.
func (r *WALRecord) WALBtreeHalfDead() (h WALBtreeHalfDead, ok bool) {
	if !r.Is(RmgrBtree, walBtreeHalfDead) {
		return WALBtreeHalfDead{}, false
	}
	d := walBody{b: r.MainData}
	h.ParentLine = d.u16()
	d.align(4)
	h.Leaf, h.Left, h.Right, h.TopParent = BlockNumber(d.u32()), BlockNumber(d.u32()), BlockNumber(d.u32()), BlockNumber(d.u32())
	return h, !d.short
}

// WALBtreeUnlink is a Btree/UNLINK_PAGE or UNLINK_PAGE_META record (xl_btree_unlink_page):
// the second step, block 0 leaves the chain of its siblings.
type WALBtreeUnlink struct {
	Left, Right         BlockNumber // siblings; 0 for none
	Level               uint32      // 14 on
	SafeXID             FullXID     // when the page may be used again; before 14 without epoch (btpo_xact)
	LeafLeft, LeafRight BlockNumber // of the leaf, when an inner page goes away
	LeafTopParent       BlockNumber
}

// WALBtreeUnlink decodes a Btree record that unlinks a page.
func (r *WALRecord) WALBtreeUnlink() (h WALBtreeUnlink, ok bool) {
	if !r.Is(RmgrBtree, walBtreeUnlinkPage) && !r.Is(RmgrBtree, walBtreeUnlinkPageMeta) {
		return WALBtreeUnlink{}, false
	}
	d := walBody{b: r.MainData}
	h.Left, h.Right = BlockNumber(d.u32()), BlockNumber(d.u32())
	if r.Major >= 14 {
		h.Level = d.u32()
		d.align(8)
		h.SafeXID = FullXID(d.u64())
	}
	h.LeafLeft, h.LeafRight, h.LeafTopParent = BlockNumber(d.u32()), BlockNumber(d.u32()), BlockNumber(d.u32())
	if r.Major < 14 {
		h.SafeXID = FullXID(d.u32())
	}
	return h, !d.short
}

// WALBtreeNewRoot decodes a Btree/NEWROOT record (xl_btree_newroot): block 0 is the new root.
func (r *WALRecord) WALBtreeNewRoot() (root BlockNumber, level uint32, ok bool) {
	if !r.Is(RmgrBtree, walBtreeNewRoot) {
		return 0, 0, false
	}
	d := walBody{b: r.MainData}
	root, level = BlockNumber(d.u32()), d.u32()
	return root, level, !d.short
}

// WALBtreeReuse is a Btree/REUSE_PAGE record (xl_btree_reuse_page): a deleted page comes
// into use again. It has no block reference.
type WALBtreeReuse struct {
	Relation        WALRelation
	Block           BlockNumber
	ConflictHorizon FullXID // before 14 without epoch
	CatalogRel      bool    // 16 on
}

// WALBtreeReuse decodes a Btree/REUSE_PAGE record.
func (r *WALRecord) WALBtreeReuse() (h WALBtreeReuse, ok bool) {
	if !r.Is(RmgrBtree, walBtreeReusePage) {
		return WALBtreeReuse{}, false
	}
	d := walBody{b: r.MainData}
	h.Relation, h.Block = d.relation(), BlockNumber(d.u32())
	if r.Major < 14 {
		h.ConflictHorizon = FullXID(d.u32())
	} else {
		h.ConflictHorizon = FullXID(d.u64())
	}
	if r.Major >= 16 {
		h.CatalogRel = d.u8() != 0
	}
	return h, !d.short
}

// WALBtreeMeta is the meta page as records carry it (xl_btree_metadata).
type WALBtreeMeta struct {
	Version         uint32
	Root            BlockNumber
	Level           uint32
	FastRoot        BlockNumber
	FastLevel       uint32
	OldestXact      XID     // btpo_xact of the oldest deleted page, 13
	HeapTuples      float64 // last_cleanup_num_heap_tuples, 13
	DeletedPages    uint32  // last_cleanup_num_delpages, 14 on
	AllEqualIsImage bool    // allequalimage
}

// WALBtreeMeta decodes the meta page that a Btree record brings: INSERT_META and NEWROOT in
// block 2, UNLINK_PAGE_META in block 4, META_CLEANUP in block 0.
func (r *WALRecord) WALBtreeMeta() (m WALBtreeMeta, ok bool) {
	if r.Rmid != RmgrBtree {
		return WALBtreeMeta{}, false
	}
	var id uint8
	switch r.Info & walInfoRmgrMask {
	case walBtreeInsertMeta, walBtreeNewRoot:
		id = 2
	case walBtreeUnlinkPageMeta:
		id = 4
	case walBtreeMetaCleanup:
	default:
		return WALBtreeMeta{}, false
	}
	d, have := r.blockBody(id)
	if !have {
		return WALBtreeMeta{}, false
	}
	m = WALBtreeMeta{Version: d.u32(), Root: BlockNumber(d.u32()), Level: d.u32(), FastRoot: BlockNumber(d.u32()), FastLevel: d.u32()}
	if r.Major < 14 {
		m.OldestXact = XID(d.u32())
		m.HeapTuples = math.Float64frombits(d.u64())
	} else {
		m.DeletedPages = d.u32()
	}
	m.AllEqualIsImage = d.u8() != 0
	return m, !d.short
}
