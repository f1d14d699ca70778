package pgdisk

import (
	"fmt"
	"sort"
)

// BlockReader returns a page of a relation fork by its number, across the fork's files. The
// page is only read and not kept beyond the next call.
type BlockReader func(blk BlockNumber) ([]byte, error)

// TOASTEntry is an entry of a TOAST table's index.
type TOASTEntry struct {
	Seq  int32 // chunk_seq
	TID  TID   // where the chunk lies in the TOAST table
	Dead bool  // marked dead: no transaction could see the row any more when the entry was last passed
}

// btreeMaxLevels bounds the height of a tree: every page above the leaves has two children or
// more, and there are at most 2^32 blocks.
const btreeMaxLevels = 32

// FindTOASTChunks looks up all chunks of a value in the index of its TOAST table
// (pg_toast_NNN_index on chunk_id, chunk_seq), in order of chunk_seq. Entries of rows that are
// dead or were never committed are among them: the caller looks at the rows.
//
// The search is that of _bt_search (access/nbtree/nbtsearch.c): from the fast root down, to
// the right where a page was split or deleted since its parent was written. On a tree that
// does not hold together the entries found so far are returned together with the error.
func FindTOASTChunks(read BlockReader, valueID OID) ([]TOASTEntry, error) {
	s := toastSearch{read: read, key: toastKey{id: valueID, natts: 1}}
	page, err := s.descend()
	if err != nil || page == nil {
		return nil, s.named(err)
	}
	entries, err := s.collect(page)
	return entries, s.named(err)
}

// toastKey is what a tuple of a TOAST index says of its place: natts columns of it count, the
// others are minus infinity.
type toastKey struct {
	id    OID
	seq   int32
	natts int
}

func (k toastKey) less(o toastKey) bool {
	switch {
	case k.natts == 0 || o.natts == 0:
		return k.natts == 0 && o.natts > 0
	case k.id != o.id:
		return k.id < o.id
	case k.natts == 1 || o.natts == 1:
		return k.natts == 1 && o.natts > 1
	}
	return k.seq < o.seq
}

// toastSearch goes through the index of a TOAST table.
type toastSearch struct {
	read BlockReader
	key  toastKey    // what is looked for
	blk  BlockNumber // the page at hand
}

// named adds the block to an error about a page's bytes.
func (s *toastSearch) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("look up value %d in the TOAST index: block %d: %w", s.key.id, s.blk, err)
}

func (s *toastSearch) fetch(blk BlockNumber) (*toastPage, error) {
	s.blk = blk
	page, err := s.read(blk)
	if err != nil {
		return nil, err
	}
	h, err := DecodePageHeader(page)
	if err != nil {
		return nil, err
	}
	if problems := h.Problems(); len(problems) > 0 {
		return nil, problems[0]
	}
	o, err := DecodeBTreeOpaque(page)
	if err != nil {
		return nil, err
	}
	if o.Flags&BTreeMeta != 0 {
		return nil, &FormatError{Off: BlockSize - 4, Field: "btpo_flags", Want: "a page of the tree", Got: "the meta page"}
	}
	return &toastPage{page: page, h: h, o: o}, nil
}

// descend finds the leaf where the entries start, nil in an empty index.
func (s *toastSearch) descend() (*toastPage, error) {
	s.blk = BTreeMetaBlock
	raw, err := s.read(BTreeMetaBlock)
	if err != nil {
		return nil, err
	}
	m, err := DecodeBTreeMetaPage(raw)
	if err != nil {
		return nil, err
	}
	if m.Root == BTreeNone {
		return nil, nil
	}
	if m.FastLevel >= btreeMaxLevels {
		return nil, &FormatError{Off: PageHeaderSize + 20, Field: "btm_fastlevel", Want: fmt.Sprintf("less than %d", btreeMaxLevels), Got: fmt.Sprint(m.FastLevel)}
	}
	blk := m.FastRoot
	for level := m.FastLevel; ; level-- {
		p, err := s.fetch(blk)
		if err != nil {
			return nil, err
		}
		if p, err = s.moveRight(p, level); err != nil || level == 0 {
			return p, err
		}
		if blk, err = s.child(p); err != nil {
			return nil, err
		}
	}
}

