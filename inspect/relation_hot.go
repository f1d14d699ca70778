package inspect

import "github.com/pgrescue/pgrescue/pgops/pgdisk"

// relHOT counts HOT chains: versions of a row on one page that share the index entries of the
// first.
type relHOT struct {
	Chains     uint64 `json:"chains"`
	Redirected uint64 `json:"redirected"` // of these, with a redirect as root
	Members    uint64 `json:"members"`
	Longest    int    `json:"longest"`
	Aborted    uint64 `json:"aborted"` // chains whose last link is of an update that did not commit
	Orphans    uint64 `json:"orphans"` // heap-only tuples of updates that did not commit, in no chain
	Broken     uint64 `json:"broken"`  // chains and tuples that are findings
}

// chains follows the chains of the page and finds those that no server leaves so. A link that
// leads to nothing is sound when the update that made it did not commit.
func (s *relHeapScan) chains() {
	found := s.hp.Chains(s.rel.updater)
	t := &s.h.HOT
	for _, c := range found.Chains {
		t.Chains++
		t.Members += uint64(len(c.Members))
		t.Longest = max(t.Longest, len(c.Members))
		if c.Redirect {
			t.Redirected++
		}
		switch {
		case c.End == pgdisk.HOTComplete:
		case s.abortedLink(c):
			t.Aborted++
		default:
			t.Broken++
			s.rel.r.finding("block %d: the HOT chain of line pointer %d, of %d members, %s (line pointer %d)", s.hp.Block, c.Root, len(c.Members), c.End, c.Next)
		}
	}
	for _, item := range found.Orphans {
		if v := s.fates[item-1]; v.Fate == pgdisk.FateNotInserted || v.Doubtful {
			t.Orphans++
			continue
		}
		t.Broken++
		s.rel.r.finding("%s: a heap-only tuple of a committed transaction in no HOT chain: no index leads to it", s.hp.TID(int(item-1)))
	}
}

// abortedLink reports whether the link at the end of a chain is of an update that did not
// commit, or may be.
func (s *relHeapScan) abortedLink(c pgdisk.HOTChain) bool {
	if c.End != pgdisk.HOTReplaced && c.End != pgdisk.HOTGone || len(c.Members) == 0 {
		return false
	}
	v := s.fates[c.Members[len(c.Members)-1]-1]
	return v.Fate != pgdisk.FateDeleted || v.Doubtful
}
