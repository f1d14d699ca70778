package pgdisk

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Numbers of a btree (access/nbtree.h).
const (
	BTreeMagic       uint32      = 0x053162 // BTREE_MAGIC
	BTreeMetaBlock   BlockNumber = 0        // BTREE_METAPAGE
	BTreeNone        BlockNumber = 0        // P_NONE: no sibling, no root
	btreeMinVersion              = 2        // BTREE_MIN_VERSION
	btreeVersion                 = 4        // BTREE_VERSION, of every index made by 12 or later
	btreeNoVac                   = 3        // BTREE_NOVAC_VERSION: the meta page has all fields from here on
	btreeOpaqueSize              = 16       // sizeof(BTPageOpaqueData)
	btreeMetaSize                = 41       // to the end of btm_allequalimage
	btreeMaxCycleID  uint16      = 0xFF7F   // MAX_BT_CYCLE_ID: greater ones are page ids of other indexes
	btreeDeletedSize             = 8        // sizeof(BTDeletedPageData)
)

// BTreeFlags are the flags of a btree page (btpo_flags, access/nbtree.h).
type BTreeFlags uint16

// The flags.
const (
	BTreeLeaf            BTreeFlags = 1 << iota // BTP_LEAF
	BTreeRoot                                   // BTP_ROOT
	BTreeDeleted                                // BTP_DELETED
	BTreeMeta                                   // BTP_META
	BTreeHalfDead                               // BTP_HALF_DEAD: empty, still in the tree
	BTreeSplitEnd                               // BTP_SPLIT_END
	BTreeHasGarbage                             // BTP_HAS_GARBAGE: has dead entries
	BTreeIncompleteSplit                        // BTP_INCOMPLETE_SPLIT: the right sibling's downlink is missing
	BTreeHasFullXID                             // BTP_HAS_FULLXID, 14 and later
	btreeValidFlags      = BTreeLeaf | BTreeRoot | BTreeDeleted | BTreeMeta | BTreeHalfDead | BTreeSplitEnd |
		BTreeHasGarbage | BTreeIncompleteSplit | BTreeHasFullXID
	btreeIgnore = BTreeDeleted | BTreeHalfDead // P_IGNORE
)

// Words names the flags that are set, as nbtree.h does without BTP_.
func (f BTreeFlags) Words() []string {
	return bitWords(uint16(f), []bitWord{
		{uint16(BTreeLeaf), "LEAF"}, {uint16(BTreeRoot), "ROOT"}, {uint16(BTreeDeleted), "DELETED"},
		{uint16(BTreeMeta), "META"}, {uint16(BTreeHalfDead), "HALF_DEAD"}, {uint16(BTreeSplitEnd), "SPLIT_END"},
		{uint16(BTreeHasGarbage), "HAS_GARBAGE"}, {uint16(BTreeIncompleteSplit), "INCOMPLETE_SPLIT"},
		{uint16(BTreeHasFullXID), "HAS_FULLXID"},
	})
}

// BTreeMetaPage is block 0 of a btree (BTMetaPageData, access/nbtree.h).
type BTreeMetaPage struct {
	Magic, Version uint32
	Root           BlockNumber // btm_root, 0 in an empty index
	Level          uint32      // btm_level: of the root, 0 when it is a leaf
	FastRoot       BlockNumber // btm_fastroot: the lowest page that is alone on its level
	FastLevel      uint32      // btm_fastlevel
	// CleanupPages is btm_last_cleanup_num_delpages: deleted pages at the last cleanup that
	// could not be used again yet. In 13 the oldest transaction id of deleted pages lies here
	// (btm_oldest_btpo_xact). 0 before version 3.
	CleanupPages  uint32
	CleanupTuples float64 // btm_last_cleanup_num_heap_tuples, -1 when unknown and before version 3
	AllEqualImage bool    // btm_allequalimage: equal keys may be merged into posting lists
}

// DecodeBTreeMetaPage reads the meta page of a btree.
func DecodeBTreeMetaPage(page []byte) (BTreeMetaPage, error) {
	if err := wholePage("btree meta page", page); err != nil {
		return BTreeMetaPage{}, err
	}
	le, b := binary.LittleEndian, page[PageHeaderSize:PageHeaderSize+btreeMetaSize]
	m := BTreeMetaPage{
		Magic: le.Uint32(b), Version: le.Uint32(b[4:]),
		Root: BlockNumber(le.Uint32(b[8:])), Level: le.Uint32(b[12:]),
		FastRoot: BlockNumber(le.Uint32(b[16:])), FastLevel: le.Uint32(b[20:]),
		CleanupTuples: -1,
	}
	if m.Version >= btreeNoVac {
		m.CleanupPages = le.Uint32(b[24:])
		m.CleanupTuples = math.Float64frombits(le.Uint64(b[32:])) // aligned to 8
		m.AllEqualImage = b[40] != 0
	}
	if m.Magic != BTreeMagic {
		return m, &FormatError{Off: PageHeaderSize, Field: "btm_magic", Want: fmt.Sprintf("0x%06X", BTreeMagic), Got: fmt.Sprintf("0x%X", m.Magic)}
	}
	if m.Version < btreeMinVersion || m.Version > btreeVersion {
		return m, &FormatError{Off: PageHeaderSize + 4, Field: "btm_version", Want: fmt.Sprintf("%d to %d", btreeMinVersion, btreeVersion), Got: fmt.Sprint(m.Version)}
	}
	return m, nil
}