// moveRight passes by deleted pages and those whose keys are all less than the one looked for
// (_bt_moveright).
func (s *toastSearch) moveRight(p *toastPage, level uint32) (*toastPage, error) {
	links := rightLinks{}
	for {
		if !p.o.Ignored() {
			if p.o.Level != level || p.o.IsLeaf() != (level == 0) {
				return nil, &FormatError{Off: BlockSize - 8, Field: "btpo_level", Want: fmt.Sprint(level), Got: fmt.Sprintf("%d, flags 0x%04X", p.o.Level, uint16(p.o.Flags))}
			}
			if p.o.Rightmost() {
				return p, nil
			}
			high, err := p.key(1)
			if err != nil {
				return nil, err
			}
			if !high.less(s.key) {
				return p, nil
			}
		}
		if p.o.Rightmost() {
			return nil, &FormatError{Off: BlockSize - 12, Field: "btpo_next", Want: "a right sibling of a deleted page", Got: "none"}
		}
		var err error
		if p, err = s.next(p, &links); err != nil {
			return nil, err
		}
	}
}

func (s *toastSearch) next(p *toastPage, links *rightLinks) (*toastPage, error) {
	if !links.follow(p.o.Next) {
		return nil, &FormatError{Off: BlockSize - 12, Field: "btpo_next", Want: "a page not seen before", Got: fmt.Sprintf("block %d again", p.o.Next)}
	}
	return s.fetch(p.o.Next)
}

// child returns the downlink to follow: that of the last tuple not greater than the key. The
// first tuple of a page counts as minus infinity whatever it holds, and is not looked at.
func (s *toastSearch) child(p *toastPage) (BlockNumber, error) {
	first, n := p.o.FirstKey(), p.h.LinePointers()
	if n < first {
		return 0, &FormatError{Off: 12, Field: "pd_lower", Want: "an inner page with tuples", Got: fmt.Sprintf("%d line pointers", n)}
	}
	var bad error
	after := sort.Search(n-first, func(i int) bool {
		k, err := p.key(first + 1 + i)
		if err != nil {
			bad = err
		}
		return s.key.less(k)
	})
	if bad != nil {
		return 0, bad
	}
	item, err := p.item(first + after)
	if err != nil {
		return 0, err
	}
	return decodeTID(item).Block, nil
}

// collect gathers the entries from a leaf on, following right links as long as there may be
// more.
func (s *toastSearch) collect(p *toastPage) ([]TOASTEntry, error) {
	var entries []TOASTEntry
	links := rightLinks{}
	for {
		if !p.o.Ignored() {
			if !p.o.IsLeaf() {
				return entries, &FormatError{Off: BlockSize - 4, Field: "btpo_flags", Want: "a leaf", Got: fmt.Sprintf("0x%04X", uint16(p.o.Flags))}
			}
			var more bool
			var err error
			if entries, more, err = s.take(p, entries); err != nil || !more {
				return entries, err
			}
		}
		if p.o.Rightmost() {
			return entries, nil
		}
		var err error
		if p, err = s.next(p, &links); err != nil {
			return entries, err
		}
	}
}

// take adds the entries of one leaf; more is false when the pages to the right can have none.
func (s *toastSearch) take(p *toastPage, entries []TOASTEntry) (_ []TOASTEntry, more bool, _ error) {
	first, n := p.o.FirstKey(), p.h.LinePointers()
	if first == 2 { // the high key: no key here is greater, none to the right is less
		high, err := p.key(1)
		if err != nil {
			return entries, false, err
		}
		more = high.natts == 0 || high.id <= s.key.id
	}
	var bad error
	start := sort.Search(max(0, n-first+1), func(i int) bool {
		k, err := p.key(first + i)
		if err != nil {
			bad = err
		}
		return !k.less(s.key)
	})
	for number := first + start; number <= n && bad == nil; number++ {
		var k toastKey
		if k, bad = p.key(number); bad != nil {
			break
		}
		if k.id != s.key.id {
			return entries, false, nil
		}
		entries, bad = p.appendEntries(entries, number, k.seq)
	}
	return entries, more, bad
}
