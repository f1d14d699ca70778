package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// Numbers of the free space map (storage/fsm_internals.h, storage/freespace/freespace.c).
const (
	fsmNodesAt  = PageHeaderSize + 4     // fp_nodes, after fp_next_slot
	fsmNodes    = BlockSize - fsmNodesAt // NodesPerPage
	fsmNonLeaf  = BlockSize/2 - 1        // NonLeafNodesPerPage
	FSMSlots    = fsmNodes - fsmNonLeaf  // SlotsPerFSMPage: 4069
	fsmCategory = BlockSize / 256        // FSM_CAT_STEP: bytes of a category
	FSMLevels   = 3                      // FSM_TREE_DEPTH: a page of level 0 has table blocks, the root is level 2
)

// FSMAddress is the place of a page in the tree of the free space map (FSMAddress,
// storage/freespace/freespace.c).
type FSMAddress struct {
	Level int    // 0 at the bottom, FSMLevels-1 at the root
	Page  uint32 // number within the level
}

// FSMPlace returns the page of the map that has the free space of a table's block, and the
// slot there (fsm_get_location).
func FSMPlace(heap BlockNumber) (addr FSMAddress, slot int) {
	return FSMAddress{Page: uint32(heap) / FSMSlots}, int(uint32(heap) % FSMSlots)
}

// Block returns the block of the map's fork where the page lies (fsm_logical_to_physical):
// the tree is stored depth first, each page before its children.
func (a FSMAddress) Block() BlockNumber {
	leaf := uint64(a.Page)
	for range a.Level {
		leaf *= FSMSlots
	}
	var pages uint64
	for range FSMLevels {
		pages += leaf + 1
		leaf /= FSMSlots
	}
	return BlockNumber(pages - uint64(a.Level) - 1)
}

// FSMAddressOf is the inverse of FSMAddress.Block.
func FSMAddressOf(blk BlockNumber) FSMAddress {
	const perSubtree = FSMSlots + 1 // a page of level 1 with its leaves
	if blk == 0 {
		return FSMAddress{Level: FSMLevels - 1}
	}
	n := uint32(blk) - 1
	subtree, within := n/perSubtree, n%perSubtree
	if within == 0 {
		return FSMAddress{Level: 1, Page: subtree}
	}
	return FSMAddress{Page: subtree*FSMSlots + within - 1}
}

// FirstChild returns what the first slot of the page stands for: at level 0 a block of the
// table, above a page of the level below.
func (a FSMAddress) FirstChild() uint64 { return uint64(a.Page) * FSMSlots }

// FSMFree turns a category into bytes: at least so many are free (fsm_space_cat_to_avail). The
// greatest category, 255, is 8160 bytes: all that a row can ask for (MaxFSMRequestSize).
func FSMFree(category uint8) int { return int(category) * fsmCategory }

// FSMPage is a page of the free space map: a binary tree of categories in which each node is
// the greater of its two children (FSMPageData, storage/fsm_internals.h).
type FSMPage struct {
	NextSlot int32  // fp_next_slot: where the next search starts
	nodes    []byte // fp_nodes
}

// DecodeFSMPage reads a page of the map.
func DecodeFSMPage(page []byte) (FSMPage, error) {
	if err := wholePage("free space map page", page); err != nil {
		return FSMPage{}, err
	}
	return FSMPage{NextSlot: int32(binary.LittleEndian.Uint32(page[PageHeaderSize:])), nodes: page[fsmNodesAt:]}, nil
}

// Root returns the greatest category on the page (fsm_get_max_avail).
func (p FSMPage) Root() uint8 { return p.nodes[0] }

// Nodes returns all nodes in breadth first order, the last FSMSlots of which are the slots.
func (p FSMPage) Nodes() []byte { return p.nodes }

// Slots returns the categories of the page's children, FSMSlots of them (fsm_get_avail).
func (p FSMPage) Slots() []byte { return p.nodes[fsmNonLeaf:] }

// Problems lists nodes that are not the greater of their children. The server repairs them
// when it comes across (fsm_rebuild_page), so they are no damage: the map is a hint and is
// not WAL-logged. At most five are listed.
func (p FSMPage) Problems() []*FormatError {
	var problems []*FormatError
	for i := fsmNonLeaf - 1; i >= 0 && len(problems) < 5; i-- {
		want := byte(0)
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(p.nodes) {
				want = max(want, p.nodes[child])
			}
		}
		if p.nodes[i] != want {
			problems = append(problems, &FormatError{Off: int64(fsmNodesAt + i), Field: fmt.Sprintf("node %d", i), Want: fmt.Sprint(want), Got: fmt.Sprint(p.nodes[i])})
		}
	}
	return problems
}
