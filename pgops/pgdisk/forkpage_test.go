package pgdisk

import "testing"

func TestFSM(t *testing.T) {
	// Blocks of the map as the server lays them out: the root, the first page of level 1, its
	// 4069 leaves, the second page of level 1.
	for blk, want := range map[BlockNumber]FSMAddress{0: {2, 0}, 1: {1, 0}, 2: {0, 0}, 4070: {0, 4068}, 4071: {1, 1}, 4072: {0, 4069}, 8141: {1, 2}} {
		if got := FSMAddressOf(blk); got != want || got.Block() != blk {
			t.Errorf("block %d is %+v, which is block %d", blk, got, got.Block())
		}
	}
	if addr, slot := FSMPlace(4070); addr != (FSMAddress{0, 1}) || slot != 1 || addr.FirstChild() != 4069 {
		t.Errorf("%+v, %d", addr, slot)
	}
	for c, want := range map[uint8]int{0: 0, 1: 32, 254: 8128, 255: 8160} {
		if FSMFree(c) != want {
			t.Errorf("category %d is %d bytes", c, FSMFree(c))
		}
	}
	page := kindPages()["fsm"]
	m, err := DecodeFSMPage(page)
	if err != nil || m.Root() != 255 || m.Slots()[0] != 10 || m.Slots()[4068] != 255 || len(m.Slots()) != 4069 || len(m.Problems()) != 0 {
		t.Errorf("root %d, %v, %v", m.Root(), m.Problems(), err)
	}
	page[fsmNodesAt] = 3
	if p := m.Problems(); len(p) != 1 || p[0].Off != fsmNodesAt {
		t.Errorf("%v", p)
	}
}

func TestVM(t *testing.T) {
	page := kindPages()["vm"]
	for blk, want := range map[BlockNumber]VMFlags{0: VMAllVisible | VMAllFrozen, 1: 0, 2: VMAllVisible, 3: VMAllVisible | VMAllFrozen, 4: 0, 32671: 0, 32672: 3} {
		if f, err := VMPageFlags(page, blk); err != nil || f != want {
			t.Errorf("block %d: %d, %v", blk, f, err)
		}
	}
	if VMPlace(32671) != 0 || VMPlace(32672) != 1 {
		t.Error("pages of the map")
	}
	if p := VMProblem(page, 0); p != nil {
		t.Error(p)
	}
	page[30] = 0b00_10_01_11
	if p := VMProblem(page, 0); p == nil || p.Off != 30 {
		t.Error(p)
	}
}
