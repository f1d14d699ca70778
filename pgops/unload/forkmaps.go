package unload

import (
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// forkMaps is what the free space map and the visibility map know of a table's blocks. They
// tell of blocks that are not there, and whether one of zeroes was ever in use. It is for one
// goroutine.
//
// Neither map has to be there. The visibility map is WAL-logged and right but for damage; the
// free space map is a hint, which can lag behind, and after a crash be ahead, of the table.
// Both are cut off when the table is (smgr_redo, catalog/storage.c).
type forkMaps struct {
	fsm, vm   relFiles
	fsmPages  *pageCache
	vmPages   *pageCache
	checksums bool
	last      cachedVerdict // of the page asked for last
}

// cachedVerdict remembers whether a page of a map is sound.
type cachedVerdict struct {
	fork  pgdisk.Fork
	blk   pgdisk.BlockNumber
	page  []byte
	valid bool
}

func newForkMaps(src *source, t *table) *forkMaps {
	return &forkMaps{fsm: t.fsm, vm: t.vm, checksums: src.checksums,
		fsmPages: newPageCache(newRelReader(src.fsys, t.fsm), 1), vmPages: newPageCache(newRelReader(src.fsys, t.vm), 1)}
}

func (m *forkMaps) close() {
	m.fsmPages.rel.close()
	m.vmPages.rel.close()
}

// page returns a page of a map, nil when it is not there or not to be believed.
func (m *forkMaps) page(fork pgdisk.Fork, blk pgdisk.BlockNumber) []byte {
	if m.last.valid && m.last.fork == fork && m.last.blk == blk {
		return m.last.page
	}
	files, pages := m.vm, m.vmPages
	if fork == pgdisk.FSMFork {
		files, pages = m.fsm, m.fsmPages
	}
	m.last = cachedVerdict{fork: fork, blk: blk, valid: true}
	if blk >= files.blocks() {
		return nil
	}
	page, err := pages.page(blk)
	if err != nil || !m.sound(page, blk) {
		return nil
	}
	m.last.page = page
	return page
}

func (m *forkMaps) sound(page []byte, blk pgdisk.BlockNumber) bool {
	h, err := pgdisk.DecodePageHeader(page)
	if err != nil || h.IsNew() || len(h.Problems()) > 0 || h.Special != pgdisk.BlockSize {
		return false
	}
	if !m.checksums {
		return true
	}
	verdict, _, _ := pgdisk.VerifyPage(page, blk)
	return verdict == pgdisk.PageChecksumOK
}

// Categories of the free space map with a meaning of their own.
const (
	fsmNothing = 0   // the page is full, or the map does not know of it
	fsmEmpty   = 255 // all of the page is free
)

// free is what the free space map says of a block.
func (m *forkMaps) free(blk pgdisk.BlockNumber) uint8 {
	addr, slot := pgdisk.FSMPlace(blk)
	page := m.page(pgdisk.FSMFork, addr.Block())
	if page == nil {
		return fsmNothing
	}
	p, err := pgdisk.DecodeFSMPage(page)
	if err != nil {
		return fsmNothing
	}
	return p.Slots()[slot]
}

// visible reports that the visibility map has the block as one with rows that all can see.
// VACUUM says that of pages without rows too, but not of those that were never written.
func (m *forkMaps) visible(blk pgdisk.BlockNumber) bool {
	page := m.page(pgdisk.VMFork, pgdisk.VMPlace(blk))
	if page == nil {
		return false
	}
	flags, err := pgdisk.VMPageFlags(page, blk)
	return err == nil && flags&pgdisk.VMAllVisible != 0
}

// zeroFate is what a page of zeroes is.
type zeroFate uint8

const (
	zeroNew    zeroFate = iota // allocated, and never used
	zeroMaybe                  // nobody knows
	zeroInUse                  // the free space map has rows on it
	zeroFilled                 // so has the visibility map
)

// zero tells what a page of zeroes is.
func (m *forkMaps) zero(blk pgdisk.BlockNumber) zeroFate {
	if m.visible(blk) {
		return zeroFilled
	}
	switch m.free(blk) {
	case fsmNothing:
		return zeroMaybe
	case fsmEmpty:
		return zeroNew
	}
	return zeroInUse
}

// why says what a run of pages of zeroes is.
func (z zeroFate) why() string {
	switch z {
	case zeroFilled:
		return "all zeroes, but the visibility map has it as a page in use: its rows are lost"
	case zeroInUse:
		return "all zeroes, but the free space map has it as a page in use: its rows are lost"
	}
	return "all zeroes, and not among those that the free space map has as empty: lost, or allocated before a crash and never used"
}

// end is the block after the last that a map knows to be in use, from blk on; 0 when there is
// none. by is the map.
func (m *forkMaps) end(blk pgdisk.BlockNumber) (end uint64, by string) {
	if v := m.visibleEnd(blk); v > 0 {
		end, by = v, "visibility map"
	}
	if v := m.usedEnd(blk); v > end {
		end, by = v, "free space map"
	}
	return end, by
}

// visibleEnd looks through the visibility map from its end.
func (m *forkMaps) visibleEnd(from pgdisk.BlockNumber) uint64 {
	for n := uint64(m.vm.blocks()); n > uint64(pgdisk.VMPlace(from)); n-- {
		first := (n - 1) * pgdisk.VMBlocksPerPage
		if first >= uint64(pgdisk.InvalidBlock) {
			continue
		}
		page := m.page(pgdisk.VMFork, pgdisk.BlockNumber(n-1))
		if page == nil {
			continue
		}
		for i := pgdisk.VMBlocksPerPage - 1; i >= 0 && first+uint64(i) >= uint64(from); i-- {
			if page[pgdisk.PageHeaderSize+i/4] == 0 {
				continue
			}
			if flags, err := pgdisk.VMPageFlags(page, pgdisk.BlockNumber(first)+pgdisk.BlockNumber(i)); err == nil && flags&pgdisk.VMAllVisible != 0 {
				return first + uint64(i) + 1
			}
		}
	}
	return 0
}

// usedEnd looks through the bottom level of the free space map for pages that are neither
// full nor empty.
func (m *forkMaps) usedEnd(from pgdisk.BlockNumber) uint64 {
	var end uint64
	addr, slot := pgdisk.FSMPlace(from)
	for ; addr.FirstChild() < uint64(pgdisk.InvalidBlock); addr.Page++ {
		if addr.Block() >= m.fsm.blocks() {
			break
		}
		if page := m.page(pgdisk.FSMFork, addr.Block()); page != nil {
			p, err := pgdisk.DecodeFSMPage(page)
			if err != nil {
				break
			}
			for i := slot; i < pgdisk.FSMSlots; i++ {
				if c := p.Slots()[i]; c != fsmNothing && c != fsmEmpty {
					end = addr.FirstChild() + uint64(i) + 1
				}
			}
		}
		slot = 0
	}
	return end
}

// missingEnd is the blocks after the end of the table's files that others know of: pg_class,
// which counts them at each VACUUM and ANALYZE, and the two maps. Count is 0 if there are
// none.
func (t *table) missingEnd(m *forkMaps) lostSpan {
	from := t.files.blocks()
	if n := len(t.files.segments); n > 0 && t.files.segments[n-1].size%pgdisk.BlockSize != 0 {
		from++ // which was cut in two
	}
	var says []string
	end := uint64(from)
	if uint64(t.pages) > end {
		end = uint64(t.pages)
		says = append(says, fmt.Sprintf("pg_class counted %d at the last VACUUM, ANALYZE or CREATE INDEX", t.pages))
	}
	if by, name := m.end(from); by > uint64(from) {
		end = max(end, by)
		says = append(says, fmt.Sprintf("the %s knows of rows on block %d", name, by-1))
	}
	if len(says) == 0 {
		return lostSpan{}
	}
	why := fmt.Sprintf("the table has %d blocks, but %s: its end is lost, or was cut off by a VACUUM right before a crash", t.files.blocks(), strings.Join(says, " and "))
	return lostSpan{span{from, uint32(min(end, 1<<32-1) - uint64(from))}, why}
}