// BTreeOpaque is the special part of a btree page (BTPageOpaqueData, access/nbtree.h).
type BTreeOpaque struct {
	Prev, Next BlockNumber // siblings, 0 for none
	// Level counts from the leaves up. Of a deleted page without BTreeHasFullXID (13, or
	// upgraded from it) it is the transaction id from which on the page can be used again.
	Level   uint32
	Flags   BTreeFlags
	CycleID uint16 // btpo_cycleid: the VACUUM during which the page was last split
}

// DecodeBTreeOpaque reads the special part of a page. It is an error when pd_special says
// that there is none of its size.
func DecodeBTreeOpaque(page []byte) (BTreeOpaque, error) {
	b, err := specialOf(page, btreeOpaqueSize, "btree page")
	if err != nil {
		return BTreeOpaque{}, err
	}
	le := binary.LittleEndian
	return BTreeOpaque{
		Prev: BlockNumber(le.Uint32(b)), Next: BlockNumber(le.Uint32(b[4:])),
		Level: le.Uint32(b[8:]), Flags: BTreeFlags(le.Uint16(b[12:])), CycleID: le.Uint16(b[14:]),
	}, nil
}

// IsLeaf reports a page whose entries lead to the table (P_ISLEAF).
func (o BTreeOpaque) IsLeaf() bool { return o.Flags&BTreeLeaf != 0 }

// Ignored reports a page that searches pass by: deleted, or about to be (P_IGNORE).
func (o BTreeOpaque) Ignored() bool { return o.Flags&btreeIgnore != 0 }

// Rightmost reports the last page of its level, which has no high key (P_RIGHTMOST).
func (o BTreeOpaque) Rightmost() bool { return o.Next == BTreeNone }

// FirstKey returns the number of the first line pointer that is an entry, 2 after a high key
// (P_FIRSTDATAKEY).
func (o BTreeOpaque) FirstKey() int {
	if o.Rightmost() {
		return 1
	}
	return 2
}

// HasItems reports whether line pointers follow the page header. They do not on the meta
// page and on pages deleted by 14 or later.
func (o BTreeOpaque) HasItems() bool {
	return o.Flags&BTreeMeta == 0 && o.Flags&(BTreeDeleted|BTreeHasFullXID) != BTreeDeleted|BTreeHasFullXID
}

// DeletedXID returns the transaction id at which a deleted page left the tree
// (BTPageGetDeleteXid); false for a page that is not deleted. A page deleted by 13 gives no
// epoch.
func (o BTreeOpaque) DeletedXID(page []byte) (FullXID, bool) {
	switch {
	case o.Flags&BTreeDeleted == 0 || len(page) != BlockSize:
		return 0, false
	case o.Flags&BTreeHasFullXID == 0:
		return FullXID(o.Level), true
	}
	return FullXID(binary.LittleEndian.Uint64(page[PageHeaderSize : PageHeaderSize+btreeDeletedSize])), true
}

// Problems lists what is wrong with the special part, nothing for a sound one.
func (o BTreeOpaque) Problems() []*FormatError {
	const off = BlockSize - btreeOpaqueSize
	var problems []*FormatError
	bad := func(at int64, field, want, got string) {
		problems = append(problems, &FormatError{Off: off + at, Field: field, Want: want, Got: got})
	}
	if extra := o.Flags &^ btreeValidFlags; extra != 0 {
		bad(12, "btpo_flags", fmt.Sprintf("no bits but 0x%04X", uint16(btreeValidFlags)), fmt.Sprintf("0x%04X", uint16(o.Flags)))
	}
	if o.Flags&(BTreeMeta|BTreeDeleted) == 0 && o.IsLeaf() != (o.Level == 0) {
		bad(8, "btpo_level", "0 on a leaf and only there", fmt.Sprintf("%d, flags 0x%04X", o.Level, uint16(o.Flags)))
	}
	if o.CycleID > btreeMaxCycleID {
		bad(14, "btpo_cycleid", fmt.Sprintf("at most 0x%04X", btreeMaxCycleID), fmt.Sprintf("0x%04X", o.CycleID))
	}
	return problems
}
