package inspect

import (
	"fmt"
	"strings"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// addFSM lists a page of the free space map, neighbours with the same value together.
func (r *pageReport) addFSM(page []byte, blk pgdisk.BlockNumber) {
	m, err := pgdisk.DecodeFSMPage(page)
	if r.broken("free space map", err); err != nil {
		return
	}
	addr := pgdisk.FSMAddressOf(blk)
	r.content("level", "%d", addr.Level)
	r.content("page of the level", "%d", addr.Page)
	r.content("fp_next_slot", "%d", m.NextSlot)
	r.content("most free below", "%d bytes or more", pgdisk.FSMFree(m.Root()))
	for _, p := range m.Problems() { // a hint that repairs itself is no damage
		r.content("node to be repaired", "%s", pageProblem(p))
	}
	what := "child page"
	if addr.Level == 0 {
		what = "block"
	}
	slots := m.Slots()
	for i := 0; i < len(slots); {
		end := i + 1
		for end < len(slots) && slots[end] == slots[i] {
			end++
		}
		if slots[i] != 0 {
			r.content(numberRun(what, addr.FirstChild()+uint64(i), addr.FirstChild()+uint64(end)-1), "%d bytes or more", pgdisk.FSMFree(slots[i]))
		}
		i = end
	}
}

// addVM lists a page of the visibility map, neighbours with the same flags together.
func (r *pageReport) addVM(page []byte, blk pgdisk.BlockNumber) {
	first := uint64(blk) * pgdisk.VMBlocksPerPage
	flags := func(i uint64) pgdisk.VMFlags {
		f, err := pgdisk.VMPageFlags(page, pgdisk.BlockNumber(i))
		r.broken("visibility map", err)
		return f
	}
	for i := uint64(0); i < pgdisk.VMBlocksPerPage; {
		f, end := flags(i), i+1
		for end < pgdisk.VMBlocksPerPage && flags(end) == f {
			end++
		}
		if f != 0 {
			r.content(numberRun("block", first+i, first+end-1), "%s", vmWords(f))
		}
		i = end
	}
}

func vmWords(f pgdisk.VMFlags) string {
	var words []string
	if f&pgdisk.VMAllVisible != 0 {
		words = append(words, "all visible")
	}
	if f&pgdisk.VMAllFrozen != 0 {
		words = append(words, "all frozen")
	}
	return strings.Join(words, ", ")
}

// numberRun names numbers that follow each other.
func numberRun(what string, from, to uint64) string {
	if from == to {
		return fmt.Sprintf("%s %d", what, from)
	}
	return fmt.Sprintf("%ss %d-%d", what, from, to)
}

// bitRuns lists the numbers of the bits that are set.
func bitRuns(b []byte) string {
	var runs []string
	set := func(i int) bool { return b[i/8]&(1<<(i%8)) != 0 }
	for i := 0; i < len(b)*8; i++ {
		if !set(i) {
			continue
		}
		from := i
		for i+1 < len(b)*8 && set(i+1) {
			i++
		}
		if from == i {
			runs = append(runs, fmt.Sprint(from))
		} else {
			runs = append(runs, fmt.Sprintf("%d-%d", from, i))
		}
	}
	return "bits " + strings.Join(runs, " ")
}
