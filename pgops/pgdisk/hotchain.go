package pgdisk

import "fmt"

// HOTEnd says how a HOT chain ends.
type HOTEnd uint8

// The ends. Complete is the usual one; Replaced and Gone are what an update that did not commit
// leaves behind, and damage when it did. The others are damage.
const (
	HOTComplete   HOTEnd = iota // the last member was not updated, or its update left the page's chain
	HOTReplaced                 // the next line pointer holds a tuple that is not the next version
	HOTGone                     // the next line pointer is unused, dead, a redirect or beyond the last one
	HOTLeavesPage               // t_ctid of a tuple marked as HOT updated leads to another page
	HOTCircle                   // the chain comes back to one of its members
	HOTMerges                   // the next tuple belongs to another chain already
	HOTUnreadable               // the next tuple's header does not hold together
)

// String gives the end in words.
func (e HOTEnd) String() string {
	switch e {
	case HOTComplete:
		return "complete"
	case HOTReplaced:
		return "leads to a tuple that is not the next version"
	case HOTGone:
		return "leads to a line pointer without a tuple"
	case HOTLeavesPage:
		return "leads to another page"
	case HOTCircle:
		return "runs in a circle"
	case HOTMerges:
		return "runs into another chain"
	case HOTUnreadable:
		return "leads to a damaged tuple"
	}
	return fmt.Sprintf("end %d of a HOT chain", uint8(e))
}

// HOTChain is a row's versions on one page that share the index entries of the first
// (access/heap/README.HOT). Numbers are those of line pointers, from 1.
type HOTChain struct {
	Root     uint16   // what index entries lead to: a redirect, or the first member itself
	Redirect bool     // the root is a redirect: the first versions were pruned away
	Members  []uint16 // tuples, oldest first; empty when a redirect leads nowhere
	End      HOTEnd
	Next     uint16 // where the last member, or the redirect, leads; 0 at a complete end
}

// HOTChains is what HeapPage.Chains finds.
type HOTChains struct {
	Chains  []HOTChain // in order of the root
	Orphans []uint16   // heap-only tuples in no chain: of aborted updates, else lost to every index
}

// Chains follows the HOT chains of the page (heap_get_root_tuples, access/heap/pruneheap.c,
// and heap_hot_search_buffer, access/heap/heapam.c). A redirect, and a tuple that was HOT
// updated and is not itself heap-only, is a root; a tuple that nothing points to and that
// points to nothing on the page is no chain.
//
// updater tells who updated a tuple whose t_xmax is a multixact (HeapTupleGetUpdateXid); with
// nil, or where it cannot tell, the link is believed. Each tuple is in one chain at most, so
// the cost is bounded by the page.
func (p *HeapPage) Chains(updater func(MultiXactID) (XID, bool)) HOTChains {
	w := hotWalk{page: p, updater: updater, chainOf: make([]uint16, len(p.Items))}
	var found HOTChains
	for i, item := range p.Items {
		chain := HOTChain{Root: uint16(i + 1)}
		switch {
		case item.Flags == ItemRedirect:
			chain.Redirect = true
			w.step(&chain, item.Off, InvalidXID)
		case p.Sound[i] && !p.Tuples[i].HeapOnly() && p.Tuples[i].HotUpdated():
			w.chainOf[i] = chain.Root
			chain.Members = []uint16{chain.Root}
		default:
			continue
		}
		w.follow(&chain)
		found.Chains = append(found.Chains, chain)
	}
	for i := range p.Items {
		if p.Sound[i] && p.Tuples[i].HeapOnly() && w.chainOf[i] == 0 {
			found.Orphans = append(found.Orphans, uint16(i+1))
		}
	}
	return found
}

// hotWalk is the state of one page's chains.
type hotWalk struct {
	page    *HeapPage
	updater func(MultiXactID) (XID, bool)
	chainOf []uint16 // by index of Items: the root of the chain that the tuple is in, 0 for none
}

// follow goes on from the last member as long as there is a next version.
func (w *hotWalk) follow(chain *HOTChain) {
	for chain.End == HOTComplete && len(chain.Members) > 0 {
		last := w.page.Tuples[chain.Members[len(chain.Members)-1]-1]
		if !last.HotUpdated() {
			chain.Next = 0
			return
		}
		if last.CTID.Block != w.page.Block {
			chain.End, chain.Next = HOTLeavesPage, 0
			return
		}
		w.step(chain, last.CTID.Item, w.updaterOf(last))
	}
}

// updaterOf returns the transaction that made the next version, InvalidXID when it cannot be told.
func (w *hotWalk) updaterOf(h TupleHeader) XID {
	m, multi := h.Multi()
	if !multi {
		return h.Xmax
	}
	if w.updater == nil {
		return InvalidXID
	}
	x, ok := w.updater(m)
	if !ok {
		return InvalidXID
	}
	return x
}

// step adds the tuple at next to the chain, or ends the chain there. by is the transaction
// that must have inserted it, InvalidXID for any.
func (w *hotWalk) step(chain *HOTChain, next uint16, by XID) {
	chain.Next = next
	i := int(next) - 1
	switch {
	case i < 0 || i >= len(w.page.Items) || w.page.Items[i].Flags != ItemNormal:
		chain.End = HOTGone
	case !w.page.Sound[i]:
		chain.End = HOTUnreadable
	case w.chainOf[i] == chain.Root:
		chain.End = HOTCircle
	case !w.page.Tuples[i].HeapOnly(), by != InvalidXID && w.page.Tuples[i].Xmin != by:
		chain.End = HOTReplaced
	case w.chainOf[i] != 0:
		chain.End = HOTMerges
	default:
		w.chainOf[i] = chain.Root
		chain.Members = append(chain.Members, next)
	}
}
