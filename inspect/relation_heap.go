package inspect

import (
	"cmp"
	"slices"

	"github.com/pgrescue/pgrescue/pgops/pgdisk"
)

// relHeap is what the tuples of a table say.
type relHeap struct {
	LinePointers relLinePointers `json:"line_pointers"`
	Tuples       relTuples       `json:"tuples"`
	HOT          relHOT          `json:"hot"`
	Xmin         relXIDs         `json:"xmin"`
	Xmax         relXmax         `json:"xmax"`
	External     uint64          `json:"toasted_tuples"` // HEAP_HASEXTERNAL: with a value out of line
	AllVisible   uint64          `json:"all_visible_pages"`
	FreeBytes    uint64          `json:"free_bytes"` // between line pointers and tuples
	Bits         []relBit        `json:"infomask"`   // how many tuples have each bit
	Masks        []relMask       `json:"infomasks"`  // the most frequent combinations
}

type relLinePointers struct {
	Normal   uint64 `json:"normal"`
	Redirect uint64 `json:"redirect"`
	Dead     uint64 `json:"dead"`
	Unused   uint64 `json:"unused"`
}

// relTuples counts tuples by fate; the doubtful ones are among the others.
type relTuples struct {
	Visible          uint64 `json:"visible"`
	VisibleBytes     uint64 `json:"visible_bytes"`
	Deleted          uint64 `json:"deleted"`
	NotInserted      uint64 `json:"not_inserted"`
	DeadBytes        uint64 `json:"dead_bytes"` // of the deleted and the not inserted
	DoubtfulVisible  uint64 `json:"doubtful_visible"`
	DoubtfulOthers   uint64 `json:"doubtful_others"`
	Damaged          uint64 `json:"damaged"` // whose header does not hold together
	FirstDoubt       string `json:"first_doubt,omitempty"`
	FirstDoubtReason string `json:"first_doubt_reason,omitempty"`
}

// relXIDs is a range on the circle of ids; those below 3 are left out.
type relXIDs struct {
	Oldest uint32 `json:"oldest,omitempty"`
	Newest uint32 `json:"newest,omitempty"`
	Frozen uint64 `json:"frozen,omitempty"`
	count  uint64
}

// relXmax counts what t_xmax is.
type relXmax struct {
	None        uint64  `json:"none"` // 0 or marked invalid
	Locked      uint64  `json:"locked"`
	Deleting    uint64  `json:"deleting"` // deletes or updates, whether that committed or not
	Multi       uint64  `json:"multixact"`
	Range       relXIDs `json:"range"`
	MultiOldest uint32  `json:"multixact_oldest,omitempty"`
	MultiNewest uint32  `json:"multixact_newest,omitempty"`
}

type relBit struct {
	Word   string `json:"word"`
	Tuples uint64 `json:"tuples"`
}

type relMask struct {
	Infomask  uint16   `json:"infomask"`
	Infomask2 uint16   `json:"infomask2"` // without the number of columns
	Words     []string `json:"words"`
	Tuples    uint64   `json:"tuples"`
}

// relMaxMasks bounds the combinations of bits that are listed.
const relMaxMasks = 20

// relHeapScan counts the tuples of a table page by page.
type relHeapScan struct {
	rel   *relation
	h     relHeap
	hp    pgdisk.HeapPage
	masks map[uint32]uint64 // t_infomask2 without columns, then t_infomask
	fates []pgdisk.Verdict  // of the page's tuples, by index
	next  pgdisk.XID        // reference for comparisons; 0: the first id seen
	multi pgdisk.MultiXactID
}

func newRelHeapScan(rel *relation) *relHeapScan {
	s := &relHeapScan{rel: rel, masks: make(map[uint32]uint64)}
	if c := rel.src.Control; c != nil && rel.src.ControlErr == nil {
		s.next, s.multi = c.CheckpointCopy.NextXID.XID(), c.CheckpointCopy.NextMulti
	}
	return s
}

func (s *relHeapScan) page(blk pgdisk.BlockNumber, page []byte) {
	problems, err := s.hp.Decode(page, blk)
	if err != nil {
		return // a block is whole, its header was judged
	}
	s.rel.pageProblems(blk, problems)
	p := &s.hp
	s.h.FreeBytes += uint64(p.Header.Upper - p.Header.Lower)
	allVisible := p.Header.Flags&pgdisk.PageAllVisible != 0
	if allVisible {
		s.h.AllVisible++
	}
	s.fates = append(s.fates[:0], make([]pgdisk.Verdict, len(p.Items))...)
	chained, hidden := false, -1
	for i, item := range p.Items {
		s.linePointer(item)
		if item.Flags == pgdisk.ItemRedirect {
			chained = true
		}
		if item.Flags != pgdisk.ItemNormal {
			continue
		}
		if !p.Sound[i] {
			s.h.Tuples.Damaged++
			continue
		}
		h := p.Tuples[i]
		s.fates[i] = s.tuple(p.TID(i), h, uint64(item.Len))
		chained = chained || h.HotUpdated() || h.HeapOnly()
		if f := s.fates[i]; f.Fate != pgdisk.FateVisible && !f.Doubtful {
			hidden = i
		}
	}
	s.rel.vmCheck(blk, allVisible, hidden+1)
	if chained {
		s.chains()
	}
}

