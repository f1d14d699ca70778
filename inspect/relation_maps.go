package inspect

import (
	"io"
	"io/fs"
	"math/bits"
	"path"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// relFSM sums up the free space map. It is a hint: the server repairs it in passing.
type relFSM struct {
	Pages     uint64 `json:"pages"`
	Blocks    uint64 `json:"blocks"`     // blocks of the main fork that it says have free space
	FreeBytes uint64 `json:"free_bytes"` // at least so many in these
	Beyond    uint64 `json:"beyond"`     // blocks with free space beyond the end of the main fork
	Stale     uint64 `json:"stale"`      // pages with nodes that do not agree
}

// relVM sums up the visibility map.
type relVM struct {
	Pages      uint64 `json:"pages"`
	AllVisible uint64 `json:"all_visible"` // blocks of the main fork
	AllFrozen  uint64 `json:"all_frozen"`
	Beyond     uint64 `json:"beyond"` // blocks beyond the end of the main fork
	Wrong      uint64 `json:"wrong"`  // blocks that it calls all-visible and that are not marked so
}

// mainBlocks is one more than the number of the main fork's last block.
func (rel *relation) mainBlocks() uint64 {
	for _, f := range rel.forks {
		if f.fork != pgdisk.MainFork || len(f.Segments) == 0 {
			continue
		}
		last := f.Segments[len(f.Segments)-1]
		return uint64(last.number)*uint64(rel.perSegment) + uint64(last.Bytes)/pgdisk.BlockSize
	}
	return 0
}

// mapPage reports whether the content of a page of a map can be used.
func (rel *relation) mapPage(fork pgdisk.Fork, blk pgdisk.BlockNumber, page []byte) bool {
	if !rel.checksum(fork, blk, page) || pgdisk.PageIsZero(page) {
		return false
	}
	problems := pgdisk.PageProblems(page, pgdisk.RecognisePage(page, fork, blk))
	for _, p := range problems {
		rel.r.finding("%s fork, block %d: %s at byte %d: want %s, found %s", fork, blk, p.Field, p.Off, p.Want, p.Got)
	}
	return len(problems) == 0
}

func (rel *relation) fsmPage(blk pgdisk.BlockNumber, page []byte) {
	if rel.r.FSM == nil {
		rel.r.FSM = &relFSM{}
	}
	f := rel.r.FSM
	f.Pages++
	if !rel.mapPage(pgdisk.FSMFork, blk, page) {
		return
	}
	p, err := pgdisk.DecodeFSMPage(page)
	if err != nil {
		return
	}
	if len(p.Problems()) > 0 {
		f.Stale++
	}
	at := pgdisk.FSMAddressOf(blk)
	if at.Level != 0 {
		return
	}
	end := rel.mainBlocks()
	for i, category := range p.Slots() {
		switch free := pgdisk.FSMFree(category); {
		case free == 0:
		case at.FirstChild()+uint64(i) >= end:
			f.Beyond++
		default:
			f.Blocks++
			f.FreeBytes += uint64(free)
		}
	}
}

func (rel *relation) vmPage(blk pgdisk.BlockNumber, page []byte) {
	if rel.r.VM == nil {
		rel.r.VM = &relVM{}
		rel.vm = &relVMReader{rel: rel}
	}
	v := rel.r.VM
	v.Pages++
	if !rel.mapPage(pgdisk.VMFork, blk, page) {
		return
	}
	first := uint64(blk) * pgdisk.VMBlocksPerPage
	if bad := pgdisk.VMProblem(page, pgdisk.BlockNumber(first)); bad != nil {
		rel.r.finding("vm fork, block %d: %s", blk, bad.Error())
	}
	inside := min(max(rel.mainBlocks(), first)-first, pgdisk.VMBlocksPerPage)
	for i, b := range page[pgdisk.PageHeaderSize:] {
		if b == 0 {
			continue
		}
		keep := byte(0xFF) // two bits for each block of the main fork
		if have := inside - min(inside, uint64(i)*4); have < 4 {
			keep = 1<<(2*have) - 1
		}
		v.AllVisible += uint64(bits.OnesCount8(b & keep & 0x55))
		v.AllFrozen += uint64(bits.OnesCount8(b & keep & 0xAA))
		v.Beyond += uint64(bits.OnesCount8(b &^ keep & 0x55))
	}
}

// judgeVM: a truncation takes the blocks out of the map first (RelationTruncate, catalog/storage.c),
// so that after an orderly stop what the map knows beyond the end was cut off.
func (rel *relation) judgeVM() {
	if v := rel.r.VM; v != nil && v.Beyond > 0 && rel.clean {
		rel.r.finding("the visibility map knows %d blocks beyond the end of the main fork at block %d: the end was cut off, or files are missing", v.Beyond, rel.mainBlocks())
	}
}

// relVMReader gives the flags of one block after the other while the main fork is read.
type relVMReader struct {
	rel  *relation
	file fs.File
	name string
	blk  pgdisk.BlockNumber
	page []byte // nil when the block could not be had
}

// flags returns what the map says of a block, nothing where it cannot be read.
func (v *relVMReader) flags(heap pgdisk.BlockNumber) pgdisk.VMFlags {
	if at := pgdisk.VMPlace(heap); v.page == nil && v.name == "" || at != v.blk {
		v.load(at)
	}
	if v.page == nil {
		return 0
	}
	f, err := pgdisk.VMPageFlags(v.page, heap)
	if err != nil {
		return 0
	}
	return f
}

func (v *relVMReader) load(blk pgdisk.BlockNumber) {
	r := v.rel.src.File
	segment, off := pgdisk.LocateBlock(blk, v.rel.perSegment)
	name := relFileName(pgdisk.RelFile{Number: r.Number, Temp: r.Temp, Backend: r.Backend, Fork: pgdisk.VMFork, Segment: segment})
	if name != v.name {
		v.close()
		v.file, _ = v.rel.src.FS.Open(path.Join(v.rel.src.Dir, name)) // without it nothing is known of the block
	}
	v.name, v.blk, v.page = name, blk, nil
	at, ok := v.file.(io.ReaderAt)
	if !ok {
		return
	}
	page := make([]byte, pgdisk.BlockSize)
	if n, _ := at.ReadAt(page, off); n == len(page) {
		v.page = page
	}
}

func (v *relVMReader) close() {
	if v.file != nil {
		v.file.Close()
		v.file = nil
	}
}

// vmCheck compares a block with the map. hidden is the number of a line pointer whose tuple is
// not visible, 0 for none. Before replay the two forks need not agree: either may have been
// written first.
func (rel *relation) vmCheck(blk pgdisk.BlockNumber, allVisible bool, hidden int) {
	if allVisible && hidden > 0 && rel.clean {
		rel.r.finding("(%d,%d): not visible, on a page that is marked all-visible", blk, hidden)
	}
	if rel.vm == nil || allVisible || rel.vm.flags(blk)&pgdisk.VMAllVisible == 0 {
		return
	}
	rel.r.VM.Wrong++
	if rel.clean {
		rel.r.finding("block %d: the visibility map calls it all-visible, the page does not: index-only scans may return rows that are gone", blk)
	}
}