func (s *relHeapScan) linePointer(item pgdisk.ItemID) {
	switch l := &s.h.LinePointers; item.Flags {
	case pgdisk.ItemNormal:
		l.Normal++
	case pgdisk.ItemRedirect:
		l.Redirect++
	case pgdisk.ItemDead:
		l.Dead++
	default:
		l.Unused++
	}
}

// tuple counts one tuple and returns its fate.
func (s *relHeapScan) tuple(at pgdisk.TID, h pgdisk.TupleHeader, size uint64) pgdisk.Verdict {
	v := s.rel.vis.Judge(h)
	t := &s.h.Tuples
	switch v.Fate {
	case pgdisk.FateVisible:
		t.Visible++
		t.VisibleBytes += size
	case pgdisk.FateDeleted:
		t.Deleted++
		t.DeadBytes += size
	default:
		t.NotInserted++
		t.DeadBytes += size
	}
	if v.Doubtful {
		if v.Fate == pgdisk.FateVisible {
			t.DoubtfulVisible++
		} else {
			t.DoubtfulOthers++
		}
		if t.FirstDoubt == "" {
			t.FirstDoubt, t.FirstDoubtReason = at.String(), v.Why
		}
	}
	s.masks[uint32(h.Infomask2&^pgdisk.HeapNattsMask)<<16|uint32(h.Infomask)]++
	if h.Infomask&pgdisk.HeapHasExternal != 0 {
		s.h.External++
	}
	s.ids(at, h)
	return v
}

// ids takes part in the ranges of xmin and xmax, and finds ids that cannot be.
func (s *relHeapScan) ids(at pgdisk.TID, h pgdisk.TupleHeader) {
	if h.XminFrozen() {
		s.h.Xmin.Frozen++
	} else {
		s.xid(&s.h.Xmin, "xmin", at, h.Xmin)
	}
	x := &s.h.Xmax
	if h.XmaxInvalid() || h.Xmax == pgdisk.InvalidXID {
		x.None++
		return
	}
	if h.XmaxLockedOnly() {
		x.Locked++
	} else {
		x.Deleting++
	}
	m, multi := h.Multi()
	if !multi {
		s.xid(&x.Range, "xmax", at, h.Xmax)
		return
	}
	x.Multi++
	if x.MultiOldest == 0 || m.Precedes(pgdisk.MultiXactID(x.MultiOldest)) {
		x.MultiOldest = uint32(m)
	}
	if x.MultiNewest == 0 || pgdisk.MultiXactID(x.MultiNewest).Precedes(m) {
		x.MultiNewest = uint32(m)
	}
	if s.multi == 0 {
		return
	}
	// Multixacts that only lock can be older: the server looks up only those that may update.
	if oldest := s.rel.src.Control.CheckpointCopy.OldestMulti; m.Precedes(oldest) && !h.XmaxLockedOnly() {
		s.rel.r.finding("%s: its multixact %d is older than oldestMultiXid %d", at, m, oldest)
	} else if s.rel.clean && !m.Precedes(s.multi) {
		s.rel.r.finding("%s: its multixact %d was not given out: NextMultiXactId is %d", at, m, s.multi)
	}
}

// xid widens a range. Ids are compared with the next one to be given out, or with the first
// that was seen.
func (s *relHeapScan) xid(r *relXIDs, what string, at pgdisk.TID, x pgdisk.XID) {
	if !x.Normal() {
		return
	}
	if s.next == 0 {
		s.next = x
	}
	if r.count++; r.count == 1 {
		r.Oldest, r.Newest = uint32(x), uint32(x)
	}
	if int32(x-s.next) < int32(pgdisk.XID(r.Oldest)-s.next) {
		r.Oldest = uint32(x)
	}
	if int32(x-s.next) > int32(pgdisk.XID(r.Newest)-s.next) {
		r.Newest = uint32(x)
	}
	if !s.rel.sumsKnown() {
		return
	}
	c := s.rel.src.Control.CheckpointCopy
	if what == "xmin" && x.Precedes(c.OldestXID) {
		s.rel.r.finding("%s: its %s %d is older than oldestXID %d and not frozen", at, what, x, c.OldestXID)
	} else if s.rel.clean && !x.Precedes(s.next) {
		s.rel.r.finding("%s: its %s %d was not given out: NextXID is %d", at, what, x, s.next)
	}
}

// report sums up the bits.
func (s *relHeapScan) report() *relHeap {
	words := make(map[string]uint64)
	for m, n := range s.masks {
		mask := relMask{Infomask: uint16(m), Infomask2: uint16(m >> 16), Tuples: n}
		mask.Words = append(pgdisk.Infomask(mask.Infomask).Words(), pgdisk.Infomask2(mask.Infomask2).Words()...)
		s.h.Masks = append(s.h.Masks, mask)
		for _, w := range mask.Words {
			words[w] += n
		}
	}
	slices.SortFunc(s.h.Masks, func(a, b relMask) int {
		return cmp.Or(cmp.Compare(b.Tuples, a.Tuples), cmp.Compare(a.Infomask, b.Infomask), cmp.Compare(a.Infomask2, b.Infomask2))
	})
	s.h.Masks = s.h.Masks[:min(len(s.h.Masks), relMaxMasks)]
	for w, n := range words {
		s.h.Bits = append(s.h.Bits, relBit{w, n})
	}
	slices.SortFunc(s.h.Bits, func(a, b relBit) int { return cmp.Or(cmp.Compare(b.Tuples, a.Tuples), cmp.Compare(a.Word, b.Word)) })
	return &s.h
}
